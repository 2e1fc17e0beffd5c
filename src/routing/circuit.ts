import {
  CircuitState as BreakerState,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhenResult,
  type IHalfOpenAfterBackoffContext,
} from 'cockatiel';
import { NOTHING_SEEN, type Verdict } from './verdict.ts';

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

const NOTHING_TO_LEARN = new Error('the call says nothing about the vendor');

type OpenedBy = Pick<IHalfOpenAfterBackoffContext, 'attempt' | 'result'>;

/**
 * One circuit breaker: of a route, or of all of a host. Beside failures in a row, a vendor's own word opens it for a
 * time that is known. Time is the system's, as in the breaker underneath.
 */
export class Circuit {
  readonly #breaker: CircuitBreakerPolicy;
  #openMs = 0;
  #probeAtMs = 0;
  #shutUntilMs = 0;
  #reason = '';

  /** `illness` is which verdicts count here; `onChange` is told after every change of state. */
  constructor(
    private readonly illness: 'ROUTE' | 'HOST',
    private readonly settings: CircuitSettings,
    onChange: () => void,
  ) {
    // What says nothing here comes this far only from a probe, which then has not shown that the vendor is well again.
    const isFailure = (judged: unknown) => (judged as Judged<unknown>).verdict.ill !== 'NOBODY';
    this.#breaker = circuitBreaker(handleWhenResult(isFailure), {
      breaker: new ConsecutiveBreaker(settings.failuresMax),
      halfOpenAfter: new DelegateBackoff(({ attempt, result }: OpenedBy) => this.#openFor(attempt, result)),
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
    const isProbe = this.#breaker.state !== BreakerState.Closed;
    let made: Judged<T> | null = null;
    let defect: { readonly error: unknown } | null = null;
    const observed = async (): Promise<Judged<T | null>> => {
      try {
        made = await call();
      } catch (error) {
        if (!isProbe) throw error;
        // The breaker would take it for a success.
        defect = { error };
        return { result: null, verdict: NOTHING_SEEN };
      }
      // It takes what is no failure for a success; only what is thrown past it counts as neither.
      if (!isProbe && !this.#saysSomething(made.verdict)) throw NOTHING_TO_LEARN;
      return made;
    };
    await this.#breaker.execute(observed).catch((error: unknown) => {
      if (error !== NOTHING_TO_LEARN) throw error;
    });
    return outcomeOf(made, defect);
  }

  /** Lets nothing through for a while, as long as the settings allow. */
  shut(seconds: number, reason: string): void {
    this.#shutUntilMs = Math.max(this.#shutUntilMs, Date.now() + Math.min(seconds * 1_000, this.settings.shutMsMax));
    this.#reason = reason;
  }

  /** How long it stays open this time. A probe that saw nothing is only repeated. */
  #openFor(attempt: number, result: OpenedBy['result']): number {
    const { openMsMin, openMsMax } = this.settings;
    const sawNothing = 'value' in result && !this.#saysSomething((result.value as Judged<unknown>).verdict);
    if (attempt === 1) this.#openMs = openMsMin;
    else if (!sawNothing) this.#openMs = Math.min(openMsMax, this.#openMs * 2);
    // The breaker reads the clock a moment later, and must not find that it is too early.
    this.#probeAtMs = Date.now() + this.#openMs + 1;
    return this.#openMs;
  }

  /** Whether it is about this circuit: neither a call that was cut off nor the illness of the other level is. */
  #saysSomething({ ill }: Verdict): boolean {
    return ill === 'NOBODY' || ill === this.illness;
  }

  get #isShut(): boolean {
    return this.#shutUntilMs > Date.now();
  }
}

function outcomeOf<T>(made: Judged<T> | null, defect: { readonly error: unknown } | null): Judged<T> {
  if (defect) throw defect.error;
  if (!made) throw new Error('a call that was made has no end');
  return made;
}
