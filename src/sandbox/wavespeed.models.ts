import { type Check, flag, forbidden, oneOf, text, whole } from './checks.ts';
import type { Edit } from './edit.ts';
import type { JsonObject } from './exchange.ts';
import type { PictureFormat } from './pictures.ts';
import { bytesInBase64, type SentPicture, type Size } from './sent.ts';

/** The highest seed that any model takes. */
export const SEED_MAX = 2_147_483_647;
const SIDE_MIN = 256;
const SIDE_MAX = 1536;

/** The pictures that came with an order, by the names of their fields. */
export type Pictures = Readonly<Record<string, SentPicture>>;

/** A model of WaveSpeed, with what it costs, takes and draws. */
export interface Model {
  readonly usd: number;
  readonly seconds: number;
  readonly type: 'text-to-image' | 'image-to-image';
  readonly checks: Readonly<Record<string, Check>>;
  readonly required: readonly string[];
  /** Fields that are the address of a picture, or the picture itself in base64. */
  readonly pictures: readonly string[];
  /** Two fields that are sent together or not at all. */
  readonly inPairs?: readonly string[];
  /** The same inputs as JSON Schema, for whoever reads the catalogue instead of the manual. */
  readonly properties: JsonObject;
  size(input: JsonObject, pictures: Pictures): Size;
  format(input: JsonObject): PictureFormat;
  /** What is done to the pictures that were sent; null where none was, and the picture is drawn from text. */
  edit(pictures: Pictures): Edit | null;
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

const pictureProperty = { type: 'string', description: 'An http or https URL, a data URI, or base64.' };

/** The vendor's limit for one picture. */
export const PICTURE_BYTES_MAX = 20 * 1024 * 1024;

const picture: Check = (value) => {
  if (typeof value !== 'string' || value === '') return 'must be a URL or base64';
  if (isAddress(value) || bytesInBase64(value) <= PICTURE_BYTES_MAX) return null;
  return `must be a picture of at most ${PICTURE_BYTES_MAX} bytes`;
};

/** Whether a picture is given as the address where it can be fetched. */
export function isAddress(value: string): boolean {
  return /^https?:/i.test(value);
}

function ideogram(usd: number, seconds: number): Model {
  return {
    usd,
    seconds,
    type: 'text-to-image',
    checks: {
      prompt: text(1, PROMPT_MAX),
      image: picture,
      mask_image: picture,
      style: oneOf(...STYLES),
      aspect_ratio: oneOf(...IDEOGRAM_SIZES.keys()),
      enable_base64_output: flag,
      reference_images: forbidden('is not supported by this sandbox, which takes no style from pictures'),
    },
    required: ['prompt'],
    pictures: ['image', 'mask_image'],
    inPairs: ['image', 'mask_image'],
    properties: {
      prompt: promptProperty,
      image: pictureProperty,
      mask_image: pictureProperty,
      style: { type: 'string', enum: STYLES, default: 'Auto' },
      aspect_ratio: { type: 'string', enum: [...IDEOGRAM_SIZES.keys()], default: '1:1' },
      enable_base64_output: flagProperty,
    },
    // What is painted into a picture has the size of the picture, whatever ratio is asked for.
    size: ({ aspect_ratio }, { image }) => image ?? IDEOGRAM_SIZES.get(aspect_ratio) ?? { width: 1024, height: 1024 },
    format: () => 'png',
    edit: ({ image, mask_image: mask }) => (image && mask ? { kind: 'inpaint', image, mask, growMask: 0 } : null),
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

/** The size of a picture where no other is asked for: as near to its own as the model can draw. */
function sizeLike({ width, height }: Size): Size {
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
  const side = (length: number) => Math.max(SIDE_MIN, Math.round(length * scale));
  return { width: side(width), height: side(height) };
}

const qwenChecks: Readonly<Record<string, Check>> = {
  size: (size) => (qwenSize(size) ? null : `must be "W*H", each from ${SIDE_MIN} to ${SIDE_MAX}`),
  seed: whole(-1, SEED_MAX),
  output_format: oneOf(...QWEN_FORMATS),
  enable_sync_mode: flag,
  enable_base64_output: flag,
};
const qwenProperties = {
  seed: { type: 'integer', minimum: -1, maximum: SEED_MAX, default: -1 },
  output_format: { type: 'string', enum: QWEN_FORMATS, default: 'jpeg' },
  enable_sync_mode: flagProperty,
  enable_base64_output: flagProperty,
};
const qwen = {
  usd: 0.02,
  seconds: 3,
  format: ({ output_format }: JsonObject) => QWEN_FORMATS.find((each) => each === output_format) ?? 'jpeg',
  synchronousMode: true,
} as const;

/** The models that are served here; every other id is answered as not found. */
export const MODELS: ReadonlyMap<string, Model> = new Map<string, Model>([
  ['ideogram-ai/ideogram-v3-turbo', ideogram(0.03, 10)],
  ['ideogram-ai/ideogram-v3-balanced', ideogram(0.06, 15)],
  ['ideogram-ai/ideogram-v3-quality', ideogram(0.09, 20)],
  [
    'wavespeed-ai/qwen-image/text-to-image',
    {
      ...qwen,
      type: 'text-to-image',
      checks: { prompt: text(1, PROMPT_MAX), ...qwenChecks },
      required: ['prompt'],
      pictures: [],
      properties: { prompt: promptProperty, size: { type: 'string', default: '1024*1024' }, ...qwenProperties },
      size: ({ size }) => qwenSize(size) ?? { width: 1024, height: 1024 },
      edit: () => null,
    },
  ],
  [
    'wavespeed-ai/qwen-image/edit',
    {
      ...qwen,
      type: 'image-to-image',
      checks: { prompt: text(1, PROMPT_MAX), image: picture, ...qwenChecks },
      required: ['prompt', 'image'],
      pictures: ['image'],
      properties: { prompt: promptProperty, image: pictureProperty, size: { type: 'string' }, ...qwenProperties },
      size: ({ size }, { image }) => qwenSize(size) ?? sizeLike(image ?? { width: 1024, height: 1024 }),
      edit: ({ image }) => (image ? { kind: 'general', image } : null),
    },
  ],
]);
