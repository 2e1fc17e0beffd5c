import type { Balance } from '../../src/credits/balance.ts';
import { allowancesOf } from '../../src/estimates/allowances.ts';
import type { PricingFacts } from '../../src/estimates/priced-runs.ts';
import type { PriceBook, Tier } from '../../src/pricing/price-book.ts';
import { bookOf } from '../pricing/books.ts';
import { factsOf, type World } from '../routing/requests.ts';
import { allowedOf, balanceOf } from '../tiers/accounts.ts';

export interface Situation extends World {
  readonly tier?: Tier;
  readonly balance?: Partial<Balance>;
  readonly book?: PriceBook;
}

/** What prices depend on: a PRO account with 300 credits and the guide's prices, but for what is said. */
export function situationOf({ tier = 'PRO', balance = {}, book = bookOf(), ...world }: Situation = {}): {
  facts: PricingFacts;
  balance: Balance;
} {
  const allowed = allowedOf(tier, {}, book);
  const standing = balanceOf(balance);
  return {
    facts: { book, allowed, allowances: allowancesOf(allowed, standing), routing: factsOf(world) },
    balance: standing,
  };
}
