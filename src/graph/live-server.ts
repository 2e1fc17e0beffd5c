import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import { type ExecutionArgs, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { Accounts } from '../accounts/accounts.service.ts';
import { DomainError } from '../errors.ts';
import { isDatabaseAway } from '../platform/database-errors.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { ERRORS_SHOWN_MAX, errorFormatter, toGraphQLError } from './error-format.ts';
import type { LiveContext, LiveSources } from './live.ts';
import { type Connection, Connections, TRY_AGAIN_LATER } from './live-connections.ts';
import { type DocumentRules, readDocument } from './live-documents.ts';
import { SubscriptionMetrics } from './live-metrics.ts';
import { createLoaders, type LoaderServices } from './loaders.ts';
import { type Reads, takeRead } from './reads.ts';

const PATH = '/graphql';
const CONNECTIONS_MAX = 5_000;
/** Strangers, who have shown no key yet, must not keep everybody else out. */
const STRANGERS_MAX = 500;
const INIT_WAIT_MS = 5_000;
/** A client that has answered no ping when the next one is due is taken to be gone. */
const PING_MS = 12_000;
/** States wait their turn, so only answers to what a client sends can pile up; one that lets them is cut off. */
const UNSENT_BYTES_MAX = 1024 * 1024;
const GOING_AWAY = 1001;

const SOCKETS: ServerOptions & { closeTimeout: number } = {
  noServer: true,
  maxPayload: 64 * 1024,
  perMessageDeflate: false,
  handleProtocols,
  // How long a client may take to agree to a close, in milliseconds.
  closeTimeout: 1_000,
};

export interface LiveOptions extends DocumentRules {
  readonly accounts: Accounts;
  readonly loaderServices: LoaderServices;
  readonly sources: LiveSources;
  /** Null switches the limit off. */
  readonly reads: Reads | null;
  readonly log: Log;
  /** Where subscriptions are measured; nowhere without it. */
  readonly metrics?: Metrics;
  /** WebSockets that may be open at once, whosever they are; 5,000 unless given. */
  readonly connectionsMax?: number;
  /** Of these, how many may not yet have shown a key; 500 unless given. */
  readonly strangersMax?: number;
}

/**
 * Subscriptions over WebSockets, in the protocol of graphql-ws. Its adapter for ws is not used: that writes to the
 * console, shows clients our own errors, and lets answers pile up for a client that only talks.
 */
export class LiveServer {
  readonly #sockets = new WebSocketServer(SOCKETS);
  readonly #connections: Connections;
  readonly #format: ReturnType<typeof errorFormatter>;
  readonly #protocol;
  /** Who has answered since the last ping. */
  readonly #answered = new WeakSet<WebSocket>();
  readonly #pings: NodeJS.Timeout;
  readonly #measures: SubscriptionMetrics;
  /** Subscriptions of closed connections that are still winding up. */
  readonly #closing = new Set<Promise<void>>();

  constructor(private readonly options: LiveOptions) {
    this.#connections = new Connections(options.accounts);
    this.#measures = new SubscriptionMetrics(options.metrics ?? null);
    this.#format = errorFormatter(options.log);
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
    this.#protocol = makeServer<Record<string, unknown>, Connection>({
      connectionInitWaitTimeout: INIT_WAIT_MS,
      onConnect: ({ extra, connectionParams }) => this.#connections.admit(extra, connectionParams),
      onSubscribe: ({ extra }, _id, payload) => this.#measures.asked(() => this.#read(extra, payload)),
      onOperation: (_client, _id, _payload, args, result) => this.#measures.opened(args, result),
      onNext: (_client, _id, _payload, _args, { errors, ...rest }) =>
        errors && { ...rest, errors: this.#shown(errors) },
      onError: (_client, _id, _payload, errors) => this.#shown(errors),
    });
  }

  /** Turns a request into a WebSocket, or refuses it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusal(request);
    if (refusal) refuse(socket, ...refusal);
    else this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#opened(opened, request));
  }

  /** How many WebSockets are open, and subscriptions on them. */
  get open(): { readonly connections: number; readonly subscriptions: number } {
    return { connections: this.#sockets.clients.size, subscriptions: this.#connections.subscriptions };
  }

  #refusal({ url }: IncomingMessage): [status: string, message: string] | null {
    if (url?.split('?')[0] !== PATH) return ['404 Not Found', `There is no WebSocket here. Open one at ${PATH}.`];
    const { connectionsMax = CONNECTIONS_MAX, strangersMax = STRANGERS_MAX } = this.options;
    if (this.#sockets.clients.size - this.#connections.admitted >= strangersMax) {
      return ['503 Service Unavailable', `${strangersMax} WebSockets are waiting to be let in. Try again later.`];
    }
    return this.#sockets.clients.size >= connectionsMax
      ? [
          '503 Service Unavailable',
          `${connectionsMax} WebSockets are open here, the most there may be. Try again later.`,
        ]
      : null;
  }

  /** Closes every connection and waits until nothing of them is left. */
  async stop(): Promise<void> {
    clearInterval(this.#pings);
    this.#connections.stop();
    for (const socket of this.#sockets.clients) socket.close(GOING_AWAY, 'The gateway is stopping. Connect again.');
    await new Promise((resolve) => this.#sockets.close(resolve));
    await Promise.all(this.#closing);
  }

  #opened(socket: WebSocket, request: IncomingMessage): void {
    const connection: Connection = { socket, request, endings: new Set(), viewer: null };
    socket.on('error', (error) => this.options.log.debug({ err: error }, 'a WebSocket failed or sent what it may not'));
    this.#answered.add(socket);
    socket.on('pong', () => this.#answered.add(socket));
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => sent(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) =>
          socket.on('message', (data) => {
            if (socket.bufferedAmount > UNSENT_BYTES_MAX) socket.terminate();
            else receive(String(data)).catch((error: unknown) => this.#failed(socket, error));
          }),
      },
      connection,
    );
    socket.once('close', (code, reason) => {
      this.#connections.remove(connection);
      for (const end of connection.endings) end();
      const over = closed(code, String(reason)).finally(() => this.#closing.delete(over));
      this.#closing.add(over);
    });
  }

  /** What a client wants to subscribe to, ready to run, or why it may not. */
  async #read(connection: Connection, payload: SubscribePayload): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { viewer, endings } = connection;
    const { loaderServices, sources, reads } = this.options;
    try {
      if (reads && viewer) await takeRead(reads, viewer);
      const read = readDocument(this.options, payload);
      if (!('document' in read)) return read;
      const freshLoaders = () => createLoaders(loaderServices, viewer);
      const requestId = crypto.randomUUID();
      const context: LiveContext = {
        requestId,
        viewer,
        loaders: freshLoaders(),
        rate: null,
        freshLoaders,
        sources,
        endings,
      };
      return { ...read, contextValue: context };
    } catch (error) {
      return [error instanceof DomainError ? toGraphQLError(error) : wrapped(error)];
    }
  }

  #shown(errors: readonly GraphQLError[]): GraphQLFormattedError[] {
    return errors.slice(0, ERRORS_SHOWN_MAX).map((error) => {
      const code = error.extensions.code ?? ApolloServerErrorCode.INTERNAL_SERVER_ERROR;
      return this.#format({ ...error.toJSON(), extensions: { ...error.extensions, code } }, error);
    });
  }

  /** A message could not be handled, for a reason of our own. */
  #failed(socket: WebSocket, error: unknown): void {
    if (isDatabaseAway(error)) {
      socket.close(TRY_AGAIN_LATER, 'The gateway cannot reach its database just now. Connect again in a moment.');
      return;
    }
    const errorId = crypto.randomUUID();
    this.options.log.error({ err: error, errorId }, 'a WebSocket was closed for a reason of our own');
    socket.close(CloseCode.InternalServerError, `Something went wrong on our side (error ${errorId}).`);
  }

  #ping(): void {
    for (const socket of this.#sockets.clients) {
      if (this.#answered.delete(socket)) socket.ping();
      else socket.terminate();
    }
  }
}

/**
 * Done when it has left us, so that a client that reads slowly is shown states as slowly; at once when nobody is there. A
 * client that goes away while it is told something is nobody's failure: its connection is over, and says so itself.
 */
function sent(socket: WebSocket, data: string): Promise<void> | undefined {
  if (socket.readyState !== socket.OPEN) return undefined;
  return new Promise((resolve) =>
    socket.send(data, (error) => {
      if (error) socket.terminate();
      resolve();
    }),
  );
}

function wrapped(error: unknown): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

function refuse(socket: Duplex, status: string, message: string): void {
  const body = JSON.stringify({ errors: [{ message }] });
  // It may go away while it is told.
  socket.on('error', () => undefined);
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
