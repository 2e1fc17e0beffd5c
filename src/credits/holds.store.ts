import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Hold, HoldRequest, OpenHolds } from './balance.ts';
import type { BalanceRow, CreditTables, HoldRow } from './credits.tables.ts';

/** The SQL of holds: what is set aside for a job, in credits and in free images, and how that ends. */
export class HoldsStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<CreditTables>();
  }

  /**
   * Decides and takes in one statement, so that no other hold can come between: enough credits, under the cap, not too
   * many open jobs, period not over. Monthly credits go first. Writes the hold and its ledger transaction with it.
   * Returns the balance after, or null when the account cannot. Locks the account's balance when it can.
   */
  async take(tx: Tx, request: HoldRequest, transactionId: string, now: Date): Promise<BalanceRow | null> {
    const { amount, accountId } = request;
    const freeImages = JSON.stringify(
      Object.fromEntries(request.allowances.map((each) => [each.provider, each.images])),
    );
    // `held_from_monthly` exists so that the split, worked out on the row's newest version, can be returned.
    const result = await sql<BalanceRow>`
      with taken as (
        update credit_balances set
          held_from_monthly = case when postpaid then 0 else least(monthly, ${amount}::bigint) end,
          monthly = monthly - case when postpaid then 0 else least(monthly, ${amount}::bigint) end,
          topup = topup - case when postpaid then 0 else ${amount}::bigint - least(monthly, ${amount}::bigint) end,
          owed = owed - case when postpaid then ${amount}::bigint else 0 end,
          held = held + ${amount}::bigint,
          spent = spent + ${amount}::bigint,
          open_holds = open_holds + 1
        where account_id = ${accountId}
          and period_ends_at > ${now}
          and (postpaid or monthly + topup >= ${amount}::bigint)
          and (spend_cap is null or ${amount}::bigint = 0 or spent + ${amount}::bigint <= spend_cap)
          and open_holds < ${request.openHoldsMax}
        returning *
      ), split as (
        select *, case when postpaid then 0 else ${amount}::bigint - held_from_monthly end as from_topup,
          case when postpaid then ${amount}::bigint else 0 end as from_owed
        from taken
      ), hold as (
        insert into credit_holds (id, account_id, job_id, amount, from_monthly, from_topup, from_owed,
          free_images, budget_id, period_starts_at, price_version, created_at)
        select ${request.holdId}, account_id, ${request.jobId}, ${amount}::bigint, held_from_monthly, from_topup, from_owed,
          ${freeImages}::jsonb, ${request.budgetId}::text, period_starts_at,
          ${request.priceVersion}::int, ${now}::timestamptz
        from split
      ), booked as (
        insert into ledger_transactions (id, account_id, kind, reason, hold_id, job_id, price_version, created_at)
        select ${transactionId}, account_id, 'HOLD', 'Set aside for a job', ${request.holdId}, ${request.jobId},
          ${request.priceVersion}::int, ${now}::timestamptz
        from split where ${amount}::bigint > 0
      ), posted as (
        insert into ledger_entries (transaction_id, sequence, account_id, bucket, amount, balance_after)
        select ${transactionId}, side.sequence, account_id, side.bucket, side.amount, side.balance_after
        from split cross join lateral (values
          (1, 'monthly', -held_from_monthly, monthly),
          (2, 'topup', -from_topup, topup),
          (3, 'owed', -from_owed, owed),
          (4, 'held', ${amount}::bigint, held)
        ) as side (sequence, bucket, amount, balance_after)
        where side.amount <> 0
      )
      select * from taken`.execute(tx);
    return result.rows[0] ?? null;
  }

  /** Uses up free images of this period; false when fewer are left than asked. */
  async takeAllowance(
    tx: Tx,
    accountId: string,
    period: Date,
    allowance: HoldRequest['allowances'][number],
  ): Promise<boolean> {
    const { provider, images, limit } = allowance;
    if (images > limit) return false;
    // A row of an earlier period counts as none used, and becomes this period's.
    const result = await sql`
      insert into credit_allowances as mine (account_id, provider, period_starts_at, used)
      values (${accountId}, ${provider}, ${period}, ${images})
      on conflict (account_id, provider) do update set
        used = excluded.used + case when mine.period_starts_at = excluded.period_starts_at then mine.used else 0 end,
        period_starts_at = excluded.period_starts_at
      where case when mine.period_starts_at = excluded.period_starts_at then mine.used else 0 end + excluded.used <= ${limit}
      returning used`.execute(tx);
    return result.rows.length === 1;
  }

  /** Changes nothing when the period they were taken in is no longer counted. */
  async giveBackAllowance(tx: Tx, accountId: string, provider: string, period: Date, images: number): Promise<void> {
    await tx
      .withTables<CreditTables>()
      .updateTable('credit_allowances')
      .set((eb) => ({ used: eb('used', '-', images) }))
      .where('account_id', '=', accountId)
      .where('provider', '=', provider)
      .where('period_starts_at', '=', period)
      .execute();
  }

  /** Ends an open hold; null when there is none of that id or it has ended already. Locks the hold. */
  async end(tx: Tx, holdId: string, captured: bigint, now: Date): Promise<HoldRow | null> {
    const row = await tx
      .withTables<CreditTables>()
      .updateTable('credit_holds')
      .set({ captured, settled_at: now })
      .where('id', '=', holdId)
      .where('settled_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    return row ?? null;
  }

  async open(): Promise<OpenHolds> {
    const row = await this.#db
      .selectFrom('credit_holds')
      .select((eb) => [
        eb.fn.countAll<bigint>().as('count'),
        sql<bigint>`coalesce(sum(amount), 0)::bigint`.as('amount'),
        sql<Date | null>`min(created_at)`.as('oldest'),
      ])
      .where('settled_at', 'is', null)
      .executeTakeFirstOrThrow();
    return { count: Number(row.count), amount: row.amount, oldestAt: row.oldest };
  }

  async ofJobs(jobIds: readonly string[]): Promise<Hold[]> {
    const rows = await this.#db
      .selectFrom('credit_holds')
      .selectAll()
      .where('job_id', 'in', [...jobIds])
      .execute();
    return rows.map((row) => ({
      id: row.id,
      accountId: row.account_id,
      jobId: row.job_id,
      amount: row.amount,
      captured: row.captured,
      released: row.captured === null ? null : row.amount - row.captured,
      freeImages: row.free_images,
      budgetId: row.budget_id,
      priceVersion: row.price_version,
      settledAt: row.settled_at,
    }));
  }
}
