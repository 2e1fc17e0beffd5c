import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Metrics } from './metrics.ts';

export interface RateLimitState {
  readonly limit: number;
  readonly remaining: number;
  readonly resetsAt: Date;
}

const WINDOW_SECONDS = 60;

/**
 * Counts events a minute by key, across processes when Redis is there. While Redis is away each process counts alone:
 * a limit may then be exceeded by as many times as there are processes, never more.
 */
export class RateLimiter {
  readonly #byLimit = new Map<number, RateLimiterMemory | RateLimiterRedis>();

  constructor(
    private readonly name: string,
    private readonly redis: Redis | null,
    private readonly metrics: Metrics | null = null,
  ) {}

  /** Counts one event. `allowed` is false, and nothing is counted, when the limit was already reached. */
  async take(key: string, limit: number): Promise<RateLimitState & { readonly allowed: boolean }> {
    try {
      return { ...state(limit, await this.#limiter(limit).consume(key)), allowed: true };
    } catch (reached) {
      if (reached instanceof Error) throw reached;
      this.metrics?.rateLimited.inc({ limit: this.name });
      return { ...state(limit, reached as RateLimiterRes), allowed: false };
    }
  }

  /** How things stand, without counting. */
  async peek(key: string, limit: number): Promise<RateLimitState> {
    return state(limit, await this.#limiter(limit).get(key));
  }

  /** The library fixes the limit per instance, so there is one instance for each limit in use (a handful of tiers). */
  #limiter(limit: number): RateLimiterMemory | RateLimiterRedis {
    let limiter = this.#byLimit.get(limit);
    if (!limiter) {
      const options = { points: limit, duration: WINDOW_SECONDS, keyPrefix: `isg:rate:${this.name}:${limit}` };
      const memory = new RateLimiterMemory(options);
      limiter = this.redis
        ? new RateLimiterRedis({ ...options, storeClient: this.redis, insuranceLimiter: memory })
        : memory;
      this.#byLimit.set(limit, limiter);
    }
    return limiter;
  }
}

function state(limit: number, result: RateLimiterRes | null): RateLimitState {
  const msBeforeNext = result?.msBeforeNext ?? WINDOW_SECONDS * 1000;
  return {
    limit,
    remaining: Math.max(0, result ? limit - result.consumedPoints : limit),
    resetsAt: new Date(Date.now() + Math.max(0, msBeforeNext)),
  };
}
