import { Field, Float, ID, InputType, Int } from 'type-graphql';
import type { EditInput as DomainEditInput } from '../../catalog/edit-requests.ts';
import { GROW_MASK, MARGIN, OUTPAINT_CREATIVITY, RELIGHT } from '../../catalog/edit-requests.ts';
import type { LightDirection } from '../../catalog/edits.ts';
import { PROMPT_LENGTH_MAX, SEED_MAX } from '../../catalog/fields.ts';
import { EDIT_KINDS } from '../../catalog/operations.ts';
import type { OutputFormat } from '../../catalog/output-formats.ts';
import { LightDirectionEnum, OutputFormatEnum, TransparentFormatEnum } from '../enums.ts';
import { type Given, given } from '../given.ts';

const SEED = `Makes the picture repeatable, 0 to ${SEED_MAX}. Only models that take seeds are used.`;
const OUTPUT_FORMAT = 'The file format of the result.';
const NEGATIVE_PROMPT = 'What to leave out. Only models that know negative prompts are used.';
const STYLE_PRESET =
  'A style, such as "photographic" or "line-art". Where a vendor has no field for it, its words are put behind the prompt.';
const MASK =
  "The asset that says where, of the picture's size: white is edited, black is kept; where a mask is transparent somewhere, that is edited instead. Left out: where the picture itself is transparent.";
const words = (what: string) => `${what}, 1 to ${PROMPT_LENGTH_MAX} characters.`;
const grown = ({ min, max, fallback }: { min: number; max: number; fallback: number }) =>
  `How many pixels what is selected is grown by, ${min} to ${max}; ${fallback} when left out.`;
const fraction = (what: string, fallback: number) => `${what}, 0 to 1; ${fallback} when left out.`;

@InputType({ description: 'Takes the background away.' })
export class RemoveBackgroundInput {
  @Field(() => TransparentFormatEnum, { nullable: true, defaultValue: 'PNG', description: OUTPUT_FORMAT })
  outputFormat?: 'PNG' | 'WEBP' | null;
}

/** What most kinds of edit can be told. */
@InputType()
class SeededInput {
  @Field(() => Int, { nullable: true, description: SEED })
  seed?: number | null;

  @Field(() => OutputFormatEnum, { nullable: true, defaultValue: 'PNG', description: OUTPUT_FORMAT })
  outputFormat?: OutputFormat | null;
}

@InputType({ description: 'Takes things away and fills in what was behind them.' })
export class EraseInput extends SeededInput {
  @Field(() => ID, { nullable: true, description: MASK })
  mask?: string | null;

  @Field(() => Int, { nullable: true, description: grown(GROW_MASK.erase) })
  growMask?: number | null;
}

@InputType({ description: 'Draws anew what a mask covers.' })
export class InpaintInput extends SeededInput {
  @Field(() => String, { description: words('What to draw there') })
  prompt!: string;

  @Field(() => String, { nullable: true, description: NEGATIVE_PROMPT })
  negativePrompt?: string | null;

  @Field(() => ID, { nullable: true, description: MASK })
  mask?: string | null;

  @Field(() => Int, { nullable: true, description: grown(GROW_MASK.inpaint) })
  growMask?: number | null;

  @Field(() => String, { nullable: true, description: STYLE_PRESET })
  stylePreset?: string | null;
}

@InputType({ description: 'Extends the canvas. At least one margin is needed.' })
export class OutpaintInput extends SeededInput {
  @Field(() => Int, { nullable: true, description: `Pixels to add on the left, ${MARGIN.min} to ${MARGIN.max}.` })
  left?: number | null;

  @Field(() => Int, { nullable: true, description: `Pixels to add on the right, ${MARGIN.min} to ${MARGIN.max}.` })
  right?: number | null;

  @Field(() => Int, { nullable: true, description: `Pixels to add above, ${MARGIN.min} to ${MARGIN.max}.` })
  up?: number | null;

  @Field(() => Int, { nullable: true, description: `Pixels to add below, ${MARGIN.min} to ${MARGIN.max}.` })
  down?: number | null;

  @Field(() => Float, { nullable: true, description: fraction('How inventive to be', OUTPAINT_CREATIVITY) })
  creativity?: number | null;

  @Field(() => String, { nullable: true, description: 'What to draw there; left out: what fits.' })
  prompt?: string | null;

  @Field(() => String, { nullable: true, description: STYLE_PRESET })
  stylePreset?: string | null;
}

@InputType({ description: 'Finds something and puts something else in its place.' })
export class SearchReplaceInput extends SeededInput {
  @Field(() => String, { description: words('What to look for') })
  searchPrompt!: string;

  @Field(() => String, { description: words('What to put there') })
  prompt!: string;

  @Field(() => String, { nullable: true, description: NEGATIVE_PROMPT })
  negativePrompt?: string | null;

  @Field(() => Int, { nullable: true, description: grown(GROW_MASK.searchReplace) })
  growMask?: number | null;

  @Field(() => String, { nullable: true, description: STYLE_PRESET })
  stylePreset?: string | null;
}

@InputType({ description: 'Finds something and gives it another colour.' })
export class SearchRecolorInput extends SeededInput {
  @Field(() => String, { description: words('What to look for') })
  selectPrompt!: string;

  @Field(() => String, { description: words('The colour to give it') })
  prompt!: string;

  @Field(() => String, { nullable: true, description: NEGATIVE_PROMPT })
  negativePrompt?: string | null;

  @Field(() => Int, { nullable: true, description: grown(GROW_MASK.searchRecolor) })
  growMask?: number | null;

  @Field(() => String, { nullable: true, description: STYLE_PRESET })
  stylePreset?: string | null;
}

@InputType({
  description:
    'Replaces the background and lights the subject to match. A background is needed, in words or as a picture.',
})
export class RelightInput extends SeededInput {
  @Field(() => String, { nullable: true, description: 'The new background, in words.' })
  backgroundPrompt?: string | null;

  @Field(() => ID, { nullable: true, description: 'The asset to take the new background from.' })
  backgroundReference?: string | null;

  @Field(() => String, { nullable: true, description: 'What the subject is, in words.' })
  foregroundPrompt?: string | null;

  @Field(() => String, { nullable: true, description: NEGATIVE_PROMPT })
  negativePrompt?: string | null;

  @Field(() => Float, {
    nullable: true,
    description: fraction('How much of the subject to keep as it is', RELIGHT.preserveOriginalSubject),
  })
  preserveOriginalSubject?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: fraction(
      'How far the new background follows the depth of the old one',
      RELIGHT.originalBackgroundDepth,
    ),
  })
  originalBackgroundDepth?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Whether to keep the old background and change its light only.',
  })
  keepOriginalBackground?: boolean | null;

  @Field(() => LightDirectionEnum, { nullable: true, description: 'Where the light comes from.' })
  lightSourceDirection?: LightDirection | null;

  @Field(() => ID, { nullable: true, description: 'The asset to take the light from.' })
  lightReference?: string | null;

  @Field(() => Float, {
    nullable: true,
    description: `${fraction('How strong the light is', RELIGHT.lightSourceStrength)} Only with a direction or a reference.`,
  })
  lightSourceStrength?: number | null;
}

@InputType({ description: 'Any change that words can say. The model draws the whole picture anew.' })
export class GeneralEditInput extends SeededInput {
  @Field(() => String, { description: words('What to change') })
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

export function toEditInput(input: EditInput): DomainEditInput {
  const kind = EDIT_KINDS.find((each) => input[each]);
  const parameters = kind && input[kind];
  return parameters ? { [kind]: given(parameters) as Given<typeof parameters> } : {};
}
