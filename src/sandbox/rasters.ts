import sharp, { type Sharp } from 'sharp';
import type { Size } from './sent.ts';

/** Pixels in memory, row by row, each with four bytes: red, green, blue, and how opaque it is. */
export interface Raster extends Size {
  readonly data: Buffer;
}

export const CHANNELS = 4;
const OPAQUE = 255;

/** Decodes an image, whatever its colours were kept as. */
export async function rasterOf(image: Sharp): Promise<Raster> {
  const { data, info } = await image
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** A raster as something that can be laid on another. */
export function layerOf({ data, width, height }: Raster): { input: Buffer; raw: Size & { channels: 4 } } {
  return { input: data, raw: { width, height, channels: CHANNELS } };
}

function isOpaque({ data }: Raster): boolean {
  for (let at = CHANNELS - 1; at < data.length; at += CHANNELS) if (data[at] !== OPAQUE) return false;
  return true;
}

/** A raster as an image, which has an alpha channel only where something shows through. */
export function imageOf(raster: Raster): Sharp {
  const { input, raw } = layerOf(raster);
  const image = sharp(input, { raw });
  return isOpaque(raster) ? image.removeAlpha() : image;
}
