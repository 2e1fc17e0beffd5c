import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { OUTPUT_FORMATS } from '../../src/catalog/output-formats.ts';
import { encodeWithin } from '../../src/social/encode.ts';
import { grainy } from '../assets/library.ts';
import { map } from './drawings.ts';

const WITHOUT_LIMIT = Number.POSITIVE_INFINITY;

async function grain(): Promise<() => Sharp> {
  const raw = { width: 600, height: 400, channels: 3 as const };
  const data = await grainy(raw.width, raw.height).raw().toBuffer();
  return () => sharp(data, { raw });
}

async function bytesOf(draw: () => Sharp, outputFormat: (typeof OUTPUT_FORMATS)[number], bytesMax: number) {
  const encoded = await encodeWithin(draw, outputFormat, bytesMax);
  if (!('bytes' in encoded)) throw new Error(`it did not fit: ${encoded.bytesLeast}`);
  return encoded.bytes;
}

/** Mean difference of a byte, from 0 to 255. */
async function lossOf(draw: () => Sharp, encoded: Buffer): Promise<number> {
  const [before, after] = [await draw().raw().toBuffer(), await sharp(encoded).removeAlpha().raw().toBuffer()];
  return before.reduce((sum, value, i) => sum + Math.abs(value - (after[i] ?? 0)), 0) / before.length;
}

describe('a picture within a number of bytes', () => {
  test.each(OUTPUT_FORMATS)('as %s is the best one when that fits, to the last byte', async (outputFormat) => {
    const draw = await grain();
    const best = await bytesOf(draw, outputFormat, WITHOUT_LIMIT);
    expect((await bytesOf(draw, outputFormat, best.length)).equals(best)).toBe(true);
    expect((await bytesOf(draw, outputFormat, best.length - 1)).length).toBeLessThan(best.length);
  });

  test.each(OUTPUT_FORMATS)('as %s loses no more than it must, and never gets too large', async (outputFormat) => {
    const draw = await grain();
    const best = await bytesOf(draw, outputFormat, WITHOUT_LIMIT);
    const least = await encodeWithin(draw, outputFormat, 0);
    if (!('bytesLeast' in least)) throw new Error('nothing fits into no bytes');
    expect(least.bytesLeast).toBeLessThan(best.length * 0.75);
    let loss = await lossOf(draw, best);
    let size = best.length;
    for (const share of [0.75, 0.5, 0.25, 0]) {
      const limit = Math.ceil(least.bytesLeast + (best.length - 1 - least.bytesLeast) * share);
      const encoded = await bytesOf(draw, outputFormat, limit);
      expect(encoded.length).toBeLessThanOrEqual(Math.min(limit, size));
      expect(await lossOf(draw, encoded)).toBeGreaterThanOrEqual(loss);
      [loss, size] = [await lossOf(draw, encoded), encoded.length];
    }
  });

  test.each(OUTPUT_FORMATS)(
    'as %s is refused below the least quality, with the bytes that it would take',
    async (outputFormat) => {
      const draw = await grain();
      const least = await encodeWithin(draw, outputFormat, 10_000);
      expect(least).toEqual({ bytesLeast: expect.any(Number) });
      if (!('bytesLeast' in least)) return;
      expect(await bytesOf(draw, outputFormat, least.bytesLeast)).toHaveLength(least.bytesLeast);
      expect(await encodeWithin(draw, outputFormat, least.bytesLeast - 1)).toEqual(least);
    },
  );

  test('as PNG has every pixel unchanged, and at most 256 colours when it must shrink', async () => {
    const draw = await grain();
    const best = await bytesOf(draw, 'PNG', WITHOUT_LIMIT);
    expect(await lossOf(draw, best)).toBe(0);
    const shrunk = await bytesOf(draw, 'PNG', best.length - 1);
    const { data } = await sharp(shrunk).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const colours = new Set(Array.from({ length: data.length / 3 }, (_, i) => data.readUIntBE(i * 3, 3)));
    expect(colours.size).toBeGreaterThan(100);
    expect(colours.size).toBeLessThanOrEqual(256);
  });

  test('is drawn once when the first try fits', async () => {
    let drawn = 0;
    const draw = () => {
      drawn++;
      return map(100, 100);
    };
    await encodeWithin(draw, 'JPEG', WITHOUT_LIMIT);
    expect(drawn).toBe(1);
  });
});
