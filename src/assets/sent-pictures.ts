import sharp from 'sharp';
import {
  decoder,
  encoded,
  type FinishedType,
  inTurn,
  middleOf,
  PictureError,
  type PictureSize,
  readable,
} from './pictures.ts';

/** A picture as it goes out to a vendor. */
export interface PreparedPicture extends PictureSize {
  readonly bytes: Buffer;
  readonly contentType: FinishedType;
}

/** What is done to a picture before it goes out; see the planner's `Preparation`, which says why. */
export interface Preparing {
  /** Extended evenly to this size; null for not at all. */
  readonly canvas: PictureSize | null;
  /** Then reduced to this. */
  readonly reducedTo: PictureSize | null;
  readonly sentAs: FinishedType;
  readonly bytesMax: number;
  /** Whether what shows through is to be left out, because a mask says where to draw. */
  readonly opaque: boolean;
}

/** A picture of the library on its way out. */
interface KeptPicture extends PictureSize {
  readonly contentType: string;
}

/**
 * Makes a picture of the library into what a vendor is sent. What needs nothing keeps its own bytes. It is read when its
 * turn comes, so that what waits holds no bytes.
 * @throws PictureError for what cannot be decoded, or not be brought under `bytesMax`.
 */
export function preparePicture(
  read: () => Promise<Buffer>,
  kept: KeptPicture,
  how: Preparing,
): Promise<PreparedPicture> {
  return inTurn(async () => {
    const bytes = await read();
    const drawn = how.canvas !== null || how.reducedTo !== null || how.opaque || kept.contentType !== how.sentAs;
    const { width, height } = how.reducedTo ?? how.canvas ?? kept;
    const picture: PreparedPicture = {
      bytes: drawn ? await readable(() => redrawn(bytes, kept, how)) : bytes,
      contentType: how.sentAs,
      width,
      height,
    };
    return picture.bytes.length <= how.bytesMax ? picture : compressed(picture, how.bytesMax);
  });
}

async function redrawn(
  bytes: Buffer,
  kept: KeptPicture,
  { canvas, reducedTo, sentAs, opaque }: Preparing,
): Promise<Buffer> {
  const upright = decoder(bytes);
  const whole = opaque ? upright.removeAlpha() : upright;
  const extended = canvas ? whole.extend({ ...marginsAround(kept, canvas), extendWith: 'mirror' }) : whole;
  if (!reducedTo) return encoded(extended, sentAs).toBuffer();
  // sharp resizes before it extends, whatever the order of the calls, so this goes through pixels of its own.
  const { data, info } = await extended.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const reduced = sharp(data, { raw: { width, height, channels } }).resize({ ...reducedTo, fit: 'fill' });
  return encoded(reduced, sentAs).toBuffer();
}

function marginsAround(picture: PictureSize, canvas: PictureSize) {
  const { left, top, width, height } = middleOf(canvas, picture);
  return { left, right: canvas.width - width - left, top, bottom: canvas.height - height - top };
}

/** WebP keeps transparency, and every vendor takes it. First less fine, then smaller. */
const COMPRESSIONS = [
  { quality: 90, scale: 1 },
  { quality: 75, scale: 1 },
  { quality: 75, scale: 0.75 },
  { quality: 60, scale: 0.5 },
] as const;

async function compressed(picture: PreparedPicture, bytesMax: number): Promise<PreparedPicture> {
  for (const { quality, scale } of COMPRESSIONS) {
    const width = Math.round(picture.width * scale);
    const height = Math.round(picture.height * scale);
    const smaller = decoder(picture.bytes).resize(width, height, { fit: 'fill' });
    const bytes = await readable(() => encoded(smaller, 'image/webp', quality).toBuffer());
    if (bytes.length <= bytesMax) return { bytes, contentType: 'image/webp', width, height };
  }
  throw new PictureError('TOO_LARGE', `The picture cannot be brought under ${bytesMax} bytes`);
}

/** Where a mask comes from: a picture of its own, or what shows through another one. */
export interface MaskSource extends PictureSize {
  readonly read: () => Promise<Buffer>;
  /** Whether transparency says where to edit, instead of brightness. */
  readonly byTransparency: boolean;
}

/**
 * The mask that vendors know: white is edited, black is kept, one channel, PNG. Grown by so many pixels here where the
 * vendor does not do that.
 * @throws PictureError for what cannot be decoded, or marks nothing.
 */
export function prepareMask(
  { read, byTransparency, width, height }: MaskSource,
  growBy: number,
): Promise<PreparedPicture> {
  return inTurn(async () => {
    const bytes = await read();
    const marks = byTransparency
      ? decoder(bytes).ensureAlpha().extractChannel('alpha').negate()
      : decoder(bytes).flatten({ background: '#000' }).toColourspace('b-w').extractChannel(0);
    const mask = await readable(() => marks.png().toBuffer());
    const { channels } = await sharp(mask).stats();
    if (channels[0]?.max === 0) throw new PictureError('UNREADABLE', 'The mask marks nothing: it is black all over');
    const grown = growBy > 0 ? await sharp(mask).dilate(growBy).toColourspace('b-w').png().toBuffer() : mask;
    return { bytes: grown, contentType: 'image/png', width, height };
  });
}
