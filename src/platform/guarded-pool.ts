import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import { DatabaseSilent, isPlanOutdated, sqlState } from './database-errors.ts';
import { PreparedStatements } from './prepared-statements.ts';

/** After this long without an answer it is looked whether the server still answers anybody. */
const QUIET_MS = 350;
const LOOK_TIMEOUT_MS = 600;

/**
 * A pool that tells a slow statement from a server that is gone without a word. A statement, or a wait for a free
 * connection, may take its time for as long as the server answers others; when it answers nobody, everything that waits
 * fails about a second after it began to. A connection that was left without an answer is never used again: it may be
 * cut off, and would keep everybody who is given it waiting.
 */
export class GuardedPool implements PostgresPool {
  readonly options: object;
  readonly prepared = new PreparedStatements();
  /** When the server last answered, on a clock that cannot be set. */
  #answeredAt = performance.now();
  #look: Promise<boolean> | null = null;

  constructor(private readonly pool: pg.Pool) {
    this.options = pool.options;
  }

  async connect(): Promise<PostgresPoolClient> {
    const arriving = this.pool.connect();
    try {
      return new GuardedClient(await this.answered(arriving), this);
    } catch (error) {
      const giveBack = (tooLate: pg.PoolClient) => tooLate.release();
      arriving.then(giveBack, () => undefined);
      throw error;
    }
  }

  end(): Promise<void> {
    return this.pool.end();
  }

  /** @throws DatabaseSilent instead of waiting for `work` any longer when the server answers nobody. */
  async answered<T>(work: Promise<T>): Promise<T> {
    const silence = Promise.withResolvers<never>();
    const lookLater = (since = performance.now()) => setTimeout(look, QUIET_MS, since);
    const look = async (since: number) => {
      const alive = this.#answeredAt > since || (await this.#isAlive());
      if (!alive) silence.reject(new DatabaseSilent());
      else if (timer !== null) timer = lookLater();
    };
    let timer: NodeJS.Timeout | null = lookLater();
    try {
      const result = await Promise.race([work, silence.promise]);
      this.#answeredAt = performance.now();
      return result;
    } finally {
      clearTimeout(timer);
      timer = null;
    }
  }

  /** Whoever asks while a look is under way shares its answer. */
  #isAlive(): Promise<boolean> {
    this.#look ??= this.#lookNow().finally(() => {
      this.#look = null;
    });
    return this.#look;
  }

  /** On a connection of its own, because all of the pool's may be stuck. */
  async #lookNow(): Promise<boolean> {
    const startedAt = performance.now();
    const client = new pg.Client({ ...this.pool.options, connectionTimeoutMillis: LOOK_TIMEOUT_MS });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch (error) {
      // To be turned away, as for too many connections, is an answer too.
      return sqlState(error) !== null || this.#answeredAt > startedAt;
    } finally {
      client.end().catch(() => undefined);
    }
  }
}

class GuardedClient implements PostgresPoolClient {
  #silent: DatabaseSilent | null = null;

  constructor(
    private readonly client: pg.PoolClient,
    private readonly pool: GuardedPool,
  ) {}

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    statement: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof statement !== 'string') throw new Error('this pool does not stream rows');
    return this.#run<R>(statement, parameters);
  }

  async #run<R>(statement: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    const name = this.pool.prepared.nameOf(statement);
    try {
      return await this.#send<R>(statement, parameters, name);
    } catch (error) {
      if (name === undefined || !isPlanOutdated(error)) throw error;
      this.pool.prepared.neverAgain(statement);
      // Within a transaction it is lost all the same: whoever runs that one runs it again for this error.
      return this.#send<R>(statement, parameters).catch(() => Promise.reject(error));
    }
  }

  async #send<R>(text: string, parameters: readonly unknown[], name?: string): Promise<PostgresQueryResult<R>> {
    if (this.#silent) throw this.#silent;
    const query = { text, values: [...parameters], ...(name !== undefined && { name }) };
    try {
      const running = this.client.query(query) as Promise<unknown>;
      return await this.pool.answered(running as Promise<PostgresQueryResult<R>>);
    } catch (error) {
      if (error instanceof DatabaseSilent) this.#silent = error;
      throw error;
    }
  }

  release(discard = false): void {
    this.client.release(this.#silent ?? discard);
  }
}
