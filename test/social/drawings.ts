import sharp, { type Sharp } from 'sharp';
import type { OptimizedPicture } from '../../src/social/optimizer.ts';
import { findSocialFormat, type SocialFormat } from '../../src/social/social-formats.ts';

export function format(id: string): SocialFormat {
  const found = findSocialFormat(id);
  if (!found) throw new Error(`there is no format ${id}`);
  return found;
}

export interface Patch {
  readonly colour: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Rectangles of one colour on a ground of one colour. */
export function drawing(width: number, height: number, ground: string, patches: readonly Patch[]): Sharp {
  return sharp({ create: { width, height, channels: 3, background: ground } })
    .composite(
      patches.map(({ colour, left, top, ...size }) => ({
        input: { create: { ...size, channels: 3 as const, background: colour } },
        left,
        top,
      })),
    )
    .removeAlpha();
}

/** Red grows from left to right and green from top to bottom, so that every pixel tells where it comes from. */
export function map(width: number, height: number): Sharp {
  const rgb = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rgb[(y * width + x) * 3] = Math.round((x / (width - 1)) * 255);
      rgb[(y * width + x) * 3 + 1] = Math.round((y / (height - 1)) * 255);
    }
  }
  return sharp(rgb, { raw: { width, height, channels: 3 } });
}

/** Colour and alpha of single pixels, by column and line. */
export async function pixelsAt(bytes: Buffer, places: readonly (readonly [x: number, y: number])[]) {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  return places.map(([x, y]) => {
    const at = (y * info.width + x) * info.channels;
    return [...data.subarray(at, at + info.channels)];
  });
}

export function pictureOf(optimized: OptimizedPicture | undefined) {
  if (!optimized?.picture) throw new Error(`no picture: ${JSON.stringify(optimized?.failure)}`);
  return optimized.picture;
}
