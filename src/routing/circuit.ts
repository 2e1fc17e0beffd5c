import {
  CircuitState as BreakerState,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhenResult,
} from 'cockatiel';
import type { Verdict } from './verdict.ts';

/** CLOSED: calls go through. OPEN: none does. HALF_OPEN: one may go, and decides. */
export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface Judged<T> {
  readonly result: T;
  readonly verdict: Verdict;
}

export interface CircuitSettings {
  /** So many failures in a row open it. */
  readonly failuresMax: number;
  /** How long it stays open the first time; twice as long after each probe that fails. */
  readonly openMsMin: number;
  readonly openMsMax: number;
  /** The most that a vendor's Retry-After can make us stay away: it may be absurd. */
  readonly shutMsMax: number;
}

export const CIRCUIT_SETTINGS: CircuitSettings = {
  failuresMax: 5,
  openMsMin: 5_000,
  openMsMax: 60_000,
  shutMsMax: 300_000,
};

const NOTHING_SEEN = new Error('the call says nothing about the vendor');

/**
 * One circuit breaker: of a route, or of all of a host. Beside failures in a row, a vendor's own word opens it for a
 * time that is known. Time is the system's, as in the breaker underneath.
 */
export class Circuit {
  readonly #breaker: CircuitBreakerPolicy;
  #probeAtMs = 0;
  #shutUntilMs = 0;
  #reason = '';

  /** `illness` is which verdicts count here; `onChange` is told after every change of state. */
  constructor(
    illness: 'ROUTE' | 'HOST',
    private readonly settings: CircuitSettings,
    onChange: () => void,
  ) {
    const isFailure = (judged: unknown) => {
      const { ill } = (judged as Judged<unknown>).verdict;
      // A probe that was cut off has not shown that the vendor is well again.
      return ill === illness || (ill === 'UNKNOWN' && this.#breaker.state === BreakerState.HalfOpen);
    };
    const openFor = ({ attempt }: { readonly attempt: number }) => {
      const ms = Math.min(settings.openMsMax, settings.openMsMin * 2 ** (attempt - 1));
      this.#probeAtMs = Date.now() + ms;
      return ms;
    };
    this.#breaker = circuitBreaker(handleWhenResult(isFailure), {
      breaker: new ConsecutiveBreaker(settings.failuresMax),
      halfOpenAfter: new DelegateBackoff(openFor),
    });
    this.#breaker.onStateChange(onChange);
    this.#breaker.onFailure(({ reason }) => {
      if ('value' in reason) this.#reason = (reason.value as Judged<unknown>).verdict.reason || this.#reason;
    });
  }

  get state(): CircuitState {
    if (this.#breaker.state === BreakerState.Closed) return this.#isShut ? 'OPEN' : 'CLOSED';
    return this.openMs > 0 ? 'OPEN' : 'HALF_OPEN';
  }

  /** How long it stays open; 0 when it is not. */
  get openMs(): number {
    const until =
      this.#breaker.state === BreakerState.Open ? Math.max(this.#probeAtMs, this.#shutUntilMs) : this.#shutUntilMs;
    return Math.max(0, until - Date.now());
  }

  /** Why it is not closed; empty when it is. */
  get reason(): string {
    return this.state === 'CLOSED' ? '' : this.#reason;
  }

  /** Whether a call may go through now: not while it is open, and not beside a probe. */
  get takes(): boolean {
    return this.openMs === 0 && this.#breaker.state !== BreakerState.HalfOpen;
  }

  /** Runs a call and learns from its verdict. Only while it {@link takes} one. */
  async run<T>(call: () => Promise<Judged<T>>): Promise<Judged<T>> {
    let made: Judged<T> | null = null;
    try {
      return await this.#breaker.execute(async () => {
        made = await call();
        // The breaker takes what is no failure for a success; only what is thrown past it counts as neither.
        if (made.verdict.ill === 'UNKNOWN' && this.#breaker.state !== BreakerState.HalfOpen) throw NOTHING_SEEN;
        return made;
      });
    } catch (error) {
      if (error === NOTHING_SEEN && made !== null) return made;
      throw error;
    }
  }

  /** Lets nothing through for a while, as long as the settings allow. */
  shut(seconds: number, reason: string): void {
    this.#shutUntilMs = Math.max(this.#shutUntilMs, Date.now() + Math.min(seconds * 1_000, this.settings.shutMsMax));
    this.#reason = reason;
  }

  get #isShut(): boolean {
    return this.#shutUntilMs > Date.now();
  }
}
