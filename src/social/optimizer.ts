import { bulkhead } from 'cockatiel';
import type { Sharp } from 'sharp';
import type { FinishedPicture } from '../assets/asset.ts';
import { decodeFully, ENLARGEMENT_MAX, finishedPicture, inFreeTurn, isTransparent } from '../assets/pictures.ts';
import { MEDIA_TYPES } from '../catalog/output-formats.ts';
import { formatSize } from '../catalog/sizes.ts';
import { type CropWindow, isTooSmallFor, windowAround, windowOfInterest } from './crop-window.ts';
import { encodeWithin } from './encode.ts';
import { interestOf } from './interest.ts';
import { BLUR, type OptimizeRequest } from './optimize-request.ts';
import { decodePixels, drawn, from, type Pixels, thumbnailOf } from './pixels.ts';
import { PLATFORM_LIMITS, type SocialFormat } from './social-formats.ts';

export type OptimizeFailureReason =
  /** It would have to be enlarged more than we may. */
  | 'TOO_SMALL'
  /** Not even at the least quality that we deliver does it come down to what the platform takes. */
  | 'TOO_MANY_BYTES';

/** `message` is written for the customer: what happened, the limit, and what to do. */
export interface OptimizeFailure {
  readonly reason: OptimizeFailureReason;
  readonly message: string;
}

/** What became of one format: a picture, or why there is none. */
export type OptimizedPicture =
  | { readonly format: SocialFormat; readonly picture: FinishedPicture; readonly failure: null }
  | { readonly format: SocialFormat; readonly picture: null; readonly failure: OptimizeFailure };

export type HowToOptimize = Pick<OptimizeRequest, 'crop' | 'focalPoint' | 'padding' | 'outputFormat'>;

/** Each takes one core; more would keep the threads that all file and name look-ups share. */
const FORMATS_AT_ONCE = 2;

/**
 * One picture in the exact size of each format, in the order of `formats`, each succeeding or failing on its own. The
 * source is decoded once for all: to the last line, upright, sRGB, 40 megapixels at most; no metadata goes over.
 *
 * What shows through the source shows through a PNG or WebP too, and is white in a JPEG; where FIT pads with a colour, it
 * is that colour. The same source and wish give the same bytes. Whether the picture is pleasing, or black all over, is
 * not judged. The source is read when its turn comes, so that what waits holds no bytes.
 * @throws PictureError when the source is no picture, damaged, or larger than we decode.
 */
export function optimizePicture(
  read: () => Promise<Buffer>,
  formats: readonly SocialFormat[],
  how: HowToOptimize,
): Promise<OptimizedPicture[]> {
  return inFreeTurn(async () => {
    const pixels = await decodePixels(await read(), groundOf(how));
    const drawingOf = await drawer(pixels, how);
    const few = bulkhead(FORMATS_AT_ONCE, Number.POSITIVE_INFINITY);
    return Promise.all(formats.map((format) => few.execute(() => optimize(pixels, format, how, drawingOf))));
  });
}

function groundOf({ padding, outputFormat }: HowToOptimize): string | null {
  if (padding !== null && padding !== BLUR) return padding;
  return outputFormat === 'JPEG' ? '#ffffff' : null;
}

/** Makes ready what a format's drawing needs; the function that comes of it begins that drawing as often as it is called. */
type Drawer = (format: SocialFormat) => Promise<() => Sharp>;

async function drawer(pixels: Pixels, { crop, focalPoint, padding }: HowToOptimize): Promise<Drawer> {
  if (crop === 'FIT') {
    return padding === null || padding === BLUR
      ? (format) => onBlurred(pixels, format)
      : async (format) => () =>
          from(pixels).resize(format.width, format.height, { fit: 'contain', background: padding });
  }
  if (crop === 'SMART') {
    const interest = interestOf(await thumbnailOf(pixels));
    return async (format) => cut(pixels, format, windowOfInterest(pixels, format, interest));
  }
  const point = focalPoint ?? { x: 0.5, y: 0.5 };
  return async (format) => cut(pixels, format, windowAround(pixels, format, point));
}

function cut(pixels: Pixels, { width, height }: SocialFormat, window: CropWindow): () => Sharp {
  return () => from(pixels).extract(window).resize(width, height, { fit: 'fill' });
}

/** How much smaller than the format the picture is blurred: what it loses there nobody would see. */
const BACKDROP_SHRINK = 16;
/** In pixels of the small one. */
const BACKDROP_SIGMA = 2.5;

async function onBlurred(pixels: Pixels, { width, height }: SocialFormat): Promise<() => Sharp> {
  const small = await drawn(
    from(pixels)
      .resize(Math.ceil(width / BACKDROP_SHRINK), Math.ceil(height / BACKDROP_SHRINK), { fit: 'cover' })
      .blur(BACKDROP_SIGMA),
  );
  const ground = await drawn(from(small).resize(width, height, { fit: 'fill', kernel: 'cubic' }));
  lay(await drawn(from(pixels).resize(width, height, { fit: 'inside' })), ground);
  return () => from(ground);
}

/** Puts the picture into the middle of the ground, in place. A tenth of the time that a composition takes, which blends. */
function lay(picture: Pixels, ground: Pixels): void {
  const left = Math.floor((ground.width - picture.width) / 2);
  const top = Math.floor((ground.height - picture.height) / 2);
  const line = picture.width * picture.channels;
  for (let y = 0; y < picture.height; y++) {
    picture.data.copy(ground.data, ((top + y) * ground.width + left) * ground.channels, y * line, (y + 1) * line);
  }
}

async function optimize(
  pixels: Pixels,
  format: SocialFormat,
  { crop, outputFormat }: HowToOptimize,
  drawingOf: Drawer,
): Promise<OptimizedPicture> {
  const failed = (reason: OptimizeFailureReason, message: string): OptimizedPicture => ({
    format,
    picture: null,
    failure: { reason, message },
  });
  if (isTooSmallFor(pixels, format, crop)) {
    return failed(
      'TOO_SMALL',
      `The picture is ${formatSize(pixels)}, and ${format.id} is ${formatSize(format)}: it would be enlarged more than ` +
        `${ENLARGEMENT_MAX} times a side. Use a larger picture, or upscale this one first.`,
    );
  }
  const { bytesMax } = PLATFORM_LIMITS[format.platform];
  const encoded = await encodeWithin(await drawingOf(format), outputFormat, bytesMax);
  if ('bytesLeast' in encoded) {
    return failed(
      'TOO_MANY_BYTES',
      `As ${outputFormat} at the least quality that is delivered, ${format.id} has ${encoded.bytesLeast} bytes, but ` +
        `${format.platform} takes at most ${bytesMax}. ` +
        (outputFormat === 'PNG' ? 'Use JPEG, which needs fewer.' : 'Use a picture with less detail.'),
    );
  }
  const transparent = pixels.channels === 4 && isTransparent(await decodeFully(encoded.bytes));
  return {
    format,
    picture: finishedPicture(encoded.bytes, format, MEDIA_TYPES[outputFormat], transparent),
    failure: null,
  };
}
