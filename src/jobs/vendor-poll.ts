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
const REPORTED_POLL_FACTOR = 5;

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
}

/** Asks until the vendor is done or has reported so, whichever comes first. */
export async function pollVendor(parts: PollParts, poll: VendorPoll): Promise<EndedCall> {
  const { attempts, events, clock, pollPace } = parts;
  const { attemptId, provider, ticket, until, signal } = poll;
  const { webhooks } = provider;
  const pace = pollPace * (webhooks ? REPORTED_POLL_FACTOR : 1);
  // A look that hangs must not outlast the vendor's time either.
  const late = AbortSignal.timeout(Math.max(0, until.getTime() - clock.now().getTime()));
  const over = AbortSignal.any([signal, late]);
  let bell = new AbortController();
  const unsubscribe = webhooks ? events.subscribe(REPORT_CHANNEL(attemptId), () => bell.abort()) : () => undefined;
  try {
    // A quick vendor may have reported before anybody listened.
    if (webhooks && (await attempts.report(attemptId)) !== null) bell.abort();
    for (let afterMs = poll.firstAfterMs; ; ) {
      const awake = AbortSignal.any([over, bell.signal]);
      await wait(afterMs * pace, undefined, { signal: awake }).catch(() => undefined);
      if (bell.signal.aborted) bell = new AbortController();
      if (signal.aborted) return await abandoned(poll);
      const outcome = (await reported(attempts, poll, over)) ?? (await provider.check(ticket, over));
      noteEvent('poll', { outcome: outcome.kind });
      if (signal.aborted && outcome.kind !== 'delivered') return await abandoned(poll);
      if (outcome.kind !== 'pending') return outcome;
      if (late.aborted) return { kind: 'unknown', message: 'the vendor took the job and was not done in time' };
      afterMs = outcome.pollAfterMs;
    }
  } finally {
    unsubscribe();
  }
}

/** What the vendor's report says, if there is one; a picture that could not be fetched just now counts as none. */
async function reported(attempts: AttemptsStore, { attemptId, provider }: VendorPoll, over: AbortSignal) {
  if (!provider.webhooks) return null;
  const report = await attempts.report(attemptId);
  const outcome = report === null ? null : await provider.webhooks.read(report, over);
  return outcome?.kind === 'pending' ? null : outcome;
}

/** A job that nobody wants any more is given up at the vendor too; at our own end the next process goes on with it. */
async function abandoned({ provider, ticket, signal }: VendorPoll): Promise<EndedCall> {
  if (signal.reason === 'CANCELLED') await provider.cancel(ticket, AbortSignal.timeout(CANCEL_TIMEOUT_MS));
  return { kind: 'cut' };
}
