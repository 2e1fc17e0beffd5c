import type { Viewer } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.service.ts';
import { DomainError } from '../errors.ts';
import type { Jobs } from '../jobs/jobs.service.ts';
import type { EventBus } from '../platform/events.ts';
import type { Tiers } from '../tiers/tiers.service.ts';
import { type GraphContext, type Need, viewerOf } from './context.ts';
import type { Loaders } from './loaders.ts';

/** Subscriptions that one connection may have open. */
export const SUBSCRIPTIONS_MAX = 50;

/** What the states of subscriptions come from. */
export interface LiveSources {
  readonly accounts: Accounts;
  readonly jobs: Jobs;
  readonly tiers: Tiers;
  readonly events: EventBus;
}

/** What the resolvers of one subscription share, for as long as it is open. */
export interface LiveContext extends GraphContext {
  /** Replaced for every state: what was looked up for one must not be shown in the next. */
  loaders: Loaders;
  readonly freshLoaders: () => Loaders;
  readonly sources: LiveSources;
  /** How to end each subscription that the connection has open. */
  readonly endings: Set<() => void>;
}

/**
 * Opens the states that a subscription shows. The first one is read at once, so that what forbids a subscription is its
 * error and not the error of its first state. Returning the iterator ends the source at any time, also while that waits.
 * @throws UNAUTHENTICATED, FORBIDDEN, TOO_MANY_REQUESTS, and what the source throws for its first state.
 */
export async function openStates<T>(
  context: LiveContext,
  need: Need,
  open: (sources: LiveSources, viewer: Viewer, signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): Promise<AsyncIterableIterator<T, void>> {
  const viewer = viewerOf(context, need);
  context.sources.accounts.checkExpiry(viewer);
  if (context.endings.size >= SUBSCRIPTIONS_MAX) throw tooManySubscriptions();
  const stop = new AbortController();
  const states = open(context.sources, viewer, stop.signal);
  const end = () => {
    context.endings.delete(end);
    // A generator that waits would notice only after its next state that it was returned.
    stop.abort();
  };
  context.endings.add(end);
  const following = async () => {
    try {
      const state = await states.next();
      // The connection is closed soon after its key stops working; a state is not shown even until then.
      context.sources.accounts.checkExpiry(viewer);
      if (state.done) end();
      return state;
    } catch (error) {
      end();
      throw error;
    }
  };
  const first = [await following()];
  const iterator: AsyncIterableIterator<T, void> = {
    async next() {
      const state = first.pop() ?? (await following());
      context.loaders = context.freshLoaders();
      return state;
    },
    return() {
      end();
      return states.return();
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

function tooManySubscriptions(): DomainError {
  return new DomainError(
    'TOO_MANY_REQUESTS',
    `A connection may have ${SUBSCRIPTIONS_MAX} subscriptions open. Complete one, or open another connection.`,
    { limit: SUBSCRIPTIONS_MAX },
  );
}
