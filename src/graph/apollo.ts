import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { type ASTVisitor, GraphQLError, type GraphQLSchema, type ValidationContext } from 'graphql';
import { availableOf } from '../credits/balance.ts';
import { DomainError } from '../errors.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Tiers } from '../tiers/tiers.service.ts';
import type { GraphContext } from './context.ts';
import { ERRORS_SHOWN_MAX, errorFormatter, toGraphQLError } from './error-format.ts';
import { QUERY_LIMITS, queryLimits } from './query-limits.ts';
import { type Reads, takeRead } from './reads.ts';
import { requestMetrics } from './request-metrics.ts';

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly tiers: Tiers;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Null switches the limit off. */
  readonly reads: Reads | null;
}

/** Apollo with everything it leaves open closed: masking, limits, numbering, statuses. One path for every request. */
export function createApollo(options: ApolloOptions): ApolloServer<GraphContext> {
  return new ApolloServer<GraphContext>({
    schema: options.schema,
    introspection: options.introspection,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !options.introspection,
    persistedQueries: false,
    allowBatchedHttpRequests: false,
    csrfPrevention: true,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: QUERY_LIMITS.tokens },
    maxRecursiveSelections: true,
    validationRules: [queryLimits, subscriptionsElsewhere],
    formatError: errorFormatter(options.log),
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      // Answers are private to an account and are never cached, so no field needs to be watched for it.
      ApolloServerPluginCacheControlDisabled(),
      ...(options.reads ? [readLimit(options.reads)] : []),
      billing(options.tiers, options.log),
      errorAnswer(),
      requestMetrics(options.metrics),
    ],
  });
}

/** A subscription outlives the answer to a POST. */
function subscriptionsElsewhere(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (node.operation !== 'subscription') return;
      const message =
        'Subscriptions are not answered to a POST: open a WebSocket at /graphql with the subprotocol graphql-transport-ws and subscribe there.';
      context.reportError(new GraphQLError(message, { nodes: node }));
    },
  };
}

function readLimit(reads: Reads): ApolloServerPlugin<GraphContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ contextValue: { viewer } }) {
          if (!viewer) return;
          await takeRead(reads, viewer).catch((error: unknown) => {
            throw error instanceof DomainError ? toGraphQLError(error) : error;
          });
        },
      };
    },
  };
}

/** Tells every submission how the account stands: `extensions.billing`, left out where that cannot be looked up. */
function billing(tiers: Tiers, log: Log): ApolloServerPlugin<GraphContext> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ contextValue: { viewer, rate }, response }) {
          if (!viewer || !rate || response.body.kind !== 'single') return;
          // What has been accepted must be told, whatever becomes of this.
          const balance = await tiers.balance(viewer).catch((error: unknown) => {
            log.warn({ err: error }, 'a submission was answered without the balance of its account');
            return null;
          });
          if (balance === null) return;
          const available = availableOf(balance);
          const credits = (milli: bigint | null) => (milli === null ? null : Number(milli) / 1000);
          response.body.singleResult.extensions = {
            ...response.body.singleResult.extensions,
            billing: {
              balance: available === null ? null : credits(available + balance.held),
              held: credits(balance.held),
              available: credits(available),
              unlimited: balance.postpaid,
              rateLimit: { limit: rate.limit, remaining: rate.remaining, resetsAt: rate.resetsAt.toISOString() },
            },
          };
        },
      };
    },
  };
}

/** Mistakes in the request itself, which the GraphQL-over-HTTP specification answers with 200 to clients of plain JSON. */
const REQUEST_MISTAKES: ReadonlySet<unknown> = new Set([
  ApolloServerErrorCode.GRAPHQL_PARSE_FAILED,
  ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED,
  ApolloServerErrorCode.BAD_USER_INPUT,
]);

/** Caps how many errors are told, and gives the status that the client's Accept header asks for. */
function errorAnswer(): ApolloServerPlugin<GraphContext> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ request, response }) {
          if (response.body.kind !== 'single' || !response.body.singleResult.errors) return;
          const { errors } = response.body.singleResult;
          if (errors.some(({ extensions }) => extensions?.code === 'UNAVAILABLE')) response.http.status = 503;
          const accepts = request.http?.headers.get('accept') ?? '';
          if (
            response.http.status === 400 &&
            !accepts.includes('application/graphql-response+json') &&
            errors.every(({ extensions }) => REQUEST_MISTAKES.has(extensions?.code))
          ) {
            response.http.status = 200;
          }
          response.body.singleResult.errors = errors.slice(0, ERRORS_SHOWN_MAX);
        },
      };
    },
  };
}
