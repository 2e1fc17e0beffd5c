import { asNumber, type Check, forbidden, number, oneOf, type Problem, text, whole } from './checks.ts';
import type { Direction, Edit } from './edit.ts';
import type { SentPicture, Size } from './sent.ts';
import { type Fields, fieldNumber, fieldText, SHARED, type Tariff } from './stability.forms.ts';

/** What a picture must be to be taken, in pixels; what is not named is not limited. */
export interface Limits {
  readonly sideMin?: number;
  readonly sideMax?: number;
  readonly pixelsMin?: number;
  readonly pixelsMax?: number;
  /** How many times as long as the other a side may be. */
  readonly ratioMax?: number;
}

/** The pictures of a request, by the names of their fields. */
export type Pictures = Readonly<Record<string, SentPicture>>;

/** One way to edit: what it costs, what it takes, and what it does. */
export interface Service extends Tariff {
  /** The path below `/v2beta/stable-image/`. */
  readonly path: string;
  /** Whether the answer to an order is the id of a result that comes later. */
  readonly isAsync?: boolean;
  /** Fields with files, with the limits of each. The first is the picture that is edited, and required. */
  readonly pictures: Readonly<Record<string, Limits>>;
  readonly checks: Readonly<Record<string, Check>>;
  readonly required: readonly string[];
  /** The fields that say what is wanted. */
  readonly prompts: readonly string[];
  /** What is wrong with fields that are right by themselves. */
  together?(fields: Fields, pictures: Pictures): readonly Problem[];
  edit(image: SentPicture, fields: Fields, pictures: Pictures): Edit;
  /** The size of the result, where it is not the natural one. */
  size?(image: Size): Size;
}

const GENERAL: Limits = { sideMin: 64, pixelsMin: 4_096, pixelsMax: 9_437_184 };
const NOT_TOO_LONG: Limits = { ...GENERAL, ratioMax: 2.5 };

const fraction = (min: number, max: number) => asNumber(number(min, max));
const pixels = (max: number) => asNumber(whole(0, max));
const optionalText = text(0, 10_000);
const { prompt, negative_prompt, seed, style_preset, output_format } = SHARED;
const DRAWS = { prompt, negative_prompt, seed, output_format } as const;

const noMask = (image: SentPicture | undefined, mask: SentPicture | undefined): readonly Problem[] =>
  image?.hasAlpha === false && !mask
    ? [{ field: 'mask', problem: 'is required, because the image has no alpha channel to take its place' }]
    : [];

function masked(
  kind: 'erase' | 'inpaint',
  growMax: number,
): Pick<Service, 'pictures' | 'together' | 'edit'> & { grow: Check } {
  return {
    grow: pixels(growMax),
    pictures: { image: GENERAL, mask: {} },
    together: (_, { image, mask }) => noMask(image, mask),
    edit: (image, fields, { mask = null }) => ({ kind, image, mask, growMask: fieldNumber(fields, 'grow_mask', 5) }),
  };
}

function searched(kind: 'replace' | 'recolour', words: string): Omit<Service, 'path' | 'credits' | 'seconds'> {
  return {
    pictures: { image: NOT_TOO_LONG },
    checks: { ...DRAWS, [words]: text(1, 10_000), grow_mask: pixels(20), style_preset },
    required: ['prompt', words],
    prompts: ['prompt'],
    edit: (image, fields) => ({
      kind,
      image,
      words: fieldText(fields, words, ''),
      growMask: fieldNumber(fields, 'grow_mask', 3),
    }),
  };
}

const MARGINS = ['left', 'right', 'up', 'down'] as const;
const DIRECTIONS: readonly Direction[] = ['left', 'right', 'above', 'below'];

const OUTPAINT: Omit<Service, 'path' | 'credits' | 'seconds'> = {
  pictures: { image: NOT_TOO_LONG },
  checks: {
    ...Object.fromEntries(MARGINS.map((side) => [side, pixels(2_000)])),
    creativity: fraction(0, 1),
    prompt: optionalText,
    seed,
    style_preset,
    output_format,
  },
  required: [],
  prompts: ['prompt'],
  together: (fields) =>
    MARGINS.some((side) => fieldNumber(fields, side, 0) > 0)
      ? []
      : [{ field: 'left', problem: `at least one of ${MARGINS.join(', ')} must be greater than 0` }],
  edit: (image, fields) => {
    const margin = (side: (typeof MARGINS)[number]) => fieldNumber(fields, side, 0);
    const margins = { left: margin('left'), right: margin('right'), up: margin('up'), down: margin('down') };
    return { kind: 'outpaint', image, margins };
  },
};

function relightProblems(fields: Fields, { background_reference, light_reference }: Pictures): readonly Problem[] {
  const has = (name: string) => fieldText(fields, name, '') !== '';
  const background = background_reference || has('background_prompt');
  const light = light_reference || has('light_source_direction') || !has('light_source_strength');
  return [
    ...(background
      ? []
      : [{ field: 'background_prompt', problem: 'is required where there is no background_reference' }]),
    ...(light
      ? []
      : [
          {
            field: 'light_source_strength',
            problem: 'is only allowed together with light_reference or light_source_direction',
          },
        ]),
  ];
}

