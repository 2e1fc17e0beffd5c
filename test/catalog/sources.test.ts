import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EDIT_MODELS } from '../../src/catalog/edit-models.ts';
import { remedyOf, sourceProblem } from '../../src/catalog/sources.ts';
import { UPSCALE_MODELS } from '../../src/catalog/upscale-models.ts';

const MODELS = [...EDIT_MODELS, ...UPSCALE_MODELS];
const side = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20_000 }));

describe('the limits of sources', () => {
  test.each(MODELS.map((model) => [model.id, model.source] as const))(
    '%s: whatever is said to do does',
    (_, limits) => {
      fc.assert(
        fc.property(side, side, (width, height) => {
          const problem = sourceProblem(limits, { width, height });
          if (problem === null) return;
          expect(problem.limit).not.toBe('');
          if (problem.fits) expect(sourceProblem(limits, problem.fits)).toBeNull();
          expect(remedyOf(problem)).toMatch(
            problem.fits ? /^A copy of \d+x\d+ would do\.$/ : /^Use another picture\.$/,
          );
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each(MODELS.map((model) => [model.id, model.source] as const))('%s: both ends are allowed', (_, limits) => {
    const { sideMin, pixelsMin, pixelsMax } = limits;
    const square = (pixels: number) => ({ width: Math.sqrt(pixels), height: Math.sqrt(pixels) });
    expect(sourceProblem(limits, square(Math.max(pixelsMin, sideMin ** 2)))).toBeNull();
    const largest = Math.floor(Math.sqrt(pixelsMax)) ** 2;
    expect(sourceProblem(limits, square(largest))).toBeNull();
    const over = square((Math.floor(Math.sqrt(pixelsMax)) + 1) ** 2);
    expect(sourceProblem(limits, over)).toMatchObject({ limit: expect.stringMatching(/^at most [\d,]+ pixels/) });
  });

  test('a picture that is too wide is cut, one too large is reduced in its own ratio', () => {
    const limits = { sideMin: 64, sideMax: 4000, pixelsMin: 4096, pixelsMax: 1_000_000, ratioMax: 2.5, bytesMax: 1 };
    expect(sourceProblem(limits, { width: 1000, height: 100 })).toEqual({
      limit: 'sides of at most 2.5 to 1',
      fits: { width: 250, height: 100 },
    });
    expect(sourceProblem(limits, { width: 2000, height: 1000 })).toEqual({
      limit: 'at most 1,000,000 pixels',
      fits: { width: 1414, height: 707 },
    });
    expect(sourceProblem(limits, { width: 32, height: 32 })).toEqual({
      limit: 'at least 64 pixels a side',
      fits: { width: 64, height: 64 },
    });
  });
});
