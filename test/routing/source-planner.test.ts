import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EDIT_MODELS } from '../../src/catalog/edit-models.ts';
import { canonicalEdit, type EditInput } from '../../src/catalog/edit-requests.ts';
import type { Source } from '../../src/catalog/sources.ts';
import { canonicalUpscale } from '../../src/catalog/upscale-requests.ts';
import { planEdit, planUpscale } from '../../src/routing/source-planner.ts';
import { factsOf, RETRY_AT, type World } from './requests.ts';

const source = (width: number, height: number, more: Partial<Source> = {}): Source => ({
  width,
  height,
  contentType: 'image/png',
  byteCount: 1_000_000,
  transparent: false,
  ...more,
});
const plan = (input: EditInput, of: Source = source(800, 600), world: World = {}) =>
  planEdit(canonicalEdit(null, input), of, factsOf(world));
const idsOf = ({ routes }: ReturnType<typeof plan>) => routes.map(({ route }) => route.id);

describe('who can do an edit', () => {
  test('is any vendor of the kind, healthy before ill, then what costs us least', () => {
    const general = { general: { prompt: 'warmer' } };
    expect(idsOf(plan(general))).toEqual([
      'wavespeed/qwen-image-edit',
      'huggingface/flux-kontext-dev',
      'gemini/nano-banana-edit',
    ]);
    expect(idsOf(plan(general, source(800, 600), { ill: ['wavespeed/qwen-image-edit'] }))).toEqual([
      'huggingface/flux-kontext-dev',
      'gemini/nano-banana-edit',
      'wavespeed/qwen-image-edit',
    ]);
    expect(idsOf(plan(general, source(800, 600), { off: ['wavespeed', 'huggingface'] }))).toEqual([
      'gemini/nano-banana-edit',
    ]);
  });

  test('leaves out who lacks what was asked', () => {
    const inpaint = (more: object) => idsOf(plan({ inpaint: { prompt: 'a', mask: 'm', ...more } }));
    expect(inpaint({})).toEqual([
      'wavespeed/ideogram-v3-turbo-inpaint',
      'stability/inpaint',
      'wavespeed/ideogram-v3-balanced-inpaint',
    ]);
    expect(inpaint({ seed: 1 })).toEqual(['stability/inpaint']);
    expect(inpaint({ negativePrompt: 'people' })).toEqual(['stability/inpaint']);
  });

  test('is refused with the option where nobody that is on has it', () => {
    const asked = plan({ inpaint: { prompt: 'a', mask: 'm', negativePrompt: 'people' } }, source(800, 600), {
      off: ['stability'],
    });
    expect(asked.refusal).toMatchObject({ type: 'UnsupportedOption', option: 'negativePrompt', value: 'people' });
  });

  test('is refused where nobody of the kind is switched on', () => {
    expect(plan({ erase: { mask: 'm' } }, source(800, 600), { off: ['stability'] }).refusal).toMatchObject({
      type: 'ProviderUnavailable',
      retryAt: null,
    });
  });

  test('every kind has somebody, at a size that all take', () => {
    for (const { kind } of EDIT_MODELS)
      expect(EDIT_MODELS.filter((model) => model.kind === kind).length).toBeGreaterThan(0);
    expect(RETRY_AT).toBeInstanceOf(Date);
  });
});

describe('what is done to the picture first', () => {
  const first = (input: EditInput, of: Source) => plan(input, of).routes[0]?.preparation;

  test('nothing where the vendor takes it as it is', () => {
    expect(first({ removeBackground: {} }, source(800, 600, { contentType: 'image/webp' }))).toMatchObject({
      canvas: null,
      reducedTo: null,
      sentAs: 'image/webp',
      compressed: false,
    });
  });

  test('another file format for AVIF, compression for too many bytes', () => {
    expect(first({ removeBackground: {} }, source(800, 600, { contentType: 'image/avif' }))?.sentAs).toBe('image/png');
    expect(first({ removeBackground: {} }, source(2048, 2048, { byteCount: 9_961_473 }))).toMatchObject({
      compressed: true,
    });
    expect(first({ removeBackground: {} }, source(2048, 2048, { byteCount: 9_961_472 }))).toMatchObject({
      compressed: false,
    });
  });

  test('a canvas of the ratio that is drawn, which the whole picture lies on', () => {
    const sizes = fc.integer({ min: 64, max: 4000 });
    fc.assert(
      fc.property(sizes, sizes, (width, height) => {
        fc.pre(Math.max(width / height, height / width) <= 8 && width * height >= 4096);
        const { routes } = plan({ general: { prompt: 'a' } }, source(width, height));
        for (const { preparation, render, enlargement } of routes) {
          const canvas = preparation?.canvas ?? { width, height };
          expect(canvas.width).toBeGreaterThanOrEqual(width);
          expect(canvas.height).toBeGreaterThanOrEqual(height);
          // One of the two sides is the picture's own: no more is added than has to be.
          expect(Math.min(canvas.width - width, canvas.height - height)).toBeLessThanOrEqual(1);
          // Within two percent of the shape that is drawn, or what it is drawn at is a few pixels.
          const shape = (canvas.width * render.height) / (canvas.height * render.width);
          const pixel = 2 / Math.min(canvas.width, canvas.height) + enlargement / Math.min(render.width, render.height);
          expect(Math.abs(Math.log(shape))).toBeLessThan(0.02 + pixel);
        }
      }),
    );
  });
});

describe('an upscale', () => {
  test('is planned from the size that its mode makes, and enlarged by us at most twice a side', () => {
    const planned = planUpscale(canonicalUpscale(null, { mode: 'FAST', preset: 'PRINT' }), source(400, 300), factsOf());
    expect(planned.routes[0]).toMatchObject({ render: { width: 1600, height: 1200 }, enlargement: 1.92 });
    const tooFar = planUpscale(canonicalUpscale(null, { mode: 'FAST', preset: 'PRINT' }), source(383, 300), factsOf());
    expect(tooFar.refusal).toMatchObject({ type: 'UnsupportedSize' });
  });
});