const RELIGHT: Omit<Service, 'path' | 'credits' | 'seconds'> = {
  isAsync: true,
  pictures: { subject_image: NOT_TOO_LONG, background_reference: {}, light_reference: {} },
  checks: {
    background_prompt: optionalText,
    foreground_prompt: optionalText,
    negative_prompt,
    preserve_original_subject: fraction(0, 1),
    original_background_depth: fraction(0, 1),
    keep_original_background: oneOf('true', 'false'),
    light_source_direction: oneOf(...DIRECTIONS),
    light_source_strength: fraction(0, 1),
    seed,
    output_format,
  },
  required: [],
  prompts: ['background_prompt', 'foreground_prompt'],
  together: relightProblems,
  edit: (image, fields, { background_reference: background = null, light_reference: reference = null }) => ({
    kind: 'relight',
    image,
    background,
    keepsBackground: fields.keep_original_background === 'true',
    preservation: fieldNumber(fields, 'preserve_original_subject', 0.6),
    light: {
      direction: DIRECTIONS.find((each) => each === fields.light_source_direction) ?? null,
      reference,
      strength: fieldNumber(fields, 'light_source_strength', 0.3),
    },
  }),
};

/** Four megapixels in the ratio of the image, or as many pixels less as it takes to make the sides whole. */
const UPSCALED_PIXELS = 4_194_304;

function upscaledSize({ width, height }: Size): Size {
  // A little more than nothing, so that an exact square root is not rounded down for the last of its digits.
  const scale = Math.sqrt(UPSCALED_PIXELS / (width * height)) + 1e-9;
  return { width: Math.floor(width * scale), height: Math.floor(height * scale) };
}

const erase = masked('erase', 20);
const inpaint = masked('inpaint', 100);

/** The services below `edit` and `upscale`, by the last part of their path, at the prices of August 2025. */
export const SERVICES: Readonly<Record<string, Service>> = {
  erase: {
    ...{ path: 'edit/erase', credits: 5, seconds: 5 },
    ...erase,
    checks: { grow_mask: erase.grow, seed, output_format },
    required: [],
    prompts: [],
  },
  inpaint: {
    ...{ path: 'edit/inpaint', credits: 5, seconds: 8 },
    ...inpaint,
    checks: { ...DRAWS, grow_mask: inpaint.grow, style_preset },
    required: ['prompt'],
    prompts: ['prompt'],
  },
  outpaint: { path: 'edit/outpaint', credits: 4, seconds: 8, ...OUTPAINT },
  'search-and-replace': {
    ...{ path: 'edit/search-and-replace', credits: 5, seconds: 8 },
    ...searched('replace', 'search_prompt'),
  },
  'search-and-recolor': {
    ...{ path: 'edit/search-and-recolor', credits: 5, seconds: 8 },
    ...searched('recolour', 'select_prompt'),
  },
  'remove-background': {
    ...{ path: 'edit/remove-background', credits: 5, seconds: 3 },
    pictures: { image: { ...GENERAL, pixelsMax: 4_194_304 } },
    checks: { output_format: oneOf('png', 'webp'), seed: forbidden('is not supported by this service') },
    required: [],
    prompts: [],
    edit: (image) => ({ kind: 'remove-background', image }),
  },
  'replace-background-and-relight': {
    ...{ path: 'edit/replace-background-and-relight', credits: 8, seconds: 20 },
    ...RELIGHT,
  },
  fast: {
    ...{ path: 'upscale/fast', credits: 2, seconds: 1 },
    pictures: { image: { sideMin: 32, sideMax: 1_536, pixelsMin: 1_024, pixelsMax: 1_048_576 } },
    checks: {
      output_format,
      prompt: forbidden('is not supported by this service'),
      seed: forbidden('is not supported by this service'),
    },
    required: [],
    prompts: [],
    edit: (image) => ({ kind: 'upscale', image, detail: 0 }),
    size: ({ width, height }) => ({ width: 4 * width, height: 4 * height }),
  },
  conservative: {
    ...{ path: 'upscale/conservative', credits: 40, seconds: 20 },
    pictures: { image: NOT_TOO_LONG },
    checks: { ...DRAWS, creativity: fraction(0.2, 0.5) },
    required: ['prompt'],
    prompts: ['prompt'],
    edit: (image) => ({ kind: 'upscale', image, detail: 0 }),
    size: upscaledSize,
  },
  creative: {
    ...{ path: 'upscale/creative', credits: 60, seconds: 40 },
    isAsync: true,
    pictures: { image: { pixelsMin: 4_096, pixelsMax: 1_048_576 } },
    checks: { ...DRAWS, creativity: fraction(0.1, 0.5), style_preset },
    required: ['prompt'],
    prompts: ['prompt'],
    edit: (image, fields) => ({ kind: 'upscale', image, detail: fieldNumber(fields, 'creativity', 0.3) }),
    size: upscaledSize,
  },
};
