import { type Model, PROVIDER_TITLES, type ProviderName, type Route, routesOf } from '../catalog/models.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { Health } from './health.ts';
import type { Preparation } from './preparation.ts';
import type { RenderPlan } from './render-plan.ts';

/** One way to serve an image: where, and what to draw there. */
export interface PlannedRoute extends RenderPlan {
  readonly route: Route;
  readonly health: Health;
  readonly expectedSeconds: number;
  /** Millionths of a US dollar; null when the price book does not say. */
  readonly vendorCostMicros: number | null;
  /** What we do to the picture that is worked on first; null where there is none. */
  readonly preparation: Preparation | null;
}

/** What planners may know about the world; they ask nobody themselves. */
export interface RoutingFacts {
  /** Whether the gateway is set up to reach it. */
  serves(route: Route): boolean;
  health(route: Route): Health;
  vendorCostMicros(route: Route, render: RenderPlan['render']): number | null;
}

export type RoutePlan =
  | { readonly routes: readonly [PlannedRoute, ...PlannedRoute[]]; readonly refusal: null }
  | { readonly routes: readonly []; readonly refusal: Refusal };

/** Whether the gateway is set up to reach a model somewhere. */
export function isServed(model: Model, facts: Pick<RoutingFacts, 'serves'>): boolean {
  return routesOf(model).some((route) => facts.serves(route));
}

/** A model at each of its hosts that the gateway is set up to reach. */
export function routesWith(plan: RenderPlan, model: Model, facts: RoutingFacts): PlannedRoute[] {
  return routesOf(model)
    .filter((route) => facts.serves(route))
    .map((route) => {
      const health = facts.health(route);
      return {
        ...plan,
        route,
        health,
        expectedSeconds: health.seconds ?? route.host.expectedSeconds,
        vendorCostMicros: facts.vendorCostMicros(route, plan.render),
        preparation: null,
      };
    });
}

/** Best first: healthy before ill, the `preferred` model before its stand-ins, then what costs us least, then the quick. */
export function bestFirst(routes: readonly PlannedRoute[], preferred: Model | null = null): PlannedRoute[] {
  const rank = ({ route }: PlannedRoute) => (route.model.id === preferred?.id ? 0 : 1);
  return routes.toSorted(
    (a, b) =>
      Number(b.health.healthy) - Number(a.health.healthy) ||
      rank(a) - rank(b) ||
      (a.vendorCostMicros ?? Number.POSITIVE_INFINITY) - (b.vendorCostMicros ?? Number.POSITIVE_INFINITY) ||
      a.expectedSeconds - b.expectedSeconds,
  );
}

export function notSwitchedOn(provider: ProviderName | null): Refusal {
  const what = provider === null ? 'No provider that could do this is' : `${provider} is not`;
  return {
    type: 'ProviderUnavailable',
    provider,
    retryAt: null,
    message: `${what} switched on in this gateway. Choose another way; the providers query shows what is on.`,
  };
}

/** Why nobody can do it just now although there are routes: all of them are shut. Null when one is not. */
export function shutRefusal(provider: ProviderName | null, routes: readonly PlannedRoute[]): Refusal | null {
  if (routes.length === 0 || routes.some(({ health }) => health.circuit !== 'OPEN')) return null;
  const times = routes.flatMap(({ health }) => (health.retryAt ? [health.retryAt.getTime()] : []));
  const retryAt = times.length > 0 ? new Date(Math.min(...times)) : null;
  const who = [...new Set(routes.map(({ route }) => PROVIDER_TITLES[route.model.provider]))].join(', ');
  const when = retryAt ? `Try again after ${retryAt.toISOString()}, or` : 'Try again later, or';
  return {
    type: 'ProviderUnavailable',
    provider,
    retryAt,
    message: `Nothing that could do this is answering as it should (${who}). Nothing was run and nothing was charged. ${when} choose another way.`,
  };
}
