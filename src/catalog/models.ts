import type { Quality } from './operations.ts';
import type { Size } from './sizes.ts';

export const PROVIDER_NAMES = ['stability', 'wavespeed', 'huggingface', 'gemini'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

export const PROVIDER_TITLES: Record<ProviderName, string> = {
  stability: 'Stability AI',
  wavespeed: 'WaveSpeed',
  huggingface: 'HuggingFace',
  gemini: 'Google Gemini',
};

/** One picture size that a vendor draws, and the words the vendor knows it by. Sizes are nominal: results are measured. */
export interface FixedRender extends Size {
  readonly aspectRatio: string;
  /** Gemini only: `1K`, `2K` or `4K`. */
  readonly imageSize?: string;
}

/** What sizes a model draws: a list, or any size within bounds. */
export type Renders =
  | { readonly kind: 'fixed'; readonly sizes: readonly FixedRender[] }
  | {
      readonly kind: 'free';
      readonly sideMin: number;
      readonly sideMax: number;
      readonly multipleOf: number;
      readonly pixelsMax: number;
    };

/** One address through which a model of a provider can be reached. */
export interface Host {
  readonly name: string;
  readonly vendorModel: string;
  /** How long one picture usually takes, submit to bytes. */
  readonly expectedSeconds: number;
}

export interface Model {
  /** `provider/name`: the id in the price book and in the schema. */
  readonly id: string;
  readonly provider: ProviderName;
  readonly name: string;
  readonly title: string;
  readonly quality: Quality;
  readonly renders: Renders;
  /** Highest seed the vendor takes, or null where it takes none. */
  readonly seedMax: number | null;
  readonly negativePrompt: boolean;
  /** Whether the vendor has a field for our style presets; otherwise they become prompt text. */
  readonly stylePresetField: boolean;
  readonly hosts: readonly Host[];
  readonly retired?: { readonly since: string; readonly replacedBy: string };
}

const RATIOS_STABILITY = ['21:9', '16:9', '3:2', '5:4', '1:1', '4:5', '2:3', '9:16', '9:21'] as const;

/**
 * Stability publishes ratios and a pixel budget, not exact sizes. Nominal size: the ratio within the budget, sides
 * rounded down to multiples of 64 (16 for the two extreme ratios).
 */
function ratiosWithin(pixelsMax: number): FixedRender[] {
  return RATIOS_STABILITY.map((aspectRatio) => {
    const [w = 1, h = 1] = aspectRatio.split(':').map(Number);
    const step = aspectRatio.includes('21') ? 16 : 64;
    const roundedDown = (side: number) => Math.floor(side / step) * step;
    return {
      aspectRatio,
      width: roundedDown(Math.sqrt((pixelsMax * w) / h)),
      height: roundedDown(Math.sqrt((pixelsMax * h) / w)),
    };
  });
}

function stability(
  name: string,
  title: string,
  quality: Quality,
  vendorModel: string,
  expectedSeconds: number,
  options: { pixelsMax?: number; negativePrompt?: boolean } = {},
): Model {
  return {
    id: `stability/${name}`,
    provider: 'stability',
    name,
    title,
    quality,
    renders: { kind: 'fixed', sizes: ratiosWithin(options.pixelsMax ?? 1_048_576) },
    seedMax: 4_294_967_294,
    negativePrompt: options.negativePrompt ?? true,
    stylePresetField: true,
    hosts: [{ name: 'stability', vendorModel, expectedSeconds }],
  };
}

const IDEOGRAM_RENDERS: Renders = {
  kind: 'fixed',
  sizes: [
    { aspectRatio: '1:1', width: 1024, height: 1024 },
    { aspectRatio: '16:9', width: 1312, height: 736 },
    { aspectRatio: '9:16', width: 736, height: 1312 },
    { aspectRatio: '4:3', width: 1152, height: 864 },
    { aspectRatio: '3:4', width: 864, height: 1152 },
  ],
};

function ideogram(name: string, title: string, quality: Quality, expectedSeconds: number): Model {
  return {
    id: `wavespeed/${name}`,
    provider: 'wavespeed',
    name,
    title,
    quality,
    renders: IDEOGRAM_RENDERS,
    seedMax: null,
    negativePrompt: false,
    stylePresetField: false,
    hosts: [{ name: 'wavespeed', vendorModel: `ideogram-ai/${name}`, expectedSeconds }],
  };
}

/** FLUX.1 draws sides of 256-1440 in steps of 32, up to two megapixels (Black Forest Labs, model cards). */
const FLUX_RENDERS: Renders = { kind: 'free', sideMin: 256, sideMax: 1440, multipleOf: 32, pixelsMax: 2_097_152 };

function flux(name: string, title: string, quality: Quality, hosts: readonly Host[]): Model {
  return {
    id: `huggingface/${name}`,
    provider: 'huggingface',
    name,
    title,
    quality,
    renders: FLUX_RENDERS,
    seedMax: 2_147_483_647,
    negativePrompt: false,
    stylePresetField: false,
    hosts,
  };
}

/** Sizes at 1K as published for the Gemini 3 image models; only 1:1 and 9:16 are confirmed, so results are measured. */
const GEMINI_1K: readonly FixedRender[] = [
  { aspectRatio: '1:1', width: 1024, height: 1024 },
  { aspectRatio: '2:3', width: 848, height: 1264 },
  { aspectRatio: '3:2', width: 1264, height: 848 },
  { aspectRatio: '3:4', width: 896, height: 1200 },
  { aspectRatio: '4:3', width: 1200, height: 896 },
  { aspectRatio: '4:5', width: 928, height: 1152 },
  { aspectRatio: '5:4', width: 1152, height: 928 },
  { aspectRatio: '9:16', width: 768, height: 1376 },
  { aspectRatio: '16:9', width: 1376, height: 768 },
  { aspectRatio: '21:9', width: 1584, height: 672 },
];

function geminiRenders(sizes: readonly string[]): Renders {
  return {
    kind: 'fixed',
    sizes: sizes.flatMap((imageSize) => {
      const scale = Number.parseInt(imageSize, 10);
      return GEMINI_1K.map(({ aspectRatio, width, height }) => ({
        aspectRatio,
        width: width * scale,
        height: height * scale,
        imageSize,
      }));
    }),
  };
}

function gemini(
  name: string,
  title: string,
  quality: Quality,
  vendorModel: string,
  expectedSeconds: number,
  renders: Renders,
  retired?: Model['retired'],
): Model {
  return {
    id: `gemini/${name}`,
    provider: 'gemini',
    name,
    title,
    quality,
    renders,
    seedMax: 2_147_483_647,
    negativePrompt: false,
    stylePresetField: false,
    hosts: [{ name: 'gemini', vendorModel, expectedSeconds }],
    ...(retired && { retired }),
  };
}

const CORE_PIXELS = 1_572_864;

/** Every model of the price table. Adding a model: a row here, a price in the price book, and the adapter if its host is new. */
export const MODELS: readonly Model[] = [
  stability('ultra', 'Stable Image Ultra', 'PREMIUM', 'ultra', 20),
  stability('core', 'Stable Image Core', 'STANDARD', 'core', 8, { pixelsMax: CORE_PIXELS }),
  stability('sd3.5-large', 'Stable Diffusion 3.5 Large', 'PREMIUM', 'sd3.5-large', 12),
  stability('sd3.5-large-turbo', 'Stable Diffusion 3.5 Large Turbo', 'STANDARD', 'sd3.5-large-turbo', 5, {
    negativePrompt: false,
  }),
  stability('sd3.5-medium', 'Stable Diffusion 3.5 Medium', 'STANDARD', 'sd3.5-medium', 8),
  stability('sd3.5-flash', 'Stable Diffusion 3.5 Flash', 'DRAFT', 'sd3.5-flash', 3, { negativePrompt: false }),
  ideogram('ideogram-v3-turbo', 'Ideogram V3 Turbo', 'STANDARD', 10),
  ideogram('ideogram-v3-balanced', 'Ideogram V3 Balanced', 'PREMIUM', 15),
  {
    id: 'wavespeed/qwen-image',
    provider: 'wavespeed',
    name: 'qwen-image',
    title: 'Qwen Image',
    quality: 'DRAFT',
    renders: { kind: 'free', sideMin: 256, sideMax: 1536, multipleOf: 1, pixelsMax: 2_359_296 },
    seedMax: 2_147_483_647,
    negativePrompt: false,
    stylePresetField: false,
    hosts: [{ name: 'wavespeed', vendorModel: 'wavespeed-ai/qwen-image/text-to-image', expectedSeconds: 3 }],
  },
  flux('flux-schnell', 'FLUX.1 Schnell', 'DRAFT', [
    { name: 'hf-inference', vendorModel: 'black-forest-labs/FLUX.1-schnell', expectedSeconds: 5 },
    { name: 'fal-ai', vendorModel: 'fal-ai/flux/schnell', expectedSeconds: 3 },
  ]),
  flux('flux-dev', 'FLUX.1 Dev', 'STANDARD', [{ name: 'fal-ai', vendorModel: 'fal-ai/flux/dev', expectedSeconds: 10 }]),
  flux('flux-krea-dev', 'FLUX.1 Krea Dev', 'STANDARD', [
    { name: 'fal-ai', vendorModel: 'fal-ai/flux/krea', expectedSeconds: 10 },
  ]),
  gemini(
    'nano-banana',
    'Gemini Nano Banana 2.1',
    'STANDARD',
    'gemini-nano-banana-2.1',
    10,
    geminiRenders(['1K', '2K', '4K']),
  ),
  gemini('flash-lite', 'Gemini 3.1 Flash Lite Image', 'DRAFT', 'gemini-3.1-flash-lite-image', 5, {
    kind: 'fixed',
    sizes: GEMINI_1K,
  }),
  gemini('pro', 'Gemini 3 Pro Image', 'PREMIUM', 'gemini-3-pro-image', 20, geminiRenders(['1K', '2K', '4K'])),
  gemini(
    'imagen-4',
    'Imagen 4',
    'STANDARD',
    'imagen-4.0-generate-001',
    10,
    { kind: 'fixed', sizes: GEMINI_1K },
    { since: '2026-08-17', replacedBy: 'gemini/nano-banana' },
  ),
];

/** What a provider named without a model means, by quality; null where it has nothing of that class. */
export const DEFAULT_MODELS: Record<ProviderName, Record<Quality, string | null>> = {
  stability: { DRAFT: 'stability/sd3.5-flash', STANDARD: 'stability/core', PREMIUM: 'stability/ultra' },
  wavespeed: {
    DRAFT: 'wavespeed/qwen-image',
    STANDARD: 'wavespeed/ideogram-v3-turbo',
    PREMIUM: 'wavespeed/ideogram-v3-balanced',
  },
  huggingface: { DRAFT: 'huggingface/flux-schnell', STANDARD: 'huggingface/flux-dev', PREMIUM: null },
  gemini: { DRAFT: 'gemini/flash-lite', STANDARD: 'gemini/nano-banana', PREMIUM: 'gemini/pro' },
};

const byId = new Map(MODELS.map((model) => [model.id, model]));
const byName = new Map(MODELS.map((model) => [model.name, model]));

/** Finds a model by `provider/name`, or by its name alone, which no two models share. */
export function findModel(idOrName: string): Model | undefined {
  return byId.get(idOrName) ?? byName.get(idOrName);
}

/** A model at one of its hosts: what an image is dispatched to. */
export interface Route {
  /** `provider/name`, with `@host` where a model has more than one. */
  readonly id: string;
  readonly model: Model;
  readonly host: Host;
}

export function routesOf(model: Model): Route[] {
  return model.hosts.map((host) => ({
    id: model.hosts.length > 1 ? `${model.id}@${host.name}` : model.id,
    model,
    host,
  }));
}

const routesById = new Map(MODELS.flatMap(routesOf).map((route) => [route.id, route]));

export function findRoute(id: string): Route | undefined {
  return routesById.get(id);
}

export const ROUTES: readonly Route[] = [...routesById.values()];
