import type { EditKind, Module, Operation, UpscaleMode, UpscalePreset } from '../catalog/operations.ts';
import type { Refusal } from '../catalog/refusals.ts';
import { canonicalGenerate, type GenerateInput } from '../catalog/requests.ts';
import { type Size, sizeClassOf } from '../catalog/sizes.ts';
import { availableOf, type Balance } from '../credits/balance.ts';
import { badInput, DomainError } from '../errors.ts';
import { formatCredits, type PricedWork, unitPrice } from '../pricing/prices.ts';
import { balanceRefusals, tierRefusals } from '../tiers/preflight.ts';
import type { Allowance } from './allowances.ts';
import type { EstimateLine } from './estimate.ts';
import { creditsOf, notesOf, type PricingFacts, priceGenerate, priceLine } from './generate-estimate.ts';

export const STEPS_MAX = 50;
export const TIMES_MAX = 100;
export const WORKFLOW_IMAGES_MAX = 500;

/** Margins, in pixels, that outpaint adds. */
export interface Margins {
  readonly left?: number | undefined;
  readonly right?: number | undefined;
  readonly up?: number | undefined;
  readonly down?: number | undefined;
}

export type StepOperation =
  | { readonly kind: 'generate'; readonly input: GenerateInput }
  | { readonly kind: 'edit'; readonly edit: EditKind; readonly margins: Margins }
  | { readonly kind: 'upscale'; readonly mode: UpscaleMode; readonly preset: UpscalePreset | null }
  | { readonly kind: 'optimize'; readonly formats: number };

/** What works on a picture. */
type SourceOperation = Extract<StepOperation, { kind: 'edit' | 'upscale' }>;

export interface WorkflowStep {
  readonly id: string;
  /** The earlier step whose outputs this one works on. */
  readonly from: string | null;
  readonly times: number;
  readonly operation: StepOperation;
}

export interface WorkflowInput {
  readonly steps: readonly WorkflowStep[];
  /** Milli-credits that the whole may cost at most. */
  readonly maxCredits: bigint | null;
}

export interface StepEstimate {
  readonly id: string;
  readonly operation: Operation;
  readonly times: number;
  /** Images that the step makes. */
  readonly images: number;
  readonly credits: bigint | null;
  readonly lines: readonly EstimateLine[];
  readonly notes: readonly string[];
  readonly refusals: readonly Refusal[];
}

export interface WorkflowEstimate {
  readonly credits: bigint | null;
  readonly steps: readonly StepEstimate[];
  readonly priceVersion: number;
  readonly balanceBefore: bigint | null;
  readonly balanceAfter: bigint | null;
  readonly refusals: readonly Refusal[];
}

/** A step as priced, and the sizes of what it makes; null is unknown. */
interface PricedStep {
  readonly estimate: StepEstimate;
  readonly outputs: readonly (Size | null)[];
  /** Free images it used up. */
  readonly allowance: Allowance | null;
  readonly freeImages: number;
}

/**
 * Prices every step from planned sizes: run i of a step works on output i mod n of its `from` step; optimize takes them
 * all. Free allowances are used up from the first step on.
 */
export function estimateWorkflow(input: WorkflowInput, facts: PricingFacts, balance: Balance): WorkflowEstimate {
  checkWorkflow(input);
  const done = new Map<string, PricedStep>();
  let allowances = facts.allowances;
  let images = 0;
  for (const [index, step] of input.steps.entries()) {
    const sources = step.from === null ? [null] : (done.get(step.from)?.outputs ?? [null]);
    const priced = priceStep(step, `steps[${index}].operation`, sources, { ...facts, allowances });
    // Checked at every step, because the next one may multiply what this one makes.
    images += priced.outputs.length;
    if (images > WORKFLOW_IMAGES_MAX)
      throw badInput('steps', images, `steps that make at most ${WORKFLOW_IMAGES_MAX} images in all`);
    done.set(step.id, priced);
    allowances = allowances.map((allowance) =>
      allowance.provider === priced.allowance?.provider
        ? { ...allowance, left: allowance.left - priced.freeImages }
        : allowance,
    );
  }
  const steps = [...done.values()].map(({ estimate }) => estimate);
  const credits = total(steps);
  const before = availableOf(balance);
  return {
    credits,
    steps,
    priceVersion: facts.book.version,
    balanceBefore: before,
    balanceAfter: before === null || credits === null || credits > before ? null : before - credits,
    refusals: [
      ...steps.flatMap((step) => step.refusals),
      ...(credits === null
        ? []
        : [...balanceRefusals(facts.allowed, balance, credits), ...maxCreditsRefusal(input, credits)]),
    ],
  };
}

function checkWorkflow({ steps }: WorkflowInput): void {
  if (steps.length < 1 || steps.length > STEPS_MAX)
    throw badInput('steps', steps.length, `a list of 1 to ${STEPS_MAX} steps`);
  const known = new Set<string>();
  for (const [index, step] of steps.entries()) {
    const field = `steps[${index}]`;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(step.id))
      throw badInput(`${field}.id`, step.id, '1 to 64 letters, digits, "-" or "_"');
    if (known.has(step.id)) throw badInput(`${field}.id`, step.id, 'an id that no other step has');
    if (!Number.isInteger(step.times) || step.times < 1 || step.times > TIMES_MAX) {
      throw badInput(`${field}.times`, step.times, `a whole number from 1 to ${TIMES_MAX}`);
    }
    if (step.from !== null && !known.has(step.from))
      throw badInput(`${field}.from`, step.from, 'the id of an earlier step');
    if (step.from !== null && step.operation.kind === 'generate') {
      throw badInput(`${field}.from`, step.from, 'left out, because generate starts from words and not from a picture');
    }
    known.add(step.id);
  }
}

