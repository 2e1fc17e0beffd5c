import { DEFAULT_MODELS, findModel, type GenerateModel, MODELS } from '../catalog/models.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import { formatSize } from '../catalog/sizes.ts';
import {
  bestFirst,
  isServed,
  notSwitchedOn,
  type PlannedRoute,
  type RoutePlan,
  type RoutingFacts,
  routesWith,
} from './planned-route.ts';
import { ENLARGEMENT_MAX, planRender } from './render-plan.ts';

/** The model whose price applies, or null when the quality alone decides; or why there is none. */
export type PricedModel =
  | { readonly model: GenerateModel | null; readonly refusal: null }
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
export function planGenerate(request: GenerateRequest, facts: RoutingFacts): RoutePlan {
  const named = namedModel(request);
  if (named.refusal) return { routes: [], refusal: named.refusal };
  if (named.model?.retired && !isServed(named.model, facts))
    return { routes: [], refusal: modelRetired(named.model, named.model.retired) };
  const enabled = candidateModels(request, named.model).filter((model) => isServed(model, facts));
  if (enabled.length === 0) return { routes: [], refusal: notSwitchedOn(request.provider) };
  const able = enabled.filter((model) => unsupportedOption(request, model) === null);
  if (able.length === 0) return { routes: [], refusal: noModelSupports(request, enabled, facts) };
  const routes = able.flatMap((model) => plannedRoutes(request, model, facts));
  const [best, ...rest] = bestFirst(routes, named.model);
  return best ? { routes: [best, ...rest], refusal: null } : { routes: [], refusal: unsupportedSize(request) };
}

function candidateModels(request: GenerateRequest, named: GenerateModel | null): GenerateModel[] {
  if (request.model !== null && named) return [named];
  return MODELS.filter(
    (model) => model.quality === request.quality && (request.provider === null || model.provider === request.provider),
  );
}

function plannedRoutes(request: GenerateRequest, model: GenerateModel, facts: RoutingFacts): PlannedRoute[] {
  const plan = planRender(model.renders, request.size);
  return plan === null ? [] : routesWith(plan, model, facts);
}

/** The first option of the request that the model cannot honour, or null. A wish that cannot be honoured is never dropped. */
function unsupportedOption(request: GenerateRequest, model: GenerateModel): 'seed' | 'negativePrompt' | null {
  if (request.negativePrompt !== null && !model.negativePrompt) return 'negativePrompt';
  if (request.seed !== null && request.seed + request.count - 1 > (model.seedMax ?? -1)) return 'seed';
  return null;
}

function noModelSupports(request: GenerateRequest, models: readonly GenerateModel[], facts: RoutingFacts): Refusal {
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

function modelRetired(model: GenerateModel, retired: NonNullable<GenerateModel['retired']>): Refusal {
  return {
    type: 'ModelRetired',
    model: model.id,
    since: retired.since,
    replacedBy: retired.replacedBy,
    message: `${model.title} was shut down by its vendor on ${retired.since}. Use ${retired.replacedBy} instead.`,
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
