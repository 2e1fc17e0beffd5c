import { ApolloServerErrorCode } from '@apollo/server/errors';
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { QUERY_LIMITS, queryLimits } from './query-limits.ts';

export interface DocumentRules {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
}

/** Everything that runs but the context. */
export type CheckedDocument = Omit<ExecutionArgs, 'contextValue'>;

/** Reads what a client wants to subscribe to, by the rules that a POST is read by; or says everything wrong with it. */
export function readDocument(
  { schema, introspection }: DocumentRules,
  { query, operationName, variables }: SubscribePayload,
): CheckedDocument | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: QUERY_LIMITS.tokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return coded(ApolloServerErrorCode.GRAPHQL_PARSE_FAILED, [error]);
  }
  const operation = getOperationAST(document, operationName);
  // Told before anything else that is wrong with it: it is in the wrong place.
  if (operation && operation.operation !== 'subscription') {
    const message = `Only subscriptions run over a WebSocket. Send a ${operation.operation} to /graphql by POST. Nothing was run and nothing was charged.`;
    return coded(ApolloServerErrorCode.BAD_REQUEST, [new GraphQLError(message)]);
  }
  const rules = [...specifiedRules, queryLimits, ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])];
  const mistakes = validate(schema, document, rules, { hideSuggestions: !introspection });
  if (mistakes.length > 0) return coded(ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED, mistakes);
  if (!operation) return coded(ApolloServerErrorCode.OPERATION_RESOLUTION_FAILURE, [noOperation(operationName)]);
  const misfits = variableMistakes(schema, operation, variables ?? {});
  if (misfits.length > 0) return coded(ApolloServerErrorCode.BAD_USER_INPUT, misfits);
  return { schema, document, operationName, variableValues: variables };
}

function noOperation(name: string | null | undefined): GraphQLError {
  return new GraphQLError(
    name
      ? `There is no operation named ${JSON.stringify(name)} in the document.`
      : 'The document has more than one operation, or none: name the one to run in operationName.',
  );
}

function variableMistakes(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
): readonly GraphQLError[] {
  return getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 50 }).errors ?? [];
}

/** The same errors with a code, for programs. */
function coded(code: ApolloServerErrorCode, errors: readonly GraphQLError[]): readonly GraphQLError[] {
  return errors.map(
    ({ message, nodes, source, positions, path }) =>
      new GraphQLError(message, { nodes, source, positions, path, extensions: { code } }),
  );
}
