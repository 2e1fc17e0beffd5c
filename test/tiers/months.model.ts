import { BUCKETS, type Bucket, type HoldRefusal, type LedgerKind, type Settlement } from '../../src/credits/balance.ts';
import type { Tier } from '../../src/pricing/price-book.ts';
import { type Line, line } from '../credits/ledger.ts';

/** The guide's monthly credits once more, in milli-credits, so that the price book is not asked about itself. */
const MONTHLY: Readonly<Record<Tier, bigint>> = { FREE: 25_000n, BASIC: 300_000n, PRO: 2_000_000n, ENTERPRISE: 0n };
const ASCENDING: readonly Tier[] = ['FREE', 'BASIC', 'PRO', 'ENTERPRISE'];
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The calendar by hand, from the figures that a date is written with: the anchor's day, or the last of a month without it. */
function monthsAfter(anchor: Date, months: number): Date {
  const written = anchor.toISOString();
  const [year = 0, month = 0, day = 0] = written.slice(0, 10).split('-').map(Number);
  const since = year * 12 + (month - 1) + months;
  const [toYear, toMonth] = [Math.floor(since / 12), since % 12];
  const isLeap = (toYear % 4 === 0 && toYear % 100 !== 0) || toYear % 400 === 0;
  const last = toMonth === 1 && isLeap ? 29 : (DAYS[toMonth] ?? 0);
  const twoDigits = (figure: number) => String(figure).padStart(2, '0');
  return new Date(`${toYear}-${twoDigits(toMonth + 1)}-${twoDigits(Math.min(day, last))}${written.slice(10)}`);
}

/** Walks from the anchor, month by month. */
export function periodOf(anchor: Date, now: Date): { readonly startsAt: Date; readonly endsAt: Date } {
  let months = 0;
  while (monthsAfter(anchor, months + 1) <= now) months += 1;
  return { startsAt: monthsAfter(anchor, months), endsAt: monthsAfter(anchor, months + 1) };
}

export interface ModelHold {
  readonly amount: bigint;
  readonly monthly: bigint;
  readonly topup: bigint;
  readonly owed: bigint;
  readonly periodStartsAt: Date;
  isOpen: boolean;
}

/**
 * One account through its months, in a single thread and without a database: what it is given, what lapses, which tier
 * it has and how it pays. Whoever wants something of it says first what time it is.
 */
export class Months {
  tier: Tier;
  nextTier: Tier | null = null;
  spendCap: bigint | null = null;
  now: Date;
  /** Every entry so far, in order. */
  lines: Line[] = [];
  readonly holds: ModelHold[] = [];
  /** What was the most that a tier of the account gives, in each period that was entered, by its start. */
  readonly due = new Map<string, bigint>();
  #period: { readonly startsAt: Date; readonly endsAt: Date };
  #postpaid = false;
  #spent = 0n;
  readonly #buckets = Object.fromEntries(BUCKETS.map((bucket) => [bucket, 0n])) as Record<Bucket, bigint>;

  constructor(
    tier: Tier,
    private readonly anchor: Date,
  ) {
    this.now = anchor;
    this.tier = tier;
    this.#period = periodOf(anchor, anchor);
    this.#begin(tier);
  }

  get periodEndsAt(): Date {
    return this.#period.endsAt;
  }

