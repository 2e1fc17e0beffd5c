import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTooSmallFor, windowAround, windowOfInterest } from '../../src/social/crop-window.ts';
import type { Interest } from '../../src/social/interest.ts';
import { SOCIAL_FORMATS, type SocialFormat, safeArea } from '../../src/social/social-formats.ts';
import { format } from './drawings.ts';

const square = format('instagram-feed-square');
const story = format('instagram-story');
const MIDDLE = { x: 0.5, y: 0.5 };

const aFormat = fc.constantFrom(...SOCIAL_FORMATS);
const aSource = fc.record({ width: fc.integer({ min: 64, max: 9_000 }), height: fc.integer({ min: 64, max: 9_000 }) });
const aFraction = fc.double({ min: 0, max: 1, noNaN: true });

/** Everything at one place of the picture, as fractions of its sides, with nothing elsewhere. */
function interestAt(x: number, y: number): Interest {
  const [columns, rows] = [new Float64Array(256), new Float64Array(256)];
  columns[Math.floor(x * 255)] = 1;
  rows[Math.floor(y * 255)] = 1;
  return { columns, rows };
}

describe('a window around a point', () => {
  test.each([
    [
      'the middle of a wide picture',
      { width: 2000, height: 1000 },
      MIDDLE,
      { left: 500, top: 0, width: 1000, height: 1000 },
    ],
    [
      'the middle of a tall picture',
      { width: 999, height: 1501 },
      MIDDLE,
      { left: 0, top: 251, width: 999, height: 999 },
    ],
    [
      'a point that can be reached',
      { width: 2000, height: 1000 },
      { x: 0.4, y: 0 },
      { left: 300, top: 0, width: 1000, height: 1000 },
    ],
    ['the left edge', { width: 2000, height: 1000 }, { x: 0, y: 1 }, { left: 0, top: 0, width: 1000, height: 1000 }],
    [
      'the right edge',
      { width: 2000, height: 1000 },
      { x: 1, y: 0 },
      { left: 1000, top: 0, width: 1000, height: 1000 },
    ],
    [
      'the bottom edge',
      { width: 1000, height: 3000 },
      { x: 0, y: 1 },
      { left: 0, top: 2000, width: 1000, height: 1000 },
    ],
  ])('is as large as can be and has %s in its middle as far as the picture reaches', (_, source, point, window) => {
    expect(windowAround(source, square, point)).toEqual(window);
  });

  test('is the whole picture where the ratio is the same', () => {
    expect(windowAround({ width: 540, height: 960 }, story, { x: 1, y: 1 })).toEqual({
      left: 0,
      top: 0,
      width: 540,
      height: 960,
    });
  });
});

describe('any window', () => {
  const check = (
    source: { width: number; height: number },
    target: SocialFormat,
    window: ReturnType<typeof windowAround>,
  ) => {
    expect(Object.values(window).every(Number.isInteger)).toBe(true);
    expect(Math.min(window.left, window.top)).toBeGreaterThanOrEqual(0);
    expect(Math.min(window.width, window.height)).toBeGreaterThanOrEqual(1);
    expect(window.left + window.width).toBeLessThanOrEqual(source.width);
    expect(window.top + window.height).toBeLessThanOrEqual(source.height);
    expect(window.width === source.width || window.height === source.height).toBe(true);
    // To half a pixel of the side that was worked out from the other.
    const error = Math.abs(window.width * target.height - window.height * target.width);
    expect(error).toBeLessThanOrEqual(Math.max(target.width, target.height) / 2 + 1e-6);
  };

  test('lies in the picture, spans one whole side of it and has the ratio of the format', () => {
    fc.assert(
      fc.property(aSource, aFormat, aFraction, aFraction, (source, target, x, y) => {
        check(source, target, windowAround(source, target, { x, y }));
        check(source, target, windowOfInterest(source, target, interestAt(x, y)));
      }),
    );
  });

  test('of interest holds the one place that draws the eye, wherever that is', () => {
    fc.assert(
      fc.property(aSource, aFormat, aFraction, aFraction, (source, target, x, y) => {
        const window = windowOfInterest(source, target, interestAt(x, y));
        const place = {
          x: ((Math.floor(x * 255) + 0.5) / 256) * source.width,
          y: ((Math.floor(y * 255) + 0.5) / 256) * source.height,
        };
        expect(place.x).toBeGreaterThanOrEqual(window.left - 1);
        expect(place.x).toBeLessThanOrEqual(window.left + window.width + 1);
        expect(place.y).toBeGreaterThanOrEqual(window.top - 1);
        expect(place.y).toBeLessThanOrEqual(window.top + window.height + 1);
      }),
    );
  });
});

describe('a window of interest', () => {
  test('is the one in the centre where nothing draws the eye, or everything does', () => {
    const source = { width: 2000, height: 1000 };
    for (const amount of [0, 1]) {
      const interest = { columns: new Float64Array(256).fill(amount), rows: new Float64Array(128).fill(amount) };
      expect(windowOfInterest(source, square, interest)).toEqual(windowAround(source, square, MIDDLE));
    }
  });

  test('stays in the centre where one side is hardly livelier than the other', () => {
    const columns = Float64Array.from({ length: 256 }, (_, line) => 1 - (0.01 * line) / 255);
    const source = { width: 2000, height: 1000 };
    const window = windowOfInterest(source, square, { columns, rows: new Float64Array(128).fill(1) });
    expect(window).toEqual(windowAround(source, square, MIDDLE));
  });

  test('puts what draws the eye into the middle of the safe area, not of the format', () => {
    const header = format('twitter-header');
    const source = { width: 1500, height: 3000 };
    const safe = safeArea(header);
    const { top } = windowOfInterest(source, header, interestAt(0.5, 0.5));
    const inFormat = 1500 - top;
    expect(Math.abs(inFormat - (safe.y + safe.height / 2))).toBeLessThan(12);
    expect(Math.abs(inFormat - header.height / 2)).toBeGreaterThan(13);
  });
});

describe('a picture is too small', () => {
  test('for a crop when it would be enlarged more than twice on the side that needs it most', () => {
    for (const crop of ['SMART', 'CENTER', 'FOCAL'] as const) {
      expect(isTooSmallFor({ width: 540, height: 960 }, story, crop)).toBe(false);
      expect(isTooSmallFor({ width: 539, height: 9_600 }, story, crop)).toBe(true);
      expect(isTooSmallFor({ width: 5_400, height: 959 }, story, crop)).toBe(true);
    }
  });

  test('for FIT only when both sides would be', () => {
    expect(isTooSmallFor({ width: 540, height: 64 }, story, 'FIT')).toBe(false);
    expect(isTooSmallFor({ width: 64, height: 960 }, story, 'FIT')).toBe(false);
    expect(isTooSmallFor({ width: 539, height: 959 }, story, 'FIT')).toBe(true);
  });
});
