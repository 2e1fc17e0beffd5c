import { type Client, createClient, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocket } from 'ws';
import { LocalEventBus } from '../../src/platform/events.ts';

/** Things that come one after another, and a way to wait for one of them. */
export class Arrivals<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  add(item: T): void {
    this.all.push(item);
    for (const look of this.#waiting) look();
  }

  /** The first one that has come or comes and is so. The test's own time limit bounds the wait. */
  async until(isSo: (item: T) => boolean): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const look = () => {
      const found = this.all.find(isSo);
      if (found !== undefined) resolve(found);
    };
    this.#waiting.add(look);
    look();
    return promise.finally(() => this.#waiting.delete(look));
  }
}

export interface LiveAnswer<T> {
  readonly data?: T | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
}

export interface LiveSubscription<T> {
  readonly answers: Arrivals<LiveAnswer<T>>;
  /** Null once it is complete, or what ended it. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

/** A client such as frontends use, which connects once and never again. */
export function liveClient(url: string, key: string): Client {
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
    retryAttempts: 0,
  });
}

/** Subscribes and gathers what comes. */
export function subscribe<T>(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): LiveSubscription<T> {
  const answers = new Arrivals<LiveAnswer<T>>();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stop = client.subscribe<T>(
    { query, variables },
    { next: (answer) => answers.add(answer as LiveAnswer<T>), error: resolve, complete: () => resolve(null) },
  );
  return { answers, ended: promise, stop };
}

export interface LiveMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: LiveAnswer<Record<string, never>> | LiveAnswer<never>['errors'];
}

/** A bare WebSocket, for clients that do not behave. */
export interface LiveSocket {
  readonly socket: WebSocket;
  readonly messages: Arrivals<LiveMessage>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(message: Record<string, unknown>): void;
}

export interface SocketOptions {
  readonly headers?: Record<string, string>;
  readonly protocol?: string;
  readonly autoPong?: boolean;
}

/** Connects and waits until the connection is open; says nothing. */
export async function openSocket(url: string, options: SocketOptions = {}): Promise<LiveSocket> {
  const { protocol = GRAPHQL_TRANSPORT_WS_PROTOCOL, headers = {}, autoPong = true } = options;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocol, { headers, autoPong });
  const messages = new Arrivals<LiveMessage>();
  socket.on('message', (data) => messages.add(JSON.parse(String(data)) as LiveMessage));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { socket, messages, closed, send: (message) => socket.send(JSON.stringify(message)) };
}

/** The same, with its key accepted. */
export async function openAdmitted(url: string, key: string, options: SocketOptions = {}): Promise<LiveSocket> {
  const opened = await openSocket(url, options);
  opened.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
  await opened.messages.until(({ type }) => type === 'connection_ack');
  return opened;
}

/** Counts who listens to events in this process from now on. */
export function countListeners(): { readonly count: () => number; readonly restore: () => void } {
  const { subscribe: original } = LocalEventBus.prototype;
  let count = 0;
  LocalEventBus.prototype.subscribe = function (this: LocalEventBus, ...args) {
    const end = original.apply(this, args);
    let isOver = false;
    count++;
    return () => {
      if (!isOver) count--;
      isOver = true;
      end();
    };
  };
  return {
    count: () => count,
    restore: () => {
      LocalEventBus.prototype.subscribe = original;
    },
  };
}

/** Notes, whenever a WebSocket of this process sends a state, how many bytes of earlier ones it still has in memory. */
export function watchSends(): { readonly unsentBefore: readonly number[]; readonly restore: () => void } {
  const { send: original } = WebSocket.prototype;
  const unsentBefore: number[] = [];
  WebSocket.prototype.send = function (this: WebSocket, ...args: Parameters<typeof original>) {
    if (String(args[0]).includes('"type":"next"')) unsentBefore.push(this.bufferedAmount);
    original.apply(this, args);
  } as typeof original;
  return {
    unsentBefore,
    restore: () => {
      WebSocket.prototype.send = original;
    },
  };
}
