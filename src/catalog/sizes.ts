import { badInput } from '../errors.ts';

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export const SIDE_MIN = 64;
export const SIDE_MAX = 4096;
/** Pixels of the picture made when nothing about its size is said, or only its ratio. */
export const DEFAULT_PIXELS = 1_048_576;

/** Price classes by pixel count; an unknown size counts as M. */
export const SIZE_CLASSES = ['S', 'M', 'L'] as const;
export type SizeClass = (typeof SIZE_CLASSES)[number];
export const S_PIXELS_MAX = 524_288;
export const M_PIXELS_MAX = 1_572_864;
export const GENERATE_PIXELS_MAX = 4_194_304;
/** Pixels of the largest picture that is kept; the largest that an upscale makes by itself has 16.8 million. */
export const OUTPUT_PIXELS_MAX = 40_000_000;

export function pixelsOf(size: Size): number {
  return size.width * size.height;
}

export function sizeClassOf(size: Size | null): SizeClass {
  if (size === null) return 'M';
  const pixels = pixelsOf(size);
  if (pixels <= S_PIXELS_MAX) return 'S';
  return pixels <= M_PIXELS_MAX ? 'M' : 'L';
}

export function formatSize(size: Size): string {
  return `${size.width}x${size.height}`;
}

const RATIO = /^(\d{1,4}(?:\.\d{1,4})?):(\d{1,4}(?:\.\d{1,4})?)$/;

/** Width divided by height of a ratio written as `16:9` or `1.91:1`; between 1:8 and 8:1. */
export function parseRatio(aspectRatio: string): number {
  const match = RATIO.exec(aspectRatio);
  const ratio = match ? Number(match[1]) / Number(match[2]) : Number.NaN;
  if (!(ratio >= 1 / 8 && ratio <= 8)) {
    throw badInput(
      'aspectRatio',
      aspectRatio,
      'a ratio of two positive numbers between 1:8 and 8:1, such as "16:9" or "1.91:1"',
    );
  }
  return ratio;
}

function checkedSide(field: 'width' | 'height', side: number): number {
  if (!Number.isInteger(side) || side < SIDE_MIN || side > SIDE_MAX) {
    throw badInput(field, side, `a whole number of pixels from ${SIDE_MIN} to ${SIDE_MAX}`);
  }
  return side;
}

export interface SizeWish {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly aspectRatio?: string | undefined;
}

/**
 * The exact size that is meant: both sides as given; one side with a ratio; a ratio alone at about
 * {@link DEFAULT_PIXELS} with sides that are multiples of 8; otherwise `fallback`.
 * @throws BAD_USER_INPUT for a side out of range, a ratio beside both sides, or one side without a ratio.
 */
export function resolveSize(wish: SizeWish, fallback: Size): Size {
  const { width, height, aspectRatio } = wish;
  if (width !== undefined) checkedSide('width', width);
  if (height !== undefined) checkedSide('height', height);
  if (width !== undefined && height !== undefined) {
    if (aspectRatio !== undefined) {
      throw badInput(
        'aspectRatio',
        aspectRatio,
        'left out when both width and height are given, because they already fix it',
      );
    }
    return { width, height };
  }
  if (aspectRatio === undefined) {
    if (width !== undefined) throw badInput('width', width, 'accompanied by a height or an aspectRatio');
    if (height !== undefined) throw badInput('height', height, 'accompanied by a width or an aspectRatio');
    // Not the object itself: a template is a size and much more, and only the size may become part of a request.
    return { width: fallback.width, height: fallback.height };
  }
  const ratio = parseRatio(aspectRatio);
  if (width !== undefined) return { width, height: checkedDerivedSide('height', width / ratio, aspectRatio) };
  if (height !== undefined) return { width: checkedDerivedSide('width', height * ratio, aspectRatio), height };
  const toMultipleOf8 = (side: number) => Math.round(side / 8) * 8;
  return {
    width: toMultipleOf8(Math.sqrt(DEFAULT_PIXELS * ratio)),
    height: toMultipleOf8(Math.sqrt(DEFAULT_PIXELS / ratio)),
  };
}

function checkedDerivedSide(field: 'width' | 'height', exact: number, aspectRatio: string): number {
  const side = Math.round(exact);
  if (side < SIDE_MIN || side > SIDE_MAX) {
    throw badInput(
      'aspectRatio',
      aspectRatio,
      `a ratio that leaves the ${field} between ${SIDE_MIN} and ${SIDE_MAX} pixels (it comes to ${side})`,
    );
  }
  return side;
}
