import {
  DEFAULT_MODELS,
  findModel,
  MODELS,
  type Model,
  PROVIDER_TITLES,
  type ProviderName,
  type Route,
  routesOf,
} from '../catalog/models.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import { formatSize } from '../catalog/sizes.ts';
import type { Health } from './health.ts';
import { ENLARGEMENT_MAX, planRender, type RenderPlan } from './render-plan.ts';

/** One way to serve an image: where, and what to draw there. */
export interface PlannedRoute extends RenderPlan {
  readonly route: Route;
  readonly health: Health;
  readonly expectedSeconds: number;
  /** Millionths of a US dollar; null when the price book does not say. */
  readonly vendorCostMicros: number | null;
}

/** What the planner may know about the world; it asks nobody itself. */
export interface RoutingFacts {
  /** Whether the gateway is set up to reach it. */
  serves(route: Route): boolean;
  health(route: Route): Health;
  vendorCostMicros(route: Route, render: RenderPlan['render']): number | null;
}

export type RoutePlan =
  | { readonly routes: readonly [PlannedRoute, ...PlannedRoute[]]; readonly refusal: null }
  | { readonly routes: readonly []; readonly refusal: Refusal };

/** The model whose price applies, or null when the quality alone decides; or why there is none. */
export type PricedModel =
  | { readonly model: Model | null; readonly refusal: null }
  | { readonly model: null; readonly refusal: Refusal };

/** Which model a request names, by itself or through its provider's default for the quality. */
export function namedModel(request: GenerateRequest): PricedModel {
  if (request.model !== null) return { model: findModel(request.model) ?? null, refusal: null };
  if (request.provider === null) return { model: null, refusal: null };
  const defaults = DEFAULT_MODELS[request.provider];
  const id = defaults[request.quality];
  if (id !== null) return { model: findModel(id) ?? null, refusal: null };
  const supported = Object.entries(defaults).flatMap(([quality, model]) => (model ? [quality] : []));
  return {
    model: null,
    refusal: {
      type: 'UnsupportedOption',
      option: 'quality',
      value: request.quality,
      supported,
      message: `${request.provider} has no model of ${request.quality} quality; it has ${supported.join(' and ')}. Choose one of these, or leave the provider out.`,
    },
  };
}

/**
 * All routes that can serve the request at its exact size, best first: healthy before ill, the named default before its
 * stand-ins, then what costs us least. A named model is served by its own hosts only; a named provider by its own models
 * of the same class; a quality by any model of the class.
 */
export function planRoutes(request: GenerateRequest, facts: RoutingFacts): RoutePlan {
  const named = namedModel(request);
  if (named.refusal) return { routes: [], refusal: named.refusal };
  if (named.model?.retired && !isServed(named.model, facts))
    return { routes: [], refusal: modelRetired(named.model, named.model.retired) };
  const enabled = candidateModels(request, named.model).filter((model) => isServed(model, facts));
  if (enabled.length === 0) return { routes: [], refusal: notSwitchedOn(request.provider) };
  const able = enabled.filter((model) => unsupportedOption(request, model) === null);
  if (able.length === 0) return { routes: [], refusal: noModelSupports(request, enabled, facts) };
  const routes = able.flatMap((model) => plannedRoutes(request, model, facts));
  const preferred = (planned: PlannedRoute) => (planned.route.model.id === named.model?.id ? 0 : 1);
  const [best, ...rest] = routes.sort(
    (a, b) =>
      Number(b.health.healthy) - Number(a.health.healthy) ||
      preferred(a) - preferred(b) ||
      (a.vendorCostMicros ?? Number.POSITIVE_INFINITY) - (b.vendorCostMicros ?? Number.POSITIVE_INFINITY) ||
      a.expectedSeconds - b.expectedSeconds,
  );
  return best ? { routes: [best, ...rest], refusal: null } : { routes: [], refusal: unsupportedSize(request) };
}

function candidateModels(request: GenerateRequest, named: Model | null): Model[] {
  if (request.model !== null && named) return [named];
  return MODELS.filter(
    (model) => model.quality === request.quality && (request.provider === null || model.provider === request.provider),
  );
}

/** Whether the gateway is set up to reach a model somewhere. */
export function isServed(model: Model, facts: Pick<RoutingFacts, 'serves'>): boolean {
  return routesOf(model).some((route) => facts.serves(route));
}

function plannedRoutes(request: GenerateRequest, model: Model, facts: RoutingFacts): PlannedRoute[] {
  const plan = planRender(model.renders, request.size);
  if (plan === null) return [];
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
      };
    });
}

/** The first option of the request that the model cannot honour, or null. A wish that cannot be honoured is never dropped. */
function unsupportedOption(request: GenerateRequest, model: Model): 'seed' | 'negativePrompt' | null {
  if (request.negativePrompt !== null && !model.negativePrompt) return 'negativePrompt';
  if (request.seed !== null && request.seed + request.count - 1 > (model.seedMax ?? -1)) return 'seed';
  return null;
}

function noModelSupports(request: GenerateRequest, models: readonly Model[], facts: RoutingFacts): Refusal {
  const option = models.map((model) => unsupportedOption(request, model)).find((found) => found !== null) ?? 'seed';
  const supported = MODELS.filter((model) => isServed(model, facts) && unsupportedOption(request, model) === null).map(
    (model) => model.id,
  );
  const who =
    request.model ??
    (request.provider
      ? `No model of ${request.provider} in ${request.quality} quality`
      : `No ${request.quality} model`);
  return {
    type: 'UnsupportedOption',
    option,
    value: String(request[option]),
    supported,
    message: `${who} ${request.model ? 'takes no' : 'takes a'} ${option} as it was asked for. Leave it out${supported.length > 0 ? `, or choose one of: ${supported.join(', ')}` : ''}.`,
  };
}

function modelRetired(model: Model, retired: NonNullable<Model['retired']>): Refusal {
  return {
    type: 'ModelRetired',
    model: model.id,
    since: retired.since,
    replacedBy: retired.replacedBy,
    message: `${model.title} was shut down by its vendor on ${retired.since}. Use ${retired.replacedBy} instead.`,
  };
}

function notSwitchedOn(provider: ProviderName | null): Refusal {
  const what = provider === null ? 'No provider that could draw this is' : `${provider} is not`;
  return {
    type: 'ProviderUnavailable',
    provider,
    retryAt: null,
    message: `${what} switched on in this gateway. Choose another provider or quality; the providers query shows what is on.`,
  };
}

/** Why nobody can draw it just now although there are routes: all of them are shut. Null when one is not. */
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
    message: `Nothing that could draw this is answering as it should (${who}). Nothing was run and nothing was charged. ${when} choose another quality, provider or model.`,
  };
}

function unsupportedSize(request: GenerateRequest): Refusal {
  const limit = `at most ${ENLARGEMENT_MAX} times what a model draws, per side`;
  return {
    type: 'UnsupportedSize',
    requested: request.size,
    limit,
    message: `No route can make ${formatSize(request.size)}: it would have to be enlarged beyond the limit of ${limit}. Ask for a smaller size or a ratio nearer to a model's own.`,
  };
}
