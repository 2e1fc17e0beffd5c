import { Accounts } from '../../src/accounts/accounts.service.ts';
import { AccountsStore } from '../../src/accounts/accounts.store.ts';
import { BudgetsStore } from '../../src/credits/budgets.store.ts';
import { Credits } from '../../src/credits/credits.service.ts';
import { CreditsStore } from '../../src/credits/credits.store.ts';
import { HoldsStore } from '../../src/credits/holds.store.ts';
import type { Database } from '../../src/platform/database.ts';
import type { EventBus } from '../../src/platform/events.ts';
import { createLog } from '../../src/platform/log.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { RateLimiter } from '../../src/platform/rate-limiter.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import { PriceBookCache } from '../../src/pricing/price-book.cache.ts';
import { PriceBookStore } from '../../src/pricing/price-book.store.ts';
import { PriceBooks } from '../../src/pricing/price-books.service.ts';
import { Tiers } from '../../src/tiers/tiers.service.ts';
import type { TestClock } from '../support/clock.ts';

/** Tiers as one process has them, with the guide's prices. `priceBooks` must be stopped. */
export async function startTiers(
  { db }: Pick<Database, 'db'>,
  clock: TestClock,
  events: EventBus,
  credits = new Credits(db, new CreditsStore(db), new HoldsStore(db), new BudgetsStore()),
  accounts = new Accounts(new AccountsStore(db), events, clock),
) {
  const store = new PriceBookStore(db);
  const cache = new PriceBookCache(store, null, new Metrics());
  const priceBooks = new PriceBooks(store, cache, events, clock, createLog('silent'));
  await priceBooks.start(GUIDE_PRICE_BOOK);
  const tiers = new Tiers(db, accounts, credits, priceBooks, new RateLimiter('test', null), events, clock);
  return { accounts, credits, priceBooks, tiers };
}
