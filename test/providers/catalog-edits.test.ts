import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EDIT_MODELS, type EditModel } from '../../src/catalog/edit-models.ts';
import { type Edit, editedSize } from '../../src/catalog/edits.ts';
import { type Route, routesOf } from '../../src/catalog/models.ts';
import type { EditKind } from '../../src/catalog/operations.ts';
import { UPSCALE_MODELS } from '../../src/catalog/upscale-models.ts';
import type { EditOrder, SentPicture, UpscaleOrder } from '../../src/providers/provider.ts';
import { planRender } from '../../src/routing/render-plan.ts';
import { obtain, type Stand, startStand } from './stand.ts';

let stand: Stand;

beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());

const SIZE = { width: 300, height: 200 };

async function picture(background: string, channels: 1 | 3 = 3): Promise<SentPicture> {
  const disc = '<svg width="300" height="200"><circle cx="150" cy="100" r="60" fill="#fff"/></svg>';
  const bytes = await sharp({ create: { ...SIZE, channels: 3, background } })
    .composite([{ input: Buffer.from(disc) }])
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();
  return { bytes, contentType: 'image/png', ...SIZE };
}

const prompt = 'a lighthouse at dusk';
const words = { prompt, negativePrompt: 'rain', stylePreset: null };

/** Every kind with everything that it takes. */
const EDITS: Readonly<Record<EditKind, Edit>> = {
  removeBackground: { kind: 'removeBackground' },
  erase: { kind: 'erase', mask: 'asset', growMask: 20 },
  inpaint: { kind: 'inpaint', ...words, mask: 'asset', growMask: 100 },
  outpaint: { kind: 'outpaint', left: 1, right: 0, up: 40, down: 7, creativity: 1, prompt, stylePreset: null },
  searchReplace: { kind: 'searchReplace', ...words, searchPrompt: 'the disc', growMask: 20 },
  searchRecolor: { kind: 'searchRecolor', ...words, selectPrompt: 'the disc', growMask: 0 },
  relight: {
    kind: 'relight',
    backgroundPrompt: prompt,
    backgroundReference: 'asset',
    foregroundPrompt: 'a disc',
    negativePrompt: 'rain',
    preserveOriginalSubject: 1,
    originalBackgroundDepth: 0,
    keepOriginalBackground: false,
    lightSourceDirection: 'BELOW',
    lightReference: 'asset',
    lightSourceStrength: 1,
  },
  general: { kind: 'general', prompt },
};

async function editOrder({ model, host }: Route<EditModel>): Promise<EditOrder> {
  const edit = EDITS[model.kind];
  const size = { ...editedSize(edit, SIZE), aspectRatio: null, imageSize: null };
  return {
    operation: 'EDIT',
    host: host.name,
    vendorModel: host.vendorModel,
    edit,
    prompt: 'prompt' in edit ? edit.prompt : null,
    stylePreset: model.stylePresetField ? 'low-poly' : null,
    seed: model.seedMax,
    source: await picture('#336699'),
    mask: 'mask' in edit ? await picture('#000', 1) : null,
    backgroundReference: edit.kind === 'relight' ? await picture('#663399') : null,
    lightReference: edit.kind === 'relight' ? await picture('#ffcc00') : null,
    render: (model.renders && planRender(model.renders, SIZE)?.render) ?? size,
  };
}

test.each(EDIT_MODELS.flatMap(routesOf).map((route) => [route.id, route] as const))(
  '%s takes everything that the catalog promises, and answers with the size that it promises',
  async (_id, route) => {
    const before = stand.sandbox.journal().length;
    const order = await editOrder(route);
    const outcome = await obtain(stand, route, order);
    if (outcome.kind !== 'delivered') throw new Error(JSON.stringify(outcome));
    const { width, height, hasAlpha } = await sharp(outcome.picture).metadata();
    expect({ width, height }).toEqual({ width: order.render.width, height: order.render.height });
    expect(hasAlpha).toBe(order.edit.kind === 'removeBackground');
    const isEchoed = route.model.provider === 'stability' || route.host.name === 'fal-ai';
    expect(outcome.seed).toBe(isEchoed ? route.model.seedMax : null);
    expect(stand.sandbox.journal().slice(before)).toMatchObject([
      { vendor: route.model.provider, model: route.host.vendorModel, bought: 'yes' },
    ]);
  },
);

test.each(UPSCALE_MODELS.flatMap(routesOf).map((route) => [route.id, route] as const))(
  '%s takes everything that the catalog promises, and enlarges as it promises',
  async (_id, route) => {
    const before = stand.sandbox.journal().length;
    const { model, host } = route;
    const order: UpscaleOrder = {
      operation: 'UPSCALE',
      host: host.name,
      vendorModel: host.vendorModel,
      mode: model.mode,
      words:
        model.seedMax === null
          ? null
          : {
              prompt,
              negativePrompt: 'rain',
              creativity: 0.5,
              stylePreset: model.stylePresetField ? 'low-poly' : null,
              seed: model.seedMax,
            },
      source: await picture('#336699'),
    };
    const outcome = await obtain(stand, route, order);
    if (outcome.kind !== 'delivered') throw new Error(JSON.stringify(outcome));
    const { width, height } = await sharp(outcome.picture).metadata();
    const promised = model.enlarged(SIZE);
    // The last pixel of a size that is nominal is the vendor's to round.
    expect(Math.abs(width - promised.width)).toBeLessThanOrEqual(1);
    expect(Math.abs(height - promised.height)).toBeLessThanOrEqual(1);
    expect(outcome.seed).toBe(model.seedMax);
    expect(stand.sandbox.journal().slice(before)).toMatchObject([
      { vendor: 'stability', model: host.vendorModel, bought: 'yes' },
    ]);
  },
);
