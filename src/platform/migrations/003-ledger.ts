import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * A double-entry ledger of whole milli-credits. Every account has its own seven buckets, the house's side of each
 * posting included, so that no row is shared between customers: `issued` is what we gave (negative), `captured` what we
 * earned, `expired` what lapsed, and `owed` (negative) what a postpaid account owes. The balance row is the sum of its
 * entries, kept beside them so that one conditional statement can decide; its seven buckets always add up to zero.
 */
export const ledger: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table credit_balances (
        account_id text collate "C" primary key,
        monthly bigint not null default 0 check (monthly >= 0),
        topup bigint not null default 0 check (topup >= 0),
        owed bigint not null default 0 check (owed <= 0),
        held bigint not null default 0 check (held >= 0),
        captured bigint not null default 0 check (captured >= 0),
        expired bigint not null default 0 check (expired >= 0),
        issued bigint not null default 0 check (issued <= 0),
        postpaid boolean not null,
        anchor_at timestamptz not null,
        period_starts_at timestamptz not null,
        period_ends_at timestamptz not null,
        spent bigint not null default 0 check (spent >= 0),
        spend_cap bigint check (spend_cap >= 0),
        open_holds integer not null default 0 check (open_holds >= 0),
        held_from_monthly bigint not null default 0,
        check (monthly + topup + owed + held + captured + expired + issued = 0)
      )`.execute(db);
    await sql`
      create table credit_allowances (
        account_id text collate "C" not null references credit_balances (account_id),
        provider text not null,
        period_starts_at timestamptz not null,
        used integer not null check (used >= 0),
        primary key (account_id, provider)
      )`.execute(db);
    await sql`
      create table credit_holds (
        id text collate "C" primary key,
        account_id text collate "C" not null references credit_balances (account_id),
        job_id text not null unique,
        amount bigint not null check (amount >= 0),
        from_monthly bigint not null check (from_monthly >= 0),
        from_topup bigint not null check (from_topup >= 0),
        from_owed bigint not null check (from_owed >= 0),
        allowance_provider text,
        allowance_images integer not null default 0,
        period_starts_at timestamptz not null,
        price_version integer not null,
        created_at timestamptz not null,
        captured bigint check (captured >= 0 and captured <= amount),
        settled_at timestamptz,
        check (from_monthly + from_topup + from_owed = amount),
        check ((settled_at is null) = (captured is null))
      )`.execute(db);
    await sql`create index credit_holds_open on credit_holds (account_id) where settled_at is null`.execute(db);
    // Positions are given out under the lock of the account's balance: they are the order in which its entries were
    // written, which ids are not, because an id is made before the lock is had.
    await sql`
      create table ledger_transactions (
        id text collate "C" primary key,
        position bigint generated always as identity,
        account_id text collate "C" not null,
        kind text not null check (kind in ('GRANT', 'HOLD', 'CAPTURE', 'RELEASE', 'EXPIRE')),
        reason text not null,
        hold_id text,
        job_id text,
        price_version integer,
        created_at timestamptz not null
      )`.execute(db);
    await sql`create index ledger_transactions_account on ledger_transactions (account_id, position)`.execute(db);
    await sql`create index ledger_transactions_job on ledger_transactions (job_id) where job_id is not null`.execute(
      db,
    );
    await sql`
      create table ledger_entries (
        transaction_id text collate "C" not null references ledger_transactions (id),
        sequence integer not null,
        account_id text collate "C" not null,
        bucket text not null check (bucket in ('monthly', 'topup', 'owed', 'held', 'captured', 'expired', 'issued')),
        amount bigint not null check (amount <> 0),
        balance_after bigint not null,
        image_id text,
        primary key (transaction_id, sequence)
      )`.execute(db);
    await sql`create index ledger_entries_account on ledger_entries (account_id, bucket)`.execute(db);
    await sql`
      create function refuse_ledger_change() returns trigger language plpgsql as $$
      begin
        raise exception 'the ledger is append-only: correct a mistake with a new transaction';
      end $$`.execute(db);
    for (const table of ['ledger_transactions', 'ledger_entries']) {
      await sql`
        create trigger ${sql.raw(`${table}_append_only`)} before update or delete or truncate on ${sql.table(table)}
        for each statement execute function refuse_ledger_change()`.execute(db);
    }
  },
};
