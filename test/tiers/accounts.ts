import type { LimitOverrides } from '../../src/accounts/account.ts';
import type { Balance } from '../../src/credits/balance.ts';
import type { PriceBook, Tier } from '../../src/pricing/price-book.ts';
import { type Allowed, allowedFor } from '../../src/tiers/tier.ts';
import { bookOf } from '../pricing/books.ts';

export function allowedOf(tier: Tier, overrides: LimitOverrides = {}, book: PriceBook = bookOf()): Allowed {
  return allowedFor(book, tier, overrides);
}

export const PERIOD_ENDS_AT = new Date('2026-04-01T00:00:00Z');

/** An account with 300 monthly credits that has done nothing yet, but for what is said. */
export function balanceOf(change: Partial<Balance> = {}): Balance {
  return {
    accountId: 'account_01jd0000000000000000000000',
    monthly: 300_000n,
    topup: 0n,
    owed: 0n,
    held: 0n,
    captured: 0n,
    postpaid: false,
    periodStartsAt: new Date('2026-03-01T00:00:00Z'),
    periodEndsAt: PERIOD_ENDS_AT,
    anchorAt: new Date('2026-01-01T00:00:00Z'),
    spent: 0n,
    spendCap: null,
    openHolds: 0,
    allowancesUsed: {},
    ...change,
  };
}
