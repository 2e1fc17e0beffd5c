import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HoldRefusal } from '../../src/credits/balance.ts';
import { periodAt } from '../../src/credits/periods.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { expectLedgerSound, OPENED, TestLedger } from './ledger.ts';

const RUNS = 60;
const OPEN_HOLDS_MAX = 4;
const ALLOWANCE_MAX = 5;

type Action =
  | { readonly do: 'topUp'; readonly amount: bigint }
  | { readonly do: 'hold'; readonly amount: bigint; readonly free: number }
  /** `which` of the holds made so far, ended ones included; `share` of it in percent is captured. */
  | { readonly do: 'settle'; readonly which: number; readonly share: number; readonly free: number }
  | { readonly do: 'sleep'; readonly days: number }
  | { readonly do: 'enterPeriod'; readonly monthly: bigint; readonly postpaid: boolean }
  | { readonly do: 'cap'; readonly cap: bigint | null };

const amount = fc.bigInt({ min: 0n, max: 40n });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('topUp' as const), amount }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('hold' as const), amount, free: fc.nat(3) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(9), share: fc.nat(100), free: fc.nat(3) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), days: fc.nat(45) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('enterPeriod' as const), monthly: amount, postpaid: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cap' as const), cap: fc.option(amount) }) },
);

interface ModelHold {
  readonly monthly: bigint;
  readonly topup: bigint;
  readonly owed: bigint;
  readonly free: number;
  readonly period: number;
  open: boolean;
}

/** The ledger once more, in a single thread and without a database: the shortest program that says what is right. */
class Model {
  monthly: bigint;
  topup = 0n;
  owed = 0n;
  captured = 0n;
  expired = 0n;
  issued: bigint;
  spent = 0n;
  used = 0;
  postpaid = false;
  cap: bigint | null = null;
  now = OPENED;
  period = periodAt(OPENED, OPENED);
  readonly holds: ModelHold[] = [];

  constructor(monthly: bigint) {
    this.monthly = monthly;
    this.issued = -monthly;
  }

  get open(): ModelHold[] {
    return this.holds.filter(({ open }) => open);
  }

  get held(): bigint {
    return this.open.reduce((sum, hold) => sum + hold.monthly + hold.topup + hold.owed, 0n);
  }

  isThis(period: number): boolean {
    return period === this.period.startsAt.getTime();
  }

  hold(amount: bigint, free: number): HoldRefusal | null {
    if (this.now >= this.period.endsAt) return 'PERIOD_OVER';
    if (this.open.length >= OPEN_HOLDS_MAX) return 'TOO_MANY_OPEN';
    if (!this.postpaid && this.monthly + this.topup < amount) return 'INSUFFICIENT';
    if (amount > 0n && this.cap !== null && this.spent + amount > this.cap) return 'SPEND_CAP';
    if (free > 0 && this.used + free > ALLOWANCE_MAX) return 'ALLOWANCE_USED';
    const monthly = this.postpaid ? 0n : amount < this.monthly ? amount : this.monthly;
    const owed = this.postpaid ? amount : 0n;
    const topup = amount - monthly - owed;
    this.holds.push({ monthly, topup, owed, free, period: this.period.startsAt.getTime(), open: true });
    this.monthly -= monthly;
    this.topup -= topup;
    this.owed -= owed;
    this.spent += amount;
    this.used += free;
    return null;
  }

  settle(hold: ModelHold, captured: bigint, free: number): void {
    hold.open = false;
    this.captured += captured;
    // One credit after the other: the monthly ones are captured first, and what remains goes back where it came from.
    let rest = captured;
    for (const bucket of ['monthly', 'topup', 'owed'] as const) {
      const taken = rest < hold[bucket] ? rest : hold[bucket];
      rest -= taken;
      const back = hold[bucket] - taken;
      const lapsed = bucket === 'monthly' && (!this.isThis(hold.period) || this.now >= this.period.endsAt);
      if (lapsed) this.expired += back;
      else this[bucket] += back;
      if (this.isThis(hold.period)) this.spent -= back;
    }
    if (this.isThis(hold.period)) this.used -= hold.free - free;
  }

