import type { Redis } from 'ioredis';
import type { Metrics } from '../platform/metrics.ts';
import type { PriceBookStore, ScheduledVersion } from './price-book.store.ts';
import { type PriceBook, type PriceBookDocument, priceBookDocument } from './price-book.ts';

/** What went stale while Redis could not be told is dropped this soon. */
const SCHEDULE_LIFETIME_SECONDS = 5;
const VERSION_LIFETIME_SECONDS = 86_400;

/**
 * Price books through Redis: one hash per version, which never changes, and a pointer to the versions in force and to
 * come. Whatever Redis cannot answer, or answers with something that is not a price book, comes from the database; Redis
 * is never waited for longer than its own time-out.
 */
export class PriceBookCache {
  #prefix: string | null = null;

  constructor(
    private readonly store: PriceBookStore,
    private readonly redis: Redis | null,
    private readonly metrics: Metrics,
  ) {}

  /** The version in force at `now` and those to come. Perhaps a few seconds old, so one that is missing may exist. */
  async schedule(now: Date): Promise<ScheduledVersion[]> {
    const cached = await this.#ask(async (redis, prefix) => readSchedule(await redis.get(`${prefix}schedule`)));
    // The clock of whoever wrote it may be ahead of ours: what is in force here may have been left out there.
    return cached?.some(({ effectiveAt }) => effectiveAt <= now) ? this.#counted('redis', cached) : this.reload(now);
  }

  /** The same, from the database; Redis is told. */
  async reload(now: Date): Promise<ScheduledVersion[]> {
    const schedule = await this.store.schedule(now);
    const text = JSON.stringify(schedule.map(({ version, effectiveAt }) => [version, effectiveAt.toISOString()]));
    await this.#ask((redis, prefix) => redis.set(`${prefix}schedule`, text, 'EX', SCHEDULE_LIFETIME_SECONDS));
    return this.#counted('database', schedule);
  }

  /** One version, whether it is in force or not; null when it was never published. */
  async find(version: number): Promise<PriceBook | null> {
    const cached = await this.#ask(async (redis, prefix) => {
      const { effectiveAt, document } = await redis.hgetall(prefix + version);
      return document && effectiveAt ? readPriceBook(version, new Date(effectiveAt), JSON.parse(document)) : null;
    });
    if (cached) return this.#counted('redis', cached);
    const row = await this.store.find(version);
    if (row === null) return null;
    const book = readPriceBook(version, row.effectiveAt, row.document);
    await this.put(book);
    return this.#counted('database', book);
  }

  /** Keeps a version that has been published. */
  async put({ version, effectiveAt, document }: PriceBook): Promise<void> {
    const fields = { document: JSON.stringify(document), effectiveAt: effectiveAt.toISOString() };
    await this.#ask((redis, prefix) =>
      redis
        .multi()
        .hset(prefix + version, fields)
        .expire(prefix + version, VERSION_LIFETIME_SECONDS)
        .exec(),
    );
  }

  /** Null when there is no Redis, when it does not answer, and when its answer cannot be read. */
  async #ask<T>(question: (redis: Redis, prefix: string) => Promise<T>): Promise<T | null> {
    if (!this.redis) return null;
    this.#prefix ??= `isg:price-book:${await this.store.series()}:`;
    try {
      return await question(this.redis, this.#prefix);
    } catch {
      return null;
    }
  }

  #counted<T>(source: 'redis' | 'database', loaded: T): T {
    this.metrics.priceBookReads.inc({ source });
    return loaded;
  }
}

function readSchedule(text: string | null): ScheduledVersion[] | null {
  if (text === null) return null;
  return (JSON.parse(text) as [number, string][]).map(([version, effectiveAt]) => ({
    version,
    effectiveAt: new Date(effectiveAt),
  }));
}

/** @throws when it is not a valid price book. */
function readPriceBook(version: number, effectiveAt: Date, document: PriceBookDocument): PriceBook {
  if (Number.isNaN(effectiveAt.getTime())) throw new Error(`price book ${version} has no effective time`);
  return { version, effectiveAt, document, table: priceBookDocument.parse(document) };
}
