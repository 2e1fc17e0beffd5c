import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTENT_TYPES } from '../../src/assets/asset.ts';
import {
  isOriginal,
  RENDITION_FITS,
  RENDITION_FORMATS,
  type RenditionFit,
  type RenditionWish,
  readSpec,
  renditionSpec,
  specText,
} from '../../src/assets/rendition.ts';

const of = (
  width: number,
  height: number,
  wish: RenditionWish,
  contentType: 'image/png' | 'image/webp' = 'image/png',
) => specText(renditionSpec({ width, height, contentType }, wish));

describe('what a wish comes to', () => {
  it.each<[string, [number, number], RenditionWish, string]>([
    ['one side', [1600, 1200], { width: 800 }, 'inside-800x600.png'],
    ['the other side', [1600, 1200], { height: 300 }, 'inside-400x300.png'],
    ['a box that is too wide', [1600, 1200], { width: 1600, height: 300 }, 'inside-400x300.png'],
    ['a box that is too high', [1600, 1200], { width: 400, height: 1200 }, 'inside-400x300.png'],
    ['a ratio that does not come out even', [1000, 333], { width: 100 }, 'inside-100x33.png'],
    ['a very long picture', [16_384, 32], { width: 16 }, 'inside-16x1.png'],
    ['a format alone', [1600, 1200], { format: 'WEBP' }, 'inside-1600x1200.webp'],
    ['more than there is', [1600, 1200], { width: 4096, height: 4096 }, 'inside-1600x1200.png'],
    ['a cut-out', [1600, 1200], { width: 300, height: 300, fit: 'COVER' }, 'cover-300x300.png'],
    ['a cut-out as large as it is', [1600, 1200], { width: 1600, height: 1200, fit: 'COVER' }, 'cover-1600x1200.png'],
    ['a larger cut-out', [1000, 1000], { width: 4000, height: 2000, fit: 'COVER' }, 'cover-1000x500.png'],
    ['a larger cut-out the other way', [1000, 1000], { width: 2000, height: 4000, fit: 'COVER' }, 'cover-500x1000.png'],
    ['one wider than it is', [1000, 1000], { width: 2000, height: 500, fit: 'COVER' }, 'cover-1000x250.png'],
    ['a frame', [1600, 1200], { width: 300, height: 300, fit: 'CONTAIN' }, 'contain-300x300.png'],
    ['a frame that is wider only', [1000, 1000], { width: 4000, height: 500, fit: 'CONTAIN' }, 'contain-4000x500.png'],
    ['a larger frame', [1000, 1000], { width: 4000, height: 2000, fit: 'CONTAIN' }, 'contain-2000x1000.png'],
    ['one the other way', [1000, 500], { width: 2000, height: 4000, fit: 'CONTAIN' }, 'contain-1000x2000.png'],
  ])('is exact and never enlarged: %s', (_what, [width, height], wish, expected) => {
    expect(of(width, height, wish)).toBe(expected);
  });

  it('is spelt the same for every spelling of the same picture', () => {
    const wishes: RenditionWish[] = [
      { width: 800 },
      { height: 600 },
      { width: 800, height: 600 },
      { width: 800, height: 4096, fit: 'INSIDE' },
      { width: 800, fit: null, format: 'PNG' },
    ];
    expect(new Set(wishes.map((wish) => of(1600, 1200, wish)))).toEqual(new Set(['inside-800x600.png']));
  });

  it('is the original where nothing is asked', () => {
    expect(
      [{}, { width: null, height: null, fit: null, format: null }, { fit: 'INSIDE' } as const].map(isOriginal),
    ).toEqual([true, true, true]);
    const something: RenditionWish[] = [{ width: 16 }, { height: 16 }, { format: 'PNG' }, { fit: 'COVER' }];
    expect(something.map(isOriginal)).toEqual([false, false, false, false]);
  });

  it.each<[RenditionWish, string, unknown, string]>([
    [{ width: 15 }, 'width', 15, 'a whole number from 16 to 4096'],
    [{ width: 4097 }, 'width', 4097, 'a whole number from 16 to 4096'],
    [{ height: 0 }, 'height', 0, 'a whole number from 16 to 4096'],
    [{ height: -100 }, 'height', -100, 'a whole number from 16 to 4096'],
    [{ width: 100.5 }, 'width', 100.5, 'a whole number from 16 to 4096'],
    [{ fit: 'COVER' }, 'width', null, 'given, a whole number from 16 to 4096, because COVER needs both sides'],
    [
      { fit: 'CONTAIN', width: 100 },
      'height',
      null,
      'given, a whole number from 16 to 4096, because CONTAIN needs both sides',
    ],
  ])('refuses %j by name', (wish, field, value, limit) => {
    expect(() => of(1600, 1200, wish)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', details: { field, value, limit } }),
    );
  });

  it('refuses a WebP that cannot be written', () => {
    expect(() => of(16_384, 32, { format: 'WEBP' })).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ field: 'format', value: 'WEBP' }) }),
    );
    expect(of(16_384, 32, { format: 'WEBP', width: 4096 })).toBe('inside-4096x8.webp');
    expect(of(16_383, 32, { format: 'WEBP' })).toBe('inside-16383x32.webp');
  });

  it('refuses an AVIF that would take too long to write', () => {
    expect(() => of(4096, 4097, { format: 'AVIF' })).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ field: 'format', value: 'AVIF' }) }),
    );
    expect(of(4096, 4096, { format: 'AVIF' })).toBe('inside-4096x4096.avif');
    expect(of(4096, 8192, { format: 'AVIF', width: 2048 })).toBe('inside-2048x4096.avif');
  });

  it('never has an empty side, more pixels a side than asked, or a larger picture than the original', () => {
    const size = fc.integer({ min: 1, max: 16_383 });
    const asked = fc.integer({ min: 16, max: 4096 });
    fc.assert(
      fc.property(size, size, asked, asked, fc.constantFrom(...RENDITION_FITS), (w, h, width, height, fit) => {
        const spec = renditionSpec({ width: w, height: h, contentType: 'image/png' }, { width, height, fit });
        expect(Math.min(spec.width, spec.height)).toBeGreaterThanOrEqual(1);
        expect(spec.width).toBeLessThanOrEqual(width);
        expect(spec.height).toBeLessThanOrEqual(height);
        if (fit !== 'CONTAIN') expect(spec.width <= w && spec.height <= h).toBe(true);
        // Of a frame, one side of the picture fills it without being enlarged.
        else expect(spec.width <= w || spec.height <= h).toBe(true);
        if (fit !== 'INSIDE' && width <= w && height <= h) expect(spec).toMatchObject({ width, height });
      }),
    );
  });
});

describe('a spec in an address', () => {
  it('is read back as it was written', () => {
    for (const fit of RENDITION_FITS)
      for (const contentType of CONTENT_TYPES) {
        const spec = { fit, width: 800, height: 16_384, contentType };
        expect(readSpec(specText(spec))).toEqual(spec);
      }
    expect(RENDITION_FORMATS).toHaveLength(CONTENT_TYPES.length);
  });

  it.each<[string, RenditionFit | string]>([
    ['a leading zero', 'cover-0800x600.webp'],
    ['no side', 'cover-0x600.webp'],
    ['a sign', 'cover-+800x600.webp'],
    ['capitals', 'COVER-800x600.webp'],
    ['another fit', 'fill-800x600.webp'],
    ['another ending', 'cover-800x600.gif'],
    ['an ending of a kind that has another', 'cover-800x600.jpeg'],
    ['a line behind it', 'cover-800x600.webp\n'],
    ['too long a side', 'cover-800000x600.webp'],
    ['nothing', ''],
    ['a path', '../cover-800x600.webp'],
  ])('is not read with %s', (_what, text) => {
    expect(readSpec(text)).toBeNull();
  });
});