  enterPeriod(monthly: bigint, postpaid: boolean): void {
    if (this.now < this.period.endsAt) return;
    this.period = periodAt(OPENED, this.now);
    this.expired += this.monthly;
    this.monthly = monthly;
    this.issued -= monthly;
    this.postpaid = postpaid;
    this.spent = 0n;
    this.used = 0;
  }
}

describe.each(ENGINES)('the ledger on %s', (engine) => {
  let database: Database;
  let ledger: TestLedger;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    ledger = new TestLedger(database.db);
  });
  afterAll(() => database.close());

  test('does what its model does, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        const model = new Model(30n);
        const account = await ledger.open({ monthly: 30n });
        const ids: string[] = [];
        for (const step of actions) {
          await apply(step, model, account, ids);
          await expectSame(model, account);
        }
      }),
      { numRuns: RUNS },
    );
    await expectLedgerSound(database.db);
  }, 120_000);

  async function apply(step: Action, model: Model, account: string, ids: string[]): Promise<void> {
    switch (step.do) {
      case 'topUp':
        model.topup += step.amount;
        model.issued -= step.amount;
        return ledger.credits.topUp(account, step.amount, 'Top-up', model.now);
      case 'hold': {
        const holdId = newId('hold');
        const allowance = { provider: 'gemini', images: step.free, limit: ALLOWANCE_MAX };
        const limits = { holdId, openHoldsMax: OPEN_HOLDS_MAX, allowances: step.free > 0 ? [allowance] : [] };
        const refusal = model.hold(step.amount, step.free);
        expect(await ledger.refusalOf(account, step.amount, limits, model.now)).toBe(refusal);
        if (refusal === null) ids.push(holdId);
        return;
      }
      case 'settle': {
        const index = step.which % Math.max(1, ids.length);
        const [id, hold] = [ids[index], model.holds[index]];
        if (id === undefined || hold === undefined) return;
        const whole = hold.monthly + hold.topup + hold.owed;
        const captured = (whole * BigInt(step.share)) / 100n;
        const free = Math.min(step.free, hold.free);
        const captures = [
          { imageId: newId('image'), amount: captured, allowance: null },
          ...Array.from({ length: free }, () => ({ imageId: newId('image'), amount: 0n, allowance: 'gemini' })),
        ];
        const expected = hold.open ? { captured, released: whole - captured } : null;
        if (hold.open) model.settle(hold, captured, free);
        expect(await ledger.settle(id, captures, model.now)).toEqual(expected);
        return;
      }
      case 'sleep':
        model.now = new Date(model.now.getTime() + step.days * 86_400_000);
        return;
      case 'enterPeriod': {
        const over = model.now >= model.period.endsAt;
        model.enterPeriod(step.monthly, step.postpaid);
        const entered = await ledger.enterPeriod(account, step.monthly, model.now, step.postpaid);
        expect(entered).toEqual(over ? model.period : null);
        return;
      }
      case 'cap':
        model.cap = step.cap;
        return ledger.db.transaction().execute((tx) => ledger.credits.setTerms(tx, account, { spendCap: step.cap }));
    }
  }

  async function expectSame(model: Model, account: string): Promise<void> {
    const balance = await ledger.credits.balance(account);
    expect(balance).toMatchObject({
      monthly: model.monthly,
      topup: model.topup,
      owed: model.owed,
      held: model.held,
      captured: model.captured,
      spent: model.spent,
      spendCap: model.cap,
      postpaid: model.postpaid,
      openHolds: model.open.length,
      periodEndsAt: model.period.endsAt,
    });
    expect(balance.allowancesUsed.gemini ?? 0).toBe(model.used);
    const { expired = 0n, issued = 0n } = await ledger.buckets(account);
    expect({ expired, issued }).toEqual({ expired: model.expired, issued: model.issued });
  }
});