function priceStep(
  step: WorkflowStep,
  field: string,
  sources: readonly (Size | null)[],
  facts: PricingFacts,
): PricedStep {
  const { operation, times } = step;
  switch (operation.kind) {
    case 'generate':
      return priceGenerateStep(step, `${field}.generate`, operation.input, facts);
    case 'optimize': {
      const outputs = Array.from({ length: sources.length * operation.formats * times }, () => null);
      return priceRuns(step, 'optimize', [{ runs: times, work: { kind: 'optimize' } }], outputs, facts);
    }
    case 'edit':
    case 'upscale': {
      const runs = Array.from({ length: times }, (_, run) => sources[run % sources.length] ?? null);
      const outputs = runs.map((source) => source && outputSize(operation, source));
      const isByOutput = operation.kind === 'edit' && operation.edit === 'outpaint';
      const groups = Map.groupBy(isByOutput ? outputs : runs, (size) => sizeClassOf(size));
      const priced = [...groups.values()].map(
        (alike): RunGroup => ({ runs: alike.length, work: workOn(operation, alike[0] ?? null) }),
      );
      return priceRuns(step, operation.kind === 'edit' ? operation.edit : 'upscale', priced, outputs, facts);
    }
  }
}

function workOn(operation: SourceOperation, size: Size | null): PricedWork {
  return operation.kind === 'edit'
    ? { kind: 'edit', edit: operation.edit, size }
    : { kind: 'upscale', mode: operation.mode, size };
}

function priceGenerateStep(step: WorkflowStep, field: string, input: GenerateInput, facts: PricingFacts): PricedStep {
  const request = inField(field, () => canonicalGenerate(input));
  const images = request.count * step.times;
  const { credits, lines, routes, refusals, allowance, freeImages } = priceGenerate(request, facts, step.times);
  const notes = notesOf(request, routes);
  return {
    estimate: { id: step.id, operation: 'GENERATE', times: step.times, images, credits, lines, notes, refusals },
    outputs: Array.from({ length: images }, () => request.size),
    allowance,
    freeImages,
  };
}

/** Says which of many steps is meant by what is wrong inside it. */
function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const details = { ...error.details, field: `${field}.${error.details.field}` };
    throw new DomainError(error.code, `${field}.${error.message}`, details, { cause: error });
  }
}

/** Runs of one price. */
interface RunGroup {
  readonly runs: number;
  readonly work: PricedWork;
}

function priceRuns(
  step: WorkflowStep,
  module: Module,
  groups: readonly RunGroup[],
  outputs: readonly (Size | null)[],
  facts: PricingFacts,
): PricedStep {
  const lines: EstimateLine[] = [];
  const refusals = tierRefusals(facts.book, facts.allowed, { module, quality: null, images: 1 });
  for (const { runs, work } of groups) {
    const price = unitPrice(facts.book, work);
    if (price.credits === null) refusals.push(price.refusal);
    else lines.push(priceLine(price.label, runs, price.credits));
  }
  const isAssumed = groups.some(({ work }) => work.kind !== 'optimize' && work.size === null);
  return {
    estimate: {
      id: step.id,
      operation: OPERATION_OF[step.operation.kind],
      times: step.times,
      images: outputs.length,
      credits: lines.length < groups.length ? null : creditsOf(lines),
      lines,
      notes: isAssumed ? ['The picture is not known yet: size M is assumed.'] : [],
      refusals,
    },
    outputs,
    allowance: null,
    freeImages: 0,
  };
}

const OPERATION_OF: Record<StepOperation['kind'], Operation> = {
  generate: 'GENERATE',
  edit: 'EDIT',
  upscale: 'UPSCALE',
  optimize: 'OPTIMIZE',
};

const CONSERVATIVE_PIXELS = 4_194_304;
const FAST_FACTOR = 4;
/** The longer side, in pixels, that an upscale preset brings the result to. */
const PRESET_SIDES: Record<UpscalePreset, number> = { WEB: 2048, PRINT: 3072, SOCIAL: 1080 };

/** The size that a step is planned to make from a source. */
function outputSize(operation: SourceOperation, source: Size): Size {
  if (operation.kind === 'edit') {
    const { left = 0, right = 0, up = 0, down = 0 } = operation.margins;
    return { width: source.width + left + right, height: source.height + up + down };
  }
  const longer = Math.max(source.width, source.height);
  const factor =
    operation.preset !== null
      ? PRESET_SIDES[operation.preset] / longer
      : operation.mode === 'FAST'
        ? FAST_FACTOR
        : Math.sqrt(CONSERVATIVE_PIXELS / (source.width * source.height));
  return { width: Math.round(source.width * factor), height: Math.round(source.height * factor) };
}

function total(steps: readonly StepEstimate[]): bigint | null {
  return steps.reduce<bigint | null>(
    (credits, step) => (credits === null || step.credits === null ? null : credits + step.credits),
    0n,
  );
}

function maxCreditsRefusal(input: WorkflowInput, credits: bigint): Refusal[] {
  if (input.maxCredits === null || credits <= input.maxCredits) return [];
  return [
    {
      type: 'CapExceeded',
      cap: 'MAX_CREDITS',
      required: credits,
      spent: 0n,
      limit: input.maxCredits,
      resetsAt: null,
      message: `The workflow costs ${formatCredits(credits)} credits, more than the ${formatCredits(input.maxCredits)} allowed by maxCredits. Drop a step, run it fewer times, or raise maxCredits.`,
    },
  ];
}
