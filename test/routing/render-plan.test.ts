import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findModel, MODELS } from '../../src/catalog/models.ts';
import { QUALITIES } from '../../src/catalog/operations.ts';
import type { Renders } from '../../src/catalog/renders.ts';
import { GENERATE_PIXELS_MAX, type Size } from '../../src/catalog/sizes.ts';
import { TEMPLATES } from '../../src/catalog/templates.ts';
import { planRender } from '../../src/routing/render-plan.ts';

function rendersOf(id: string): Renders {
  const model = findModel(id);
  if (!model) throw new Error(`no model ${id}`);
  return model.renders;
}

/** A plan in short: what is drawn, and how many times a side it is enlarged. */
function planOf(id: string, width: number, height: number): string | null {
  const plan = planRender(rendersOf(id), { width, height });
  if (plan === null) return null;
  const { render, enlargement } = plan;
  return [`${render.width}x${render.height}`, render.imageSize, `*${enlargement.toFixed(3)}`].filter(Boolean).join(' ');
}

describe('what is drawn for an exact size', () => {
  test.each([
    // A render that covers is preferred, of the nearest ratio and then the smallest.
    ['nano-banana', 1080, 1350, '1856x2304 2K *1.000'],
    ['nano-banana', 1024, 1024, '1024x1024 1K *1.000'],
    ['nano-banana', 1025, 1024, '2048x2048 2K *1.000'],
    ['nano-banana', 1200, 630, '1376x768 1K *1.000'],
    ['nano-banana', 2560, 1080, '3168x1344 2K *1.000'],
    ['nano-banana', 1128, 191, '1584x672 1K *1.000'],
    ['nano-banana', 820, 312, '1584x672 1K *1.000'],
    ['nano-banana', 64, 64, '1024x1024 1K *1.000'],
    ['nano-banana', 4096, 1024, '6336x2688 4K *1.000'],
    ['nano-banana', 1024, 4096, '3072x5504 4K *1.000'],
    ['core', 1080, 1350, '1088x1344 *1.004'],
    ['core', 1080, 1344, '1088x1344 *1.000'],
    ['core', 512, 512, '1216x1216 *1.000'],
    // None covers: the largest of the nearest ratio is enlarged.
    ['core', 2560, 1080, '1904x816 *1.345'],
    ['ideogram-v3-turbo', 1080, 1080, '1024x1024 *1.055'],
    ['ideogram-v3-turbo', 2560, 1080, '1312x736 *1.951'],
    ['flash-lite', 2048, 2048, '1024x1024 *2.000'],
    // The nearest ratio would need more than twice; another does not.
    ['ultra', 1812, 2007, '1024x1024 *1.960'],
    // Beyond twice a side nothing is drawn.
    ['flash-lite', 2049, 2048, null],
    ['ultra', 4096, 1024, null],
    ['ideogram-v3-turbo', 4096, 1024, null],
    // Any size within bounds: the size itself, to the next step.
    ['qwen-image', 1080, 1350, '1080x1350 *1.000'],
    ['qwen-image', 1111, 777, '1111x777 *1.000'],
    ['flux-dev', 1024, 1024, '1024x1024 *1.000'],
    ['flux-dev', 1080, 1350, '1088x1376 *1.000'],
    ['flux-dev', 64, 64, '256x256 *1.000'],
    ['flux-dev', 1128, 191, '1440x256 *1.000'],
    ['flux-dev', 64, 1411, '256x1440 *1.000'],
    ['flux-dev', 91, 273, '256x768 *1.000'], // three times as high as wide, in spite of binary fractions
    ['qwen-image', 91, 273, '256x768 *1.000'],
    ['flux-dev', 2560, 1080, '1440x608 *1.778'],
    ['flux-dev', 2880, 1440, '1440x736 *2.000'],
    ['flux-dev', 2881, 1440, null],
    ['qwen-image', 2048, 2048, '1536x1536 *1.333'],
    ['qwen-image', 3072, 1024, '1536x512 *2.000'],
    ['qwen-image', 3073, 1024, null],
    ['qwen-image', 4096, 1024, null],
  ])('%s, %i x %i: %s', (id, width, height, plan) => {
    expect(planOf(id, width, height)).toBe(plan);
  });
});

describe('every template', () => {
  test.each(TEMPLATES.flatMap((template) => QUALITIES.map((quality) => [template.id, quality, template] as const)))(
    '%s can be drawn in %s quality and cut to the pixel',
    (_, quality, template) => {
      const plans = MODELS.filter((model) => model.quality === quality && !model.retired).map((model) =>
        planRender(model.renders, template),
      );
      const drawable = plans.filter((plan) => plan !== null);
      expect(drawable.length).toBeGreaterThanOrEqual(2);
      for (const { render, enlargement } of drawable) {
        expect(Math.round(render.width * enlargement)).toBeGreaterThanOrEqual(template.width);
        expect(Math.round(render.height * enlargement)).toBeGreaterThanOrEqual(template.height);
      }
    },
  );
});

