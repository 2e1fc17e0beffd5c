import type { Route } from '../catalog/models.ts';
import { ROUTES } from '../catalog/routes.ts';
import type { Credits } from '../credits/credits.service.ts';
import { BoundedReading } from '../platform/bounded-reading.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { PriceBooks } from '../pricing/price-books.service.ts';
import type { CircuitState } from '../routing/circuit.ts';
import type { Dispatcher } from '../routing/dispatcher.ts';
import type { RouteHealth } from '../routing/health.ts';
import type { JobsStore } from './jobs.store.ts';

export interface ScrapeParts {
  readonly metrics: Metrics;
  readonly priceBooks: PriceBooks;
  readonly health: RouteHealth;
  readonly serves: (route: Route) => boolean;
  readonly dispatcher: Dispatcher;
  readonly store: JobsStore;
  readonly credits: Credits;
  readonly database: Database;
  readonly clock: Clock;
}

const CIRCUIT_LEVELS: Readonly<Record<CircuitState, number>> = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 };

/** Sets up what is read whenever the metrics are asked for, instead of being counted as it happens. */
export function readAtScrape(parts: ScrapeParts): void {
  const { metrics, priceBooks, health, serves, dispatcher, store, credits, database } = parts;
  const backlog = new BoundedReading(async () => {
    const [jobs, holds] = await Promise.all([store.backlog(), credits.openHolds()]);
    return { jobs, holds };
  });
  metrics.beforeScrape(() => metrics.imagesWaiting.set(dispatcher.waiting));
  metrics.beforeScrape(() => metrics.priceVersion.set(priceBooks.current().version));
  metrics.beforeScrape(() => {
    for (const route of ROUTES.filter(serves))
      metrics.circuits.set({ route: route.id }, CIRCUIT_LEVELS[health.of(route).circuit]);
  });
  metrics.beforeScrape(() => {
    const { busy, idle, waiting } = database.connections?.() ?? {};
    if (busy === undefined) return;
    metrics.databaseConnections.set({ state: 'busy' }, busy);
    metrics.databaseConnections.set({ state: 'idle' }, idle ?? 0);
    metrics.databaseWaiting.set(waiting ?? 0);
  });
  metrics.beforeScrape(async () => {
    const { value, isStale } = await backlog.now();
    metrics.backlogStale.set(isStale ? 1 : 0);
    if (!value) return;
    const { jobs, holds } = value;
    metrics.jobsQueued.set(jobs.queued);
    metrics.jobsRunning.set(jobs.running);
    metrics.oldestQueued.set(age(parts.clock, jobs.oldestQueuedAt));
    metrics.holdsOpen.set(holds.count);
    metrics.oldestHold.set(age(parts.clock, holds.oldestAt));
    metrics.heldCredits.set(Number(holds.amount) / 1_000);
  });
}

/** Seconds; 0 for what is not there. */
function age(clock: Clock, since: Date | null): number {
  return since === null ? 0 : Math.max(0, clock.now().getTime() - since.getTime()) / 1_000;
}
