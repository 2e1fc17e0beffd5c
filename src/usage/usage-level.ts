import type { Balance } from '../credits/balance.ts';

/** Percent of its credits at which an account is told. */
export const USAGE_THRESHOLDS = [80, 90, 100] as const;

/** How much of what an account may spend in a period is spent or held. Amounts are milli-credits. */
export interface UsageLevel {
  /** The highest threshold that is reached, in percent; 0 below all of them. */
  readonly threshold: number;
  /** Rounded down; null where nothing bounds what may be spent. */
  readonly percent: number | null;
  readonly spent: bigint;
  /** The monthly credits of the tier or the spend cap, whichever is less; null for neither. */
  readonly limit: bigint | null;
  readonly periodEndsAt: Date;
}

export function usageLevel(balance: Balance, monthlyCredits: bigint | null): UsageLevel {
  const { spent, spendCap, periodEndsAt } = balance;
  const limits = [monthlyCredits, spendCap].filter((limit) => limit !== null);
  const limit = limits.length === 0 ? null : limits.reduce((least, each) => (each < least ? each : least));
  const percent = limit === null ? null : limit === 0n ? 100 : Number((spent * 100n) / limit);
  const threshold = USAGE_THRESHOLDS.findLast((each) => percent !== null && percent >= each) ?? 0;
  return { threshold, percent, spent, limit, periodEndsAt };
}
