import type { ProviderName, Route } from '../../src/catalog/models.ts';
import { canonicalGenerate, type GenerateInput } from '../../src/catalog/requests.ts';
import { findRoute } from '../../src/catalog/routes.ts';
import { vendorCostMicros } from '../../src/pricing/prices.ts';
import type { Health } from '../../src/routing/health.ts';
import type { RoutingFacts } from '../../src/routing/planned-route.ts';
import { bookOf } from '../pricing/books.ts';

export const requestOf = (input: Partial<GenerateInput> = {}) =>
  canonicalGenerate({ prompt: 'a lighthouse', ...input });

export function routeOf(id: string): Route {
  const found = findRoute(id);
  if (!found) throw new Error(`no route ${id}`);
  return found;
}

export const RETRY_AT = new Date('2026-11-22T12:00:30Z');
export const WELL: Health = {
  healthy: true,
  circuit: 'CLOSED',
  reason: null,
  retryAt: null,
  successRate: null,
  seconds: null,
};

export interface World {
  readonly off?: readonly ProviderName[];
  /** Routes whose circuit is open until {@link RETRY_AT}. */
  readonly ill?: readonly string[];
  readonly vertex?: boolean;
  /** Seconds that a route has been taking lately. */
  readonly seconds?: Readonly<Record<string, number>>;
}

/** The guide's vendor costs, and everybody on and well but for those named. */
export function factsOf({ off = [], ill = [], vertex = false, seconds = {} }: World = {}): RoutingFacts {
  const book = bookOf();
  return {
    serves: ({ model, host }) => !off.includes(model.provider) && (vertex || host.name !== 'vertex'),
    health: ({ id }) => ({
      ...WELL,
      ...(ill.includes(id) && { healthy: false, circuit: 'OPEN', reason: 'ill', retryAt: RETRY_AT }),
      seconds: seconds[id] ?? null,
    }),
    vendorCostMicros: (route, render) => vendorCostMicros(book, route, render),
  };
}
