import { ENLARGEMENT_MAX } from '../assets/pictures.ts';
import type { Size } from '../catalog/sizes.ts';
import type { Interest } from './interest.ts';
import type { Crop, FocalPoint } from './optimize-request.ts';
import { type SocialFormat, safeArea } from './social-formats.ts';

/** A part of a picture, in whole pixels from its top left corner. */
export interface CropWindow extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * How many times a side a picture has to be enlarged; less than 1 for one that is reduced. FIT shows the whole picture
 * inside the format and so needs less of it than a crop, which has to cover the format.
 */
export function enlargementFor(source: Size, format: Size, crop: Crop): number {
  const [across, down] = [format.width / source.width, format.height / source.height];
  return crop === 'FIT' ? Math.min(across, down) : Math.max(across, down);
}

/** Whether that is more than {@link ENLARGEMENT_MAX}. */
export function isTooSmallFor(source: Size, format: Size, crop: Crop): boolean {
  return enlargementFor(source, format, crop) > ENLARGEMENT_MAX;
}

/** The largest part of the picture that has the format's ratio, with `point` in its middle as far as the picture reaches. */
export function windowAround(source: Size, format: Size, point: FocalPoint): CropWindow {
  const size = windowSize(source, format);
  return {
    ...size,
    left: within(Math.round(point.x * source.width - size.width / 2), source.width - size.width),
    top: within(Math.round(point.y * source.height - size.height / 2), source.height - size.height),
  };
}

/** The same, where it holds most of what draws the eye, and that as near the middle of the format's safe area as can be. */
export function windowOfInterest(source: Size, format: SocialFormat, { columns, rows }: Interest): CropWindow {
  const size = windowSize(source, format);
  const safe = safeArea(format);
  const alongWidth = { side: source.width, span: size.width, middle: (safe.x + safe.width / 2) / format.width };
  const alongHeight = { side: source.height, span: size.height, middle: (safe.y + safe.height / 2) / format.height };
  return { ...size, left: bestOffset(columns, alongWidth), top: bestOffset(rows, alongHeight) };
}

function windowSize(source: Size, format: Size): Size {
  const scale = Math.min(source.width / format.width, source.height / format.height);
  return { width: Math.round(format.width * scale), height: Math.round(format.height * scale) };
}

interface Axis {
  /** Pixels of the picture, and of the window in it. */
  readonly side: number;
  readonly span: number;
  /** Where in the window what matters should be, as a fraction of it. */
  readonly middle: number;
}

/** What stands at the window's farther edge counts this much less than what stands in the middle. */
const EDGE_LOSS = 0.7;
/** How much a window at the end of its way must gain on the one in the centre: so little that only ties are decided. */
const CENTRE_BIAS = 0.04;

/** Tries the centre, and each line in the place where what matters should be, as far as the picture reaches. */
function bestOffset(interest: Float64Array, axis: Axis): number {
  const { side, span, middle } = axis;
  const slack = side - span;
  if (slack === 0) return 0;
  const centre = Math.round(slack / 2);
  const lines = Array.from(interest, (_, line) => Math.round(((line + 0.5) / interest.length) * side - middle * span));
  let best = { offset: centre, score: 0 };
  for (const offset of [centre, ...lines.map((line) => within(line, slack))]) {
    const score = scoreAt(interest, offset, axis) * (1 - (CENTRE_BIAS * Math.abs(offset - centre)) / slack);
    if (score > best.score) best = { offset, score };
  }
  return best.offset;
}

function scoreAt(interest: Float64Array, offset: number, { side, span, middle }: Axis): number {
  const linesAPixel = interest.length / side;
  const reach = Math.max(middle, 1 - middle);
  let score = 0;
  for (let line = Math.floor(offset * linesAPixel); line < (offset + span) * linesAPixel; line++) {
    const place = ((line + 0.5) / linesAPixel - offset) / span;
    if (place >= 0 && place <= 1) score += (interest[line] ?? 0) * (1 - EDGE_LOSS * ((place - middle) / reach) ** 2);
  }
  return score;
}

function within(offset: number, offsetMax: number): number {
  return Math.max(0, Math.min(offset, offsetMax));
}
