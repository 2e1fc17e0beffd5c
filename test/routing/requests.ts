import type { ProviderName } from '../../src/catalog/models.ts';
import { canonicalGenerate, type GenerateInput } from '../../src/catalog/requests.ts';
import { vendorCostMicros } from '../../src/pricing/prices.ts';
import type { RoutingFacts } from '../../src/routing/planner.ts';
import { bookOf } from '../pricing/books.ts';

export const requestOf = (input: Partial<GenerateInput> = {}) =>
  canonicalGenerate({ prompt: 'a lighthouse', ...input });

export interface World {
  readonly off?: readonly ProviderName[];
  readonly ill?: readonly string[];
  /** Seconds that a route has been taking lately. */
  readonly seconds?: Readonly<Record<string, number>>;
}

/** The guide's vendor costs, and everybody on and well but for those named. */
export function factsOf({ off = [], ill = [], seconds = {} }: World = {}): RoutingFacts {
  const book = bookOf();
  return {
    enabled: (provider) => !off.includes(provider),
    health: (routeId) => ({ healthy: !ill.includes(routeId), successRate: null, seconds: seconds[routeId] ?? null }),
    vendorCostMicros: (route, render) => vendorCostMicros(book, route, render),
  };
}
