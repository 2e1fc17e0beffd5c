import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Accounts } from '../../src/accounts/accounts.service.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { newId } from '../../src/platform/ids.ts';
import type { Tier } from '../../src/pricing/price-book.ts';
import type { Tiers } from '../../src/tiers/tiers.service.ts';
import type { Line, TestLedger } from '../credits/ledger.ts';
import type { TestClock } from '../support/clock.ts';
import type { Action, Deed } from './months.actions.ts';
import { Months, periodOf } from './months.model.ts';
import { startTiers } from './start-tiers.ts';

const HOUR_MS = 3_600_000;

/** What one process has of the house. */
export interface Process {
  readonly ledger: TestLedger;
  readonly accounts: Accounts;
  readonly tiers: Tiers;
  stop(): void;
}

export async function startProcess(ledger: TestLedger, clock: TestClock, broken?: Accounts): Promise<Process> {
  const started = await startTiers(ledger, clock, new LocalEventBus(), ledger.credits, broken);
  return { ledger, accounts: started.accounts, tiers: started.tiers, stop: () => started.priceBooks.stop() };
}

/** One account and its model, led through the same months; after every step they must look the same. */
export class Walk {
  readonly #model: Months;
  /** In the order of the model's holds. */
  readonly #holdIds: string[] = [];

  private constructor(
    private readonly processes: readonly [Process, Process],
    private readonly clock: TestClock,
    private readonly accountId: string,
    tier: Tier,
    private readonly openedAt: Date,
  ) {
    this.#model = new Months(tier, openedAt);
  }

  static async begin(processes: readonly [Process, Process], clock: TestClock, tier: Tier, openedAt: Date) {
    clock.set(openedAt);
    const wish = { name: 'Ada', role: 'CUSTOMER', tier, limits: {}, spendCap: null } as const;
    const { account } = await processes[0].tiers.open(wish, 'first key');
    return new Walk(processes, clock, account.id, tier, openedAt);
  }

  async take(actions: readonly Action[]): Promise<void> {
    await this.#expectSame('at the opening');
    for (const [index, action] of actions.entries()) {
      await this.#apply(action);
      await this.#expectSame(`after step ${index + 1}, ${action.do}`);
    }
    await this.#expectGivenOnce();
  }

