import { setTimeout as wait } from 'node:timers/promises';
import type { Route } from '../catalog/models.ts';
import type { Clock } from '../platform/clock.ts';
import type { CheckOutcome, Provider, SubmitOutcome, Ticket } from '../providers/provider.ts';

/** How a call ended; `late` is a vendor that was not done when our patience was. */
export type Ended =
  | Exclude<SubmitOutcome | CheckOutcome, { kind: 'accepted' | 'pending' }>
  | { readonly kind: 'late'; readonly message: string };

/** A vendor that took a job on has this many times its usual time, and at least a minute. */
const PATIENCE_FACTOR = 10;
const PATIENCE_MIN_MS = 60_000;
const CANCEL_TIMEOUT_MS = 5_000;

export interface VendorPoll {
  readonly provider: Provider;
  readonly route: Route;
  readonly ticket: Ticket;
  readonly firstAfterMs: number;
  /** When the vendor was asked: its time runs from then, whoever polls. */
  readonly since: Date;
  readonly clock: Clock;
  readonly pollPace: number;
  readonly signal: AbortSignal;
}

/** Asks until the vendor is done. Null when this process is going away: the vendor goes on and another will ask. */
export async function pollVendor(poll: VendorPoll): Promise<Ended | null> {
  const { provider, route, ticket, since, clock, signal } = poll;
  const patience = Math.max(PATIENCE_MIN_MS, route.host.expectedSeconds * 1000 * PATIENCE_FACTOR);
  for (let afterMs = poll.firstAfterMs; ; ) {
    try {
      await wait(afterMs * poll.pollPace, undefined, { signal });
    } catch {
      if (signal.reason === 'SHUTDOWN') return null;
      await provider.cancel(ticket, AbortSignal.timeout(CANCEL_TIMEOUT_MS));
      return { kind: 'late', message: 'cancelled while the vendor was drawing' };
    }
    const outcome = await provider.check(ticket, signal);
    if (signal.aborted) continue;
    if (outcome.kind !== 'pending') return outcome;
    if (clock.now().getTime() > since.getTime() + patience) {
      return { kind: 'late', message: `the vendor was not done after ${Math.round(patience / 1000)} seconds` };
    }
    afterMs = outcome.pollAfterMs;
  }
}
