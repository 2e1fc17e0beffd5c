import { badInput } from '../errors.ts';
import { type Asset, type ContentType, EXTENSIONS } from './asset.ts';

export const RENDITION_FITS = ['INSIDE', 'COVER', 'CONTAIN'] as const;
/** How a picture comes to the size that is asked for. */
export type RenditionFit = (typeof RENDITION_FITS)[number];

export const RENDITION_FORMATS = ['PNG', 'JPEG', 'WEBP', 'AVIF'] as const;
export type RenditionFormat = (typeof RENDITION_FORMATS)[number];

/** Pixels of a side that may be asked for. */
export const RENDITION_SIDE_MIN = 16;
export const RENDITION_SIDE_MAX = 4096;
/** The longest side that WebP can be written with. Pictures of the library can be one pixel longer. */
const WEBP_SIDE_MAX = 16_383;
/** The most pixels of an AVIF: they take 7 seconds of a processor, and what takes longer than 30 is given up. */
const AVIF_PIXELS_MAX = RENDITION_SIDE_MAX * RENDITION_SIDE_MAX;

/** What a caller may say about the picture wanted. */
export interface RenditionWish {
  readonly width?: number | null | undefined;
  readonly height?: number | null | undefined;
  readonly fit?: RenditionFit | null | undefined;
  readonly format?: RenditionFormat | null | undefined;
}

/** A picture derived from another, decided to the pixel: equal ones are the same picture. */
export interface RenditionSpec {
  readonly fit: RenditionFit;
  readonly width: number;
  readonly height: number;
  readonly contentType: ContentType;
}

/** A derived picture that was made and is kept until it is forgotten. */
export interface Rendition extends RenditionSpec {
  readonly assetId: string;
  readonly storageKey: string;
  readonly byteCount: number;
  readonly sha256: string;
  readonly madeAt: Date;
}

type Original = Pick<Asset, 'width' | 'height' | 'contentType'>;

interface Sides {
  readonly width: number;
  readonly height: number;
}

/** Whether nothing is asked of the picture, so that the original itself is meant. */
export function isOriginal({ width, height, fit, format }: RenditionWish): boolean {
  return (width ?? height ?? format ?? null) === null && (fit ?? 'INSIDE') === 'INSIDE';
}

/**
 * What a wish comes to for this picture. Nothing is enlarged: where the wish is larger than the original, the picture keeps
 * the original's pixels, INSIDE at its size, COVER as the largest cut-out of the ratio asked for, CONTAIN in the smallest
 * frame of that ratio around it.
 * @throws BAD_USER_INPUT
 */
export function renditionSpec(original: Original, wish: RenditionWish): RenditionSpec {
  const width = checkedSide('width', wish.width);
  const height = checkedSide('height', wish.height);
  const fit = wish.fit ?? 'INSIDE';
  const contentType = wish.format ? CONTENT_TYPE_OF[wish.format] : original.contentType;
  return writable({ fit, ...sidesOf(original, fit, width, height), contentType });
}

function writable(spec: RenditionSpec): RenditionSpec {
  const { width, height, contentType } = spec;
  const other = (why: string) => `another one, or a smaller size, for a picture of ${width}x${height}, because ${why}`;
  if (contentType === 'image/webp' && Math.max(width, height) > WEBP_SIDE_MAX)
    throw badInput('format', 'WEBP', other(`no side of a WebP is longer than ${WEBP_SIDE_MAX}`));
  if (contentType === 'image/avif' && width * height > AVIF_PIXELS_MAX)
    throw badInput('format', 'AVIF', other(`an AVIF is drawn with at most ${AVIF_PIXELS_MAX} pixels`));
  return spec;
}

function sidesOf(original: Sides, fit: RenditionFit, width: number | null, height: number | null): Sides {
  if (fit === 'INSIDE') {
    return within(original, { width: width ?? original.width, height: height ?? original.height });
  }
  const needed = `given, a whole number from ${RENDITION_SIDE_MIN} to ${RENDITION_SIDE_MAX}, because ${fit} needs both sides`;
  if (width === null) throw badInput('width', null, needed);
  if (height === null) throw badInput('height', null, needed);
  return fit === 'COVER' ? covered(original, { width, height }) : framed(original, { width, height });
}

/** The largest size of the original's ratio within `limit`, and never more than the original. */
export function within(original: Sides, limit: Sides): Sides {
  const width = Math.min(limit.width, original.width);
  const height = Math.min(limit.height, original.height);
  // Multiplied across rather than divided, so that no rounding takes a pixel from the side that decides.
  return width * original.height <= height * original.width
    ? { width, height: side((original.height * width) / original.width) }
    : { width: side((original.width * height) / original.height), height };
}

function covered(original: Sides, asked: Sides): Sides {
  if (asked.width <= original.width && asked.height <= original.height) return asked;
  return original.width * asked.height <= original.height * asked.width
    ? { width: original.width, height: side((asked.height * original.width) / asked.width) }
    : { width: side((asked.width * original.height) / asked.height), height: original.height };
}

function framed(original: Sides, asked: Sides): Sides {
  if (asked.width <= original.width || asked.height <= original.height) return asked;
  return original.width * asked.height >= original.height * asked.width
    ? { width: original.width, height: side((asked.height * original.width) / asked.width) }
    : { width: side((asked.width * original.height) / asked.height), height: original.height };
}

const side = (pixels: number) => Math.max(1, Math.round(pixels));

function checkedSide(field: string, value: number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  if (!Number.isInteger(value) || value < RENDITION_SIDE_MIN || value > RENDITION_SIDE_MAX) {
    throw badInput(field, value, `a whole number from ${RENDITION_SIDE_MIN} to ${RENDITION_SIDE_MAX}`);
  }
  return value;
}

const CONTENT_TYPE_OF: Readonly<Record<RenditionFormat, ContentType>> = {
  PNG: 'image/png',
  JPEG: 'image/jpeg',
  WEBP: 'image/webp',
  AVIF: 'image/avif',
};

/** The one spelling of a spec, such as `cover-800x600.webp`: a part of its address, and what it is kept under. */
export function specText({ fit, width, height, contentType }: RenditionSpec): string {
  return `${fit.toLowerCase()}-${width}x${height}.${EXTENSIONS[contentType]}`;
}

const SPEC = /^(inside|cover|contain)-([1-9]\d{0,4})x([1-9]\d{0,4})\.(png|jpg|webp|avif)$/;

/** Null for what {@link specText} would not have written. */
export function readSpec(text: string): RenditionSpec | null {
  const [, fitWord, width, height, extension] = SPEC.exec(text) ?? [];
  const fit = RENDITION_FITS.find((known) => known.toLowerCase() === fitWord);
  const contentType = Object.values(CONTENT_TYPE_OF).find((type) => EXTENSIONS[type] === extension);
  return fit && contentType ? { fit, width: Number(width), height: Number(height), contentType } : null;
}
