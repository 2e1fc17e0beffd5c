import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Credits that an account sets apart for something, such as a campaign. `spent` is what holds of the budget hold or have
 * captured: since it was made, or since `period_starts_at` where it begins anew with each period of the account. It changes
 * under the lock of the account's balance only.
 */
export const budgets: Migration = {
  async up(db) {
    await sql`
      create table budgets (
        id text collate "C" primary key,
        account_id text collate "C" not null references credit_balances (account_id),
        name text not null check (length(name) between 1 and 200),
        cap bigint not null check (cap >= 0),
        period text not null check (period in ('MONTHLY', 'ONCE')),
        spent bigint not null default 0 check (spent >= 0),
        period_starts_at timestamptz not null,
        created_at timestamptz not null,
        closed_at timestamptz
      )`.execute(db);
    await sql`create unique index budgets_name on budgets (account_id, lower(name))`.execute(db);
    await sql`alter table credit_holds add column budget_id text collate "C" references budgets (id)`.execute(db);
    await sql`create index credit_holds_budget on credit_holds (budget_id) where budget_id is not null`.execute(db);
    // What was used is looked up by when it was settled.
    await sql`create index jobs_finished on jobs (account_id, finished_at) where finished_at is not null`.execute(db);
  },
};
