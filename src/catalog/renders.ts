import type { Size } from './sizes.ts';

/** One picture size that a vendor draws, and the words the vendor knows it by. Sizes are nominal: results are measured. */
export interface FixedRender extends Size {
  readonly aspectRatio: string;
  /** Google's models only: `1K`, `2K` or `4K`. */
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

const RATIOS_STABILITY = ['21:9', '16:9', '3:2', '5:4', '1:1', '4:5', '2:3', '9:16', '9:21'] as const;

/**
 * Stability publishes ratios and a pixel budget, not exact sizes. Nominal size: the ratio within the budget, sides
 * rounded down to multiples of 64 (16 for the two extreme ratios).
 */
export function ratiosWithin(pixelsMax: number): FixedRender[] {
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

/** The five ratios that WaveSpeed lists for Ideogram. */
export const IDEOGRAM_RENDERS: Renders = {
  kind: 'fixed',
  sizes: [
    { aspectRatio: '1:1', width: 1024, height: 1024 },
    { aspectRatio: '16:9', width: 1312, height: 736 },
    { aspectRatio: '9:16', width: 736, height: 1312 },
    { aspectRatio: '4:3', width: 1152, height: 864 },
    { aspectRatio: '3:4', width: 864, height: 1152 },
  ],
};

/** FLUX.1 draws sides of 256-1440 in steps of 32, up to two megapixels (Black Forest Labs, model cards). */
export const FLUX_RENDERS: Renders = {
  kind: 'free',
  sideMin: 256,
  sideMax: 1440,
  multipleOf: 32,
  pixelsMax: 2_097_152,
};

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

/** The same ratios at each resolution, such as `2K`: so many times the sides of 1K. */
function atResolutions(sizesAt1K: readonly FixedRender[], resolutions: readonly string[]): FixedRender[] {
  return resolutions.flatMap((imageSize) => {
    const scale = Number.parseInt(imageSize, 10);
    return sizesAt1K.map(({ aspectRatio, width, height }) => ({
      aspectRatio,
      width: width * scale,
      height: height * scale,
      imageSize,
    }));
  });
}

/** Draws 1K alone, and refuses to be told so. */
export const FLASH_LITE_RENDERS: Renders = { kind: 'fixed', sizes: GEMINI_1K };

export function geminiRenders(resolutions: readonly string[]): Renders {
  return { kind: 'fixed', sizes: atResolutions(GEMINI_1K, resolutions) };
}

/** Vertex AI, Imagen 4: supported ratios and resolutions. */
const IMAGEN_1K: readonly FixedRender[] = [
  { aspectRatio: '1:1', width: 1024, height: 1024 },
  { aspectRatio: '3:4', width: 896, height: 1280 },
  { aspectRatio: '4:3', width: 1280, height: 896 },
  { aspectRatio: '9:16', width: 768, height: 1408 },
  { aspectRatio: '16:9', width: 1408, height: 768 },
];
export const IMAGEN_RENDERS: Renders = { kind: 'fixed', sizes: atResolutions(IMAGEN_1K, ['1K', '2K']) };
