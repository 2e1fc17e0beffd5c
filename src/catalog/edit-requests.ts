import { badInput } from '../errors.ts';
import type { Edit, EditRequest, LightDirection, Margins } from './edits.ts';
import {
  checkedNumber,
  checkedSeed,
  checkedStyle,
  checkedText,
  checkedWhole,
  optionalText,
  type Range,
} from './fields.ts';
import { EDIT_KINDS, type EditKind } from './operations.ts';
import type { OutputFormat } from './output-formats.ts';

/** Pixels that outpaint adds on a side. */
export const MARGIN: Range = { min: 0, max: 2_000 };
/** Pixels by which a mask is grown, by kind of edit. */
export const GROW_MASK = {
  erase: { min: 0, max: 20, fallback: 5 },
  inpaint: { min: 0, max: 100, fallback: 5 },
  searchReplace: { min: 0, max: 20, fallback: 3 },
  searchRecolor: { min: 0, max: 20, fallback: 3 },
} as const;
export const FRACTION: Range = { min: 0, max: 1 };
export const OUTPAINT_CREATIVITY = 0.5;
export const RELIGHT = {
  preserveOriginalSubject: 0.6,
  originalBackgroundDepth: 0.5,
  lightSourceStrength: 0.3,
} as const;

interface Common {
  readonly outputFormat?: OutputFormat | undefined;
}
interface Seeded extends Common {
  readonly seed?: number | undefined;
}
interface Worded extends Seeded {
  readonly negativePrompt?: string | undefined;
  readonly stylePreset?: string | undefined;
}

/** What a client sends to have a picture edited: exactly one kind. */
export interface EditInput {
  readonly removeBackground?: Common | undefined;
  readonly erase?:
    | (Seeded & { readonly mask?: string | undefined; readonly growMask?: number | undefined })
    | undefined;
  readonly inpaint?:
    | (Worded & {
        readonly prompt: string;
        readonly mask?: string | undefined;
        readonly growMask?: number | undefined;
      })
    | undefined;
  readonly outpaint?:
    | (Seeded & {
        readonly left?: number | undefined;
        readonly right?: number | undefined;
        readonly up?: number | undefined;
        readonly down?: number | undefined;
        readonly creativity?: number | undefined;
        readonly prompt?: string | undefined;
        readonly stylePreset?: string | undefined;
      })
    | undefined;
  readonly searchReplace?:
    | (Worded & { readonly searchPrompt: string; readonly prompt: string; readonly growMask?: number | undefined })
    | undefined;
  readonly searchRecolor?:
    | (Worded & { readonly selectPrompt: string; readonly prompt: string; readonly growMask?: number | undefined })
    | undefined;
  readonly relight?: (Seeded & RelightInput) | undefined;
  readonly general?: (Seeded & { readonly prompt: string }) | undefined;
}

interface RelightInput {
  readonly backgroundPrompt?: string | undefined;
  readonly backgroundReference?: string | undefined;
  readonly foregroundPrompt?: string | undefined;
  readonly negativePrompt?: string | undefined;
  readonly preserveOriginalSubject?: number | undefined;
  readonly originalBackgroundDepth?: number | undefined;
  readonly keepOriginalBackground?: boolean | undefined;
  readonly lightSourceDirection?: LightDirection | undefined;
  readonly lightReference?: string | undefined;
  readonly lightSourceStrength?: number | undefined;
}

/** @throws BAD_USER_INPUT for what is valid for nobody; what depends on the picture is a refusal. */
export function canonicalEdit(image: string | null, input: EditInput): EditRequest {
  const [kind, ...others] = EDIT_KINDS.filter((each) => input[each] !== undefined);
  const given = kind && input[kind];
  if (!given || others.length > 0)
    throw badInput('edit', [kind, ...others].filter(Boolean), 'exactly one kind of edit');
  const { outputFormat = 'PNG' } = given;
  if (kind === 'removeBackground' && outputFormat === 'JPEG')
    throw badInput('outputFormat', outputFormat, 'PNG or WEBP, because JPEG cannot be transparent');
  return {
    operation: 'EDIT',
    image,
    edit: EDITS[kind](input),
    seed: 'seed' in given ? checkedSeed(given.seed) : null,
    outputFormat,
  };
}

type Reader = (input: EditInput) => Edit;

