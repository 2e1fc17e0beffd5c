import { badInput } from '../errors.ts';

export const USAGE_GROUPINGS = ['DAY', 'OPERATION', 'PROVIDER', 'MODEL', 'QUALITY', 'TAG', 'BUDGET'] as const;
export type UsageGrouping = (typeof USAGE_GROUPINGS)[number];

export const USAGE_DAYS_MAX = 366;
/** Groups of one answer; those with the most credits are shown. */
export const USAGE_GROUPS_MAX = 500;

const DAY_MS = 24 * 60 * 60_000;

/** Begins at `from` and ends before `to`. */
export interface UsagePeriod {
  readonly from: Date;
  readonly to: Date;
}

/** Delivered images and what was captured for them, in milli-credits. */
export interface UsageTotal {
  readonly credits: bigint;
  readonly images: number;
  /** Of these, images that a free allowance paid for. */
  readonly freeImages: number;
}

export interface UsageGroup extends UsageTotal {
  /** The day, the operation, the provider and so on, or the id of the budget; null for images without one. */
  readonly key: string | null;
  /** The key as people say it. */
  readonly label: string;
}

export interface UsageReport extends UsagePeriod {
  readonly total: UsageTotal;
  /** DAY by day, every other one by credits, the most first. An image with several tags is in the group of each. */
  readonly groups: readonly UsageGroup[];
  /** The same length of time just before. */
  readonly previous: UsageTotal;
  /** What it comes to at the end, if it goes on as so far; what it came to for a period that is over. */
  readonly forecast: bigint;
}

/** @throws BAD_USER_INPUT for a period that ends before it begins, or is too long. */
export function checkedPeriod({ from, to }: UsagePeriod): UsagePeriod {
  if (from >= to) throw badInput('period.from', from.toISOString(), `before period.to, ${to.toISOString()}`);
  if (to.getTime() - from.getTime() > USAGE_DAYS_MAX * DAY_MS)
    throw badInput('period.from', from.toISOString(), `at most ${USAGE_DAYS_MAX} days before period.to`);
  return { from, to };
}

export function periodBefore({ from, to }: UsagePeriod): UsagePeriod {
  return { from: new Date(from.getTime() - (to.getTime() - from.getTime())), to: from };
}

/** Spent so far, and the rest of the period at the pace of so far. */
export function forecastOf(credits: bigint, { from, to }: UsagePeriod, now: Date): bigint {
  if (now >= to || now <= from) return credits;
  const elapsed = BigInt(now.getTime() - from.getTime());
  return (credits * BigInt(to.getTime() - from.getTime())) / elapsed;
}

/** By how much it changed, in percent with one decimal; null where there was nothing before. */
export function changePercent(credits: bigint, before: bigint): number | null {
  return before === 0n ? null : Number(((credits - before) * 1000n) / before) / 10;
}
