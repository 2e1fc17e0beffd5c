import { badInput } from '../errors.ts';
import { checkedNumber, checkedSeed, checkedStyle, optionalText } from './fields.ts';
import type { UpscaleMode, UpscalePreset } from './operations.ts';
import type { OutputFormat } from './output-formats.ts';
import { pixelsOf, type Size } from './sizes.ts';
import type { StylePreset } from './style-presets.ts';
import { UPSCALE_MODELS, type UpscaleModel } from './upscale-models.ts';

/** The longer side, in pixels, that a preset brings the result to. */
export const PRESET_SIDES: Readonly<Record<UpscalePreset, number>> = { WEB: 2048, PRINT: 3072, SOCIAL: 1080 };

/** How far the model may go from the picture. */
export const UPSCALE_CREATIVITY = {
  CONSERVATIVE: { min: 0.2, max: 0.5, fallback: 0.35 },
  CREATIVE: { min: 0.1, max: 0.5, fallback: 0.3 },
} as const;

/** Two of the modes want words; who gives none means the picture as it is. */
const PROMPT = 'the same picture, sharp and detailed';

export interface UpscaleInput {
  readonly mode: UpscaleMode;
  readonly preset?: UpscalePreset | undefined;
  readonly prompt?: string | undefined;
  readonly negativePrompt?: string | undefined;
  readonly creativity?: number | undefined;
  readonly stylePreset?: string | undefined;
  readonly seed?: number | undefined;
  readonly outputFormat?: OutputFormat | undefined;
}

/** What is told to a mode that draws with words. */
export interface UpscaleWords {
  readonly prompt: string;
  readonly negativePrompt: string | null;
  readonly creativity: number;
  readonly stylePreset: StylePreset | null;
  readonly seed: number | null;
}

/** The same wish in canonical form: inputs that mean the same picture are equal here. */
export interface UpscaleRequest {
  readonly operation: 'UPSCALE';
  /** The asset that is enlarged; null where it is not known yet, or comes from an earlier step. */
  readonly image: string | null;
  readonly mode: UpscaleMode;
  readonly preset: UpscalePreset | null;
  /** Null for FAST, which takes none. */
  readonly words: UpscaleWords | null;
  readonly outputFormat: OutputFormat;
}

/** @throws BAD_USER_INPUT for what is valid for nobody; what depends on the picture is a refusal. */
export function canonicalUpscale(image: string | null, input: UpscaleInput): UpscaleRequest {
  const { mode, preset = null, outputFormat = 'PNG', ...words } = input;
  return {
    operation: 'UPSCALE',
    image,
    mode,
    preset,
    words: mode === 'FAST' ? noWords(words) : wordsOf(mode, words),
    outputFormat,
  };
}

type GivenWords = Omit<UpscaleInput, 'mode' | 'preset' | 'outputFormat'>;

function noWords(words: GivenWords): null {
  for (const [field, value] of Object.entries(words))
    if (value !== undefined) throw badInput(field, value, 'left out for FAST, which takes none');
  return null;
}

function wordsOf(mode: 'CONSERVATIVE' | 'CREATIVE', words: GivenWords): UpscaleWords {
  const range = UPSCALE_CREATIVITY[mode];
  if (mode === 'CONSERVATIVE' && words.stylePreset !== undefined)
    throw badInput('stylePreset', words.stylePreset, 'left out for CONSERVATIVE, which keeps the style of the picture');
  return {
    prompt: optionalText('prompt', words.prompt) ?? PROMPT,
    negativePrompt: optionalText('negativePrompt', words.negativePrompt),
    creativity: checkedNumber('creativity', words.creativity ?? range.fallback, range),
    stylePreset: checkedStyle(words.stylePreset) ?? null,
    seed: checkedSeed(words.seed),
  };
}

export function upscaleModel(mode: UpscaleMode): UpscaleModel {
  const model = UPSCALE_MODELS.find((each) => each.mode === mode);
  if (!model) throw new Error(`no model upscales in the mode ${mode}`);
  return model;
}

/**
 * The exact size that an upscale makes of a picture: the preset's, though that is less than the picture, or else what the
 * mode makes, which is never less.
 */
export function upscaledSize({ mode, preset }: Pick<UpscaleRequest, 'mode' | 'preset'>, source: Size): Size {
  if (preset !== null) {
    const factor = PRESET_SIDES[preset] / Math.max(source.width, source.height);
    const scaled = (side: number) => Math.max(1, Math.round(side * factor));
    return { width: scaled(source.width), height: scaled(source.height) };
  }
  const enlarged = upscaleModel(mode).enlarged(source);
  return pixelsOf(enlarged) < pixelsOf(source) ? { width: source.width, height: source.height } : enlarged;
}
