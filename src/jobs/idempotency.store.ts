import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { JobTables } from './jobs.tables.ts';

export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;
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
}

/** Which key of an account stands for which job. */
export class IdempotencyStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<JobTables>();
  }

  /** Claims a key for a new job, or says whose it is. Waits for another transaction that is claiming the same key. */
  async claim(tx: Tx, claim: KeyClaim): Promise<KeyHolder | null> {
    if ((await this.claimAll(tx, [claim])) === 1) return null;
    const held = await tx
      .withTables<JobTables>()
      .selectFrom('idempotency_keys')
      .select(['job_id', 'input_hash'])
      .where('account_id', '=', claim.accountId)
      .where('key', '=', claim.key)
      .executeTakeFirstOrThrow();
    return { jobId: held.job_id, inputHash: held.input_hash };
  }

  /**
   * Claims keys, each of which must be there once, and answers how many. A key that is older than {@link KEY_LIFETIME_MS} is
   * free again. Waits for other transactions that are claiming the same keys.
   */
  async claimAll(tx: Tx, claims: readonly KeyClaim[]): Promise<number> {
    const rows = claims.map((claim) => ({
      account_id: claim.accountId,
      key: claim.key,
      input_hash: claim.inputHash,
      job_id: claim.jobId,
      created_at: claim.claimedAt,
    }));
    const result = await sql`
      insert into idempotency_keys as mine (account_id, key, input_hash, job_id, created_at)
      select account_id, key, input_hash, job_id, created_at
      from json_populate_recordset(null::idempotency_keys, ${JSON.stringify(rows)}::json)
      order by account_id, key
      on conflict (account_id, key) do update set
        input_hash = excluded.input_hash, job_id = excluded.job_id, created_at = excluded.created_at
      where mine.created_at < excluded.created_at - ${KEY_LIFETIME_MS}::int * interval '1 millisecond'
      returning job_id`.execute(tx);
    return result.rows.length;
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
