import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Bucket, Capture, HoldRequest, LedgerKind, Settlement } from '../../src/credits/balance.ts';
import { Credits, HoldRefused } from '../../src/credits/credits.service.ts';
import { CreditsStore } from '../../src/credits/credits.store.ts';
import { HoldsStore } from '../../src/credits/holds.store.ts';
import { type Db, inTransaction } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';

/** Accounts of tests are opened here, so their periods start on the fifteenth at noon. */
export const OPENED = new Date('2026-03-15T12:00:00Z');
export const PERIOD_END = new Date('2026-04-15T12:00:00Z');

/** An entry with what its transaction says, in one line: easy to compare and to read in a failure. */
export interface Line {
  readonly kind: LedgerKind;
  readonly bucket: Bucket;
  readonly amount: bigint;
  readonly after: bigint;
}

export interface Wish {
  readonly monthly?: bigint;
  readonly topup?: bigint;
  readonly postpaid?: boolean;
  readonly spendCap?: bigint | null;
}

/** A ledger with shorthands: every call is a transaction of its own, as in production. */
export class TestLedger {
  readonly credits: Credits;

  constructor(
    readonly db: Db,
    holds = new HoldsStore(db),
  ) {
    this.credits = new Credits(db, new CreditsStore(db), holds);
  }

  async open({ monthly = 0n, topup = 0n, postpaid = false, spendCap = null }: Wish = {}): Promise<string> {
    const accountId = newId('account');
    await inTransaction(this.db, (tx) =>
      this.credits.open(tx, { accountId, monthly, postpaid, spendCap, openedAt: OPENED }),
    );
    if (topup > 0n) await this.credits.topUp(accountId, topup, 'Top-up', OPENED);
    return accountId;
  }

  /** @throws HoldRefused */
  async hold(accountId: string, amount: bigint, more: Partial<HoldRequest> = {}, now = OPENED): Promise<string> {
    const request: HoldRequest = {
      holdId: newId('hold'),
      accountId,
      jobId: newId('job'),
      amount,
      priceVersion: 1,
      openHoldsMax: 1_000_000,
      allowances: [],
      ...more,
    };
    await inTransaction(this.db, (tx) => this.credits.hold(tx, request, now));
    return request.holdId;
  }

  /** Why a hold of this was refused, or null when it was not. */
  async refusalOf(accountId: string, amount: bigint, more: Partial<HoldRequest> = {}, now = OPENED) {
    try {
      await this.hold(accountId, amount, more, now);
      return null;
    } catch (error) {
      if (error instanceof HoldRefused) return error.refusal;
      throw error;
    }
  }

  settle(holdId: string, amounts: readonly (bigint | Capture)[], now = OPENED): Promise<Settlement | null> {
    const captures = amounts.map((amount) =>
      typeof amount === 'bigint' ? { imageId: newId('image'), amount, allowance: null } : amount,
    );
    return inTransaction(this.db, (tx) => this.credits.settle(tx, holdId, captures, now));
  }

  enterPeriod(accountId: string, monthly: bigint, now: Date, postpaid = false) {
    return inTransaction(this.db, (tx) => this.credits.enterPeriod(tx, accountId, { monthly, postpaid }, now));
  }

  /** The seven buckets that are not zero, and nothing else. */
  async buckets(accountId: string): Promise<Partial<Record<Bucket, bigint>>> {
    const { rows } = await sql<Record<Bucket, bigint>>`
      select monthly, topup, owed, held, captured, expired, issued from credit_balances where account_id = ${accountId}`.execute(
      this.db,
    );
    return Object.fromEntries(Object.entries(rows[0] ?? {}).filter(([, amount]) => amount !== 0n));
  }

  /** Every entry of the account, in the order in which they were written. */
  async lines(accountId: string): Promise<Line[]> {
    const { rows } = await sql<Line>`
      select t.kind, e.bucket, e.amount, e.balance_after as after from ledger_entries e
      join ledger_transactions t on t.id = e.transaction_id
      where e.account_id = ${accountId} order by t.position, e.sequence`.execute(this.db);
    return rows;
  }

