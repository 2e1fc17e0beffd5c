import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Viewer } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.service.ts';
import { UPLOAD_BODY_LIMITS } from '../assets/uploads.service.ts';
import { DomainError } from '../errors.ts';
import { limitBodies } from '../platform/body-deadline.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { requestIdOf, type Tracing } from '../platform/tracing.ts';
import { authenticate } from './authenticate.ts';
import type { GraphContext } from './context.ts';
import { toGraphQLError } from './error-format.ts';
import type { LiveServer } from './live-server.ts';
import { createLoaders, type LoaderServices } from './loaders.ts';

const BODY_BYTES_MAX = 256 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 20_000;
/** What the longest body may take, which is an upload's. */
const REQUEST_TIMEOUT_MS = HEADERS_TIMEOUT_MS + UPLOAD_BODY_LIMITS.timeMaxMs;
const CONNECTIONS_CHECK_MS = 2_000;
const CONNECTIONS_MAX = 10_000;

export interface ServerOptions {
  readonly apollo: ApolloServer<GraphContext>;
  readonly accounts: Accounts;
  /** Answers requests that ask to become a WebSocket. */
  readonly live: LiveServer;
  readonly loaderServices: LoaderServices;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly log: Log;
  /** Routes of other folders: pictures, the playground. */
  readonly plugins: readonly FastifyPluginAsync[];
  /** The page that a browser gets at /graphql; null for none. */
  readonly playground: {
    wants(headers: FastifyRequest['headers']): boolean;
    send(reply: FastifyReply): unknown;
  } | null;
  /** Throws, with the reason, while this process should get no requests. */
  readonly checkReady: () => Promise<void>;
}

/** The HTTP outside: GraphQL at /graphql, by POST and by WebSocket, pictures, probes. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { apollo, accounts, live, loaderServices, metrics, tracing, playground, checkReady } = options;
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: 'idle',
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      // Some clients offer HTTP/2 with every request; they mean to be answered without it.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  app.server.on('upgrade', (request, socket, head) => live.upgrade(request, socket, head));
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500;
    if (status === 500) options.log.error({ err: error }, 'a request failed outside GraphQL');
    const message = status === 500 ? 'Something went wrong on our side.' : error.message;
    return reply
      .code(status)
      .send({ errors: [{ message, extensions: { code: status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST' } }] });
  });
  limitBodies(app, BODY_TIMEOUT_MS);
  for (const plugin of options.plugins) await app.register(plugin);

  const handle = fastifyApolloHandler(apollo, {
    context: async (request): Promise<GraphContext> => {
      const viewer = await viewerOrNobody(accounts, request.headers.authorization);
      const requestId = requestIdOf(traceParentIn(request));
      return { requestId, viewer, loaders: createLoaders(loaderServices, viewer), rate: null };
    },
  });
  app.route({
    url: '/graphql',
    method: ['GET', 'POST', 'OPTIONS'],
    handler: (request, reply) =>
      request.method === 'GET' && playground?.wants(request.headers)
        ? playground.send(reply)
        : tracing.request(traceParentIn(request), async () => handle.call(app, request, reply)),
  });
  app.get('/live', async () => ({ status: 'live' }));
  app.get('/ready', async (_request, reply) => {
    try {
      await checkReady();
      return { status: 'ready' };
    } catch (error) {
      return reply.code(503).send({ status: 'not ready', reason: error instanceof Error ? error.message : 'unknown' });
    }
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.text()));
  return app;
}

function traceParentIn({ headers: { traceparent } }: FastifyRequest): string | undefined {
  return typeof traceparent === 'string' ? traceparent : undefined;
}

/** Null without a key. @throws UNAUTHENTICATED for a header that is not a working key. */
async function viewerOrNobody(accounts: Accounts, header: string | undefined): Promise<Viewer | null> {
  try {
    return header === undefined ? null : await authenticate(accounts, header);
  } catch (error) {
    throw error instanceof DomainError ? toGraphQLError(error) : error;
  }
}
