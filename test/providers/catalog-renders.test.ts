import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GenerateModel, MODELS, type Route, routesOf } from '../../src/catalog/models.ts';
import type { GenerateOrder } from '../../src/providers/provider.ts';
import { obtain, type Stand, startStand } from './stand.ts';

let stand: Stand;

beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());

type Render = GenerateOrder['render'];

/** The sizes to try of a model: every kind of ratio once, every larger size once, and odd free sizes. */
function rendersOf({ model }: Route<GenerateModel>): Render[] {
  if (model.renders.kind === 'free') {
    const { sideMin, sideMax, multipleOf } = model.renders;
    const odd = Math.floor(700 / multipleOf) * multipleOf;
    return [
      { width: sideMin, height: sideMin, aspectRatio: null, imageSize: null },
      { width: sideMax, height: odd, aspectRatio: null, imageSize: null },
    ];
  }
  return model.renders.sizes
    .map((size) => ({ ...size, imageSize: size.imageSize ?? null }))
    .filter(({ imageSize, aspectRatio }) => imageSize === null || imageSize === '1K' || aspectRatio === '21:9');
}

/** An order with everything that the model takes. */
function orderFor({ model, host }: Route, render: Render): GenerateOrder {
  return {
    operation: 'GENERATE',
    host: host.name,
    vendorModel: host.vendorModel,
    prompt: 'a lighthouse at dusk',
    negativePrompt: model.negativePrompt ? 'rain' : null,
    stylePreset: model.stylePresetField ? 'low-poly' : null,
    seed: model.seedMax,
    render,
  };
}

test.each(MODELS.flatMap(routesOf).map((route) => [route.id, route] as const))(
  '%s draws every size that the catalog promises, once each',
  async (_id, route) => {
    for (const render of rendersOf(route)) {
      const before = stand.sandbox.journal().length;
      const outcome = await obtain(stand, route, orderFor(route, render));
      if (outcome.kind !== 'delivered') throw new Error(JSON.stringify({ render, outcome }));
      const { width, height } = await sharp(outcome.picture).metadata();
      expect({ width, height }).toEqual({ width: render.width, height: render.height });
      const isEchoed = route.model.provider === 'stability' || route.host.name === 'fal-ai';
      expect(outcome.seed).toBe(isEchoed ? route.model.seedMax : null);
      expect(stand.sandbox.journal().slice(before)).toMatchObject([
        { vendor: route.model.provider, model: route.host.vendorModel, prompt: 'a lighthouse at dusk', bought: 'yes' },
      ]);
    }
  },
);
