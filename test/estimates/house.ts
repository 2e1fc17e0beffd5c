import type { Viewer } from '../../src/accounts/account.ts';
import type { Source } from '../../src/catalog/sources.ts';
import type { Balance } from '../../src/credits/balance.ts';
import type { Budget } from '../../src/credits/budget.ts';
import { Estimates } from '../../src/estimates/estimates.service.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { Signer } from '../../src/platform/signer.ts';
import type { PriceBook, Tier } from '../../src/pricing/price-book.ts';
import { RouteHealth } from '../../src/routing/health.ts';
import { allowedFor } from '../../src/tiers/tier.ts';
import { bookOf } from '../pricing/books.ts';
import { TestClock } from '../support/clock.ts';
import { balanceOf } from '../tiers/accounts.ts';

export const KEYS = ['a'.repeat(32), 'b'.repeat(32)] as const;

export function viewerOf(change: Partial<Viewer> = {}): Viewer {
  return {
    id: 'account_01jd0000000000000000000000',
    name: 'a customer',
    role: 'CUSTOMER',
    tier: 'PRO',
    nextTier: null,
    limits: {},
    createdAt: new Date('2026-01-01T00:00:00Z'),
    keyId: 'key_01jd0000000000000000000000',
    scopes: ['ESTIMATE', 'RUN', 'LIBRARY'],
    keyExpiresAt: null,
    ...change,
  };
}

/** The service over real prices, routes and signatures; the database behind it is a few variables to be changed. */
export class House {
  readonly clock = new TestClock();
  readonly health = new RouteHealth(this.clock, new LocalEventBus());
  readonly books = new Map<number, PriceBook>([[1, bookOf()]]);
  current = 1;
  balance: Balance = balanceOf();
  submissionsUsed = 0;
  off: readonly string[] = [];
  readonly pictures = new Map<string, Source>();
  storedBytes = 0;
  readonly budgets = new Map<string, Budget>();
  keys: readonly [string, ...string[]] = [KEYS[0]];

  /** The service as it would be after a start with the present settings. */
  get estimates(): Estimates {
    return new Estimates({
      priceBooks: { current: () => this.#book(this.current), find: async (version) => this.books.get(version) ?? null },
      tiers: {
        allowed: (account, book = this.#book(this.current)) => allowedFor(book, account.tier, account.limits),
        balance: async () => this.balance,
        rate: async (_, { submissionsPerMinute: limit }) => ({
          limit,
          remaining: Math.max(0, limit - this.submissionsUsed),
          resetsAt: new Date(this.clock.now().getTime() + 30_000),
        }),
      },
      health: this.health,
      serves: ({ model, host }) => !this.off.includes(model.provider) && host.name !== 'vertex',
      library: {
        assets: { byIds: async (_account, ids) => ids.map((id) => this.pictures.get(id) ?? null) },
        storageUses: { of: async () => ({ assets: 0, bytes: this.storedBytes }) },
      },
      budgets: { find: async (_account, id) => this.budgets.get(id) ?? null },
      signer: new Signer(this.keys),
      clock: this.clock,
    });
  }

  /** Publishes another price for STANDARD pictures of a megapixel, in force from now on. */
  publish(standard: number): void {
    const document = this.#book(this.current).document;
    const generateByQuality = { ...document.generateByQuality, STANDARD: { S: 3, M: standard, L: 5 } };
    this.current += 1;
    this.books.set(this.current, bookOf({ ...document, generateByQuality }, this.current));
  }

  tier(tier: Tier): Viewer {
    return viewerOf({ tier });
  }

  #book(version: number): PriceBook {
    const book = this.books.get(version);
    if (!book) throw new Error(`no version ${version}`);
    return book;
  }
}
