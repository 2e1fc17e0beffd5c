import type { LimitOverrides } from '../accounts/account.ts';
import { type PriceBook, TIERS, type Tier, type TierTerms } from '../pricing/price-book.ts';

/** Jobs that may be open (running or waiting) at once, as a multiple of those that may run. */
export const OPEN_JOBS_PER_RUNNING_JOB = 20;

/** What one account may do now: its tier's terms with the operator's overrides for this account laid over them. */
export interface Allowed extends TierTerms {
  readonly tier: Tier;
  readonly openJobs: number;
}

export function asTier(name: string): Tier {
  const tier = TIERS.find((known) => known === name);
  if (!tier) throw new Error(`an account has the unknown tier ${name}`);
  return tier;
}

export function allowedFor(book: PriceBook, tierName: string, overrides: LimitOverrides): Allowed {
  const tier = asTier(tierName);
  const terms = { ...book.table.tiers[tier], ...overrides };
  return { ...terms, tier, openJobs: terms.runningJobs * OPEN_JOBS_PER_RUNNING_JOB };
}

/** The lowest tier whose terms pass `test`, or null when none does. */
export function lowestTier(book: PriceBook, test: (terms: TierTerms) => boolean): Tier | null {
  return TIERS.find((tier) => test(book.table.tiers[tier])) ?? null;
}

export function tierRank(tier: Tier): number {
  return TIERS.indexOf(tier);
}
