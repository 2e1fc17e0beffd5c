import { availableOf, type Balance } from '../credits/balance.ts';
import type { PricedStep } from './priced-steps.ts';

/** As far as GraphQL's Int reaches. */
const AFFORDABLE_MAX = 2_147_483_647;

/** How many such images the account could pay for: what is left of the allowance, then what the credits buy. */
export function affordableCount(balance: Balance, { unitCredits, allowance }: PricedStep): number | null {
  if (unitCredits === null) return 0;
  const bought = howMany(balance, unitCredits);
  return bought === null ? null : Math.min(AFFORDABLE_MAX, (allowance?.left ?? 0) + bought);
}

/** How often the account could pay so much; null where nothing bounds it. */
export function howMany(balance: Balance, credits: bigint): number | null {
  const available = availableOf(balance);
  const underCap = balance.spendCap === null ? null : balance.spendCap - balance.spent;
  const spendable = available === null ? underCap : underCap === null || available < underCap ? available : underCap;
  if (spendable === null || credits === 0n) return null;
  return Math.min(AFFORDABLE_MAX, Number((spendable > 0n ? spendable : 0n) / credits));
}
