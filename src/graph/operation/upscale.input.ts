import { Field, Float, InputType, Int } from 'type-graphql';
import { SEED_MAX } from '../../catalog/fields.ts';
import type { UpscaleMode, UpscalePreset } from '../../catalog/operations.ts';
import type { OutputFormat } from '../../catalog/output-formats.ts';
import { type UpscaleInput as DomainUpscaleInput, UPSCALE_CREATIVITY } from '../../catalog/upscale-requests.ts';
import { OutputFormatEnum, UpscaleModeEnum, UpscalePresetEnum } from '../enums.ts';
import { given } from '../given.ts';

const { CONSERVATIVE, CREATIVE } = UPSCALE_CREATIVITY;

@InputType({ description: 'Enlarges a picture.' })
export class UpscaleInput {
  @Field(() => UpscaleModeEnum, { description: 'How to enlarge it.' })
  mode!: UpscaleMode;

  @Field(() => UpscalePresetEnum, {
    nullable: true,
    description: 'The exact longer side of the result. Has no effect on the price.',
  })
  preset?: UpscalePreset | null;

  @Field(() => String, {
    nullable: true,
    description: 'What is on the picture, for CONSERVATIVE and CREATIVE; left out: the picture as it is.',
  })
  prompt?: string | null;

  @Field(() => String, { nullable: true, description: 'What to leave out, for CONSERVATIVE and CREATIVE.' })
  negativePrompt?: string | null;

  @Field(() => Float, {
    nullable: true,
    description: `How much detail to invent: ${CONSERVATIVE.min} to ${CONSERVATIVE.max} for CONSERVATIVE (${CONSERVATIVE.fallback} when left out), ${CREATIVE.min} to ${CREATIVE.max} for CREATIVE (${CREATIVE.fallback}).`,
  })
  creativity?: number | null;

  @Field(() => String, { nullable: true, description: 'A style, such as "photographic", for CREATIVE.' })
  stylePreset?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: `Makes the picture repeatable, 0 to ${SEED_MAX}, for CONSERVATIVE and CREATIVE.`,
  })
  seed?: number | null;

  @Field(() => OutputFormatEnum, { nullable: true, defaultValue: 'PNG', description: 'The file format of the result.' })
  outputFormat?: OutputFormat | null;
}

export function toUpscaleInput(input: UpscaleInput): DomainUpscaleInput {
  return given(input);
}