  /** All that can be seen of the account. */
  seen() {
    return {
      tier: this.tier,
      nextTier: this.nextTier,
      postpaid: this.#postpaid,
      periodStartsAt: this.#period.startsAt,
      periodEndsAt: this.#period.endsAt,
      spent: this.#spent,
      spendCap: this.spendCap,
      openHolds: this.holds.filter(({ isOpen }) => isOpen).length,
      buckets: Object.fromEntries(Object.entries(this.#buckets).filter(([, amount]) => amount !== 0n)),
      lines: this.lines,
    };
  }

  /** Settles a period that is over; months in which nobody looked give nothing. */
  enter(): void {
    if (this.now < this.#period.endsAt) return;
    this.#expire(this.#buckets.monthly);
    this.#period = periodOf(this.anchor, this.now);
    this.#begin(this.nextTier ?? this.tier);
  }

  topUp(amount: bigint): void {
    this.#grant('topup', amount);
  }

  setTier(tier: Tier, spendCap: bigint | null | undefined): void {
    this.enter();
    if (spendCap !== undefined) this.spendCap = spendCap;
    const isLower = ASCENDING.indexOf(tier) < ASCENDING.indexOf(this.tier);
    this.nextTier = isLower ? tier : null;
    if (isLower) return;
    const difference = MONTHLY[tier] - MONTHLY[this.tier];
    if (difference > 0n) this.#grant('monthly', difference);
    this.#has(tier);
  }

  hold(amount: bigint): HoldRefusal | null {
    const { monthly, topup } = this.#buckets;
    if (this.now >= this.#period.endsAt) return 'PERIOD_OVER';
    if (!this.#postpaid && monthly + topup < amount) return 'INSUFFICIENT';
    if (amount > 0n && this.spendCap !== null && this.#spent + amount > this.spendCap) return 'SPEND_CAP';
    const owed = this.#postpaid ? amount : 0n;
    const fromMonthly = lesser(amount - owed, monthly);
    const fromTopup = amount - owed - fromMonthly;
    const periodStartsAt = this.#period.startsAt;
    this.holds.push({ amount, monthly: fromMonthly, topup: fromTopup, owed, periodStartsAt, isOpen: true });
    this.#move('HOLD', ['monthly', -fromMonthly], ['topup', -fromTopup], ['owed', -owed], ['held', amount]);
    this.#spent += amount;
    return null;
  }

  settle(hold: ModelHold, captures: readonly bigint[]): Settlement | null {
    if (!hold.isOpen) return null;
    hold.isOpen = false;
    const captured = captures.reduce((sum, amount) => sum + amount, 0n);
    for (const amount of captures) this.#move('CAPTURE', ['held', -amount], ['captured', amount]);
    // The monthly part is captured first, so what was captured is missing from what comes back of it.
    const monthly = hold.monthly - lesser(captured, hold.monthly);
    const topup = hold.topup - lesser(captured - (hold.monthly - monthly), hold.topup);
    const released = hold.amount - captured;
    this.#move(
      'RELEASE',
      ['held', -released],
      ['monthly', monthly],
      ['topup', topup],
      ['owed', released - monthly - topup],
    );
    const isOfThisPeriod = hold.periodStartsAt.getTime() === this.#period.startsAt.getTime();
    if (!isOfThisPeriod || this.now >= this.#period.endsAt) this.#expire(monthly);
    if (isOfThisPeriod) this.#spent -= released;
    return { captured, released };
  }

  /** Begins the period with what the tier gives. */
  #begin(tier: Tier): void {
    this.nextTier = null;
    this.#spent = 0n;
    this.#has(tier);
    this.#grant('monthly', MONTHLY[tier]);
  }

  #has(tier: Tier): void {
    this.tier = tier;
    this.#postpaid = tier === 'ENTERPRISE';
    const key = this.#period.startsAt.toISOString();
    const due = this.due.get(key) ?? 0n;
    this.due.set(key, MONTHLY[tier] > due ? MONTHLY[tier] : due);
  }

  #grant(bucket: 'monthly' | 'topup', amount: bigint): void {
    this.#move('GRANT', ['issued', -amount], [bucket, amount]);
  }

  #expire(amount: bigint): void {
    this.#move('EXPIRE', ['monthly', -amount], ['expired', amount]);
  }

  #move(kind: LedgerKind, ...postings: readonly (readonly [Bucket, bigint])[]): void {
    for (const [bucket, amount] of postings) {
      if (amount === 0n) continue;
      this.#buckets[bucket] += amount;
      this.lines.push(line(kind, bucket, amount, this.#buckets[bucket]));
    }
  }
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
