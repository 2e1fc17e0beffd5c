import type { Refusal } from '../catalog/refusals.ts';
import type { Source } from '../catalog/sources.ts';
import { badInput } from '../errors.ts';
import type { Allowance } from './allowances.ts';
import { cheaperThan } from './alternatives.ts';
import type { PlannedImage, PlannedSource, StepEstimate } from './estimate.ts';
import { priceGenerate } from './generate-estimate.ts';
import { imageOf, type JobRequest, type OperationRequest, type StepRequest, stepsOf } from './job-request.ts';
import { priceOptimize } from './optimize-estimate.ts';
import { creditsOf, type Output, type PricedRuns, type PricingFacts } from './priced-runs.ts';
import { priceEdit, priceUpscale } from './source-estimate.ts';
import { WORKFLOW_IMAGES_MAX } from './workflow-request.ts';

/** The pictures of the library that a request names, by their ids. */
export type KnownPictures = ReadonlyMap<string, Source>;

/** A step as priced. */
export interface PricedStep extends StepEstimate {
  /** Milli-credits of one image, where all of its images cost the same. */
  readonly unitCredits: bigint | null;
  readonly outputs: readonly Output[];
  /** Free images it used up. */
  readonly allowance: Allowance | null;
  readonly freeImages: number;
  /** Seconds until its last picture is usually there, the steps that it builds on included. */
  readonly doneAfterSeconds: number;
}

/** Every step of a job as priced, and the images that it makes: null where one of them is not known yet, or has no price. */
export interface PricedSteps {
  readonly steps: readonly PricedStep[];
  readonly credits: bigint | null;
  readonly images: readonly PlannedImage[] | null;
}

/** What a run works on. */
interface RunSource {
  readonly picture: Source | null;
  readonly at: PlannedSource | null;
}

const NO_SOURCE: RunSource = { picture: null, at: null };

/**
 * Prices every step from planned sizes: run i of a step works on picture i mod n of the step that it builds on, or on its
 * image; optimize takes them all. Free allowances are used up from the first step on.
 * @throws BAD_USER_INPUT for more images than a job may have.
 */
export function priceSteps(request: JobRequest, pictures: KnownPictures, facts: PricingFacts): PricedSteps {
  const done = new Map<string, { priced: PricedStep; sources: readonly RunSource[] }>();
  let allowances = facts.allowances;
  const images: (PlannedImage | null)[] = [];
  for (const [index, step] of stepsOf(request).entries()) {
    const earlier = step.from === null ? undefined : done.get(step.from);
    const runs = runsOf(step, earlier?.sources ?? [givenSource(step.request, pictures)], images.length);
    const groups = pricedGroups(step.request, runs, pictures, { ...facts, allowances });
    const outputs = runs.flatMap((run) => groups.get(keyOf(run))?.outputs ?? []);
    const source = runs[0]?.picture ?? null;
    const priced = pricedStep(step, groups, outputs, earlier?.priced ?? null, source, { ...facts, allowances });
    const first = images.length;
    images.push(...imagesOf(index, runs, groups, priced));
    const sources = outputs.map(({ picture }, place) => ({ picture, at: { image: first + place } }));
    done.set(step.id, { priced, sources });
    allowances = allowances.map((allowance) =>
      allowance.provider === priced.allowance?.provider
        ? { ...allowance, left: allowance.left - priced.freeImages }
        : allowance,
    );
  }
  const steps = [...done.values()].map(({ priced }) => priced);
  const known = images.filter((image) => image !== null);
  return {
    steps,
    credits: steps.reduce<bigint | null>(
      (sum, { credits }) => (sum === null || credits === null ? null : sum + credits),
      0n,
    ),
    images: known.length === images.length ? known : null,
  };
}

function givenSource(request: OperationRequest, pictures: KnownPictures): RunSource {
  const id = imageOf(request);
  return id === null ? NO_SOURCE : { picture: pictures.get(id) ?? null, at: { asset: id } };
}

function runsOf({ request, times }: StepRequest, sources: readonly RunSource[], before: number): RunSource[] {
  const runs = request.operation === 'OPTIMIZE' ? sources.length * times : times;
  const perRun =
    request.operation === 'GENERATE' ? request.count : request.operation === 'OPTIMIZE' ? request.formats.length : 1;
  // Checked at every step, because the next one may multiply what this one makes.
  if (before + runs * perRun > WORKFLOW_IMAGES_MAX)
    throw badInput('steps', before + runs * perRun, `steps that make at most ${WORKFLOW_IMAGES_MAX} images in all`);
  return Array.from({ length: runs }, (_, run) => sources[run % sources.length] ?? NO_SOURCE);
}

