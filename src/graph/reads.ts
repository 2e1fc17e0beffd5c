import type { Viewer } from '../accounts/account.ts';
import { DomainError } from '../errors.ts';
import type { RateLimiter } from '../platform/rate-limiter.ts';

/** Counts queries and subscriptions an account. */
export interface Reads {
  readonly limiter: RateLimiter;
  readonly perMinute: number;
}

/**
 * A generous limit on requests of any kind, so that asking cannot starve others. Submissions have a limit of their own.
 * @throws TOO_MANY_REQUESTS
 */
export async function takeRead({ limiter, perMinute }: Reads, viewer: Viewer): Promise<void> {
  const { allowed, limit, resetsAt } = await limiter.take(viewer.id, perMinute);
  if (allowed) return;
  throw new DomainError(
    'TOO_MANY_REQUESTS',
    `More than ${limit} requests in a minute. Try again after ${resetsAt.toISOString()}.`,
    { limit, resetsAt },
  );
}
