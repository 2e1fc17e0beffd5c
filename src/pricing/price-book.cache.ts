import type { Redis } from 'ioredis';
import type { Metrics } from '../platform/metrics.ts';
import type { PriceBookStore } from './price-book.store.ts';
import type { PriceBookDocument } from './price-book.ts';

export interface ScheduledVersion {
  readonly version: number;
  readonly effectiveAt: Date;
}

export interface StoredVersion extends ScheduledVersion {
  readonly document: PriceBookDocument;
}

const SCHEDULE_KEY = 'isg:price-book:schedule';
const versionKey = (version: number) => `isg:price-book:${version}`;
/** A pointer that went stale while Redis was away is dropped this soon. */
const SCHEDULE_LIFETIME_SECONDS = 5;
const VERSION_LIFETIME_SECONDS = 86_400;

/**
 * Price books through Redis: one hash per version, which never changes, and a pointer to the versions in force and to
 * come. Whatever Redis cannot answer comes from the database; Redis is never waited for longer than its own time-out.
 */
export class PriceBookCache {
  constructor(
    private readonly store: PriceBookStore,
    private readonly redis: Redis | null,
    private readonly metrics: Metrics,
  ) {}

  async schedule(since: Date): Promise<ScheduledVersion[]> {
    const cached = await this.#ask((redis) => redis.get(SCHEDULE_KEY));
    if (cached) {
      const schedule = (JSON.parse(cached) as [number, string][]).map(([version, at]) => ({
        version,
        effectiveAt: new Date(at),
      }));
      this.metrics.priceBookReads.inc({ source: 'redis' });
      return schedule;
    }
    this.metrics.priceBookReads.inc({ source: 'database' });
    const schedule = await this.store.schedule(since);
    await this.#tell((redis) =>
      redis.set(
        SCHEDULE_KEY,
        JSON.stringify(schedule.map(({ version, effectiveAt }) => [version, effectiveAt.toISOString()])),
        'EX',
        SCHEDULE_LIFETIME_SECONDS,
      ),
    );
    return schedule;
  }

  async find(version: number): Promise<StoredVersion | null> {
    const cached = await this.#ask((redis) => redis.hgetall(versionKey(version)));
    if (cached?.document && cached.effectiveAt) {
      this.metrics.priceBookReads.inc({ source: 'redis' });
      return {
        version,
        effectiveAt: new Date(cached.effectiveAt),
        document: JSON.parse(cached.document) as PriceBookDocument,
      };
    }
    this.metrics.priceBookReads.inc({ source: 'database' });
    const row = await this.store.find(version);
    if (row === null) return null;
    await this.#tell((redis) =>
      redis
        .multi()
        .hset(versionKey(version), {
          document: JSON.stringify(row.document),
          effectiveAt: row.effectiveAt.toISOString(),
        })
        .expire(versionKey(version), VERSION_LIFETIME_SECONDS)
        .exec(),
    );
    return row;
  }

  /** Makes every next look at the schedule go to the database. */
  async forgetSchedule(): Promise<void> {
    await this.#tell((redis) => redis.del(SCHEDULE_KEY));
  }

  async #ask<T>(question: (redis: Redis) => Promise<T>): Promise<T | null> {
    if (!this.redis) return null;
    try {
      return await question(this.redis);
    } catch {
      return null;
    }
  }

  async #tell(statement: (redis: Redis) => Promise<unknown>): Promise<void> {
    await this.#ask(statement);
  }
}
