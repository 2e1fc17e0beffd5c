import { Field, InputType, Int } from 'type-graphql';
import { PROMPT_LENGTH_MAX, SEED_MAX } from '../../catalog/fields.ts';
import { COUNT_MAX, type GenerateInput as DomainGenerateInput } from '../../catalog/requests.ts';
import { SIDE_MAX, SIDE_MIN } from '../../catalog/sizes.ts';
import { ProviderEnum, QualityEnum } from '../enums.ts';
import { given } from '../given.ts';

@InputType({ description: 'Pictures to draw from words.' })
export class GenerateInput {
  @Field(() => String, { description: `What to draw, 1 to ${PROMPT_LENGTH_MAX} characters.` })
  prompt!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What to leave out. Only models that know negative prompts are used.',
  })
  negativePrompt?: string | null;

  @Field(() => QualityEnum, {
    nullable: true,
    defaultValue: 'STANDARD',
    description: 'The quality class. Plays no part when a model is named: a model has its own.',
  })
  quality?: DomainGenerateInput['quality'] | null;

  @Field(() => ProviderEnum, {
    nullable: true,
    description:
      "A vendor to draw it: its default model for the quality, at that model's price. Left out: any vendor, at the flat price of the quality.",
  })
  provider?: DomainGenerateInput['provider'] | null;

  @Field(() => String, {
    nullable: true,
    description: 'A model to draw it, such as "stability/core" or "core", at its own price.',
  })
  model?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: `Exact width in pixels, ${SIDE_MIN} to ${SIDE_MAX}. With a height, or with an aspectRatio.`,
  })
  width?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: `Exact height in pixels, ${SIDE_MIN} to ${SIDE_MAX}. With a width, or with an aspectRatio.`,
  })
  height?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Width to height, such as "16:9" or "1.91:1". Alone: about one megapixel. Not beside both sides.',
  })
  aspectRatio?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'A template that sets size and style; the templates query lists them. An explicit size or style wins. Never changes quality or price class on its own.',
  })
  template?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'A style, such as "photographic" or "line-art". Where a vendor has no field for it, its words are put behind the prompt.',
  })
  stylePreset?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: `Makes the picture repeatable, 0 to ${SEED_MAX}; image i of a batch uses seed + i. Only models that take seeds are used.`,
  })
  seed?: number | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 1,
    description: `How many images, 1 to ${COUNT_MAX}; the tier may allow fewer.`,
  })
  count?: number | null;
}

export function toGenerateInput(input: GenerateInput): DomainGenerateInput {
  return given(input);
}
