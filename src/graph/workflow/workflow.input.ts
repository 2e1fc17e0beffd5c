import { Field, ID, InputType, Int } from 'type-graphql';
import {
  type OperationInput as DomainOperationInput,
  STEPS_MAX,
  type StepInput,
  TIMES_MAX,
} from '../../estimates/workflow-request.ts';
import { given } from '../given.ts';
import { EditInput, toEditInput } from '../operation/edit.input.ts';
import { GenerateInput, toGenerateInput } from '../operation/generate.input.ts';
import { OptimizeInput, toOptimizeInput } from '../operation/optimize.input.ts';
import { toUpscaleInput, UpscaleInput } from '../operation/upscale.input.ts';
import { CreditsScalar } from '../scalars.ts';

@InputType({ description: 'One operation: give exactly one of these.' })
export class OperationInput {
  @Field(() => GenerateInput, { nullable: true, description: 'Draw pictures from words.' })
  generate?: GenerateInput | null;

  @Field(() => EditInput, { nullable: true, description: 'Edit pictures.' })
  edit?: EditInput | null;

  @Field(() => UpscaleInput, { nullable: true, description: 'Enlarge pictures.' })
  upscale?: UpscaleInput | null;

  @Field(() => OptimizeInput, { nullable: true, description: 'Cut pictures to the sizes of social networks.' })
  optimize?: OptimizeInput | null;
}

/** Inputs of which exactly one field must be given; the schema enforces it once they are marked. */
export const ONE_OF_INPUTS = ['EditInput', 'OperationInput'] as const;

@InputType({ description: 'One step of a workflow.' })
export class WorkflowStepInput {
  @Field(() => String, { description: 'A name for the step, so that later steps can build on it.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The earlier step whose pictures this one works on. Run i takes picture i, counting round; optimize takes them all.',
  })
  from?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Or the asset that it works on. An estimate may leave both out: then size M is assumed.',
  })
  image?: string | null;

  @Field(() => Int, { nullable: true, defaultValue: 1, description: `How many times to run it, 1 to ${TIMES_MAX}.` })
  times?: number | null;

  @Field(() => OperationInput, { description: 'What to do.' })
  operation!: OperationInput;
}

@InputType({ description: 'Operations that build on each other: one price, one job, one receipt.' })
export class WorkflowInput {
  @Field(() => [WorkflowStepInput], { description: `The steps, 1 to ${STEPS_MAX}, each after those it builds on.` })
  steps!: WorkflowStepInput[];

  @Field(() => CreditsScalar, { nullable: true, description: 'The most that the whole may cost.' })
  maxCredits?: bigint | null;
}

export function toSteps({ steps }: WorkflowInput): StepInput[] {
  return steps.map(({ operation, ...step }) => ({ ...given(step), operation: toOperation(operation) }));
}

function toOperation({ generate, edit, upscale, optimize }: OperationInput): DomainOperationInput {
  if (generate) return { generate: toGenerateInput(generate) };
  if (edit) return { edit: toEditInput(edit) };
  if (upscale) return { upscale: toUpscaleInput(upscale) };
  return optimize ? { optimize: toOptimizeInput(optimize) } : {};
}
