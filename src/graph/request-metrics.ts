import type { ApolloServerPlugin } from '@apollo/server';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLFormattedError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Metrics } from '../platform/metrics.ts';
import { annotate, renameSpan } from '../platform/tracing.ts';
import type { GraphContext } from './context.ts';

/** What a request is measured by. Both words are the schema's, so there are only so many of them. */
export interface OperationName {
  /** query, mutation, subscription, or none where it could not be read or is not allowed. */
  readonly kind: string;
  /** The field that it asks for, `several`, or `none`. */
  readonly field: string;
}

export const NO_OPERATION: OperationName = { kind: 'none', field: 'none' };
const SERVER_ERRORS: ReadonlySet<unknown> = new Set(['INTERNAL_SERVER_ERROR', 'UNAVAILABLE']);

/** Times every request from its arrival to its answer, and names its trace by what it asks for. */
export function requestMetrics(metrics: Metrics): ApolloServerPlugin<GraphContext> {
  return {
    async requestDidStart() {
      const begunAt = performance.now();
      let name = NO_OPERATION;
      return {
        async didResolveOperation({ operation, document }) {
          if (operation) name = operationName(operation, document);
          renameSpan(`${name.kind} ${name.field}`);
        },
        async willSendResponse({ response: { body } }) {
          const outcome = outcomeOf(body.kind === 'single' ? body.singleResult.errors : undefined);
          annotate({ outcome });
          metrics.requests.observe({ ...name, outcome }, (performance.now() - begunAt) / 1_000);
        },
      };
    },
    async contextCreationDidFail() {
      metrics.requests.observe({ ...NO_OPERATION, outcome: 'client_error' }, 0);
    },
  };
}

/** `errors` as the client sees them. */
export function outcomeOf(errors: readonly GraphQLFormattedError[] | undefined): string {
  if (!errors || errors.length === 0) return 'ok';
  return errors.some(({ extensions }) => SERVER_ERRORS.has(extensions?.code)) ? 'server_error' : 'client_error';
}

/** Documents are kept and run again, so that this is looked for once for each. */
const known = new WeakMap<OperationDefinitionNode, OperationName>();

/** What a document that has been checked against the schema asks for. */
export function operationName(operation: OperationDefinitionNode, document: DocumentNode): OperationName {
  const found = known.get(operation);
  if (found) return found;
  const fields = [...new Set(fieldsOf(operation.selectionSet, fragmentsOf(document)))];
  const name = { kind: operation.operation, field: fields.length === 1 ? (fields[0] ?? 'none') : 'several' };
  known.set(operation, name);
  return name;
}

function fragmentsOf({ definitions }: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
}

function fieldsOf(set: SelectionSetNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): string[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value;
    const inside =
      selection.kind === Kind.INLINE_FRAGMENT
        ? selection.selectionSet
        : fragments.get(selection.name.value)?.selectionSet;
    return inside ? fieldsOf(inside, fragments) : [];
  });
}