const KINDS = [...new Map(MODELS.map((model) => [JSON.stringify(model.renders), model] as const)).values()];
const model = fc.constantFrom(...KINDS);
const side = fc.integer({ min: 64, max: 4096 });
const size: fc.Arbitrary<Size> = fc
  .oneof(fc.record({ width: side, height: side }), fc.constantFrom<Size>(...TEMPLATES))
  .filter(({ width, height }) => width * height <= GENERATE_PIXELS_MAX);

const needed = (render: Size, asked: Size) => Math.max(1, asked.width / render.width, asked.height / render.height);

describe('for any size that can be asked for', () => {
  test('a plan is something that the model draws, and its enlargement is what covering takes, at most twice', () => {
    fc.assert(
      fc.property(model, size, ({ renders }, asked) => {
        const plan = planRender(renders, asked);
        if (plan === null) return;
        const { render, enlargement } = plan;
        expect(enlargement).toBe(needed(render, asked));
        expect(enlargement).toBeLessThanOrEqual(2);
        if (renders.kind === 'fixed') {
          const { width, height, aspectRatio, imageSize } = render;
          const drawn = renders.sizes.map((one) => [one.width, one.height, one.aspectRatio, one.imageSize ?? null]);
          expect(drawn).toContainEqual([width, height, aspectRatio, imageSize]);
        } else {
          for (const length of [render.width, render.height]) {
            expect(length % renders.multipleOf).toBe(0);
            expect(length).toBeGreaterThanOrEqual(renders.sideMin);
            expect(length).toBeLessThanOrEqual(renders.sideMax);
          }
          expect(render.width * render.height).toBeLessThanOrEqual(renders.pixelsMax);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a model is refused only when nothing that it draws could be enlarged enough', () => {
    fc.assert(
      fc.property(model, size, ({ renders }, asked) => {
        const largest =
          renders.kind === 'fixed' ? renders.sizes : [{ width: renders.sideMax, height: renders.sideMax }];
        const best = Math.min(...largest.map((one) => needed(one, asked)));
        expect(planRender(renders, asked) !== null).toBe(best <= 2);
        if (renders.kind === 'free' && best <= 2) expect(planRender(renders, asked)?.enlargement).toBe(best);
      }),
      { numRuns: 2000 },
    );
  });

  test('nothing is enlarged that could be covered, in any model', () => {
    fc.assert(
      fc.property(model, size, ({ renders }, asked) => {
        const plan = planRender(renders, asked);
        if (renders.kind === 'fixed') {
          const covered = renders.sizes.some((one) => needed(one, asked) === 1);
          if (covered) expect(plan?.enlargement).toBe(1);
          return;
        }
        const { sideMin, sideMax, multipleOf, pixelsMax } = renders;
        const cover = (length: number) => Math.max(sideMin, Math.ceil(length / multipleOf) * multipleOf);
        const [width, height] = [cover(asked.width), cover(asked.height)];
        if (width <= sideMax && height <= sideMax && width * height <= pixelsMax) expect(plan?.enlargement).toBe(1);
      }),
      { numRuns: 5000 },
    );
  });

  test('a budget of pixels is kept where sides alone would allow more', () => {
    const renders: Renders = { kind: 'free', sideMin: 256, sideMax: 2048, multipleOf: 64, pixelsMax: 1_048_576 };
    expect(planRender(renders, { width: 1536, height: 1536 })?.render).toMatchObject({ width: 1024, height: 1024 });
    expect(planRender(renders, { width: 1000, height: 1000 })?.render).toMatchObject({ width: 1024, height: 1024 });
    fc.assert(
      fc.property(size, (asked) => {
        const plan = planRender(renders, asked);
        if (plan) expect(plan.render.width * plan.render.height).toBeLessThanOrEqual(1_048_576);
      }),
    );
  });

  test('of two sizes that cover with the same ratio the smaller is drawn, because vendors charge by size', () => {
    const renders = rendersOf('nano-banana');
    fc.assert(
      fc.property(size, (asked) => {
        const plan = planRender(renders, asked);
        if (plan === null || renders.kind !== 'fixed' || plan.enlargement > 1) return;
        const smaller = renders.sizes.filter(
          (one) => one.aspectRatio === plan.render.aspectRatio && one.width < plan.render.width,
        );
        for (const one of smaller) expect(needed(one, asked)).toBeGreaterThan(1);
      }),
      { numRuns: 2000 },
    );
  });

  test('lying down and standing up are planned alike by models whose sizes are', () => {
    const upright = ['core', 'ultra', 'ideogram-v3-turbo', 'qwen-image', 'flux-dev'];
    fc.assert(
      fc.property(fc.constantFrom(...upright), size, (id, { width, height }) => {
        const plan = planRender(rendersOf(id), { width, height });
        const turned = planRender(rendersOf(id), { width: height, height: width });
        expect(turned?.enlargement).toBe(plan?.enlargement);
        expect([turned?.render.height, turned?.render.width]).toEqual([plan?.render.width, plan?.render.height]);
      }),
    );
  });
});
