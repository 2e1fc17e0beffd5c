import { setTimeout as wait } from 'node:timers/promises';
/** The server answers nobody: it has stopped without a word, or the way to it is cut. */
export class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent';
  constructor() {
    super('the database server does not answer');
  }
}

/** The five-character SQLSTATE of a database error, or null for anything else. */
export function sqlState(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** Connection failures, server shutdown and start-up, too many connections, read-only, and our own time-outs. */
const AWAY_STATES = /^(08...|57P0[1-5]|53300|57014|25P03|25006)$/;
const AWAY_CODES = /^(ECONN|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)/;
const AWAY_MESSAGES =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|timeout expired|not queryable/i;

/** Whether an error says that the database is away or too slow, and not that a statement was wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    error instanceof DatabaseSilent ||
    AWAY_STATES.test(code) ||
    AWAY_CODES.test(code) ||
    AWAY_MESSAGES.test(error.message)
  );
}

/** Whether a prepared statement was refused because its table has changed since, as by a newer program beside this one. */
export function isPlanOutdated(error: unknown): boolean {
  return sqlState(error) === '0A000' && error instanceof Error && error.message.includes('cached plan');
}

const PATIENCE_MS = 20_000;
const RETRY_MS = 500;

/**
 * Writes what must not be lost: a database that is away is waited for, twenty seconds at most. `write` must be safe to
 * repeat, because a commit whose answer was lost may have happened.
 */
export async function whileDatabaseReturns<T>(write: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isDatabaseAway(error) || performance.now() > deadline) throw error;
      await wait(RETRY_MS);
    }
  }
}
