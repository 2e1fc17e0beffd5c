import { type Module, type Quality, qualityRank } from '../catalog/operations.ts';
import type { Refusal } from '../catalog/refusals.ts';
import { availableOf, type Balance } from '../credits/balance.ts';
import { type Budget, spentOf } from '../credits/budget.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { formatCredits } from '../pricing/prices.ts';
import { type Allowed, lowestTier } from './tier.ts';

/** What the checks need to know of an operation. */
export interface Demand {
  readonly module: Module;
  /** The quality class of what is asked, for generate; null where quality plays no part. */
  readonly quality: Quality | null;
  readonly images: number;
}

/** May this tier do this at all? Pure: the same answer at any time and balance. */
export function tierRefusals(book: PriceBook, allowed: Allowed, demand: Demand): Refusal[] {
  const refusals: Refusal[] = [];
  const { module, quality, images } = demand;
  if (!allowed.modules.includes(module)) {
    refusals.push(
      tierTooLow(
        allowed,
        module,
        lowestTier(book, (terms) => terms.modules.includes(module)),
      ),
    );
  }
  if (quality !== null && qualityRank(quality) > qualityRank(allowed.qualityMax)) {
    const requiredTier = lowestTier(book, (terms) => qualityRank(terms.qualityMax) >= qualityRank(quality));
    refusals.push(tierTooLow(allowed, `${quality} quality`, requiredTier));
  }
  if (images > allowed.imagesPerOperation) {
    refusals.push(tooManyImages(book, allowed, images));
  }
  return refusals;
}

function tooManyImages(book: PriceBook, allowed: Allowed, images: number): Refusal {
  const limit = allowed.imagesPerOperation;
  // A limit that an operator set for this account stays when its tier changes.
  const isOverridden = limit !== book.table.tiers[allowed.tier].imagesPerOperation;
  const requiredTier = isOverridden ? null : lowestTier(book, (terms) => terms.imagesPerOperation >= images);
  const remedy = requiredTier === null ? '' : `, or move to the ${requiredTier} tier`;
  return {
    type: 'TooManyImages',
    requested: images,
    limit,
    requiredTier,
    message: `${images} images were asked for; this account may have ${limit} in one operation. Ask for fewer, run it more than once${remedy}.`,
  };
}

function tierTooLow(allowed: Allowed, feature: string, requiredTier: string | null): Refusal {
  const remedy = requiredTier === null ? 'No tier has it.' : `It is part of the ${requiredTier} tier and above.`;
  return {
    type: 'TierTooLow',
    tier: allowed.tier,
    requiredTier,
    feature,
    message: `The ${allowed.tier} tier does not include ${feature}. ${remedy}`,
  };
}

/** Is there enough money and room at this moment? The hold asks the same again, in one statement. */
export function balanceRefusals(allowed: Allowed, balance: Balance, credits: bigint): Refusal[] {
  const refusals: Refusal[] = [];
  const available = availableOf(balance);
  if (available !== null && available < credits) refusals.push(insufficientCredits(balance, available, credits));
  if (credits > 0n && balance.spendCap !== null && balance.spent + credits > balance.spendCap)
    refusals.push(spendCapExceeded(balance, balance.spendCap, credits));
  if (balance.openHolds >= allowed.openJobs) {
    refusals.push({
      type: 'TooManyJobs',
      open: balance.openHolds,
      limit: allowed.openJobs,
      message: `${balance.openHolds} jobs are running or waiting; ${allowed.openJobs} may be open at once. Wait for one to end, or cancel one.`,
    });
  }
  return refusals;
}

/** Is there room for another picture? What has been accepted is delivered and kept, also beyond the limit. */
export function storageRefusals(book: PriceBook, allowed: Allowed, usedBytes: number): Refusal[] {
  const limit = allowed.storageBytes;
  if (usedBytes < limit) return [];
  const requiredTier = lowestTier(book, (terms) => terms.storageBytes > usedBytes);
  const remedy = requiredTier === null ? '' : `, or move to the ${requiredTier} tier`;
  return [
    {
      type: 'StorageFull',
      used: usedBytes,
      limit,
      requiredTier,
      message: `The library keeps ${usedBytes} bytes and may keep ${limit}. Delete assets permanently${remedy}.`,
    },
  ];
}

function insufficientCredits(balance: Balance, available: bigint, required: bigint): Refusal {
  const short = required - available;
  return {
    type: 'InsufficientCredits',
    required,
    available,
    short,
    resetsAt: balance.periodEndsAt,
    message: `This costs ${formatCredits(required)} credits and ${formatCredits(available)} are available: ${formatCredits(short)} short. Ask for less, top up, or wait for the monthly credits on ${dayOf(balance.periodEndsAt)}.`,
  };
}

function spendCapExceeded(balance: Balance, limit: bigint, required: bigint): Refusal {
  return {
    type: 'CapExceeded',
    cap: 'SPEND_CAP',
    required,
    spent: balance.spent,
    limit,
    resetsAt: balance.periodEndsAt,
    message: `This costs ${formatCredits(required)} credits; ${formatCredits(balance.spent)} of this period's spend cap of ${formatCredits(limit)} are spent or held. Ask for less, raise the cap, or wait until ${dayOf(balance.periodEndsAt)}.`,
  };
}

function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** Is there enough left in the budget that was named? The hold asks the same again. */
export function budgetRefusals(budget: Budget, balance: Balance, credits: bigint): Refusal[] {
  const spent = spentOf(budget, balance);
  if (credits === 0n || spent + credits <= budget.cap) return [];
  const resetsAt = budget.period === 'MONTHLY' ? balance.periodEndsAt : null;
  const otherwise = resetsAt === null ? ', or name another' : `, name another, or wait until ${dayOf(resetsAt)}`;
  return [
    {
      type: 'CapExceeded',
      cap: 'BUDGET',
      required: credits,
      spent,
      limit: budget.cap,
      resetsAt,
      message: `This costs ${formatCredits(credits)} credits; ${formatCredits(spent)} of the ${formatCredits(budget.cap)} of the budget ${JSON.stringify(budget.name)} are spent or held. Ask for less, raise the budget's cap${otherwise}.`,
    },
  ];
}

export function rateLimited(limit: number, resetsAt: Date): Refusal {
  return {
    type: 'RateLimited',
    limit,
    resetsAt,
    message: `${limit} submissions a minute are allowed and were used. Try again after ${resetsAt.toISOString()}; estimates and reads still work.`,
  };
}
