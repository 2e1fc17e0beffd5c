import { type SqlBool, sql } from 'kysely';
import type { Place } from '../platform/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import { type Balance, BUCKETS, type Bucket, type LedgerEntry } from './balance.ts';
import type { BalanceRow, CreditTables } from './credits.tables.ts';
import type { Booking } from './posting.ts';

export type NewBalance = Pick<
  BalanceRow,
  'account_id' | 'postpaid' | 'anchor_at' | 'period_starts_at' | 'period_ends_at' | 'spend_cap'
>;

/** The SQL of balances and of the ledger. For the service next door alone: a statement by itself can unbalance the books. */
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

  /** Accounts whose period is over, longest first. */
  async overdue(now: Date, limit: number): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('credit_balances')
      .select('account_id')
      .where('period_ends_at', '<=', now)
      .orderBy('period_ends_at')
      .limit(limit)
      .execute();
    return rows.map((row) => row.account_id);
  }

  async insertBalance(tx: Tx, row: NewBalance): Promise<void> {
    await tx
      .withTables<CreditTables>()
      .insertInto('credit_balances')
      .values({ ...row, ...NOTHING })
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
   * Writes bookings to the ledger, each as one transaction, and moves the balance by the same amounts; `also` changes
   * what else stands in its row. `row` must be as it is now, and locked.
   */
  async book(tx: Tx, row: BalanceRow, bookings: readonly Booking[], also: Partial<BalanceRow>, now: Date) {
    const running = new Map<Bucket, bigint>(BUCKETS.map((bucket) => [bucket, row[bucket]]));
    const written = bookings
      .map((booking) => ({
        ...booking,
        id: newId('tx'),
        postings: booking.postings.filter(({ amount }) => amount !== 0n),
      }))
      .filter(({ postings }) => postings.length > 0);
    if (written.length > 0) {
      await this.#insertTransactions(tx, row.account_id, written, now);
      await this.#insertEntries(tx, row.account_id, written, running);
    }
    await this.updateBalance(tx, row.account_id, { ...Object.fromEntries(running), ...also });
  }

  async #insertTransactions(tx: Tx, accountId: string, bookings: readonly (Booking & { id: string })[], now: Date) {
    await tx
      .withTables<CreditTables>()
      .insertInto('ledger_transactions')
      .values(
        bookings.map(({ id, kind, reason, hold }) => ({
          id,
          account_id: accountId,
          kind,
          reason,
          hold_id: hold?.id ?? null,
          job_id: hold?.job_id ?? null,
          price_version: hold?.price_version ?? null,
          created_at: now,
        })),
      )
      .execute();
  }

  /** Moves `running`, each bucket's balance so far, along. */
  async #insertEntries(
    tx: Tx,
    accountId: string,
    bookings: readonly (Booking & { id: string })[],
    running: Map<Bucket, bigint>,
  ) {
    const entries = bookings.flatMap(({ id, postings }) => {
      if (postings.reduce((sum, { amount }) => sum + amount, 0n) !== 0n)
        throw new Error(`ledger transaction ${id} does not add up to zero`);
      return postings.map(({ bucket, amount, imageId }, index) => {
        const balanceAfter = (running.get(bucket) ?? 0n) + amount;
        running.set(bucket, balanceAfter);
        return {
          transaction_id: id,
          sequence: index + 1,
          account_id: accountId,
          bucket,
          amount,
          balance_after: balanceAfter,
          image_id: imageId ?? null,
        };
      });
    });
    await tx.withTables<CreditTables>().insertInto('ledger_entries').values(entries).execute();
  }

  /** Every entry of these jobs, in the order they were written. */
  entriesOfJobs(jobIds: readonly string[]): Promise<LedgerEntry[]> {
    return this.#entries()
      .where('t.job_id', 'in', [...jobIds])
      .orderBy('t.position')
      .orderBy('e.sequence')
      .execute();
  }

  /** Entries of an account, newest first, after the one at `after` when given. */
  page(accountId: string, limit: number, after: Place | null): Promise<LedgerEntry[]> {
    return this.#entries()
      .where('t.account_id', '=', accountId)
      .$if(after !== null, (query) =>
        query.where(
          // The first condition says no more than the second, but an index can answer it.
          sql<SqlBool>`t.position <= (select position from ledger_transactions where id = ${after?.id} and account_id = ${accountId})
            and (t.position, e.sequence) < (
            (select position from ledger_transactions where id = ${after?.id} and account_id = ${accountId}), ${after?.number}::int)`,
        ),
      )
      .orderBy('t.position', 'desc')
      .orderBy('e.sequence', 'desc')
      .limit(limit)
      .execute();
  }

  #entries() {
    return this.#db
      .selectFrom('ledger_transactions as t')
      .innerJoin('ledger_entries as e', 'e.transaction_id', 't.id')
      .select([
        't.id as transactionId',
        'e.sequence',
        't.kind',
        't.reason',
        'e.bucket',
        'e.amount',
        'e.balance_after as balanceAfter',
        't.job_id as jobId',
        'e.image_id as imageId',
        't.price_version as priceVersion',
        't.created_at as createdAt',
      ]);
  }
}

const NOTHING = {
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
