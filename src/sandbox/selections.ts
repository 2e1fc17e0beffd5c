import { createHash } from 'node:crypto';
import { isOf, type Rgb, toneIn } from './colours.ts';
import { EDITED, type Mask, maskWhere } from './masks.ts';
import { CHANNELS, type Raster } from './rasters.ts';
import type { Size } from './sent.ts';

/** The colour of a pixel, by its number. */
export function rgbAt({ data }: Raster, pixel: number): Rgb {
  const at = pixel * CHANNELS;
  return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
}

/** Colours are told apart by the first five bits of each channel. */
const BITS = 5;
const COLOURS = 1 << (3 * BITS);

function colourAt({ data }: Raster, pixel: number): number {
  const at = pixel * CHANNELS;
  return (((data[at] ?? 0) >> 3) << 10) | (((data[at + 1] ?? 0) >> 3) << 5) | ((data[at + 2] ?? 0) >> 3);
}

/** How many of the colours at the border are taken for the background, the commonest first. */
const BACKGROUND_COLOURS_MAX = 48;

function colourDistance(one: number, other: number): number {
  const apart = (shift: number) => ((one >> shift) & 31) - ((other >> shift) & 31);
  return Math.hypot(apart(10), apart(5), apart(0)) * 8;
}

/** How far every colour is from the nearest one that is common at the border. */
function distancesFromBorder(picture: Raster): Float32Array {
  const { width, height } = picture;
  const counts = new Map<number, number>();
  const count = (pixel: number) => {
    const colour = colourAt(picture, pixel);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  };
  for (let x = 0; x < width; x += 1) [x, (height - 1) * width + x].forEach(count);
  for (let y = 0; y < height; y += 1) [y * width, y * width + width - 1].forEach(count);
  const common = [...counts].sort(([, one], [, other]) => other - one).slice(0, BACKGROUND_COLOURS_MAX);
  const distances = new Float32Array(COLOURS);
  for (let colour = 0; colour < COLOURS; colour += 1) {
    distances[colour] = Math.min(...common.map(([each]) => colourDistance(colour, each)));
  }
  return distances;
}

/** Where a flood spreads: what it has reached, and the room that it needs for what it will reach next. */
interface Ground extends Size {
  readonly reached: Uint8Array;
  readonly waiting: Int32Array;
}

function groundOf({ width, height }: Size): Ground {
  const pixels = width * height;
  return { width, height, reached: new Uint8Array(pixels), waiting: new Int32Array(pixels) };
}

/** Marks what can be reached from `starts` through pixels that `isOpen`; the answer holds until the next flood. */
function flood(ground: Ground, starts: Iterable<number>, isOpen: (pixel: number) => boolean): Int32Array {
  const { width, height, reached, waiting } = ground;
  let count = 0;
  const reach = (pixel: number) => {
    if (reached[pixel] !== 0 || !isOpen(pixel)) return;
    reached[pixel] = EDITED;
    waiting[count] = pixel;
    count += 1;
  };
  for (const pixel of starts) reach(pixel);
  for (let next = 0; next < count; next += 1) {
    const pixel = waiting[next] ?? 0;
    const x = pixel % width;
    if (x > 0) reach(pixel - 1);
    if (x < width - 1) reach(pixel + 1);
    if (pixel >= width) reach(pixel - width);
    if (pixel < width * (height - 1)) reach(pixel + width);
  }
  return waiting.subarray(0, count);
}

function* borderOf({ width, height }: Size): Generator<number> {
  for (let x = 0; x < width; x += 1) yield* [x, (height - 1) * width + x];
  for (let y = 0; y < height; y += 1) yield* [y * width, y * width + width - 1];
}

/** A background may differ from the colours of the border by so much, as a distance between colours. */
const TOLERANCE = 40;
/** A subject takes at least this part of a picture, and so does its background. */
const SHARE_MIN = 0.01;

/** Less than this part of a picture is a speck, not what somebody meant. */
const SPECK = 0.001;

function shareOf({ data }: Mask): number {
  return data.reduce((sum, each) => sum + (each === 0 ? 0 : 1), 0) / data.length;
}

function isMixed(mask: Mask): boolean {
  const share = shareOf(mask);
  return share >= SHARE_MIN && share <= 1 - SHARE_MIN;
}

/** A disc of a third of the shorter side, its centre at a part of the width and of the height. */
function disc(size: Size, across: number, down: number): Mask {
  const [x, y, radius] = [across * size.width, down * size.height, Math.min(size.width, size.height) / 3];
  return maskWhere(size, (pixel) => {
    const row = Math.floor(pixel / size.width);
    return Math.hypot((pixel % size.width) + 0.5 - x, row + 0.5 - y) <= radius;
  });
}

/** What is not background, which is all that is like the border and connected with it; null where it is nearly all or nothing. */
function islandsOf(picture: Raster, distances: Float32Array): Mask | null {
  const ground = groundOf(picture);
  flood(ground, borderOf(picture), (pixel) => (distances[colourAt(picture, pixel)] ?? 0) <= TOLERANCE);
  const islands = maskWhere(picture, (pixel) => ground.reached[pixel] === 0);
  return isMixed(islands) ? islands : null;
}

/** The half of the picture that is least like its border, or null where no half is. */
function unlikeBorder(picture: Raster, distances: Float32Array): Mask | null {
  const all = Float32Array.from(
    { length: picture.width * picture.height },
    (_, pixel) => distances[colourAt(picture, pixel)] ?? 0,
  );
  const median = all.slice().sort()[all.length >> 1] ?? 0;
  const half = maskWhere(picture, (pixel) => (all[pixel] ?? 0) > median);
  return isMixed(half) ? half : null;
}

/** The subject of a picture. Every picture of more than a few pixels has some, and some background. */
export function subjectOf(picture: Raster): Mask {
  const distances = distancesFromBorder(picture);
  return islandsOf(picture, distances) ?? unlikeBorder(picture, distances) ?? disc(picture, 0.5, 0.5);
}

/** The largest of the connected parts of a mask. */
function largestPart(mask: Mask): Mask {
  const ground = groundOf(mask);
  let largest: Int32Array = new Int32Array(0);
  for (let pixel = 0; pixel < mask.data.length; pixel += 1) {
    if (mask.data[pixel] === 0 || ground.reached[pixel] !== 0) continue;
    const part = flood(ground, [pixel], (each) => mask.data[each] !== 0);
    if (part.length > largest.length) largest = part.slice();
  }
  const only = new Uint8Array(mask.data.length);
  for (const pixel of largest) only[pixel] = EDITED;
  return { ...mask, data: only };
}

/**
 * What some words mean in a picture: everything of the colour that they name; without one, the largest thing that
 * differs from the border; and where there is no such thing, a disc at a place that depends on the words.
 */
export function selectionOf(picture: Raster, words: string): Mask {
  const tone = toneIn(words);
  const named = tone && maskWhere(picture, (pixel) => isOf(tone, rgbAt(picture, pixel)));
  if (named && shareOf(named) >= SPECK) return named;
  const islands = islandsOf(picture, distancesFromBorder(picture));
  if (islands) return largestPart(islands);
  const [across = 0, down = 0] = createHash('sha256').update(words).digest();
  return disc(picture, 0.25 + across / 512, 0.25 + down / 512);
}
