import type { Clock } from '../platform/clock.ts';

export interface Health {
  readonly healthy: boolean;
  /** Share of the recent attempts that delivered or were refused for what was asked, 0 to 1; null without any. */
  readonly successRate: number | null;
  /** Seconds that a delivered picture took recently; null without any. */
  readonly seconds: number | null;
}

/** A route that failed this often in a row is tried last until a while has passed. */
const FAILURES_IN_A_ROW_MAX = 3;
const RECOVERY_MS = 30_000;
/** Weight of the newest observation in the moving averages. */
const WEIGHT = 0.2;

interface Observed {
  failuresInARow: number;
  lastFailureAt: number;
  successRate: number;
  seconds: number | null;
}

/** What this process has seen of each route lately. */
export class RouteHealth {
  readonly #records = new Map<string, Observed>();

  constructor(private readonly clock: Clock) {}

  of(routeId: string): Health {
    const record = this.#records.get(routeId);
    if (!record) return { healthy: true, successRate: null, seconds: null };
    const ill =
      record.failuresInARow >= FAILURES_IN_A_ROW_MAX && this.clock.now().getTime() - record.lastFailureAt < RECOVERY_MS;
    return { healthy: !ill, successRate: record.successRate, seconds: record.seconds };
  }

  /** Notes how an attempt ended. A vendor that refuses what was asked for is well; one that fails is not. */
  note(routeId: string, outcome: { readonly ok: boolean; readonly seconds: number | null }): void {
    const known = this.#records.get(routeId);
    const value = outcome.ok ? 1 : 0;
    this.#records.set(routeId, {
      failuresInARow: outcome.ok ? 0 : (known?.failuresInARow ?? 0) + 1,
      lastFailureAt: outcome.ok ? (known?.lastFailureAt ?? 0) : this.clock.now().getTime(),
      successRate: known ? known.successRate * (1 - WEIGHT) + value * WEIGHT : value,
      seconds: averaged(known?.seconds ?? null, outcome.seconds),
    });
  }
}

function averaged(known: number | null, seconds: number | null): number | null {
  if (seconds === null) return known;
  return known === null ? seconds : known * (1 - WEIGHT) + seconds * WEIGHT;
}
