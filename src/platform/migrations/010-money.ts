import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * A job may be written before its hold within one transaction, so that the balance, which everybody of an account waits
 * for, is locked last and for the shortest time. Periods that are over, and
 * keys that are too old to count, are found by their time.
 */
export const money: Migration = {
  async up(db) {
    await sql`alter table jobs alter constraint jobs_hold_id_fkey deferrable initially deferred`.execute(db);
    await sql`create index credit_balances_period on credit_balances (period_ends_at)`.execute(db);
    await sql`create index idempotency_keys_age on idempotency_keys (created_at)`.execute(db);
  },
};
