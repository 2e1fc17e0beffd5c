import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Bucket, Capture, HoldRequest, LedgerKind, Settlement } from '../../src/credits/balance.ts';
import { BudgetsStore } from '../../src/credits/budgets.store.ts';
import { creditLaws } from '../../src/credits/credits.laws.store.ts';
import { Credits, HoldRefused } from '../../src/credits/credits.service.ts';
import { CreditsStore } from '../../src/credits/credits.store.ts';
import { HoldsStore } from '../../src/credits/holds.store.ts';
import { type Db, inSnapshot, inTransaction } from '../../src/platform/database.ts';
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
  constructor(
    readonly db: Db,
    holds = new HoldsStore(db),
    store = new CreditsStore(db),
    readonly credits = new Credits(db, store, holds, new BudgetsStore()),
  ) {}

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
      budgetId: null,
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

/** Fails with the name of every law of the ledger that does not hold, and what breaks it. */
export async function expectLedgerSound(db: Db): Promise<void> {
  const results = await inSnapshot(db, (tx) => creditLaws.check(tx));
  expect(results.filter(({ violations }) => violations > 0)).toEqual([]);
}
