import { createHash, randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { PGlite, types as pgliteTypes } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect, sql, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { isPlanOutdated, sqlState } from './database-errors.ts';
import { GuardedPool } from './guarded-pool.ts';
import type { Log } from './log.ts';
import { migrations } from './migrations/migrations.ts';

/** Every store names the tables it owns with `db.withTables<…>()`; nobody sees the tables of another. */
// biome-ignore lint/complexity/noBannedTypes: Kysely spells "no tables known here" this way.
export type Db = Kysely<{}>;
// biome-ignore lint/complexity/noBannedTypes: as above.
export type Tx = Transaction<{}>;

export interface Database {
  readonly db: Db;
  /** Which of the two engines runs; the embedded one serves a single process and a single connection. */
  readonly engine: 'postgres' | 'pglite';
  /** The embedded engine itself, for the queue that must share its only connection; null on Postgres. */
  readonly pglite: PGlite | null;
  /** How its connections are used at this moment; null where there is but one. */
  readonly connections: (() => Connections) | null;
  close(): Promise<void>;
}

export interface Connections {
  readonly busy: number;
  readonly idle: number;
  /** Who waits for one. */
  readonly waiting: number;
}

export interface PostgresOptions {
  readonly url: string;
  readonly poolMax: number;
  readonly log: Log;
  /** Lets statements take as long as they need: for what nobody waits for. */
  readonly unhurried?: true;
}

/**
 * The libraries wait for ever by default. A server that is gone is noticed within about a second by the guarded pool;
 * these bound what may take long while it is there. Statements get a little less than the client waits, so that the
 * server's own answer wins where it can.
 */
const CONNECTION_WAIT_MAX_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 6_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000;

const INT8 = 20;
const SQLITE_BUSY = 5;

/**
 * The embedded engine clears this memory whenever it starts, and initdb starts it several times over: with its own
 * default of 128 MB that is half of a start. Pages that do not fit are in the system's cache of files all the same.
 */
const PGLITE_MEMORY = ['-c', 'shared_buffers=16MB'];

/** A bigint column is a bigint: amounts must never pass through a float. */
const postgresParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? BigInt : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export function openPostgres({ url, poolMax, log, unhurried }: PostgresOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolMax,
    types: postgresParsers,
    connectionTimeoutMillis: CONNECTION_WAIT_MAX_MS,
    ...(!unhurried && { statement_timeout: STATEMENT_TIMEOUT_MS, query_timeout: QUERY_TIMEOUT_MS }),
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    application_name: 'image-studio-gateway',
  });
  // A connection that breaks while no statement runs on it must not end the process; it is replaced on its next use.
  pool.on('connect', (client) => client.on('error', (error) => log.debug({ err: error }, 'a connection broke')));
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
  return {
    db: new Kysely({ dialect: new PostgresDialect({ pool: new GuardedPool(pool) }) }),
    engine: 'postgres',
    pglite: null,
    connections: () => ({
      busy: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: () => pool.end(),
  };
}

/**
 * Opens the embedded database in `folder`, or in memory when null; a `dump` is what it holds at first. PGlite takes no
 * lock of its own and two processes would silently lose data, so an exclusive SQLite transaction on a file beside it is
 * held for as long as we run: the system gives it up whenever and however the process ends.
 * @throws Error when another process holds the folder.
 */
export async function openPglite(folder: string | null, dump?: Blob): Promise<Database> {
  const unlock = folder === null ? null : lockFolder(folder);
  try {
    const pglite = await PGlite.create({
      ...(folder !== null && { dataDir: join(folder, 'pglite') }),
      ...(dump && { loadDataDir: dump }),
      startParams: [...PGlite.defaultStartParams, ...PGLITE_MEMORY],
      initDbStartParams: PGLITE_MEMORY,
      parsers: { [pgliteTypes.INT8]: BigInt },
    });
    return {
      db: new Kysely({ dialect: new PGliteDialect({ pglite }) }),
      engine: 'pglite',
      pglite,
      connections: null,
      close: () => pglite.close().finally(() => unlock?.()),
    };
  } catch (error) {
    unlock?.();
    throw error;
  }
}

/** A lock that nothing refers to any more is collected as garbage, and given up by that: not all keep their `close`. */
const locksHeld = new Set<DatabaseSync>();

/** @returns what gives it up again. */
function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const lock = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cause;
    throw new Error(
      `Another gateway is running on the data folder ${folder}. The embedded database serves one process: stop the other one, choose another DATA_DIR, or set DATABASE_URL.`,
      { cause },
    );
  }
  locksHeld.add(lock);
  return () => {
    locksHeld.delete(lock);
    lock.close();
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

const RETRYABLE = new Set(['40001', '40P01']);
const TRANSACTION_TRIES_MAX = 4;
const RETRY_DELAY_MAX_MS = 20;

/**
 * Runs `work` in one transaction and runs it again, a few times at most, when the database chose it as the victim of a
 * deadlock or a serialization conflict, or a table has changed under a prepared statement: nothing of it was kept then. Every statement of `work` must go through its `tx`;
 * on the embedded engine any other one would wait for it for ever.
 */
export async function inTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      const isRetryable = RETRYABLE.has(sqlState(error) ?? '') || isPlanOutdated(error);
      if (attempt === TRANSACTION_TRIES_MAX || !isRetryable) throw error;
      // At once it might meet the same other transaction again, before that one had its turn.
      await delay(randomInt(RETRY_DELAY_MAX_MS * attempt));
    }
  }
}

/** Runs `look` on the database as it is at one moment, however long it takes. Nothing can be written. */
export function inSnapshot<T>(db: Db, look: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(look);
}

/** Answers `select 1`, or throws. */
export async function pingDatabase(db: Db): Promise<void> {
  await sql`select 1`.execute(db);
}

/** Serialises, until the transaction ends, everything that takes a lock on the same words. */
export async function lockUntilCommit(tx: Tx, words: string): Promise<void> {
  const key = createHash('sha256').update(words).digest().readBigInt64BE();
  await sql`select pg_advisory_xact_lock(${key.toString()}::bigint)`.execute(tx);
}

/** Brings the schema up to date. Safe when several processes start at once: one migrates and the others wait. */
export async function migrate(db: Db): Promise<void> {
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest();
  if (error) throw error;
}
