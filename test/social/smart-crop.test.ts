import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type CropWindow, windowAround, windowOfInterest } from '../../src/social/crop-window.ts';
import { interestOf } from '../../src/social/interest.ts';
import { optimizePicture } from '../../src/social/optimizer.ts';
import { decodePixels, thumbnailOf } from '../../src/social/pixels.ts';
import { grainy } from '../assets/library.ts';
import { drawing, format, map, type Patch, pictureOf } from './drawings.ts';

const SIDE = 180;
const FORMATS = ['instagram-story', 'instagram-feed-square', 'pinterest-pin', 'twitter-post', 'twitter-header'].map(
  format,
);
const SOURCES = [
  { width: 1600, height: 1000 },
  { width: 1000, height: 1600 },
];
const SMART = { crop: 'SMART', focalPoint: null, padding: null, outputFormat: 'PNG' } as const;

/** A striped square, at a place given in fractions of the way that it can go. */
function objectAt(source: { width: number; height: number }, x: number, y: number): Patch[] {
  const left = Math.round((source.width - SIDE) * x);
  const top = Math.round((source.height - SIDE) * y);
  const stripe = SIDE / 6;
  return ['#d22', '#2b2', '#22d', '#dd2', '#2dd', '#d2d'].map((colour, i) => ({
    colour,
    left: left + i * stripe,
    top,
    width: stripe,
    height: SIDE,
  }));
}

/** How much of the object is in the window, of what can be in it at best. */
function kept(object: readonly Patch[], window: CropWindow): number {
  const [left, top] = [object[0]?.left ?? 0, object[0]?.top ?? 0];
  const overlap = (start: number, from: number, span: number) =>
    Math.max(0, Math.min(start + SIDE, from + span) - Math.max(start, from));
  const share = overlap(left, window.left, window.width) * overlap(top, window.top, window.height);
  return share / (Math.min(SIDE, window.width) * Math.min(SIDE, window.height));
}

const PLACES = [0.02, 0.3, 0.7, 0.98].flatMap((x) => [0.02, 0.3, 0.7, 0.98].map((y) => [x, y] as const));

async function smartWindows(png: Buffer) {
  const pixels = await decodePixels(png, '#ffffff');
  const interest = interestOf(await thumbnailOf(pixels));
  return FORMATS.map((target) => ({
    smart: windowOfInterest(pixels, target, interest),
    centre: windowAround(pixels, target, { x: 0.5, y: 0.5 }),
  }));
}

