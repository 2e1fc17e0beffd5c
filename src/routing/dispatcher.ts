import { BrokenCircuitError, type BulkheadPolicy, bulkhead, TaskCancelledError } from 'cockatiel';
import type { ProviderName, Route } from '../catalog/models.ts';
import type { Judged } from './circuit.ts';
import type { RouteHealth } from './health.ts';

/** Of a provider's places, one model may take so many: an ill one that keeps its images waiting must not starve the rest. */
const MODEL_SHARE = 0.75;

/**
 * Sends images out: as many at a time as a provider takes, the others wait their turn, and none goes where the circuit
 * is open.
 */
export class Dispatcher {
  readonly #places = new Map<string, BulkheadPolicy>();
  #waiting = 0;

  /** `concurrency` is how many images of this process a provider draws at once. */
  constructor(
    private readonly health: RouteHealth,
    private readonly concurrency: Readonly<Record<ProviderName, number>>,
  ) {}

  /** Images that wait for a place. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Makes a call as soon as there is a place for it. Null when none was made: the route is not to be tried any more, or
   * `signal` was aborted first.
   */
  async run<T>(route: Route, signal: AbortSignal, call: () => Promise<Judged<T>>): Promise<T | null> {
    const { provider } = route.model;
    const capacity = this.concurrency[provider];
    const ofModel = this.#placesOf(route.id, Math.max(1, Math.floor(capacity * MODEL_SHARE)));
    const ofProvider = this.#placesOf(provider, capacity);
    const tooLate = Promise.withResolvers<null>();
    const giveUp = () => tooLate.resolve(null);
    const stopWaiting = once(() => {
      signal.removeEventListener('abort', giveUp);
      this.#waiting -= 1;
    });
    signal.addEventListener('abort', giveUp);
    this.#waiting += 1;
    const arrive = async () => {
      // From here on the call itself decides what an abort means.
      stopWaiting();
      return signal.aborted || !this.health.takes(route) ? null : this.health.observe(route, call);
    };
    const made = ofModel.execute(() => ofProvider.execute(arrive, signal), signal);
    made.catch(() => undefined);
    try {
      return await Promise.race([made, tooLate.promise]);
    } catch (error) {
      // The second is a circuit that has opened in this very moment.
      if (error instanceof TaskCancelledError || error instanceof BrokenCircuitError) return null;
      throw error;
    } finally {
      stopWaiting();
    }
  }

  #placesOf(key: string, capacity: number): BulkheadPolicy {
    const known = this.#places.get(key);
    if (known) return known;
    // How many can wait is bounded by the jobs that a worker takes in hand.
    const places = bulkhead(capacity, Number.MAX_SAFE_INTEGER);
    this.#places.set(key, places);
    return places;
  }
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
