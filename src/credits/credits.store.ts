import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Balance, Bucket, Hold, HoldRequest, LedgerEntry } from './balance.ts';

type BalanceRow = {
  account_id: string;
  monthly: bigint;
  topup: bigint;
  owed: bigint;
  held: bigint;
  captured: bigint;
  expired: bigint;
  issued: bigint;
  postpaid: boolean;
  anchor_at: Date;
  period_starts_at: Date;
  period_ends_at: Date;
  spent: bigint;
  spend_cap: bigint | null;
  open_holds: number;
  held_from_monthly: bigint;
};

type HoldRow = {
  id: string;
  account_id: string;
  job_id: string;
  amount: bigint;
  from_monthly: bigint;
  from_topup: bigint;
  from_owed: bigint;
  allowance_provider: string | null;
  allowance_images: number;
  period_starts_at: Date;
  price_version: number;
  created_at: Date;
  captured: bigint | null;
  settled_at: Date | null;
};

type TransactionRow = {
  id: string;
  account_id: string;
  kind: LedgerEntry['kind'];
  reason: string;
  hold_id: string | null;
  job_id: string | null;
  price_version: number | null;
  created_at: Date;
};

type EntryRow = {
  transaction_id: string;
  sequence: number;
  account_id: string;
  bucket: Bucket;
  amount: bigint;
  balance_after: bigint;
  image_id: string | null;
};

type CreditTables = {
  credit_balances: BalanceRow;
  credit_allowances: { account_id: string; provider: string; period_starts_at: Date; used: number };
  credit_holds: HoldRow;
  ledger_transactions: TransactionRow;
  ledger_entries: EntryRow;
};

export type { BalanceRow, HoldRow };

/** One side of a posting: how much a bucket gains (negative: loses). */
export interface Posting {
  readonly bucket: Bucket;
  readonly amount: bigint;
  readonly imageId?: string;
}

export interface Transaction {
  readonly id: string;
  readonly kind: LedgerEntry['kind'];
  readonly reason: string;
  readonly holdId?: string;
  readonly jobId?: string;
  readonly priceVersion?: number;
}

