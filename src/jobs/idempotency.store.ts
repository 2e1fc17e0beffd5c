import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { JobTables } from './jobs.tables.ts';

const FORGET_BATCH = 1_000;

/** The job that already has an idempotency key. */
export interface KeyHolder {
  readonly jobId: string;
  readonly inputHash: string;
}

/** A job that wants to be the one that a key of its account stands for. */
export interface KeyClaim {
  readonly accountId: string;
  readonly key: string;
  /** Of all that was asked for, so that another wish under the same key is noticed. */
  readonly inputHash: string;
  readonly jobId: string;
  readonly claimedAt: Date;
  /** Keys claimed before this are free again. */
  readonly expiredBefore: Date;
}

/** Which key of an account stands for which job. */
export class IdempotencyStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<JobTables>();
  }

  /**
   * Claims an idempotency key for a new job, or says whose it is. Waits for another transaction that is claiming the
   * same key.
   */
  async claim(tx: Tx, claim: KeyClaim): Promise<KeyHolder | null> {
    const tables = tx.withTables<JobTables>();
    const row = {
      account_id: claim.accountId,
      key: claim.key,
      input_hash: claim.inputHash,
      job_id: claim.jobId,
      created_at: claim.claimedAt,
    };
    const claimed = await tables
      .insertInto('idempotency_keys')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['account_id', 'key'])
          .doUpdateSet(row)
          .where('idempotency_keys.created_at', '<', claim.expiredBefore),
      )
      .returning('job_id')
      .executeTakeFirst();
    if (claimed) return null;
    const held = await tables
      .selectFrom('idempotency_keys')
      .select(['job_id', 'input_hash'])
      .where('account_id', '=', claim.accountId)
      .where('key', '=', claim.key)
      .executeTakeFirstOrThrow();
    return { jobId: held.job_id, inputHash: held.input_hash };
  }

  /** Deletes keys that were claimed before `before`, some at a time so that no statement takes long. */
  async forget(before: Date): Promise<void> {
    for (;;) {
      const { numAffectedRows = 0n } = await sql`
        delete from idempotency_keys where ctid in (
          select ctid from idempotency_keys where created_at < ${before} limit ${FORGET_BATCH})`.execute(this.#db);
      if (numAffectedRows < FORGET_BATCH) return;
    }
  }

  async holder(accountId: string, key: string, notBefore: Date): Promise<KeyHolder | null> {
    const row = await this.#db
      .selectFrom('idempotency_keys')
      .select(['job_id', 'input_hash'])
      .where('account_id', '=', accountId)
      .where('key', '=', key)
      .where('created_at', '>=', notBefore)
      .executeTakeFirst();
    return row ? { jobId: row.job_id, inputHash: row.input_hash } : null;
  }
}
