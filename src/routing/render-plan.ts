import type { FixedRender, Renders } from '../catalog/renders.ts';
import { pixelsOf, type Size } from '../catalog/sizes.ts';

/** The most that a picture may be enlarged by us, per side, before it would look like less than what was paid for. */
export const ENLARGEMENT_MAX = 2;

/** What a vendor is asked to draw so that the exact size can be cut from it. */
export interface RenderPlan {
  readonly render: Size & { readonly aspectRatio: string | null; readonly imageSize: string | null };
  /** How much we enlarge the render, per side, to cover the asked size; 1 when it covers by itself. */
  readonly enlargement: number;
}

/**
 * Chooses the render for an exact size: one that covers it, of the nearest ratio and then the smallest; else the
 * largest of the nearest ratio that need not be enlarged by more than {@link ENLARGEMENT_MAX}; null when there is none.
 */
export function planRender(renders: Renders, size: Size): RenderPlan | null {
  const render = renders.kind === 'fixed' ? nearestFixed(renders.sizes, size) : nearestFree(renders, size);
  if (render === null) return null;
  const enlargement = enlargementOf(render, size);
  return enlargement <= ENLARGEMENT_MAX ? { render, enlargement } : null;
}

function enlargementOf(render: Size, size: Size): number {
  return Math.max(1, size.width / render.width, size.height / render.height);
}

function nearestFixed(sizes: readonly FixedRender[], size: Size): RenderPlan['render'] | null {
  const covering = sizes.filter((render) => enlargementOf(render, size) === 1);
  const byPixels = (a: Size, b: Size) => (covering.length > 0 ? pixelsOf(a) - pixelsOf(b) : pixelsOf(b) - pixelsOf(a));
  const usable =
    covering.length > 0 ? covering : sizes.filter((render) => enlargementOf(render, size) <= ENLARGEMENT_MAX);
  const [best] = usable.sort((a, b) => ratioDistance(a, size) - ratioDistance(b, size) || byPixels(a, b));
  return best
    ? { width: best.width, height: best.height, aspectRatio: best.aspectRatio, imageSize: best.imageSize ?? null }
    : null;
}

/** How far apart two ratios are, the same for wide and tall; rounded so that equal ratios in whole pixels tie. */
function ratioDistance(a: Size, b: Size): number {
  return Math.round(Math.abs(Math.log((a.width * b.height) / (a.height * b.width))) * 100);
}

type FreeRenders = Extract<Renders, { kind: 'free' }>;

/** Multiplying by a quotient can fall just beside the whole number that is meant. */
const ROUNDING = 1e-6;

/** The size itself within the bounds, else the largest of its ratio; to whole steps, upwards where the pixels allow. */
function nearestFree({ sideMin, sideMax, multipleOf, pixelsMax }: FreeRenders, size: Size): RenderPlan['render'] {
  const grown = Math.max(1, sideMin / size.width, sideMin / size.height);
  const shrunk = Math.min(sideMax / size.width, sideMax / size.height, Math.sqrt(pixelsMax / pixelsOf(size)));
  const factor = Math.min(grown, shrunk);
  const within = (steps: number) => Math.min(sideMax, Math.max(sideMin, steps * multipleOf));
  const rounded = (round: (side: number) => number) => ({ width: round(size.width), height: round(size.height) });
  const up = rounded((side) => within(Math.ceil((side * factor) / multipleOf - ROUNDING)));
  const down = rounded((side) => within(Math.floor((side * factor) / multipleOf + ROUNDING)));
  return { ...(pixelsOf(up) <= pixelsMax ? up : down), aspectRatio: null, imageSize: null };
}
