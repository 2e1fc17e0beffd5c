import type { IncomingMessage } from 'node:http';
import { CloseCode } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Viewer } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.service.ts';
import { DomainError } from '../errors.ts';
import { authenticate } from './authenticate.ts';

/** WebSockets that one account may have open at this process. */
export const ACCOUNT_CONNECTIONS_MAX = 50;
/** How long a key that was revoked keeps its connections at most; accounts look up their keys no oftener. */
const RECHECK_MS = 1_000;

export const TRY_AGAIN_LATER = 1013;

export interface Connection {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** How to end each subscription that is open. */
  readonly endings: Set<() => void>;
  /** Whose it is; null until a key has been accepted. */
  viewer: Viewer | null;
}

/** Who may be connected: opens connections to those with a key and closes them when it is revoked. */
export class Connections {
  /** By account, with the header that opened each. */
  readonly #open = new Map<string, Map<Connection, string>>();
  readonly #rechecks: NodeJS.Timeout;
  #isRechecking = false;

  constructor(private readonly accounts: Accounts) {
    this.#rechecks = setInterval(() => void this.#recheck(), RECHECK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#rechecks);
  }

  /** Lets a connection in, or closes it with the reason. The key in its parameters counts before the one in its request. */
  async admit(connection: Connection, parameters: Readonly<Record<string, unknown>> | undefined): Promise<boolean> {
    const { socket, request } = connection;
    const header = keyIn(parameters) ?? request.headers.authorization;
    if (header === undefined) {
      socket.close(CloseCode.Unauthorized, 'Send {"authorization": "Bearer <key>"} as the payload of connection_init.');
      return false;
    }
    const viewer = await this.#viewer(connection, header);
    // It may have gone while its key was looked up.
    if (viewer === null || socket.readyState !== socket.OPEN) return false;
    const others = this.#open.get(viewer.id) ?? new Map<Connection, string>();
    if (others.size >= ACCOUNT_CONNECTIONS_MAX) {
      socket.close(
        TRY_AGAIN_LATER,
        `This account has ${others.size} WebSockets open, the most it may. Close one first.`,
      );
      return false;
    }
    connection.viewer = viewer;
    this.#open.set(viewer.id, others.set(connection, header));
    return true;
  }

  /** Connections that have shown a key. */
  get admitted(): number {
    return [...this.#open.values()].reduce((count, connections) => count + connections.size, 0);
  }

  /** Subscriptions that are open on all of them. */
  get subscriptions(): number {
    const all = [...this.#open.values()].flatMap((connections) => [...connections.keys()]);
    return all.reduce((count, { endings }) => count + endings.size, 0);
  }

  remove(connection: Connection): void {
    if (connection.viewer === null) return;
    const others = this.#open.get(connection.viewer.id);
    others?.delete(connection);
    if (others?.size === 0) this.#open.delete(connection.viewer.id);
  }

  /** Null, and the connection is closed, when the key does not work. */
  async #viewer({ socket }: Connection, header: string): Promise<Viewer | null> {
    try {
      return await authenticate(this.accounts, header);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      socket.close(CloseCode.Forbidden, error.message);
      return null;
    }
  }

  async #recheck(): Promise<void> {
    if (this.#isRechecking) return;
    this.#isRechecking = true;
    const all = [...this.#open.values()].flatMap((connections) => [...connections]);
    // What cannot be looked up, as while the database is away, is no reason to turn anybody out.
    await Promise.allSettled(
      all.map(async ([connection, header]) => {
        connection.viewer = (await this.#viewer(connection, header)) ?? connection.viewer;
      }),
    );
    this.#isRechecking = false;
  }
}

/** Header names have no case. What is not a text is no key, which authentication will say. */
function keyIn(parameters: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const [, key] = Object.entries(parameters ?? {}).find(([name]) => name.toLowerCase() === 'authorization') ?? [];
  return key === undefined || key === null ? undefined : String(key);
}