/** Reads the kind that is given; the others are absent, which the caller has made sure of. */
function reader<K extends EditKind>(kind: K, read: (given: NonNullable<EditInput[K]>) => Edit): Reader {
  return (input) => {
    const given = input[kind];
    if (given === undefined) throw new Error(`there is no ${kind} to read`);
    return read(given);
  };
}

const EDITS: Record<EditKind, Reader> = {
  removeBackground: reader('removeBackground', () => ({ kind: 'removeBackground' })),
  erase: reader('erase', ({ mask, growMask }) => ({
    kind: 'erase',
    mask: mask ?? null,
    growMask: grownBy('erase', growMask),
  })),
  inpaint: reader('inpaint', ({ prompt, mask, growMask, ...words }) => ({
    kind: 'inpaint',
    prompt: checkedText('prompt', prompt),
    ...wordsOf(words),
    mask: mask ?? null,
    growMask: grownBy('inpaint', growMask),
  })),
  outpaint: reader('outpaint', ({ creativity = OUTPAINT_CREATIVITY, prompt, stylePreset, ...margins }) => ({
    kind: 'outpaint',
    ...checkedMargins(margins),
    creativity: checkedNumber('creativity', creativity, FRACTION),
    prompt: optionalText('prompt', prompt),
    stylePreset: checkedStyle(stylePreset) ?? null,
  })),
  searchReplace: reader('searchReplace', ({ searchPrompt, prompt, growMask, ...words }) => ({
    kind: 'searchReplace',
    searchPrompt: checkedText('searchPrompt', searchPrompt),
    prompt: checkedText('prompt', prompt),
    ...wordsOf(words),
    growMask: grownBy('searchReplace', growMask),
  })),
  searchRecolor: reader('searchRecolor', ({ selectPrompt, prompt, growMask, ...words }) => ({
    kind: 'searchRecolor',
    selectPrompt: checkedText('selectPrompt', selectPrompt),
    prompt: checkedText('prompt', prompt),
    ...wordsOf(words),
    growMask: grownBy('searchRecolor', growMask),
  })),
  relight: reader('relight', canonicalRelight),
  general: reader('general', ({ prompt }) => ({ kind: 'general', prompt: checkedText('prompt', prompt) })),
};

function wordsOf({ negativePrompt, stylePreset }: Worded) {
  return {
    negativePrompt: optionalText('negativePrompt', negativePrompt),
    stylePreset: checkedStyle(stylePreset) ?? null,
  };
}

function grownBy(kind: keyof typeof GROW_MASK, growMask: number | undefined): number {
  const range = GROW_MASK[kind];
  return growMask === undefined ? range.fallback : checkedWhole('growMask', growMask, range);
}

function checkedMargins({
  left = 0,
  right = 0,
  up = 0,
  down = 0,
}: Partial<Record<keyof Margins, number | undefined>>): Margins {
  const margins = {
    left: checkedWhole('left', left, MARGIN),
    right: checkedWhole('right', right, MARGIN),
    up: checkedWhole('up', up, MARGIN),
    down: checkedWhole('down', down, MARGIN),
  };
  if (left + right + up + down === 0) throw badInput('outpaint', margins, 'given at least one margin above 0');
  return margins;
}

function canonicalRelight(input: RelightInput): Edit {
  const { backgroundReference = null, lightSourceDirection = null, lightReference = null } = input;
  const backgroundPrompt = optionalText('backgroundPrompt', input.backgroundPrompt);
  if (backgroundPrompt === null && backgroundReference === null)
    throw badInput('backgroundPrompt', null, 'given, or else a backgroundReference');
  const hasLight = lightSourceDirection !== null || lightReference !== null;
  if (!hasLight && input.lightSourceStrength !== undefined)
    throw badInput(
      'lightSourceStrength',
      input.lightSourceStrength,
      'left out where neither a lightSourceDirection nor a lightReference is given',
    );
  const fraction = (field: keyof typeof RELIGHT) => checkedNumber(field, input[field] ?? RELIGHT[field], FRACTION);
  return {
    kind: 'relight',
    backgroundPrompt,
    backgroundReference,
    foregroundPrompt: optionalText('foregroundPrompt', input.foregroundPrompt),
    negativePrompt: optionalText('negativePrompt', input.negativePrompt),
    preserveOriginalSubject: fraction('preserveOriginalSubject'),
    originalBackgroundDepth: fraction('originalBackgroundDepth'),
    keepOriginalBackground: input.keepOriginalBackground ?? false,
    lightSourceDirection,
    lightReference,
    lightSourceStrength: hasLight ? fraction('lightSourceStrength') : null,
  };
}
