import sharp, { type Create } from 'sharp';
import type { EditModel } from '../../src/catalog/edit-models.ts';
import type { Edit } from '../../src/catalog/edits.ts';
import type { GenerateModel, Model, Route } from '../../src/catalog/models.ts';
import type { Size } from '../../src/catalog/sizes.ts';
import type { UpscaleModel } from '../../src/catalog/upscale-models.ts';
import type { Order, Render, SentPicture } from '../../src/providers/provider.ts';
import { planRender } from '../../src/routing/render-plan.ts';

/** What a route is asked for in the contract, and what size must come of it. */
export interface ContractOrder {
  readonly order: Order;
  readonly ordered: Render;
  readonly size: Size;
}

const DRAWN_SIZE = { width: 768, height: 768 };
/** Small, so that many can be changed in little time. */
const SOURCE_SIZE = { width: 256, height: 256 };
const SMALL_SOURCE_SIZE = { width: 64, height: 64 };

/** An order for one picture, with these words where the route takes words. */
export async function contractOrder(route: Route, prompt: string): Promise<ContractOrder> {
  const { model } = route;
  if (isUpscale(model)) return upscale(route, model, prompt);
  return isEdit(model) ? edit(route, model, prompt) : generate(route, prompt);
}

function isEdit(model: Model): model is EditModel {
  return 'kind' in model;
}

function isUpscale(model: Model): model is UpscaleModel {
  return 'mode' in model;
}

const addressOf = ({ host }: Route) => ({ host: host.name, vendorModel: host.vendorModel });
const unnamed = (size: Size): Render => ({ ...size, aspectRatio: null, imageSize: null });

function rendered({ id, model }: Route, size: Size): Render {
  if (model.renders === null) return unnamed(size);
  const render = planRender(model.renders, size)?.render;
  if (!render) throw new Error(`${id} draws no square`);
  return render;
}

function generate(route: Route<Model | GenerateModel>, prompt: string): ContractOrder {
  const render = rendered(route, DRAWN_SIZE);
  const words = { prompt, negativePrompt: null, stylePreset: null, seed: null };
  return { order: { operation: 'GENERATE', ...addressOf(route), ...words, render }, ordered: render, size: DRAWN_SIZE };
}

async function edit(route: Route, { kind }: EditModel, prompt: string): Promise<ContractOrder> {
  const render = rendered(route, SOURCE_SIZE);
  const order: Order = {
    operation: 'EDIT',
    ...addressOf(route),
    edit: editOf(kind, prompt),
    prompt,
    stylePreset: null,
    seed: null,
    source: await source(SOURCE_SIZE),
    mask: kind === 'inpaint' ? await mask : null,
    backgroundReference: null,
    lightReference: null,
    render,
  };
  return { order, ordered: render, size: SOURCE_SIZE };
}

function editOf(kind: EditModel['kind'], prompt: string): Edit {
  if (kind === 'general') return { kind, prompt };
  if (kind === 'inpaint') return { kind, prompt, negativePrompt: null, mask: 'asset', growMask: 5, stylePreset: null };
  if (kind !== 'relight') throw new Error(`${kind} does not stand for anything in the contract`);
  return {
    kind,
    backgroundPrompt: prompt,
    backgroundReference: null,
    foregroundPrompt: null,
    negativePrompt: null,
    preserveOriginalSubject: 0.6,
    originalBackgroundDepth: 0.5,
    keepOriginalBackground: false,
    lightSourceDirection: 'LEFT',
    lightReference: null,
    lightSourceStrength: 0.3,
  };
}

async function upscale(route: Route, model: UpscaleModel, prompt: string): Promise<ContractOrder> {
  const words = { prompt, negativePrompt: null, creativity: 0.3, stylePreset: null, seed: null };
  const { mode } = model;
  const order: Order = {
    operation: 'UPSCALE',
    ...addressOf(route),
    mode,
    words: mode === 'FAST' ? null : words,
    source: await source(SMALL_SOURCE_SIZE),
  };
  const size = model.enlarged(SMALL_SOURCE_SIZE);
  return { order, ordered: unnamed(size), size };
}

/** A bright disc before something darker. */
async function drawn({ width, height }: Size, background: Create['background'], channels: 3 | 1): Promise<SentPicture> {
  const disc = `<svg width="${width}" height="${height}"><circle cx="50%" cy="50%" r="30%" fill="#fff"/></svg>`;
  const bytes = await sharp({ create: { width, height, channels: 3, background } })
    .composite([{ input: Buffer.from(disc) }])
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();
  return { bytes, contentType: 'image/png', width, height };
}

const source = (size: Size) => drawn(size, '#336699', 3);
const mask = drawn(SOURCE_SIZE, '#000', 1);
