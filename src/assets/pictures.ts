import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { bulkhead } from 'cockatiel';
import sharp, { type Metadata, type Sharp } from 'sharp';
import type { ContentType, FinishedPicture } from './asset.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export type PictureErrorReason =
  /** Not PNG, JPEG, WebP or AVIF by its content, whatever it was called. */
  | 'UNSUPPORTED'
  /** Truncated, corrupt or empty. */
  | 'UNREADABLE'
  /** It would have to be enlarged more than we may. */
  | 'TOO_SMALL'
  /** Of another shape than what it should show. */
  | 'WRONG_SHAPE'
  /** More pixels or bytes than we decode. */
  | 'TOO_LARGE'
  /** Black all over: how some vendors withhold a picture without saying so. */
  | 'BLACK';

/** Why bytes are not a picture that can be kept. `message` is written for operators and names the limit. */
export class PictureError extends Error {
  override readonly name = 'PictureError';

  constructor(
    readonly reason: PictureErrorReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const PICTURE_BYTES_MAX = 80 * 1024 * 1024;
/** Well above the largest picture that is sold (4096 x 4096), well below what would exhaust memory. */
export const PICTURE_PIXELS_MAX = 40_000_000;
export const ENLARGEMENT_MAX = 2;
const DECODE_SECONDS_MAX = 30;

export type PictureKind = 'png' | 'jpeg' | 'webp' | 'avif';

/**
 * Measured on 1344 x 1344 photographs: adaptive filters with level 3 take 10 % longer than the default (no filter,
 * level 6) and give half the bytes; level 6 with filters takes 2.4 times as long for 4 % less.
 */
export const PNG_OPTIONS = { compressionLevel: 3, adaptiveFiltering: true } as const;

const lane = () => bulkhead(Math.max(1, Math.floor(availableParallelism() / 2)), Number.POSITIVE_INFINITY);
const paidTurns = lane();
const freeTurns = lane();

/** Decoding is memory and CPU: few at once, the others wait their turn. For the pictures of what is paid for. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return paidTurns.execute(work);
}

/** The same for what costs nothing, of which anybody can ask for a lot: it never keeps a paid picture waiting. */
export function inFreeTurn<T>(work: () => Promise<T>): Promise<T> {
  return freeTurns.execute(work);
}

/** What a finished picture can be stored as. */
export type FinishedType = Exclude<ContentType, 'image/avif'>;

export interface Finish {
  /** The size that the vendor was asked for, where it is known. */
  readonly ordered?: PictureSize | null;
  /** PNG where it is left out. */
  readonly contentType?: FinishedType;
  /**
   * The size of all that the picture shows, in whatever shape it came; the target is the middle of it. Null where it is
   * cut to the target's shape instead.
   */
  readonly frame?: PictureSize | null;
  /** Whether black all over is what it should be, and no way to withhold it. */
  readonly mayBeBlack?: boolean;
}

/**
 * Turns a vendor's bytes into the picture that was sold: decoded to the last line, upright, sRGB, exactly `target`
 * (scaled to cover it, the rest cut off evenly), no metadata. A PNG that is all that already keeps its own bytes.
 * Whether the picture is pleasing is not judged here, only that there is something on it.
 * @throws PictureError
 */
export function finishPicture(bytes: Buffer, target: PictureSize, how: Finish = {}): Promise<FinishedPicture> {
  return inTurn(() => finish(bytes, target, how));
}

async function finish(bytes: Buffer, target: PictureSize, how: Finish): Promise<FinishedPicture> {
  const { ordered, contentType = 'image/png', frame = null, mayBeBlack = false } = how;
  const kind = pictureKind(bytes);
  const metadata = await readable(() => sharp(bytes, { limitInputPixels: false }).metadata());
  const upright = metadata.autoOrient;
  refuseUnlessUsable(upright, target);
  if (ordered) refuseUnlessAsOrdered(upright, ordered);
  if (frame) refuseUnlessShapedLike(upright, frame);
  const thumbnail = await readable(() => decodeFully(bytes));
  if (!mayBeBlack) refuseBlack(thumbnail);
  const exact = upright.width === target.width && upright.height === target.height;
  const kept = exact && kind === 'png' && contentType === 'image/png' && isPlainPng(bytes, metadata);
  const finished = kept ? bytes : await readable(() => redraw(bytes, target, frame, contentType));
  return finishedPicture(finished, target, contentType, contentType !== 'image/jpeg' && isTransparent(thumbnail));
}

/** Bytes that are known to be a picture of this size and kind. */
export function finishedPicture(
  bytes: Buffer,
  { width, height }: PictureSize,
  contentType: ContentType,
  transparent: boolean,
): FinishedPicture {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, width, height, contentType, sha256, transparent };
}

/** By its first bytes, so that nothing else (SVG, PDF, TIFF, ...) ever reaches a decoder. @throws PictureError */
export function pictureKind(bytes: Buffer): PictureKind {
  if (bytes.length === 0) throw new PictureError('UNREADABLE', 'The picture is empty');
  if (bytes.length > PICTURE_BYTES_MAX) {
    throw new PictureError('TOO_LARGE', `The picture has ${bytes.length} bytes; at most ${PICTURE_BYTES_MAX} are read`);
  }
  const starts = (text: string, at = 0) => bytes.toString('latin1', at, at + text.length) === text;
  if (starts('\x89PNG\r\n\x1a\n')) return 'png';
  if (starts('\xff\xd8\xff')) return 'jpeg';
  if (starts('RIFF') && starts('WEBP', 8)) return 'webp';
  if (starts('ftypavif', 4)) return 'avif';
  throw new PictureError('UNSUPPORTED', 'The bytes are not a PNG, JPEG, WebP or AVIF picture');
}

function refuseUnlessUsable(from: PictureSize, target: PictureSize): void {
  const pixels = from.width * from.height;
  if (pixels > PICTURE_PIXELS_MAX) {
    throw new PictureError(
      'TOO_LARGE',
      `The picture is ${from.width}x${from.height}; at most ${PICTURE_PIXELS_MAX} pixels are decoded`,
    );
  }
  const enlargement = Math.max(target.width / from.width, target.height / from.height);
  if (enlargement > ENLARGEMENT_MAX) {
    throw new PictureError(
      'TOO_SMALL',
      `The picture is ${from.width}x${from.height} and would be enlarged ${enlargement.toFixed(2)} times to cover ` +
        `${target.width}x${target.height}; at most ${ENLARGEMENT_MAX} times is allowed`,
    );
  }
}

/** Vendors' sizes are nominal, so a little less is as ordered; much less is another picture than was paid for. */
const ORDERED_SHARE_MIN = 0.75;

function refuseUnlessAsOrdered(from: PictureSize, ordered: PictureSize): void {
  if (from.width < ordered.width * ORDERED_SHARE_MIN || from.height < ordered.height * ORDERED_SHARE_MIN) {
    throw new PictureError(
      'TOO_SMALL',
      `The picture is ${from.width}x${from.height}, but ${ordered.width}x${ordered.height} was ordered`,
    );
  }
}

/** Vendors round sides to whole blocks, which changes a ratio by a few percent; more is another picture. */
const SHAPE_DIFFERENCE_MAX = 1.1;

function refuseUnlessShapedLike(from: PictureSize, frame: PictureSize): void {
  const difference = (from.width * frame.height) / (from.height * frame.width);
  if (Math.max(difference, 1 / difference) > SHAPE_DIFFERENCE_MAX) {
    throw new PictureError(
      'WRONG_SHAPE',
      `The picture is ${from.width}x${from.height}, which is not the shape of ${frame.width}x${frame.height}`,
    );
  }
}

/** A decoder that refuses bombs, damage and endless work, and looks at one frame only. */
export function decoder(bytes: Buffer): Sharp {
  const options = { limitInputPixels: PICTURE_PIXELS_MAX, failOn: 'warning', pages: 1, sequentialRead: true } as const;
  return sharp(bytes, options).timeout({ seconds: DECODE_SECONDS_MAX });
}

const THUMBNAIL_SIDE = 64;
/** Brightest value, of 255, that still counts as black: compression leaves a little noise. */
const BLACK_MAX = 2;

/**
 * Shrinking reads every line and keeps little. It is done even before a redraw, because a crop would never look at the
 * lines it cuts off and so miss that the last of them never came.
 */
export function decodeFully(bytes: Buffer): Promise<Buffer> {
  const size = { width: THUMBNAIL_SIDE, height: THUMBNAIL_SIDE, fit: 'fill', fastShrinkOnLoad: false } as const;
  return decoder(bytes).toColourspace('srgb').ensureAlpha().resize(size).raw().toBuffer();
}

/** Whether a thumbnail of {@link decodeFully} shows anything through; what is too small to be seen there does not count. */
export function isTransparent(rgba: Buffer): boolean {
  return rgba.some((value, i) => i % 4 === 3 && value < 255);
}

/** A transparent picture is not black, whatever stands behind its transparency. */
function refuseBlack(rgba: Buffer): void {
  const isBlack = rgba.every((value, i) => (i % 4 === 3 ? value === 255 : value <= BLACK_MAX));
  if (isBlack) throw new PictureError('BLACK', 'The picture is black all over');
}

/** Upright, one frame, and ending where a PNG ends: nothing can hide behind the picture. */
function isPlainPng(bytes: Buffer, metadata: Metadata): boolean {
  const upright = metadata.orientation === undefined || metadata.orientation === 1;
  const ends = bytes.subarray(-12).equals(PNG_END);
  const animated = bytes.subarray(0, bytes.indexOf('IDAT')).includes('acTL');
  return upright && ends && !animated;
}

const PNG_END = Buffer.from('0000000049454e44ae426082', 'hex');

function redraw(
  bytes: Buffer,
  target: PictureSize,
  frame: PictureSize | null,
  contentType: FinishedType,
): Promise<Buffer> {
  const upright = decoder(bytes).autoOrient();
  const drawn = frame
    ? upright.resize({ ...frame, fit: 'fill' }).extract(middleOf(frame, target))
    : upright.resize({ ...target, fit: 'cover', position: 'centre' });
  return encoded(drawn.toColourspace('srgb'), contentType).toBuffer();
}

/** Where a picture lies that was extended evenly to the size of the frame. */
export function middleOf(frame: PictureSize, { width, height }: PictureSize) {
  return { left: Math.floor((frame.width - width) / 2), top: Math.floor((frame.height - height) / 2), width, height };
}

/** Quality at which nothing is seen of the compression, even where colours meet. */
const LOSSY_QUALITY = 92;

/** What cannot be transparent is put on white. */
export function encoded(picture: Sharp, contentType: FinishedType, quality = LOSSY_QUALITY): Sharp {
  if (contentType === 'image/png') return picture.png(PNG_OPTIONS);
  if (contentType === 'image/webp') return picture.webp({ quality });
  return picture.flatten({ background: '#fff' }).jpeg({ quality, chromaSubsampling: '4:4:4' });
}

/** Whatever a decoder stumbles over is the picture's fault. @throws PictureError */
export async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new PictureError('UNREADABLE', 'The picture is truncated or corrupt', { cause });
  }
}