/** Runs on equal pictures have one price, and are priced together. */
type Groups = ReadonlyMap<string, PricedRuns>;

const keyOf = ({ picture }: RunSource) => JSON.stringify(picture);

function pricedGroups(
  request: OperationRequest,
  runs: readonly RunSource[],
  pictures: KnownPictures,
  facts: PricingFacts,
): Groups {
  const groups = Map.groupBy(runs, keyOf);
  return new Map(
    [...groups].map(([key, alike]) => [
      key,
      priceOperation(request, alike[0] ?? NO_SOURCE, pictures, facts, alike.length),
    ]),
  );
}

function priceOperation(
  request: OperationRequest,
  { picture }: RunSource,
  pictures: KnownPictures,
  facts: PricingFacts,
  runs: number,
): PricedRuns {
  switch (request.operation) {
    case 'GENERATE':
      return priceGenerate(request, facts, runs);
    case 'EDIT': {
      const mask =
        'mask' in request.edit && request.edit.mask !== null ? (pictures.get(request.edit.mask) ?? null) : null;
      return priceEdit(request, { source: picture, mask }, facts, runs);
    }
    case 'UPSCALE':
      return priceUpscale(request, picture, facts, runs);
    case 'OPTIMIZE':
      return priceOptimize(request, picture, facts, runs);
  }
}

function pricedStep(
  step: StepRequest,
  groups: Groups,
  outputs: readonly Output[],
  earlier: PricedStep | null,
  source: Source | null,
  facts: PricingFacts,
): PricedStep {
  const priced = [...groups.values()];
  const [first] = priced;
  const lines = priced.flatMap((group) => group.lines);
  const credits = priced.some((group) => group.credits === null) ? null : creditsOf(lines);
  const units = new Set(priced.map(({ unitCredits }) => unitCredits));
  const unitCredits = units.size === 1 ? (first?.unitCredits ?? null) : null;
  // What other ways cost is worked out for one run, so that is what they are compared with.
  const runCredits = step.times === 1 ? credits : unitCredits && unitCredits * BigInt(first?.outputs.length ?? 0);
  const routes = first?.routes ?? [];
  const expectedSeconds = routes[0]?.expectedSeconds ?? null;
  return {
    id: step.id,
    operation: step.request.operation,
    times: step.times,
    images: outputs.length,
    unitCredits,
    credits,
    lines,
    routes,
    expectedSeconds,
    doneAfterSeconds: (earlier?.doneAfterSeconds ?? 0) + (expectedSeconds ?? 0),
    notes: [...new Set(priced.flatMap((group) => group.notes))],
    refusals: distinct(priced.flatMap((group) => group.refusals)),
    outputs,
    allowance: first?.allowance ?? null,
    freeImages: first?.freeImages ?? 0,
    alternatives: () => (runCredits === null ? [] : cheaperThan(step.request, source, runCredits, facts)),
  };
}

/** The images of a step, in the order of its runs; the free allowance pays for the first. Null for one that is not known yet. */
function imagesOf(
  step: number,
  runs: readonly RunSource[],
  groups: Groups,
  priced: PricedStep,
): (PlannedImage | null)[] {
  const { allowance, freeImages } = priced;
  return runs
    .flatMap((run) => {
      const group = groups.get(keyOf(run));
      return (group?.outputs ?? []).map((output) => ({ output, at: run.at, credits: group?.unitCredits ?? null }));
    })
    .map(({ output: { picture, format }, at, credits }, run) => {
      if (picture === null || credits === null) return null;
      const isFree = allowance !== null && run < freeImages;
      return {
        step,
        run,
        source: at,
        size: { width: picture.width, height: picture.height },
        format,
        credits: isFree ? 0n : credits,
        allowance: isFree ? allowance.provider : null,
      };
    });
}

function distinct(refusals: readonly Refusal[]): Refusal[] {
  return [...new Map(refusals.map((refusal) => [`${refusal.type} ${refusal.message}`, refusal])).values()];
}
