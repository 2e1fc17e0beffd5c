import { type Check, flag, number, oneOf, text, whole } from './checks.ts';
import { isObject, type JsonObject } from './exchange.ts';
import { inFluxBlocks } from './huggingface.router.ts';
import type { Size } from './sent.ts';

/** The highest seed. */
export const SEED_MAX = 2_147_483_647;

/** One model of fal's that is served here. */
export interface FalModel {
  /** The part of its name that stays when its jobs are asked for. */
  readonly app: string;
  readonly seconds: number;
  readonly checks: Readonly<Record<string, Check>>;
  readonly required: readonly string[];
  /** Whether it works on the picture that `image_url` leads to. */
  readonly editsPicture: boolean;
  size(input: JsonObject, picture: Size | null): Size;
}

const PRESETS = new Map<unknown, Size>([
  ['square_hd', { width: 1024, height: 1024 }],
  ['square', { width: 512, height: 512 }],
  ['portrait_4_3', { width: 768, height: 1024 }],
  ['portrait_16_9', { width: 576, height: 1024 }],
  ['landscape_4_3', { width: 1024, height: 768 }],
  ['landscape_16_9', { width: 1024, height: 576 }],
]);
const DEFAULT_SIZE = { width: 1024, height: 768 };

const side = whole(64, 2048);
const imageSize: Check = (value) => {
  if (PRESETS.has(value)) return null;
  const fits = isObject(value) && side(value.width) === null && side(value.height) === null;
  return fits ? null : `must be {width, height} from 64 to 2048, or one of ${[...PRESETS.keys()].join(', ')}`;
};

const INPUT: Readonly<Record<string, Check>> = {
  prompt: text(1, 10_000),
  num_inference_steps: whole(1, 50),
  guidance_scale: number(1, 20),
  seed: whole(0, SEED_MAX),
  // The model draws up to four at once; the sandbox counts purchases by request, so it insists on one.
  num_images: oneOf(1),
  enable_safety_checker: flag,
  output_format: oneOf('jpeg', 'png'),
};

function askedSize({ image_size: size }: JsonObject): Size {
  const preset = PRESETS.get(size);
  if (preset) return preset;
  if (!isObject(size) || imageSize(size) !== null) return DEFAULT_SIZE;
  return { width: inFluxBlocks(Number(size.width)), height: inFluxBlocks(Number(size.height)) };
}

const drawing = (seconds: number): FalModel => ({
  app: 'fal-ai/flux',
  seconds,
  checks: { ...INPUT, image_size: imageSize },
  required: ['prompt'],
  editsPicture: false,
  size: askedSize,
});

/**
 * The sizes that FLUX.1 Kontext was trained on, which its published pipelines choose from by the ratio of the picture:
 * the shorter side, then the longer.
 */
const KONTEXT_SIDES = [
  [1024, 1024],
  [944, 1104],
  [880, 1184],
  [832, 1248],
  [800, 1328],
  [752, 1392],
  [720, 1456],
  [688, 1504],
  [672, 1568],
] as const;
const KONTEXT_SIZES: readonly Size[] = KONTEXT_SIDES.flatMap(([shorter, longer]) => [
  { width: longer, height: shorter },
  { width: shorter, height: longer },
]);
const RATIOS = ['21:9', '16:9', '4:3', '3:2', '5:4', '1:1', '4:5', '2:3', '3:4', '9:16', '9:21'];

/** About one megapixel, in the ratio that is asked for, or that of the picture where none is. */
function kontextSize({ resolution_mode: mode }: JsonObject, picture: Size | null): Size {
  const [across = 1, down = 1] = RATIOS.includes(String(mode))
    ? String(mode).split(':').map(Number)
    : [picture?.width, picture?.height];
  const apart = ({ width, height }: Size) => Math.abs(Math.log((width / height) * (down / across)));
  return KONTEXT_SIZES.reduce((best, each) => (apart(each) < apart(best) ? each : best));
}

const KONTEXT: FalModel = {
  app: 'fal-ai/flux-kontext',
  seconds: 10,
  checks: {
    ...INPUT,
    image_url: text(1, Number.MAX_SAFE_INTEGER),
    resolution_mode: oneOf('auto', 'match_input', ...RATIOS),
  },
  required: ['prompt', 'image_url'],
  editsPicture: true,
  size: kontextSize,
};

/** The models by their full names; every other name is answered as not found. */
export const FAL_MODELS: ReadonlyMap<string, FalModel> = new Map([
  ['fal-ai/flux/schnell', drawing(3)],
  ['fal-ai/flux/dev', drawing(10)],
  ['fal-ai/flux/krea', drawing(10)],
  ['fal-ai/flux-kontext/dev', KONTEXT],
]);
