import { EDIT_MODELS, type EditModel } from '../catalog/edit-models.ts';
import { type EditRequest, editedSize } from '../catalog/edits.ts';
import type { Refusal } from '../catalog/refusals.ts';
import { formatSize, pixelsOf, type Size } from '../catalog/sizes.ts';
import { remedyOf, type Source, type SourceProblem, sourceProblem } from '../catalog/sources.ts';
import type { UpscaleModel } from '../catalog/upscale-models.ts';
import { type UpscaleRequest, upscaledSize, upscaleModel } from '../catalog/upscale-requests.ts';
import {
  bestFirst,
  isServed,
  notSwitchedOn,
  type PlannedRoute,
  type RoutePlan,
  type RoutingFacts,
  routesWith,
} from './planned-route.ts';
import { preparationFor } from './preparation.ts';
import { ENLARGEMENT_MAX, planRender, type RenderPlan } from './render-plan.ts';

/** All routes that can edit this picture as it is asked for, best first. */
export function planEdit(request: EditRequest, source: Source, facts: RoutingFacts): RoutePlan {
  const { edit } = request;
  const enabled = EDIT_MODELS.filter((model) => model.kind === edit.kind && isServed(model, facts));
  if (enabled.length === 0) return { routes: [], refusal: notSwitchedOn(null) };
  const able = enabled.filter((model) => unsupportedOption(request, model) === null);
  if (able.length === 0) return { routes: [], refusal: noModelSupports(request, enabled) };
  const plans = able.map((model) => planned(model, source, editPlan(model, request, source), facts));
  return chosen(`An edit of the kind ${edit.kind}`, source, plans);
}

/** All routes that can enlarge this picture as it is asked for, best first. */
export function planUpscale(request: UpscaleRequest, source: Source, facts: RoutingFacts): RoutePlan {
  const model = upscaleModel(request.mode);
  if (!isServed(model, facts)) return { routes: [], refusal: notSwitchedOn(null) };
  const target = upscaledSize(request, source);
  const enlarged = model.enlarged(source);
  const enlargement = Math.max(1, target.width / enlarged.width, target.height / enlarged.height);
  const problem = sourceProblem(model.source, source);
  if (problem === null && enlargement > ENLARGEMENT_MAX)
    return { routes: [], refusal: tooFar(request, enlarged, target) };
  const plan: RenderPlan = { render: { ...enlarged, aspectRatio: null, imageSize: null }, enlargement };
  return chosen(`${request.mode} upscaling`, source, [planned(model, source, problem ?? plan, facts)]);
}

/** What a model makes of a picture, or why it cannot. */
type Planned = readonly PlannedRoute[] | SourceProblem;

const isProblem = (planned: RenderPlan | Planned): planned is SourceProblem => 'limit' in planned;

function planned(
  model: EditModel | UpscaleModel,
  source: Source,
  plan: RenderPlan | SourceProblem,
  facts: RoutingFacts,
): Planned {
  if (isProblem(plan)) return plan;
  const preparation = preparationFor(model, source, plan);
  return routesWith(plan, model, facts).map((route) => ({ ...route, preparation }));
}

function editPlan(model: EditModel, { edit }: EditRequest, source: Source): RenderPlan | SourceProblem {
  const problem = sourceProblem(model.source, source);
  if (problem) return problem;
  if (model.renders === null)
    return { render: { ...editedSize(edit, source), aspectRatio: null, imageSize: null }, enlargement: 1 };
  return planRender(model.renders, source) ?? tooLargeFor(model, source);
}

const STEPS = 32;

/** What a model draws would have to be enlarged too much: how large a copy may be. */
function tooLargeFor({ renders }: EditModel, source: Size): SourceProblem {
  for (let step = STEPS - 1; step > 0; step--) {
    const fits = {
      width: Math.max(1, Math.floor((source.width * step) / STEPS)),
      height: Math.max(1, Math.floor((source.height * step) / STEPS)),
    };
    if (renders && planRender(renders, fits)) return { limit: `at most ${formatSize(fits)} in this ratio`, fits };
  }
  return { limit: `at most ${ENLARGEMENT_MAX} times what a model draws, per side`, fits: null };
}

function chosen(what: string, source: Source, plans: readonly Planned[]): RoutePlan {
  const routes = plans.flatMap((plan) => (isProblem(plan) ? [] : plan));
  const [best, ...rest] = bestFirst(routes);
  if (best) return { routes: [best, ...rest], refusal: null };
  return { routes: [], refusal: unsupportedSource(what, source, plans.filter(isProblem)) };
}

/** The problem that takes the least to mend speaks for all. */
function unsupportedSource(what: string, source: Source, problems: readonly SourceProblem[]): Refusal {
  const change = ({ fits }: SourceProblem) =>
    fits === null ? Number.POSITIVE_INFINITY : Math.abs(Math.log(pixelsOf(fits) / pixelsOf(source)));
  const [least] = problems.toSorted((a, b) => change(a) - change(b));
  if (!least) throw new Error(`${what} was refused without a reason`);
  const { width, height } = source;
  return {
    type: 'UnsupportedSource',
    source: { width, height },
    limit: least.limit,
    fits: least.fits,
    message: `${what} takes pictures of ${least.limit}; this one is ${formatSize(source)}. ${remedyOf(least)} Nothing was run and nothing was charged.`,
  };
}

function tooFar({ mode, preset }: UpscaleRequest, enlarged: Size, target: Size): Refusal {
  const limit = `${ENLARGEMENT_MAX * enlarged.width}x${ENLARGEMENT_MAX * enlarged.height}, twice what ${mode} makes of this picture`;
  return {
    type: 'UnsupportedSize',
    requested: target,
    limit,
    message: `The preset ${preset} asks for ${formatSize(target)}, but at most ${limit}, can be made. Leave the preset out, choose a smaller one, or another mode.`,
  };
}

type Option = 'seed' | 'negativePrompt';

/** The first option of the request that the model cannot honour, or null. A wish that cannot be honoured is never dropped. */
function unsupportedOption({ edit, seed }: EditRequest, model: EditModel): Option | null {
  if ('negativePrompt' in edit && edit.negativePrompt !== null && !model.negativePrompt) return 'negativePrompt';
  return seed !== null && seed > (model.seedMax ?? -1) ? 'seed' : null;
}

function noModelSupports(request: EditRequest, models: readonly EditModel[]): Refusal {
  const option = models.map((model) => unsupportedOption(request, model)).find((found) => found !== null) ?? 'seed';
  const value = option === 'seed' ? request.seed : 'negativePrompt' in request.edit && request.edit.negativePrompt;
  return {
    type: 'UnsupportedOption',
    option,
    value: String(value),
    supported: [],
    message: `Nothing that is switched on takes a ${option} for an edit of the kind ${request.edit.kind}. Leave it out.`,
  };
}
