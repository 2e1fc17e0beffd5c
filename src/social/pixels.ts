import sharp, { type Sharp } from 'sharp';
import { decoder, PICTURE_PIXELS_MAX, PictureError, pictureKind, readable } from '../assets/pictures.ts';

/** A decoded picture: sRGB, line by line, red, green, blue and, where something may show through, alpha; a byte each. */
export interface Pixels {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

/**
 * Decodes to the last line, upright. `ground` is the colour laid behind what shows through; null keeps it showing through.
 * @throws PictureError for what is no picture, damaged, or larger than we decode.
 */
export async function decodePixels(bytes: Buffer, ground: string | null): Promise<Pixels> {
  pictureKind(bytes);
  const { autoOrient } = await readable(() => sharp(bytes, { limitInputPixels: false }).metadata());
  if (autoOrient.width * autoOrient.height > PICTURE_PIXELS_MAX) {
    throw new PictureError(
      'TOO_LARGE',
      `The picture is ${autoOrient.width}x${autoOrient.height}; at most ${PICTURE_PIXELS_MAX} pixels are decoded`,
    );
  }
  return readable(() => {
    const upright = decoder(bytes).autoOrient().toColourspace('srgb');
    return drawn(ground === null ? upright : upright.flatten({ background: ground }));
  });
}

/** Begins a drawing from the pixels, without copying them. */
export function from({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

export async function drawn(drawing: Sharp): Promise<Pixels> {
  const { data, info } = await drawing.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels === 4 ? 4 : 3 };
}

const THUMBNAIL_SIDE_MAX = 256;

/** Without transparency: on grey, so that both a white and a black cut-out stand out. */
export function thumbnailOf(pixels: Pixels): Promise<Pixels> {
  return drawn(
    from(pixels)
      .flatten({ background: '#808080' })
      .resize(THUMBNAIL_SIDE_MAX, THUMBNAIL_SIDE_MAX, { fit: 'inside', withoutEnlargement: true }),
  );
}
