import type { Redis } from 'ioredis';
import { sql } from 'kysely';
import type { Clock } from '../../src/platform/clock.ts';
import type { Db } from '../../src/platform/database.ts';
import { type EventBus, LocalEventBus } from '../../src/platform/events.ts';
import { createLog } from '../../src/platform/log.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import { PriceBookCache } from '../../src/pricing/price-book.cache.ts';
import { PriceBookStore } from '../../src/pricing/price-book.store.ts';
import type { PriceBookDocument } from '../../src/pricing/price-book.ts';
import { PriceBooks } from '../../src/pricing/price-books.service.ts';

/** So long that it never comes by itself within a test. */
const NEVER_MS = 1_000_000_000;

export interface Parts {
  readonly redis?: Redis;
  readonly events?: EventBus;
  readonly metrics?: Metrics;
  readonly revalidateMs?: number;
  readonly first?: PriceBookDocument;
}

/** The price books of one process, with a log and a memory of its own. Revalidates only when it is told to. */
export async function startBooks(db: Db, clock: Clock, parts: Parts = {}): Promise<PriceBooks> {
  const store = new PriceBookStore(db);
  const cache = new PriceBookCache(store, parts.redis ?? null, parts.metrics ?? new Metrics());
  const events = parts.events ?? new LocalEventBus();
  const books = new PriceBooks(store, cache, events, clock, createLog('silent'), parts.revalidateMs ?? NEVER_MS);
  await books.start(parts.first ?? GUIDE_PRICE_BOOK);
  return books;
}

/** The guide's prices with another price for a STANDARD picture of medium size. */
export function priced(credits: number): PriceBookDocument {
  return {
    ...GUIDE_PRICE_BOOK,
    generateByQuality: { ...GUIDE_PRICE_BOOK.generateByQuality, STANDARD: { S: 3, M: credits, L: 5 } },
  };
}

/** That price, in milli-credits. */
export function priceIn(books: PriceBooks): bigint | undefined {
  return books.current().table.generateByQuality.STANDARD?.M;
}

/** Empties the table, which the product itself cannot: it refuses every change to what was published. */
export async function forgetAll(db: Db): Promise<void> {
  for (const statement of [
    'alter table price_books disable trigger price_books_append_only',
    'truncate price_books restart identity',
    'alter table price_books enable trigger price_books_append_only',
  ])
    await sql.raw(statement).execute(db);
}
