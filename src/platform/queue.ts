import { type ConstructorOptions, fromKysely, fromPglite, type JobWithMetadata, PgBoss } from 'pg-boss';
import type { Database, Tx } from './database.ts';
import type { Log } from './log.ts';

export interface Wake {
  /** What a worker is woken for. */
  readonly id: string;
  /** Higher ones first. */
  readonly priority: number;
}

/** Delivered at least once, so a handler must be able to meet the same id twice. */
export interface WorkQueue {
  start(): Promise<void>;
  /** Wakes workers: within `tx` when given (and then only if it commits). */
  enqueue(wakes: readonly Wake[], tx: Tx | null): Promise<void>;
  /** The handler should only start the work: what it was woken for must be found again without the queue. */
  work(handler: (ids: readonly string[]) => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

const QUEUE = 'work';
const STOP_TIMEOUT_MS = 10_000;
/** Notifications wake workers at once; this is the floor when one is lost. */
const POLLING_SECONDS = 2;
const CONNECTIONS_MAX = 4;
const CONNECTION_WAIT_MAX_MS = 5_000;
const BATCH_MAX = 32;

/** Queue on the database itself, so that enqueueing commits together with whatever else a transaction does. */
export class DatabaseQueue implements WorkQueue {
  readonly #boss: PgBoss;

  /** `databaseUrl` is that of `database`; on PostgreSQL the queue listens on connections of its own. */
  constructor(database: Database, databaseUrl: string | null, log: Log) {
    this.#boss = new PgBoss({
      ...connectionOf(database, databaseUrl),
      schema: 'queue',
      useListenNotify: true,
      schedule: false,
      registerInstance: false,
    });
    this.#boss.on('error', (error) => log.warn({ err: error }, 'the work queue had an error; it goes on'));
    this.#boss.on('warning', (warning) => log.debug({ warning }, 'the work queue warns'));
  }

  async start(): Promise<void> {
    await this.#boss.start();
    // Waking is all the queue does: the truth is in our own rows, and a sweep wakes whatever was missed.
    await this.#boss.createQueue(QUEUE, {
      notify: true,
      retryLimit: 0,
      expireInSeconds: 3600,
      retentionSeconds: 86_400,
      deleteAfterSeconds: 60,
    });
  }

  async enqueue(wakes: readonly Wake[], tx: Tx | null): Promise<void> {
    const jobs = wakes.map(({ id, priority }) => ({ data: { id }, priority }));
    if (jobs.length > 0) await this.#boss.insert(QUEUE, jobs, tx ? { db: fromKysely(tx) } : {});
  }

  async work(handler: (ids: readonly string[]) => Promise<void>): Promise<void> {
    const options = {
      batchSize: BATCH_MAX,
      includeMetadata: true as const,
      pollingIntervalSeconds: POLLING_SECONDS,
      notifyPollingIntervalSeconds: POLLING_SECONDS,
    };
    // The most urgent are fetched, but in no order among themselves.
    await this.#boss.work(QUEUE, options, (batch: JobWithMetadata<{ id: string }>[]) =>
      handler(batch.toSorted((a, b) => b.priority - a.priority).map(({ data }) => data.id)),
    );
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: STOP_TIMEOUT_MS });
  }
}

function connectionOf({ pglite }: Database, url: string | null): ConstructorOptions {
  if (pglite) return { db: fromPglite(pglite), backend: 'pglite' };
  if (url === null) throw new Error('the queue needs the URL of its PostgreSQL');
  return { connectionString: url, max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECTION_WAIT_MAX_MS };
}
