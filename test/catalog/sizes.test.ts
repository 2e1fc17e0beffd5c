import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRatio, pixelsOf, resolveSize, type SizeWish, sizeClassOf } from '../../src/catalog/sizes.ts';
import { badInputOf } from './bad-input.ts';

const FALLBACK = { width: 1024, height: 1024 };
const resolve = (wish: SizeWish) => resolveSize(wish, FALLBACK);

describe('a size', () => {
  test('that nothing is said about is the fallback', () => {
    expect(resolve({})).toEqual(FALLBACK);
    expect(resolveSize({}, { ...FALLBACK, id: 'a template' } as typeof FALLBACK)).toEqual(FALLBACK);
  });

  test('with both sides is taken exactly as it is', () => {
    expect(resolve({ width: 1080, height: 1350 })).toEqual({ width: 1080, height: 1350 });
    expect(resolve({ width: 64, height: 4096 })).toEqual({ width: 64, height: 4096 });
    expect(resolve({ width: 4096, height: 64 })).toEqual({ width: 4096, height: 64 });
  });

  test.each([0, 1, 63, -1, -64, 4097, 16_385, 1e9, 2 ** 31, 64.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'with a side of %s is bad input that names side, value and limit',
    (side) => {
      const limit = 'a whole number of pixels from 64 to 4096';
      expect(badInputOf(() => resolve({ width: side, height: 512 }))).toEqual({
        code: 'BAD_USER_INPUT',
        field: 'width',
        value: side,
        limit,
      });
      expect(badInputOf(() => resolve({ width: 512, height: side }))).toMatchObject({
        field: 'height',
        value: side,
        limit,
      });
    },
  );

  test('with both sides and a ratio is bad input, even when they agree', () => {
    expect(badInputOf(() => resolve({ width: 1024, height: 1024, aspectRatio: '1:1' }))).toMatchObject({
      field: 'aspectRatio',
      value: '1:1',
      limit: expect.stringContaining('left out'),
    });
  });

  test('with one side and neither the other nor a ratio is bad input', () => {
    expect(badInputOf(() => resolve({ width: 512 }))).toMatchObject({ field: 'width', value: 512 });
    expect(badInputOf(() => resolve({ height: 512 }))).toMatchObject({ field: 'height', value: 512 });
  });

  test('with one side out of range is refused for that side before its ratio is looked at', () => {
    expect(badInputOf(() => resolve({ width: 5000, aspectRatio: 'nonsense' }))).toMatchObject({ field: 'width' });
  });

  test('with one side and a ratio has the other side to the pixel', () => {
    expect(resolve({ width: 1200, aspectRatio: '1.91:1' })).toEqual({ width: 1200, height: 628 });
    expect(resolve({ height: 1080, aspectRatio: '16:9' })).toEqual({ width: 1920, height: 1080 });
    expect(resolve({ width: 512, aspectRatio: '1:8' })).toEqual({ width: 512, height: 4096 });
    expect(resolve({ width: 512, aspectRatio: '8:1' })).toEqual({ width: 512, height: 64 });
  });

  test('whose ratio drives the other side out of range is bad input that says where it would come to', () => {
    expect(badInputOf(() => resolve({ width: 504, aspectRatio: '8:1' }))).toMatchObject({
      field: 'aspectRatio',
      value: '8:1',
      limit: expect.stringContaining('(it comes to 63)'),
    });
    expect(badInputOf(() => resolve({ height: 513, aspectRatio: '8:1' }))).toMatchObject({
      field: 'aspectRatio',
      limit: expect.stringContaining('(it comes to 4104)'),
    });
  });

  test.each([
    ['1:1', 1024, 1024],
    ['16:9', 1368, 768],
    ['9:16', 768, 1368],
    ['1.91:1', 1416, 744],
    ['4:5', 912, 1144],
    ['8:1', 2896, 360],
    ['1:8', 360, 2896],
  ])('of the ratio %s alone is %i x %i: about a megapixel in steps of 8', (aspectRatio, width, height) => {
    expect(resolve({ aspectRatio })).toEqual({ width, height });
  });

  test('of any ratio alone is within two percent of a megapixel, in steps of 8, in range, and never more than class M', () => {
    fc.assert(
      fc.property(fc.double({ min: 1 / 8, max: 8, noNaN: true }), (ratio) => {
        const size = resolve({ aspectRatio: `${(Math.round(ratio * 1000) / 1000).toFixed(3)}:1` });
        expect(Math.abs(pixelsOf(size) / 1_048_576 - 1)).toBeLessThan(0.02);
        expect([size.width % 8, size.height % 8]).toEqual([0, 0]);
        expect(Math.min(size.width, size.height)).toBeGreaterThanOrEqual(64);
        expect(sizeClassOf(size)).toBe('M');
      }),
    );
  });

  test('is either wholly in range or bad input, whatever whole numbers and ratio are asked', () => {
    const side = fc.option(fc.integer({ min: -10, max: 5000 }), { nil: undefined });
    const ratio = fc.option(fc.constantFrom('1:1', '16:9', '1:8', '8:1', '1.91:1', '9:1', 'x'), { nil: undefined });
    fc.assert(
      fc.property(side, side, ratio, (width, height, aspectRatio) => {
        try {
          for (const length of Object.values(resolve({ width, height, aspectRatio }))) {
            expect(Number.isInteger(length) && length >= 64 && length <= 4096).toBe(true);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
        }
      }),
    );
  });
});

describe('a ratio', () => {
  test.each([
    ['16:9', 16 / 9],
    ['1.91:1', 1.91],
    ['8:1', 8],
    ['1:8', 0.125],
    ['0.5:0.25', 2],
    ['1080:1350', 0.8],
  ])('written %s is read', (text, ratio) => {
    expect(parseRatio(text)).toBeCloseTo(ratio, 10);
  });

  test.each([
    '0:1',
    '1:0',
    '0:0',
    'NaN',
    'NaN:1',
    '9:1',
    '1:9',
    '8.01:1',
    '-16:9',
    '16:-9',
    '16/9',
    '16:9:4',
    ' 16:9',
    '16:9\n',
    '1e3:1e3',
    '0x10:9',
    'Infinity:1',
    '١٦:٩',
    '99999:99999',
    '',
    ':',
    '1.777777:1',
  ])('written %j is bad input', (aspectRatio) => {
    expect(badInputOf(() => resolve({ aspectRatio }))).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'aspectRatio',
      value: aspectRatio,
    });
  });
});

describe('the size class', () => {
  test.each([
    [512, 1024, 'S'], // 524,288: the last of S
    [524_289, 1, 'M'],
    [1024, 1536, 'M'], // 1,572,864: the last of M
    [1_572_865, 1, 'L'],
    [2048, 2048, 'L'], // 4,194,304: the last that can be generated
    [64, 64, 'S'],
  ] as const)('of %i x %i is %s', (width, height, sizeClass) => {
    expect(sizeClassOf({ width, height })).toBe(sizeClass);
  });

  test('of an unknown size is M', () => {
    expect(sizeClassOf(null)).toBe('M');
  });
});