describe('SMART', () => {
  test('keeps the whole of an object on a plain ground, wherever it is and whatever the ratio, where CENTER loses it', async () => {
    const shares = { smart: [] as number[], centre: [] as number[] };
    for (const source of SOURCES) {
      for (const [x, y] of PLACES) {
        const object = objectAt(source, x, y);
        const png = await drawing(source.width, source.height, '#c8ccd0', object)
          .png({ compressionLevel: 1 })
          .toBuffer();
        for (const { smart, centre } of await smartWindows(png)) {
          shares.smart.push(kept(object, smart));
          shares.centre.push(kept(object, centre));
        }
      }
    }
    expect(Math.min(...shares.smart)).toBe(1);
    const average = (all: readonly number[]) => all.reduce((sum, share) => sum + share, 0) / all.length;
    expect(average(shares.centre)).toBeLessThan(0.6);
  });

  test.each([
    ['grain', async () => grainy(1600, 1000)],
    [
      'a horizon',
      async () => drawing(1600, 1000, '#a9d3f0', [{ colour: '#4f6b3a', left: 0, top: 550, width: 1600, height: 450 }]),
    ],
    ['a slow change of colours', async () => map(1600, 1000)],
  ])('keeps it on %s too', async (_, ground) => {
    const base = await (await ground()).png().toBuffer();
    const shares: number[] = [];
    for (const [x, y] of PLACES) {
      const object = objectAt({ width: 1600, height: 1000 }, x, y);
      const png = await sharp(base)
        .composite(
          object.map(({ colour, left, top, ...size }) => ({
            input: { create: { ...size, channels: 3 as const, background: colour } },
            left,
            top,
          })),
        )
        .removeAlpha()
        .png({ compressionLevel: 1 })
        .toBuffer();
      shares.push(...(await smartWindows(png)).map(({ smart }) => kept(object, smart)));
    }
    expect(Math.min(...shares)).toBeGreaterThan(0.95);
  });

  test('shows what is finely drawn where no colour is rarer than another', async () => {
    const squares = (side: number, left: number, width: number): Patch[] =>
      Array.from({ length: (width / side) * (1000 / side) }, (_, i) => {
        const [column, line] = [i % (width / side), Math.floor(i / (width / side))];
        return {
          colour: '#fff',
          left: left + column * side,
          top: line * side,
          width: side,
          height: side,
          column,
          line,
        };
      }).filter(({ column, line }) => (column + line) % 2 === 0);
    for (const left of [0, 1500]) {
      const coarse = squares(250, left === 0 ? 500 : 0, 1500);
      const png = await drawing(2000, 1000, '#000', [...squares(25, left, 500), ...coarse])
        .png()
        .toBuffer();
      const { smart } = (await smartWindows(png))[FORMATS.indexOf(format('instagram-feed-square'))] ?? {};
      // To one line of the thumbnail.
      expect(Math.abs((smart?.left ?? -1) - (left === 0 ? 0 : 1000))).toBeLessThanOrEqual(8);
    }
  });

  test('shows a face rather than a sign as large and as lively', async () => {
    const patch = (colour: string, left: number, top: number, width: number, height: number): Patch => ({
      colour,
      left,
      top,
      width,
      height,
    });
    const marked = (colour: string, left: number) => [
      patch(colour, left, 400, 200, 200),
      patch('#202020', left + 50, 450, 20, 20),
      patch('#202020', left + 130, 450, 20, 20),
      patch('#202020', left + 70, 550, 60, 15),
    ];
    const dark = '#6b4533';
    const light = '#e0ac8f';
    for (const skin of [dark, light]) {
      for (const [faceLeft, signLeft] of [
        [100, 1700],
        [1700, 100],
      ] as const) {
        const png = await drawing(2000, 1000, '#b8c4c8', [...marked(skin, faceLeft), ...marked('#4a6a9a', signLeft)])
          .png()
          .toBuffer();
        const [window] = await smartWindows(png);
        const { left, width } = window?.smart ?? { left: 0, width: 0 };
        expect(faceLeft >= left && faceLeft + 200 <= left + width).toBe(true);
      }
    }
  });

  test('cuts a picture with nothing in it as CENTER does', async () => {
    const png = await drawing(1600, 1000, '#336699', []).png().toBuffer();
    for (const { smart, centre } of await smartWindows(png)) expect(smart).toEqual(centre);
  });

  test.each([
    ['white', '#ffffff'],
    ['black', '#000000'],
  ])('sees a %s cut-out on nothing', async (_, colour) => {
    const cutout = await sharp({ create: { width: 1600, height: 1000, channels: 4, background: '#ffffff00' } })
      .composite([
        { input: { create: { width: 200, height: 200, channels: 4, background: colour } }, left: 1380, top: 400 },
      ])
      .png()
      .toBuffer();
    const [optimized] = await optimizePicture(async () => cutout, [format('instagram-feed-square')], SMART);
    const { data } = await sharp(pictureOf(optimized).bytes).raw().toBuffer({ resolveWithObject: true });
    const opaque = data.filter((value, i) => i % 4 === 3 && value > 127).length;
    // 200 pixels of 1000 are 216 of 1080.
    expect(opaque).toBeGreaterThan(214 * 214);
  });

  test('cuts the pixels that it chose', async () => {
    const object = objectAt({ width: 1600, height: 1000 }, 0.98, 0.5);
    const png = await drawing(1600, 1000, '#c8ccd0', object).png().toBuffer();
    const target = format('instagram-feed-square');
    const [smart] = await optimizePicture(async () => png, [target], SMART);
    const window = (await smartWindows(png))[FORMATS.indexOf(target)]?.smart;
    const expected = await sharp(png)
      .extract(window ?? { left: 0, top: 0, width: 1, height: 1 })
      .resize(1080, 1080)
      .raw()
      .toBuffer();
    expect((await sharp(pictureOf(smart).bytes).raw().toBuffer()).equals(expected)).toBe(true);
  });
});
