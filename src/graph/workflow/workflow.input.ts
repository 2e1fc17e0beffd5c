import { Field, ID, InputType, Int } from 'type-graphql';
import type { EditKind, UpscaleMode, UpscalePreset } from '../../catalog/operations.ts';
import { badInput } from '../../errors.ts';
import {
  type WorkflowInput as DomainWorkflowInput,
  STEPS_MAX,
  type StepOperation,
  TIMES_MAX,
  type WorkflowStep,
} from '../../estimates/workflow-estimate.ts';
import { SocialPlatformEnum, TransparentFormatEnum, UpscaleModeEnum, UpscalePresetEnum } from '../enums.ts';
import { GenerateInput, toGenerateInput } from '../estimate/estimate.input.ts';
import { CreditsScalar } from '../scalars.ts';

const MARGIN_MAX = 2000;

@InputType({ description: 'Takes the background away.' })
export class RemoveBackgroundInput {
  @Field(() => TransparentFormatEnum, {
    nullable: true,
    defaultValue: 'PNG',
    description: 'The file format of the result.',
  })
  outputFormat?: string | null;
}

@InputType({ description: 'Takes things away and fills in what was behind them.' })
export class EraseInput {
  @Field(() => ID, {
    nullable: true,
    description: "The asset that says where: white is erased. Left out: the picture's own transparency.",
  })
  mask?: string | null;
}

@InputType({ description: 'Draws anew what a mask covers.' })
export class InpaintInput {
  @Field(() => String, { description: 'What to draw there.' })
  prompt!: string;

  @Field(() => ID, {
    nullable: true,
    description: "The asset that says where: white is drawn anew. Left out: the picture's own transparency.",
  })
  mask?: string | null;
}

@InputType({ description: 'Extends the canvas. At least one margin is needed.' })
export class OutpaintInput {
  @Field(() => Int, { nullable: true, description: `Pixels to add on the left, 0 to ${MARGIN_MAX}.` })
  left?: number | null;

  @Field(() => Int, { nullable: true, description: `Pixels to add on the right, 0 to ${MARGIN_MAX}.` })
  right?: number | null;

  @Field(() => Int, { nullable: true, description: `Pixels to add above, 0 to ${MARGIN_MAX}.` })
  up?: number | null;

  @Field(() => Int, { nullable: true, description: `Pixels to add below, 0 to ${MARGIN_MAX}.` })
  down?: number | null;
}

@InputType({ description: 'Finds something and puts something else in its place.' })
export class SearchReplaceInput {
  @Field(() => String, { description: 'What to look for.' })
  searchPrompt!: string;

  @Field(() => String, { description: 'What to put there.' })
  prompt!: string;
}

@InputType({ description: 'Finds something and gives it another colour.' })
export class SearchRecolorInput {
  @Field(() => String, { description: 'What to look for.' })
  selectPrompt!: string;

  @Field(() => String, { description: 'The colour to give it.' })
  prompt!: string;
}

@InputType({ description: 'Replaces the background and lights the subject to match.' })
export class RelightInput {
  @Field(() => String, { nullable: true, description: 'The new background, in words.' })
  backgroundPrompt?: string | null;

  @Field(() => ID, { nullable: true, description: 'The asset to take the new background from.' })
  backgroundReference?: string | null;
}

@InputType({ description: 'Any change that words can say.' })
export class GeneralEditInput {
  @Field(() => String, { description: 'What to change.' })
  prompt!: string;
}

@InputType({ description: 'One kind of edit: give exactly one of these.' })
export class EditInput {
  @Field(() => RemoveBackgroundInput, { nullable: true, description: 'Take the background away.' })
  removeBackground?: RemoveBackgroundInput | null;

  @Field(() => EraseInput, { nullable: true, description: 'Take things away.' })
  erase?: EraseInput | null;

  @Field(() => InpaintInput, { nullable: true, description: 'Draw a part anew.' })
  inpaint?: InpaintInput | null;