  async #apply(action: Action): Promise<void> {
    const { now, periodEndsAt } = this.#model;
    switch (action.do) {
      case 'pass':
        return this.#moveTo(now.getTime() + action.hours * HOUR_MS);
      case 'sleep':
        return this.#moveTo(now.getTime() + action.days * 24 * HOUR_MS);
      case 'toTheEnd':
        return this.#moveTo(periodEndsAt.getTime() + action.beyondMs);
      case 'race':
        return this.#race(action.deed, action.process);
      default:
        return this.#do(action, action.process, false);
    }
  }

  /** Time never goes back. */
  #moveTo(time: number): void {
    this.#model.now = new Date(Math.max(this.#model.now.getTime(), time));
    this.clock.set(this.#model.now);
  }

  async #do(deed: Deed, number: 0 | 1, isRacing: boolean): Promise<void> {
    const { ledger, accounts, tiers } = this.processes[number];
    const model = this.#model;
    switch (deed.do) {
      case 'look': {
        const { periodStartsAt, periodEndsAt } = await tiers.balance(await accounts.get(this.accountId));
        model.enter();
        const period = { startsAt: periodStartsAt, endsAt: periodEndsAt };
        expect(period, 'the period that a look was told').toEqual(periodOf(this.openedAt, model.now));
        return;
      }
      case 'topUp':
        model.topUp(deed.amount);
        await tiers.topUp(this.accountId, deed.amount, 'Top-up');
        return;
      case 'setTier':
        model.setTier(deed.tier, deed.cap);
        await tiers.setTier(this.accountId, deed.tier, null, deed.cap);
        return;
      case 'hold':
        return this.#hold(deed.amount, number, isRacing);
      case 'settle': {
        const index = deed.which % Math.max(1, this.#holdIds.length);
        const [id, hold] = [this.#holdIds[index], model.holds[index]];
        if (id === undefined || hold === undefined) return;
        const captured = (hold.amount * BigInt(deed.share)) / 100n;
        const images = [captured / 3n, captured - captured / 3n];
        const expected = model.settle(hold, images);
        expect(await ledger.settle(id, images, model.now)).toEqual(expected);
      }
    }
  }

  /** As a submission does: a hold that finds its period over enters the next one and is tried again. */
  async #hold(amount: bigint, number: 0 | 1, isRacing: boolean): Promise<void> {
    const { ledger, tiers } = this.processes[number];
    const holdId = newId('hold');
    const model = this.#model;
    const ask = () => ledger.refusalOf(this.accountId, amount, { holdId }, model.now);
    let refusal = await ask();
    // In a race nobody can say whether another has entered the period before.
    if (!isRacing && model.now >= model.periodEndsAt) expect(refusal).toBe('PERIOD_OVER');
    if (refusal === 'PERIOD_OVER') {
      await tiers.enterPeriod(this.accountId);
      model.enter();
      refusal = await ask();
    }
    expect(refusal).toBe(model.hold(amount));
    if (refusal === null) this.#holdIds.push(holdId);
  }

  /** The end of the period, with both processes looking while one of them does something. */
  async #race(deed: Deed, number: 0 | 1): Promise<void> {
    const model = this.#model;
    this.#moveTo(model.periodEndsAt.getTime());
    const known = model.lines.length;
    model.enter();
    const racing = await Promise.allSettled([
      this.#do(deed, number, true),
      ...([0, 1, 0, 1] as const).map((each) => this.#do({ do: 'look' }, each, true)),
      ...this.processes.map(({ tiers }) => tiers.enterPeriod(this.accountId)),
    ]);
    for (const ended of racing) if (ended.status === 'rejected') throw ended.reason;
    // Which came first is nobody's business, but what was written is.
    const lines = await this.processes[0].ledger.lines(this.accountId);
    expect(inAnyOrder(lines.slice(known)), 'what the race wrote').toEqual(inAnyOrder(model.lines.slice(known)));
    model.lines = [...model.lines.slice(0, known), ...lines.slice(known)];
  }

  async #expectSame(when: string): Promise<void> {
    const { ledger, accounts } = this.processes[0];
    const { tier, nextTier } = await accounts.get(this.accountId);
    const { postpaid, periodStartsAt, periodEndsAt, spent, spendCap, openHolds } = await ledger.credits.balance(
      this.accountId,
    );
    const [buckets, lines] = [await ledger.buckets(this.accountId), await ledger.lines(this.accountId)];
    const seen = { tier, nextTier, postpaid, periodStartsAt, periodEndsAt, spent, spendCap, openHolds, buckets, lines };
    expect(seen, when).toEqual(this.#model.seen());
  }

  /** By the ledger alone: each period that was entered was given what its highest tier gives, and began once. */
  async #expectGivenOnce(): Promise<void> {
    const { rows } = await sql<{ createdAt: Date; reason: string; amount: bigint }>`
      select t.created_at as "createdAt", t.reason, e.amount from ledger_transactions t
      join ledger_entries e on e.transaction_id = t.id and e.bucket = 'monthly'
      where t.account_id = ${this.accountId} and t.kind = 'GRANT' order by t.position`.execute(
      this.processes[0].ledger.db,
    );
    const given: Record<string, bigint> = {};
    const begun: string[] = [];
    for (const { createdAt, reason, amount } of rows) {
      const period = periodOf(this.openedAt, createdAt).startsAt.toISOString();
      given[period] = (given[period] ?? 0n) + amount;
      if (reason === 'Monthly credits') begun.push(period);
    }
    expect(given, 'what each period was given').toEqual(
      Object.fromEntries([...this.#model.due].filter(([, amount]) => amount > 0n)),
    );
    expect(begun, 'the periods that began').toEqual([...new Set(begun)]);
  }
}

function inAnyOrder(lines: readonly Line[]): string[] {
  return lines.map(({ kind, bucket, amount }) => `${kind} ${bucket} ${amount}`).sort();
}
