import type { EditKind, Module, Operation, UpscaleMode, UpscalePreset } from '../catalog/operations.ts';
import type { Refusal } from '../catalog/refusals.ts';
import { canonicalGenerate, type GenerateInput } from '../catalog/requests.ts';
import { type Size, sizeClassOf } from '../catalog/sizes.ts';
import { availableOf, type Balance } from '../credits/balance.ts';
import { badInput } from '../errors.ts';
import { formatCredits, unitPrice } from '../pricing/prices.ts';
import { balanceRefusals, tierRefusals } from '../tiers/preflight.ts';
import { type Allowance, allowanceFor } from './allowances.ts';
import type { EstimateLine } from './estimate.ts';
import { type PricingFacts, priceGenerate } from './generate-estimate.ts';

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
  for (const step of input.steps) {
    const sources = step.from === null ? [null] : (done.get(step.from)?.outputs ?? [null]);
    const priced = priceStep(step, sources, { ...facts, allowances });
    done.set(step.id, priced);
    allowances = allowances.map((allowance) =>
      allowance.provider === priced.allowance?.provider
        ? { ...allowance, left: allowance.left - priced.freeImages }
        : allowance,
    );
  }
  const steps = [...done.values()].map(({ estimate }) => estimate);
  const images = steps.reduce((sum, step) => sum + step.images, 0);
  if (images > WORKFLOW_IMAGES_MAX)
    throw badInput('steps', images, `steps that make at most ${WORKFLOW_IMAGES_MAX} images in all`);
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

function priceStep(step: WorkflowStep, sources: readonly (Size | null)[], facts: PricingFacts): PricedStep {
  const { operation, times } = step;
  switch (operation.kind) {
    case 'generate':
      return priceGenerateStep(step, operation.input, facts);
    case 'optimize': {
      const outputs = Array.from({ length: sources.length * operation.formats * times }, () => null);
      return priceRuns(
        step,
        'OPTIMIZE',
        'optimize',
        [{ source: null, runs: times, work: { kind: 'optimize' } }],
        outputs,
        facts,
      );
    }
    case 'edit':
    case 'upscale': {
      const runs = Array.from({ length: times }, (_, run) => sources[run % sources.length] ?? null);
      const work = (source: Size | null) =>
        operation.kind === 'edit'
          ? ({ kind: 'edit', edit: operation.edit, size: source } as const)
          : ({ kind: 'upscale', mode: operation.mode, size: source } as const);
      const groups = [...Map.groupBy(runs, (source) => sizeClassOf(source)).values()].map((alike) => ({
        source: alike[0] ?? null,
        runs: alike.length,
        work: work(alike[0] ?? null),
      }));
      const module: Module = operation.kind === 'edit' ? operation.edit : 'upscale';
      const outputs = runs.map((source) => source && outputSize(operation, source));
      return priceRuns(step, operation.kind === 'edit' ? 'EDIT' : 'UPSCALE', module, groups, outputs, facts);
    }
  }
}

function priceGenerateStep(step: WorkflowStep, input: GenerateInput, facts: PricingFacts): PricedStep {
  const request = canonicalGenerate(input);
  const images = request.count * step.times;
  const allowance = allowanceFor(request, facts.allowances);
  const freeImages = Math.min(images, allowance?.left ?? 0);
  const oneRun = priceGenerate(request, { ...facts, freeImages: 0 });
  const { lines, credits } = priceGenerate({ ...request, count: images }, { ...facts, freeImages });
  return {
    estimate: {
      id: step.id,
      operation: 'GENERATE',
      times: step.times,
      images,
      credits,
      lines,
      notes: [],
      // Limits are those of one run: the count of a run is checked, not the sum of all runs.
      refusals: oneRun.refusals,
    },
    outputs: Array.from({ length: images }, () => request.size),
    allowance,
    freeImages,
  };
}

interface RunGroup {
  readonly source: Size | null;
  readonly runs: number;
  readonly work: Parameters<typeof unitPrice>[1];
}

function priceRuns(
  step: WorkflowStep,
  operation: Operation,
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
    else
      lines.push({
        kind: 'PRICE',
        label: price.label,
        quantity: runs,
        unitCredits: price.credits,
        credits: price.credits * BigInt(runs),
      });
  }
  const assumed = operation !== 'OPTIMIZE' && groups.some(({ source }) => source === null);
  return {
    estimate: {
      id: step.id,
      operation,
      times: step.times,
      images: outputs.length,
      credits: lines.length < groups.length ? null : sum(lines),
      lines,
      notes: assumed ? ['The picture is not known yet: size M is assumed.'] : [],
      refusals,
    },
    outputs,
    allowance: null,
    freeImages: 0,
  };
}

const CONSERVATIVE_PIXELS = 4_194_304;
const FAST_FACTOR = 4;
/** The longer side, in pixels, that an upscale preset brings the result to. */
const PRESET_SIDES: Record<UpscalePreset, number> = { WEB: 2048, PRINT: 3072, SOCIAL: 1080 };

/** The size that a step is planned to make from a source. */
function outputSize(operation: Extract<StepOperation, { kind: 'edit' | 'upscale' }>, source: Size): Size {
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

function sum(lines: readonly EstimateLine[]): bigint {
  return lines.reduce((credits, line) => credits + line.credits, 0n);
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
