import { STABILITY_BYTES_MAX, STABILITY_SOURCE } from './edit-models.ts';
import type { Model } from './models.ts';
import type { UpscaleMode } from './operations.ts';
import { pixelsOf, type Size } from './sizes.ts';
import type { SourceLimits } from './sources.ts';

/** A model that enlarges pictures. */
export interface UpscaleModel extends Model {
  readonly mode: UpscaleMode;
  readonly source: SourceLimits;
  /** The nominal size of what comes back; results are measured. */
  enlarged(source: Size): Size;
}

const FAST_FACTOR = 4;
/** Stability calls it 4K; the reference says four megapixels. */
const PIXELS_4K = 4_194_304;

function to4Megapixels(source: Size): Size {
  const factor = Math.sqrt(PIXELS_4K / pixelsOf(source));
  return { width: Math.round(source.width * factor), height: Math.round(source.height * factor) };
}

function stability(
  mode: UpscaleMode,
  vendorModel: string,
  expectedSeconds: number,
  source: SourceLimits,
  abilities: Pick<UpscaleModel, 'seedMax' | 'negativePrompt' | 'stylePresetField' | 'enlarged'>,
): UpscaleModel {
  return {
    id: `stability/upscale-${vendorModel}`,
    provider: 'stability',
    name: `upscale-${vendorModel}`,
    title: `Stable Image Upscale ${vendorModel[0]?.toUpperCase()}${vendorModel.slice(1)}`,
    mode,
    source,
    renders: null,
    hosts: [{ name: 'stability', vendorModel, expectedSeconds }],
    ...abilities,
  };
}

/** Limits of sources: Stability, REST v2beta reference. */
export const UPSCALE_MODELS: readonly UpscaleModel[] = [
  stability(
    'FAST',
    'fast',
    2,
    {
      sideMin: 32,
      sideMax: 1_536,
      pixelsMin: 1_024,
      pixelsMax: 1_048_576,
      ratioMax: Number.POSITIVE_INFINITY,
      bytesMax: STABILITY_BYTES_MAX,
    },
    {
      seedMax: null,
      negativePrompt: false,
      stylePresetField: false,
      enlarged: ({ width, height }) => ({ width: width * FAST_FACTOR, height: height * FAST_FACTOR }),
    },
  ),
  stability('CONSERVATIVE', 'conservative', 20, STABILITY_SOURCE, {
    seedMax: 4_294_967_294,
    negativePrompt: true,
    stylePresetField: false,
    enlarged: to4Megapixels,
  }),
  stability(
    'CREATIVE',
    'creative',
    40,
    { ...STABILITY_SOURCE, pixelsMax: 1_048_576, ratioMax: Number.POSITIVE_INFINITY },
    { seedMax: 4_294_967_294, negativePrompt: true, stylePresetField: true, enlarged: to4Megapixels },
  ),
];
