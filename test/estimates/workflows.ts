import type { EditInput } from '../../src/catalog/edit-requests.ts';
import type { Margins } from '../../src/catalog/edits.ts';
import type { EditKind, UpscaleMode, UpscalePreset } from '../../src/catalog/operations.ts';
import type { Refusal } from '../../src/catalog/refusals.ts';
import type { GenerateInput } from '../../src/catalog/requests.ts';
import { type KnownPictures, type PricedSteps, priceSteps } from '../../src/estimates/priced-steps.ts';
import { canonicalWorkflow, type OperationInput, type StepInput } from '../../src/estimates/workflow-request.ts';
import { SOCIAL_FORMATS } from '../../src/social/social-formats.ts';
import { balanceRefusals } from '../../src/tiers/preflight.ts';
import { type Situation, situationOf } from './facts.ts';

export const generate = (input: Partial<GenerateInput> = {}): OperationInput => ({
  generate: { prompt: 'a lighthouse', ...input },
});

const MASK = 'asset_01jd0000000000000000000000';
/** One of each kind, with no more than it needs. */
const EDITS: { readonly [K in EditKind]: NonNullable<EditInput[K]> } = {
  removeBackground: {},
  erase: { mask: MASK },
  inpaint: { mask: MASK, prompt: 'a lamp' },
  outpaint: {},
  searchReplace: { searchPrompt: 'the dog', prompt: 'a cat' },
  searchRecolor: { selectPrompt: 'the coat', prompt: 'red' },
  relight: { backgroundPrompt: 'a beach' },
  general: { prompt: 'warmer light' },
};

export const edit = (kind: EditKind, margins: Partial<Margins> = {}): OperationInput => ({
  edit: { [kind]: { ...EDITS[kind], ...margins } },
});
export const upscale = (mode: UpscaleMode, preset: UpscalePreset | null = null): OperationInput => ({
  upscale: { mode, ...(preset && { preset }) },
});
export const optimize = (formats: number): OperationInput => ({
  optimize: { formats: SOCIAL_FORMATS.slice(0, formats).map(({ id }) => id) },
});

export const step = (
  id: string,
  operation: OperationInput,
  more: { times?: number; from?: string | null; image?: string } = {},
): StepInput => ({
  id,
  operation,
  ...(more.times !== undefined && { times: more.times }),
  ...(more.from && { from: more.from }),
  ...(more.image !== undefined && { image: more.image }),
});

/** A workflow as priced in a situation, with everything that is in its way. */
export function workflow(
  steps: readonly StepInput[],
  situation: Situation = {},
  pictures: KnownPictures = new Map(),
): PricedSteps & { readonly refusals: readonly Refusal[] } {
  const { facts, balance } = situationOf(situation);
  const priced = priceSteps(canonicalWorkflow(steps), pictures, facts);
  const { credits } = priced;
  const unaffordable = credits === null ? [] : balanceRefusals(facts.allowed, balance, credits);
  return { ...priced, refusals: [...priced.steps.flatMap(({ refusals }) => refusals), ...unaffordable] };
}

/** The breakdown as a person reads it: what, how many, each, together; in milli-credits. */
export const breakdownOf = ({ steps }: PricedSteps) =>
  steps.map(({ id, lines, credits }) => [
    id,
    ...lines
      .filter(({ kind }) => kind !== 'PREPARATION')
      .map(({ label, quantity, unitCredits }) => `${label}: ${quantity} x ${unitCredits}`),
    credits,
  ]);
