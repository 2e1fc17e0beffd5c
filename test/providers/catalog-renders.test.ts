import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GenerateModel, MODELS, type Route, routesOf } from '../../src/catalog/models.ts';
import { Outbound } from '../../src/platform/outbound.ts';
import type { CheckOutcome, GenerateOrder, SubmitOutcome } from '../../src/providers/provider.ts';
import { createProviders, type Providers } from '../../src/providers/registry.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { never, submitOptions } from './scripted-vendor.ts';

let sandbox: Sandbox;
let outbound: Outbound;
let providers: Providers;

beforeAll(async () => {
  sandbox = await startSandbox();
  outbound = new Outbound({ allow: [new URL(sandbox.origin).host] });
  const at = (apiKey: string) => ({ apiKey, baseUrl: sandbox.origin });
  const vertex = { project: 'p', location: 'global', baseUrl: sandbox.origin, accessToken: async () => 'token' };
  providers = createProviders(
    {
      stability: at('sk-sandbox'),
      wavespeed: at('sandbox'),
      huggingface: at('hf_sandbox'),
      gemini: { ...at('sandbox'), vertex },
    },
    outbound,
  );
});
afterAll(async () => {
  await outbound.close();
  await sandbox.close();
});

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

const LOOKS_MAX = 4;

async function obtain({ model }: Route, order: GenerateOrder): Promise<SubmitOutcome | CheckOutcome> {
  const provider = providers[model.provider];
  if (!provider) throw new Error(`no provider ${model.provider}`);
  const submitted = await provider.submit(order, submitOptions());
  if (submitted.kind !== 'accepted') return submitted;
  let checked: CheckOutcome = { kind: 'pending', pollAfterMs: 0 };
  for (let looks = 0; checked.kind === 'pending' && looks < LOOKS_MAX; looks++) {
    checked = await provider.check(submitted.ticket, never);
  }
  return checked;
}

test.each(MODELS.flatMap(routesOf).map((route) => [route.id, route] as const))(
  '%s draws every size that the catalog promises, once each',
  async (_id, route) => {
    for (const render of rendersOf(route)) {
      const before = sandbox.journal().length;
      const outcome = await obtain(route, orderFor(route, render));
      if (outcome.kind !== 'delivered') throw new Error(JSON.stringify({ render, outcome }));
      const { width, height } = await sharp(outcome.picture).metadata();
      expect({ width, height }).toEqual({ width: render.width, height: render.height });
      const isEchoed = route.model.provider === 'stability' || route.host.name === 'fal-ai';
      expect(outcome.seed).toBe(isEchoed ? route.model.seedMax : null);
      expect(sandbox.journal().slice(before)).toMatchObject([
        { vendor: route.model.provider, model: route.host.vendorModel, prompt: 'a lighthouse at dusk', bought: 'yes' },
      ]);
    }
  },
);
