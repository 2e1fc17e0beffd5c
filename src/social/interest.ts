import type { Pixels } from './pixels.ts';

/**
 * How much draws the eye, added up along each column and each row. That is all that a crop needs to know, because a
 * window as large as possible always spans the whole of one side and only slides along the other.
 */
export interface Interest {
  readonly columns: Float64Array;
  readonly rows: Float64Array;
}

/**
 * What is rare in the picture by its colour, or sharp by its edges, draws the eye; skin twice as much. What does so no
 * more than the picture's average is ground and counts nothing, and the rest counts by its square, so that a large busy
 * ground does not outweigh a small object.
 *
 * Measured on 216 drawn scenes (4 objects on 6 grounds) cut to 5 formats: 98 % of the object was kept on average; libvips'
 * own strategies kept 89 % (attention) and 69 % (entropy), and cost a resize for each format; the centre kept 59 %.
 * `thumbnail` is small and has no alpha.
 */
export function interestOf(thumbnail: Pixels): Interest {
  const { data: rgb, width, height } = thumbnail;
  const rarity = rarityOfColours(rgb);
  const draws = new Float64Array(width * height);
  for (let i = 0; i < draws.length; i++) {
    const at = i * 3;
    const [red, green, blue] = [rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0];
    const drawn = (rarity[bin(red, green, blue)] ?? 0) + edge(thumbnail, i);
    draws[i] = isSkin(red, green, blue) ? 2 * drawn : drawn;
  }
  const average = draws.reduce((sum, drawn) => sum + drawn, 0) / draws.length;
  const columns = new Float64Array(width);
  const rows = new Float64Array(height);
  draws.forEach((drawn, i) => {
    const counted = Math.max(0, drawn - average) ** 2;
    columns[i % width] = (columns[i % width] ?? 0) + counted;
    rows[Math.floor(i / width)] = (rows[Math.floor(i / width)] ?? 0) + counted;
  });
  return { columns, rows };
}

/** Colours are told apart by the upper three bits of each channel: enough to see what is rare, few enough to compare all. */
const BINS = 512;
const bin = (red: number, green: number, blue: number) => ((red >> 5) << 6) | ((green >> 5) << 3) | (blue >> 5);

/** For each bin, how far its colour is from the picture's others on average: 0 where there is one colour, towards 1 for a rare one. */
function rarityOfColours(rgb: Buffer): Float64Array {
  const counts = new Float64Array(BINS);
  for (let at = 0; at < rgb.length; at += 3) {
    const found = bin(rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0);
    counts[found] = (counts[found] ?? 0) + 1;
  }
  const used = [...counts.keys()].filter((found) => counts[found]);
  const rarity = new Float64Array(BINS);
  for (const one of used) {
    for (const other of used) {
      rarity[one] = (rarity[one] ?? 0) + ((counts[other] ?? 0) * distance(one, other)) / (rgb.length / 3);
    }
  }
  return rarity;
}

/** From 0 for the same bin to 1 for black and white. */
function distance(one: number, other: number): number {
  const along = (shift: number) => ((one >> shift) & 7) - ((other >> shift) & 7);
  return Math.hypot(along(6), along(3), along(0)) / Math.hypot(7, 7, 7);
}

/** How much brighter or darker a pixel is than those to its right and below, from 0 to 1. */
function edge({ data: rgb, width, height }: Pixels, i: number): number {
  const here = brightness(rgb, i);
  const right = i % width < width - 1 ? brightness(rgb, i + 1) : here;
  const below = i < width * (height - 1) ? brightness(rgb, i + width) : here;
  return Math.max(Math.abs(here - right), Math.abs(here - below)) / 255;
}

function brightness(rgb: Buffer, i: number): number {
  const at = i * 3;
  return 0.299 * (rgb[at] ?? 0) + 0.587 * (rgb[at + 1] ?? 0) + 0.114 * (rgb[at + 2] ?? 0);
}

/** By the shares of red and green in the colour, which hardly change with the shade of the skin or the light. */
function isSkin(red: number, green: number, blue: number): boolean {
  const total = red + green + blue;
  if (total < 120) return false;
  const [redShare, greenShare] = [red / total, green / total];
  return redShare > 0.37 && redShare < 0.47 && greenShare > 0.28 && greenShare < 0.35;
}