  @Field(() => OutpaintInput, { nullable: true, description: 'Extend the canvas.' })
  outpaint?: OutpaintInput | null;

  @Field(() => SearchReplaceInput, { nullable: true, description: 'Find and replace.' })
  searchReplace?: SearchReplaceInput | null;

  @Field(() => SearchRecolorInput, { nullable: true, description: 'Find and recolour.' })
  searchRecolor?: SearchRecolorInput | null;

  @Field(() => RelightInput, { nullable: true, description: 'New background and light.' })
  relight?: RelightInput | null;

  @Field(() => GeneralEditInput, { nullable: true, description: 'Any change that words can say.' })
  general?: GeneralEditInput | null;
}

@InputType({ description: 'Enlarges a picture.' })
export class UpscaleInput {
  @Field(() => UpscaleModeEnum, { description: 'How to enlarge it.' })
  mode!: UpscaleMode;

  @Field(() => UpscalePresetEnum, {
    nullable: true,
    description: 'The exact size of the result. Has no effect on the price.',
  })
  preset?: UpscalePreset | null;
}

@InputType({ description: 'Cuts pictures to the sizes of social networks. Costs nothing.' })
export class OptimizeInput {
  @Field(() => [SocialPlatformEnum], { description: 'The networks, each once.' })
  platforms!: string[];
}

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

  @Field(() => Int, { nullable: true, defaultValue: 1, description: `How many times to run it, 1 to ${TIMES_MAX}.` })
  times?: number | null;

  @Field(() => OperationInput, { description: 'What to do.' })
  operation!: OperationInput;
}

@InputType({ description: 'Operations that build on each other, priced as one.' })
export class WorkflowInput {
  @Field(() => [WorkflowStepInput], { description: `The steps, 1 to ${STEPS_MAX}, each after those it builds on.` })
  steps!: WorkflowStepInput[];

  @Field(() => CreditsScalar, { nullable: true, description: 'The most that the whole may cost.' })
  maxCredits?: bigint | null;
}

export function toWorkflowInput(input: WorkflowInput): DomainWorkflowInput {
  return {
    maxCredits: input.maxCredits ?? null,
    steps: input.steps.map(
      (step, index): WorkflowStep => ({
        id: step.id,
        from: step.from ?? null,
        times: step.times ?? 1,
        operation: toStepOperation(step.operation, `steps[${index}].operation`),
      }),
    ),
  };
}

function toStepOperation({ generate, edit, upscale, optimize }: OperationInput, field: string): StepOperation {
  if (generate) return { kind: 'generate', input: toGenerateInput(generate) };
  if (upscale) return { kind: 'upscale', mode: upscale.mode, preset: upscale.preset ?? null };
  if (optimize) {
    const platforms = new Set(optimize.platforms);
    if (platforms.size === 0 || platforms.size < optimize.platforms.length)
      throw badInput(`${field}.optimize.platforms`, optimize.platforms, 'at least one platform, each once');
    return { kind: 'optimize', formats: platforms.size };
  }
  const [kind] = Object.keys(edit ?? {}) as EditKind[];
  if (!edit || !kind) throw badInput(field, null, 'exactly one operation');
  return { kind: 'edit', edit: kind, margins: edit.outpaint ? toMargins(edit.outpaint, `${field}.edit.outpaint`) : {} };
}

function toMargins(outpaint: OutpaintInput, field: string): Record<'left' | 'right' | 'up' | 'down', number> {
  const margins = {
    left: outpaint.left ?? 0,
    right: outpaint.right ?? 0,
    up: outpaint.up ?? 0,
    down: outpaint.down ?? 0,
  };
  for (const [side, pixels] of Object.entries(margins)) {
    if (pixels < 0 || pixels > MARGIN_MAX) throw badInput(`${field}.${side}`, pixels, `0 to ${MARGIN_MAX} pixels`);
  }
  if (Object.values(margins).every((pixels) => pixels === 0))
    throw badInput(field, margins, 'at least one margin above 0');
  return margins;
}
