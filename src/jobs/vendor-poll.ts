import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';
import type { EventBus } from '../platform/events.ts';
import { noteEvent } from '../platform/tracing.ts';
import type { Provider, Ticket } from '../providers/provider.ts';
import type { EndedCall } from '../routing/verdict.ts';
import type { AttemptsStore } from './attempts.store.ts';
import { REPORT_CHANNEL } from './vendor-reports.ts';

const CANCEL_TIMEOUT_MS = 5_000;
/** Where the vendor reports by itself, asking is only for when the report is lost. */
const REPORTED_POLL_MS_MIN = 5_000;
/** When the time is over the picture may just have been finished: one look more, which has its own time. */
const LAST_LOOK_MS = 5_000;

export interface PollParts {
  readonly attempts: AttemptsStore;
  readonly events: EventBus;
  readonly clock: Clock;
  /** Waits between polls are this many times what the vendor asks for: 1, or less in tests whose vendor is instant. */
  readonly pollPace: number;
}

export interface VendorPoll {
  readonly attemptId: string;
  readonly provider: Provider;
  readonly ticket: Ticket;
  readonly firstAfterMs: number;
  /** When to stop asking; the vendor's time runs from the order, whoever polls. */
  readonly until: Date;
  readonly signal: AbortSignal;
  /** Whether the vendor was asked to report when it is done. */
  readonly reports: boolean;
}

/** Asks until the vendor is done or has reported so, whichever comes first. */
export async function pollVendor(parts: PollParts, poll: VendorPoll): Promise<EndedCall> {
  const { attempts, events, clock, pollPace } = parts;
  const { attemptId, provider, ticket, until, signal } = poll;
  // Neither a look that hangs nor a vendor that asks for patience must outlast the vendor's time.
  const late = AbortSignal.timeout(Math.max(0, until.getTime() - clock.now().getTime()));
  let bell = new AbortController();
  const unsubscribe = events.subscribe(REPORT_CHANNEL(attemptId), () => bell.abort());
  try {
    // A quick vendor may have reported before anybody listened.
    if (provider.webhooks && (await attempts.report(attemptId, ticket.vendorId)) !== null) bell.abort();
    for (let afterMs = poll.firstAfterMs; ; ) {
      const waitMs = poll.reports ? Math.max(afterMs, REPORTED_POLL_MS_MIN) : afterMs;
      const awake = AbortSignal.any([signal, late, bell.signal]);
      await wait(waitMs * pollPace, undefined, { signal: awake }).catch(() => undefined);
      if (bell.signal.aborted) bell = new AbortController();
      if (signal.aborted) return await abandoned(poll);
      const isLast = late.aborted;
      const over = AbortSignal.any([signal, isLast ? AbortSignal.timeout(LAST_LOOK_MS) : late]);
      const outcome = (await reported(attempts, poll, over)) ?? (await provider.check(ticket, over));
      noteEvent('poll', { outcome: outcome.kind });
      if (signal.aborted && outcome.kind !== 'delivered') return await abandoned(poll);
      if (outcome.kind !== 'pending') return outcome;
      if (isLast) return { kind: 'unknown', message: 'the vendor took the job and was not done in time' };
      afterMs = outcome.pollAfterMs;
    }
  } finally {
    unsubscribe();
  }
}

/** What the vendor's report says, if there is one; a picture that could not be fetched just now counts as none. */
async function reported(attempts: AttemptsStore, { attemptId, provider, ticket }: VendorPoll, over: AbortSignal) {
  const report = provider.webhooks && (await attempts.report(attemptId, ticket.vendorId));
  const outcome = provider.webhooks && report ? await provider.webhooks.read(report, over) : null;
  return outcome?.kind === 'pending' ? null : outcome;
}

/** A job that nobody wants any more is given up at the vendor too; at our own end the next process goes on with it. */
async function abandoned({ provider, ticket, signal }: VendorPoll): Promise<EndedCall> {
  if (signal.reason === 'CANCELLED') await provider.cancel(ticket, AbortSignal.timeout(CANCEL_TIMEOUT_MS));
  return { kind: 'cut' };
}