  /** Everything the ledger keeps of one account, to be compared before and after something that must change nothing. */
  async everythingOf(accountId: string): Promise<unknown[]> {
    const parts = await Promise.all([
      sql`select * from credit_balances where account_id = ${accountId}`.execute(this.db),
      sql`select * from credit_holds where account_id = ${accountId} order by id`.execute(this.db),
      sql`select * from credit_allowances where account_id = ${accountId} order by provider`.execute(this.db),
      sql`select * from ledger_transactions where account_id = ${accountId} order by position`.execute(this.db),
      sql`select * from ledger_entries where account_id = ${accountId} order by transaction_id, sequence`.execute(
        this.db,
      ),
    ]);
    return parts.map(({ rows }) => rows);
  }
}

export function line(kind: LedgerKind, bucket: Bucket, amount: bigint, after: bigint): Line {
  return { kind, bucket, amount, after };
}

/** What must hold of the ledger by itself, with or without jobs: each query finds what breaks a law. */
const LAWS = {
  'the entries of a transaction add up to zero': sql`
    select transaction_id from ledger_entries group by transaction_id having sum(amount) <> 0`,
  'every transaction has entries': sql`
    select id from ledger_transactions t where not exists (select from ledger_entries e where e.transaction_id = t.id)`,
  'a transaction and its entries are of one account': sql`
    select e.transaction_id from ledger_entries e join ledger_transactions t on t.id = e.transaction_id
    where e.account_id <> t.account_id`,
  'the seven buckets of an account add up to zero': sql`
    select account_id from credit_balances
    where monthly + topup + owed + held + captured + expired + issued <> 0`,
  'every bucket is the sum of its entries': sql`
    select b.account_id, bucket.name from credit_balances b
    cross join lateral (values ('monthly', b.monthly), ('topup', b.topup), ('owed', b.owed), ('held', b.held),
      ('captured', b.captured), ('expired', b.expired), ('issued', b.issued)) as bucket (name, balance)
    where bucket.balance <> coalesce((select sum(e.amount) from ledger_entries e
      where e.account_id = b.account_id and e.bucket = bucket.name), 0)`,
  'every entry says what its bucket held after it': sql`
    select * from (
      select e.transaction_id, e.sequence, e.balance_after,
        sum(e.amount) over (partition by e.account_id, e.bucket order by t.position, e.sequence) as balance
      from ledger_entries e join ledger_transactions t on t.id = e.transaction_id) as chain
    where balance_after <> balance`,
  'what is held is the sum of the open holds': sql`
    select b.account_id from credit_balances b
    where b.held <> coalesce((select sum(amount) from credit_holds h
        where h.account_id = b.account_id and settled_at is null), 0)
      or b.open_holds <> (select count(*) from credit_holds h
        where h.account_id = b.account_id and settled_at is null)`,
  'a hold is booked once, and ends once': sql`
    select h.id from credit_holds h where h.amount > 0 and (
      (select count(*) from ledger_transactions t where t.hold_id = h.id and t.kind = 'HOLD') <> 1
      or (select count(*) from ledger_transactions t where t.hold_id = h.id and t.kind = 'CAPTURE') > 1
      or (select count(*) from ledger_transactions t where t.hold_id = h.id and t.kind = 'RELEASE') > 1
      or (h.settled_at is null) <> not exists
        (select from ledger_transactions t where t.hold_id = h.id and t.kind in ('CAPTURE', 'RELEASE')))`,
  'held = captured + released, by the entries of each hold': sql`
    select h.id from credit_holds h where h.settled_at is not null and (
      h.captured <> coalesce((select sum(e.amount) from ledger_entries e join ledger_transactions t on t.id = e.transaction_id
        where t.hold_id = h.id and t.kind = 'CAPTURE' and e.bucket = 'captured'), 0)
      or h.amount - h.captured <> coalesce((select -sum(e.amount) from ledger_entries e join ledger_transactions t on t.id = e.transaction_id
        where t.hold_id = h.id and t.kind = 'RELEASE' and e.bucket = 'held'), 0))`,
  'the transactions of a hold carry its job and its price version': sql`
    select t.id from ledger_transactions t join credit_holds h on h.id = t.hold_id
    where t.job_id <> h.job_id or t.price_version <> h.price_version or t.account_id <> h.account_id`,
} as const;

/** Fails with the name of every law that does not hold, and what breaks it. */
export async function expectLedgerSound(db: Db): Promise<void> {
  const broken: Record<string, unknown[]> = {};
  for (const [law, query] of Object.entries(LAWS)) {
    const { rows } = await query.execute(db);
    if (rows.length > 0) broken[law] = rows;
  }
  expect(broken).toEqual({});
}
