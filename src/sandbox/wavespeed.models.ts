import { type Check, flag, forbidden, oneOf, text, whole } from './checks.ts';
import type { JsonObject } from './exchange.ts';
import type { PictureFormat } from './pictures.ts';

/** The highest seed that any model takes. */
export const SEED_MAX = 2_147_483_647;
const SIDE_MIN = 256;
const SIDE_MAX = 1536;

/** A model of WaveSpeed, with what it costs, takes and draws. */
export interface Model {
  readonly usd: number;
  readonly seconds: number;
  readonly checks: Readonly<Record<string, Check>>;
  /** The same inputs as JSON Schema, for whoever reads the catalogue instead of the manual. */
  readonly properties: JsonObject;
  size(input: JsonObject): { width: number; height: number };
  format(input: JsonObject): PictureFormat;
  /** Whether the answer to a submission may be the finished prediction, when asked for. */
  readonly synchronousMode: boolean;
}

const IDEOGRAM_SIZES = new Map<unknown, { width: number; height: number }>([
  ['1:1', { width: 1024, height: 1024 }],
  ['16:9', { width: 1312, height: 736 }],
  ['9:16', { width: 736, height: 1312 }],
  ['4:3', { width: 1152, height: 864 }],
  ['3:4', { width: 864, height: 1152 }],
]);

const PROMPT_MAX = 10_000;
const STYLES = ['Auto', 'General', 'Realistic', 'Design'];
const promptProperty = { type: 'string', minLength: 1, maxLength: PROMPT_MAX };
const flagProperty = { type: 'boolean', default: false };

const NOT_FROM_PICTURES = forbidden('is not supported by this sandbox, which draws from text alone');

function ideogram(usd: number, seconds: number): Model {
  return {
    usd,
    seconds,
    checks: {
      prompt: text(1, PROMPT_MAX),
      style: oneOf(...STYLES),
      aspect_ratio: oneOf(...IDEOGRAM_SIZES.keys()),
      enable_base64_output: flag,
      image: NOT_FROM_PICTURES,
      mask_image: NOT_FROM_PICTURES,
      reference_images: NOT_FROM_PICTURES,
    },
    properties: {
      prompt: promptProperty,
      style: { type: 'string', enum: STYLES, default: 'Auto' },
      aspect_ratio: { type: 'string', enum: [...IDEOGRAM_SIZES.keys()], default: '1:1' },
      enable_base64_output: flagProperty,
    },
    size: ({ aspect_ratio }) => IDEOGRAM_SIZES.get(aspect_ratio) ?? { width: 1024, height: 1024 },
    format: () => 'png',
    synchronousMode: false,
  };
}

function qwenSize(size: unknown): { width: number; height: number } | null {
  const sides = typeof size === 'string' ? /^(\d{1,5})\*(\d{1,5})$/.exec(size) : null;
  const [width = 0, height = 0] = sides?.slice(1).map(Number) ?? [];
  const fits = [width, height].every((side) => side >= SIDE_MIN && side <= SIDE_MAX);
  return fits ? { width, height } : null;
}

const QWEN_FORMATS: readonly PictureFormat[] = ['jpeg', 'png', 'webp'];

/** The models that make pictures from text; every other id is answered as not found. */
export const MODELS: ReadonlyMap<string, Model> = new Map([
  ['ideogram-ai/ideogram-v3-turbo', ideogram(0.03, 10)],
  ['ideogram-ai/ideogram-v3-balanced', ideogram(0.06, 15)],
  ['ideogram-ai/ideogram-v3-quality', ideogram(0.09, 20)],
  [
    'wavespeed-ai/qwen-image/text-to-image',
    {
      usd: 0.02,
      seconds: 3,
      checks: {
        prompt: text(1, PROMPT_MAX),
        size: (size) => (qwenSize(size) ? null : `must be "W*H", each from ${SIDE_MIN} to ${SIDE_MAX}`),
        seed: whole(-1, SEED_MAX),
        output_format: oneOf(...QWEN_FORMATS),
        enable_sync_mode: flag,
        enable_base64_output: flag,
      },
      properties: {
        prompt: promptProperty,
        size: { type: 'string', default: '1024*1024' },
        seed: { type: 'integer', minimum: -1, maximum: SEED_MAX, default: -1 },
        output_format: { type: 'string', enum: QWEN_FORMATS, default: 'jpeg' },
        enable_sync_mode: flagProperty,
        enable_base64_output: flagProperty,
      },
      size: ({ size }) => qwenSize(size) ?? { width: 1024, height: 1024 },
      format: ({ output_format }) => QWEN_FORMATS.find((each) => each === output_format) ?? 'jpeg',
      synchronousMode: true,
    },
  ],
]);
