import type { Quality } from './operations.ts';
import {
  FLASH_LITE_RENDERS,
  FLUX_RENDERS,
  geminiRenders,
  IDEOGRAM_RENDERS,
  IMAGEN_RENDERS,
  type Renders,
  ratiosWithin,
} from './renders.ts';

export const PROVIDER_NAMES = ['stability', 'wavespeed', 'huggingface', 'gemini'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

export const PROVIDER_TITLES: Record<ProviderName, string> = {
  stability: 'Stability AI',
  wavespeed: 'WaveSpeed',
  huggingface: 'HuggingFace',
  gemini: 'Google Gemini',
};

/** One address through which a model of a provider can be reached. */
export interface Host {
  readonly name: string;
  readonly vendorModel: string;
  /** How long one picture usually takes, submit to bytes. */
  readonly expectedSeconds: number;
}

/** What is known of every model, whatever it does. */
export interface Model {
  /** `provider/name`: the id in the price book and in the schema. */
  readonly id: string;
  readonly provider: ProviderName;
  readonly name: string;
  readonly title: string;
  /** The sizes that it draws; null where the size of what it makes follows from the picture that it works on. */
  readonly renders: Renders | null;
  /** Highest seed the vendor takes, or null where it takes none. */
  readonly seedMax: number | null;
  readonly negativePrompt: boolean;
  /** Whether the vendor has a field for our style presets; otherwise they become prompt text. */
  readonly stylePresetField: boolean;
  readonly hosts: readonly Host[];
  /** Shut down by its vendor; it can still be had where one of its hosts is set up, which then is a matter of settings. */
  readonly retired?: { readonly since: string; readonly replacedBy: string };
}

/** A model that draws pictures from words. */
export interface GenerateModel extends Model {
  readonly quality: Quality;
  readonly renders: Renders;
}

function stability(
  name: string,
  title: string,
  quality: Quality,
  vendorModel: string,
  expectedSeconds: number,
  options: { pixelsMax?: number; negativePrompt?: boolean } = {},
): GenerateModel {
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

function ideogram(name: string, title: string, quality: Quality, expectedSeconds: number): GenerateModel {
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

function flux(name: string, title: string, quality: Quality, hosts: readonly Host[]): GenerateModel {
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

function gemini(
  name: string,
  title: string,
  quality: Quality,
  vendorModel: string,
  expectedSeconds: number,
  renders: Renders,
): GenerateModel {
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
  };
}

const CORE_PIXELS = 1_572_864;

/** Every model that draws from words. Adding one: a row here, a price in the price book, and the adapter if its host is new. */
export const MODELS: readonly GenerateModel[] = [
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
  gemini('flash-lite', 'Gemini 3.1 Flash Lite Image', 'DRAFT', 'gemini-3.1-flash-lite-image', 5, FLASH_LITE_RENDERS),
  gemini('pro', 'Gemini 3 Pro Image', 'PREMIUM', 'gemini-3-pro-image', 20, geminiRenders(['1K', '2K', '4K'])),
  {
    id: 'gemini/imagen-4',
    provider: 'gemini',
    name: 'imagen-4',
    title: 'Imagen 4',
    quality: 'STANDARD',
    renders: IMAGEN_RENDERS,
    seedMax: null,
    negativePrompt: false,
    stylePresetField: false,
    hosts: [{ name: 'vertex', vendorModel: 'imagen-4.0-generate-001', expectedSeconds: 10 }],
    retired: { since: '2026-08-17', replacedBy: 'gemini/nano-banana' },
  },
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
export function findModel(idOrName: string): GenerateModel | undefined {
  return byId.get(idOrName) ?? byName.get(idOrName);
}

/** A model at one of its hosts: what an image is dispatched to. */
export interface Route<M extends Model = Model> {
  /** `provider/name`, with `@host` where a model has more than one. */
  readonly id: string;
  readonly model: M;
  readonly host: Host;
}

export function routesOf<M extends Model>(model: M): Route<M>[] {
  return model.hosts.map((host) => ({
    id: model.hosts.length > 1 ? `${model.id}@${host.name}` : model.id,
    model,
    host,
  }));
}
