import sharp from 'sharp';
import { expect } from 'vitest';

/** Four values a pixel, from the first line to the last. */
export interface Pixels {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

export async function pixelsOf(bytes: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Red, green, blue and alpha at a place. */
export function at({ data, width }: Pixels, x: number, y: number): number[] {
  const start = (y * width + x) * 4;
  return [...data.subarray(start, start + 4)];
}

export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const contains = ({ left, top, width, height }: Area, x: number, y: number) =>
  x >= left && x < left + width && y >= top && y < top + height;

/** How many pixels of two pictures of one size differ, inside of an area and outside of it. */
export function differences(a: Pixels, b: Pixels, area: Area): { inside: number; outside: number } {
  expect([b.width, b.height]).toEqual([a.width, a.height]);
  const count = { inside: 0, outside: 0 };
  for (let i = 0; i < a.data.length; i += 4) {
    if (a.data.compare(b.data, i, i + 4, i, i + 4) === 0) continue;
    const pixel = i / 4;
    count[contains(area, pixel % a.width, Math.floor(pixel / a.width)) ? 'inside' : 'outside'] += 1;
  }
  return count;
}

/** The pixels of a part of a picture. */
export async function cropped(bytes: Buffer, area: Area): Promise<Pixels> {
  return pixelsOf(await sharp(bytes).extract(area).png().toBuffer());
}

export async function fetched(url: string): Promise<Buffer> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

/** A picture with a subject on a plain ground: a red disc, a green bar, and a little grain so that no two parts are equal. */
export async function scene(width: number, height: number, ground = '#3a6ea5'): Promise<Buffer> {
  const radius = Math.round(Math.min(width, height) * 0.22);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="${ground}"/>
    <circle cx="${Math.round(width * 0.42)}" cy="${Math.round(height * 0.5)}" r="${radius}" fill="#c8281e"/>
    <rect x="${Math.round(width * 0.72)}" y="${Math.round(height * 0.3)}" width="${Math.round(width * 0.1)}" height="${Math.round(height * 0.4)}" fill="#2c9a4b"/>
  </svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().png().toBuffer();
}

/** A mask that is white in the area and black around it. */
export function maskOf(width: number, height: number, area: Area): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#000"/>
    <rect x="${area.left}" y="${area.top}" width="${area.width}" height="${area.height}" fill="#fff"/></svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().png().toBuffer();
}

/** Hue of a colour, in degrees. */
export function hueOf([r = 0, g = 0, b = 0]: readonly number[]): number {
  const max = Math.max(r, g, b);
  const span = max - Math.min(r, g, b);
  if (span === 0) return 0;
  const sector = max === r ? (g - b) / span : max === g ? 2 + (b - r) / span : 4 + (r - g) / span;
  return (sector * 60 + 360) % 360;
}
