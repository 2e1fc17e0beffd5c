import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * A job may be written before its hold within one transaction, so that the balance, which everybody of an account waits
 * for, is locked last and for the shortest time. Ledger entries are listed by account in the order they were written,
 * and keys that are older than they count are found by their age.
 */
export const money: Migration = {
  async up(db) {
    await sql`alter table jobs alter constraint jobs_hold_id_fkey deferrable initially deferred`.execute(db);
    await sql`create index idempotency_keys_age on idempotency_keys (created_at)`.execute(db);
  },
};
