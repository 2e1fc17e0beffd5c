import type { EditKind, UpscaleMode } from '../../src/catalog/operations.ts';
import type { GenerateInput } from '../../src/catalog/requests.ts';
import {
  estimateWorkflow,
  type Margins,
  type StepOperation,
  type WorkflowEstimate,
  type WorkflowStep,
} from '../../src/estimates/workflow-estimate.ts';
import { type Situation, situationOf } from './facts.ts';

export const generate = (input: Partial<GenerateInput> = {}): StepOperation => ({
  kind: 'generate',
  input: { prompt: 'a lighthouse', ...input },
});
export const edit = (kind: EditKind, margins: Margins = {}): StepOperation => ({ kind: 'edit', edit: kind, margins });
export const upscale = (mode: UpscaleMode): StepOperation => ({ kind: 'upscale', mode, preset: null });
export const optimize = (formats: number): StepOperation => ({ kind: 'optimize', formats });

export const step = (
  id: string,
  operation: StepOperation,
  { times = 1, from = null }: { times?: number; from?: string | null } = {},
): WorkflowStep => ({ id, operation, times, from });

/** The estimate of a workflow in a situation. */
export function workflow(
  steps: readonly WorkflowStep[],
  situation: Situation = {},
  maxCredits: bigint | null = null,
): WorkflowEstimate {
  const { facts, balance } = situationOf(situation);
  return estimateWorkflow({ steps, maxCredits }, facts, balance);
}

/** The breakdown as a person reads it: what, how many, each, together; in milli-credits. */
export const breakdownOf = ({ steps }: WorkflowEstimate) =>
  steps.map(({ id, lines, credits }) => [
    id,
    ...lines
      .filter(({ kind }) => kind !== 'PREPARATION')
      .map(({ label, quantity, unitCredits }) => `${label}: ${quantity} x ${unitCredits}`),
    credits,
  ]);