/** The SQL of the ledger. Only the service next door may use it: on its own a statement here can unbalance the books. */
export class CreditsStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<CreditTables>();
  }

  async balances(accountIds: readonly string[]): Promise<Balance[]> {
    const rows = await this.#db
      .selectFrom('credit_balances as b')
      .selectAll('b')
      .select((eb) =>
        eb
          .selectFrom('credit_allowances as a')
          .select(sql<Record<string, number> | null>`jsonb_object_agg(a.provider, a.used)`.as('used'))
          .whereRef('a.account_id', '=', 'b.account_id')
          .whereRef('a.period_starts_at', '=', 'b.period_starts_at')
          .as('allowances_used'),
      )
      .where('b.account_id', 'in', [...accountIds])
      .execute();
    return rows.map((row) => ({
      accountId: row.account_id,
      monthly: row.monthly,
      topup: row.topup,
      owed: row.owed,
      held: row.held,
      captured: row.captured,
      postpaid: row.postpaid,
      anchorAt: row.anchor_at,
      periodStartsAt: row.period_starts_at,
      periodEndsAt: row.period_ends_at,
      spent: row.spent,
      spendCap: row.spend_cap,
      openHolds: row.open_holds,
      allowancesUsed: row.allowances_used ?? {},
    }));
  }

  async insertBalance(
    tx: Tx,
    row: Pick<
      BalanceRow,
      'account_id' | 'postpaid' | 'anchor_at' | 'period_starts_at' | 'period_ends_at' | 'spend_cap'
    >,
  ): Promise<void> {
    await tx
      .withTables<CreditTables>()
      .insertInto('credit_balances')
      .values({ ...row, ...EMPTY_BUCKETS })
      .execute();
  }

  /** Locks the account's balance until the transaction ends. */
  async lockBalance(tx: Tx, accountId: string): Promise<BalanceRow> {
    return tx
      .withTables<CreditTables>()
      .selectFrom('credit_balances')
      .selectAll()
      .where('account_id', '=', accountId)
      .forUpdate()
      .executeTakeFirstOrThrow();
  }

  async updateBalance(tx: Tx, accountId: string, change: Partial<BalanceRow>): Promise<void> {
    await tx
      .withTables<CreditTables>()
      .updateTable('credit_balances')
      .set(change)
      .where('account_id', '=', accountId)
      .execute();
  }

  /**
   * Decides and takes in one statement, so that no other hold can come between: enough credits, under the cap, not too
   * many open jobs, period not over. Monthly credits go first. Writes the hold and its ledger transaction with it.
   * Returns the balance after, or null when the account cannot.
   */
  async take(tx: Tx, request: HoldRequest, transactionId: string, now: Date): Promise<BalanceRow | null> {
    const { amount, accountId } = request;
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
          and (spend_cap is null or spent + ${amount}::bigint <= spend_cap)
          and open_holds < ${request.openHoldsMax}
        returning *
      ), split as (
        select *, case when postpaid then 0 else ${amount}::bigint - held_from_monthly end as from_topup,
          case when postpaid then ${amount}::bigint else 0 end as from_owed
        from taken
      ), hold as (
        insert into credit_holds (id, account_id, job_id, amount, from_monthly, from_topup, from_owed,
          allowance_provider, allowance_images, period_starts_at, price_version, created_at)
        select ${request.holdId}, account_id, ${request.jobId}, ${amount}::bigint, held_from_monthly, from_topup, from_owed,
          ${request.allowance?.provider ?? null}::text, ${request.allowance?.images ?? 0}::int, period_starts_at,
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
    allowance: NonNullable<HoldRequest['allowance']>,
  ): Promise<boolean> {
    const { provider, images, limit } = allowance;
    if (images > limit) return false;
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

  /** Ends an open hold; null when it had ended already. */
  async endHold(tx: Tx, holdId: string, captured: bigint, now: Date): Promise<HoldRow | null> {
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

  /** Writes one ledger transaction; `after` gives each bucket's balance before it, and is moved along. */
  async post(
    tx: Tx,
    accountId: string,
    transaction: Transaction,
    postings: readonly Posting[],
    running: Map<Bucket, bigint>,
    now: Date,
  ): Promise<void> {
    const sides = postings.filter(({ amount }) => amount !== 0n);
    if (sides.reduce((sum, { amount }) => sum + amount, 0n) !== 0n)
      throw new Error(`ledger transaction ${transaction.id} does not add up to zero`);
    if (sides.length === 0) return;
    const tables = tx.withTables<CreditTables>();
    await tables
      .insertInto('ledger_transactions')
      .values({
        id: transaction.id,
        account_id: accountId,
        kind: transaction.kind,
        reason: transaction.reason,
        hold_id: transaction.holdId ?? null,
        job_id: transaction.jobId ?? null,
        price_version: transaction.priceVersion ?? null,
        created_at: now,
      })
      .execute();
    await tables
      .insertInto('ledger_entries')
      .values(
        sides.map(({ bucket, amount, imageId }, index) => {
          const balanceAfter = (running.get(bucket) ?? 0n) + amount;
          running.set(bucket, balanceAfter);
          return {
            transaction_id: transaction.id,
            sequence: index + 1,
            account_id: accountId,
            bucket,
            amount,
            balance_after: balanceAfter,
            image_id: imageId ?? null,
          };
        }),
      )
      .execute();
  }

  async holdsOfJobs(jobIds: readonly string[]): Promise<Hold[]> {
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
      allowanceProvider: row.allowance_provider,
      allowanceImages: row.allowance_images,
      priceVersion: row.price_version,
      settledAt: row.settled_at,
    }));
  }

  /** Every entry of these jobs, in the order they were written. */
  async entriesOfJobs(jobIds: readonly string[]): Promise<LedgerEntry[]> {
    const rows = await this.#db
      .selectFrom('ledger_transactions as t')
      .innerJoin('ledger_entries as e', 'e.transaction_id', 't.id')
      .select([
        't.id',
        'e.sequence',
        't.kind',
        't.reason',
        'e.bucket',
        'e.amount',
        'e.balance_after',
        't.job_id',
        'e.image_id',
        't.price_version',
        't.created_at',
      ])
      .where('t.job_id', 'in', [...jobIds])
      .orderBy('t.id')
      .orderBy('e.sequence')
      .execute();
    return rows.map((row) => ({
      transactionId: row.id,
      sequence: row.sequence,
      kind: row.kind,
      reason: row.reason,
      bucket: row.bucket,
      amount: row.amount,
      balanceAfter: row.balance_after,
      jobId: row.job_id,
      imageId: row.image_id,
      priceVersion: row.price_version,
      createdAt: row.created_at,
    }));
  }
}

const EMPTY_BUCKETS = {
  monthly: 0n,
  topup: 0n,
  owed: 0n,
  held: 0n,
  captured: 0n,
  expired: 0n,
  issued: 0n,
  spent: 0n,
  open_holds: 0,
  held_from_monthly: 0n,
};
