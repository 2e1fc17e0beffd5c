import { describe, expect, test } from 'vitest';
import type { Edit } from '../../src/catalog/edits.ts';
import type { EditOrder, Order } from '../../src/providers/provider.ts';
import { StabilityProvider } from '../../src/providers/stability/stability.provider.ts';
import {
  API_KEY,
  editOrder,
  fileOf,
  formOf,
  MASK,
  PICTURE,
  type Reply,
  ScriptedVendor,
  SOURCE,
  sent,
  submitOptions,
  upscaleOrder,
} from './scripted-vendor.ts';

const picture = (headers: Record<string, string> = {}): Reply => ({
  headers: { 'content-type': 'image/png', 'finish-reason': 'SUCCESS', seed: '343940597', ...headers },
  body: PICTURE,
});

async function submit(order: Order, reply: Reply = picture()) {
  await using vendor = await ScriptedVendor.start(reply);
  const outcome = await vendor.provider(StabilityProvider).submit(order, submitOptions());
  expect(vendor.requests).toHaveLength(1);
  return { outcome, request: vendor.requests[0] };
}

const edit = (vendorModel: string, edit: Edit, changes: Partial<EditOrder> = {}) =>
  editOrder('stability', vendorModel, edit, changes);

const words = { negativePrompt: 'rain', growMask: 7, stylePreset: null };
const relight = {
  kind: 'relight',
  backgroundPrompt: 'a beach',
  backgroundReference: null,
  foregroundPrompt: null,
  negativePrompt: null,
  preserveOriginalSubject: 0.6,
  originalBackgroundDepth: 0.5,
  keepOriginalBackground: false,
  lightSourceDirection: null,
  lightReference: null,
  lightSourceStrength: null,
} as const satisfies Edit;

const image = fileOf('image.jpeg', 'image/jpeg', SOURCE.bytes);
const mask = fileOf('mask.png', 'image/png', MASK.bytes);
const output_format = 'png';

const FORMS: [endpoint: string, what: string, order: Order, fields: Record<string, string>][] = [
  ['edit/remove-background', 'all', edit('remove-background', { kind: 'removeBackground' }, { seed: 9 }), { image }],
  [
    'edit/erase',
    'all',
    edit('erase', { kind: 'erase', mask: 'asset', growMask: 0 }, { mask: MASK, seed: 9 }),
    { image, mask, grow_mask: '0', seed: '9' },
  ],
  // There 0 would be a random one.
  [
    'edit/erase',
    'seed 0',
    edit('erase', { kind: 'erase', mask: 'asset', growMask: 0 }, { mask: MASK, seed: 0 }),
    { image, mask, grow_mask: '0', seed: '4294967294' },
  ],
  ['edit/erase', 'no mask', edit('erase', { kind: 'erase', mask: null, growMask: 5 }), { image, grow_mask: '5' }],
  [
    'edit/inpaint',
    'all',
    edit(
      'inpaint',
      { kind: 'inpaint', prompt: 'a hat', mask: 'asset', ...words },
      { mask: MASK, seed: 4_294_967_294, stylePreset: 'anime' },
    ),
    {
      image,
      mask,
      prompt: 'a hat',
      negative_prompt: 'rain',
      grow_mask: '7',
      style_preset: 'anime',
      seed: '4294967294',
    },
  ],
  [
    'edit/inpaint',
    'a prompt with the style behind it',
    edit(
      'inpaint',
      { kind: 'inpaint', prompt: 'a hat', mask: null, ...words, negativePrompt: null },
      { prompt: 'a hat, in anime style' },
    ),
    { image, prompt: 'a hat, in anime style', grow_mask: '7' },
  ],
  [
    'edit/outpaint',
    'all',
    edit(
      'outpaint',
      { kind: 'outpaint', left: 1, right: 0, up: 2_000, down: 12, creativity: 0.25, prompt: 'sea', stylePreset: null },
      { seed: 9, stylePreset: 'low-poly' },
    ),
    {
      image,
      left: '1',
      right: '0',
      up: '2000',
      down: '12',
      creativity: '0.25',
      prompt: 'sea',
      style_preset: 'low-poly',
      seed: '9',
    },
  ],
  [
    'edit/outpaint',
    'no words',
    edit('outpaint', {
      kind: 'outpaint',
      left: 1,
      right: 0,
      up: 0,
      down: 0,
      creativity: 0.5,
      prompt: null,
      stylePreset: null,
    }),
    { image, left: '1', right: '0', up: '0', down: '0', creativity: '0.5' },
  ],
  [
    'edit/search-and-replace',
    'all',
    edit(
      'search-and-replace',
      { kind: 'searchReplace', searchPrompt: 'the dog', prompt: 'a cat', ...words },
      { seed: 9, stylePreset: 'anime' },
    ),
    {
      image,
      search_prompt: 'the dog',
      prompt: 'a cat',
      negative_prompt: 'rain',
      grow_mask: '7',
      style_preset: 'anime',
      seed: '9',
    },
  ],
  [
    'edit/search-and-recolor',
    'all',
    edit(
      'search-and-recolor',
      { kind: 'searchRecolor', selectPrompt: 'the car', prompt: 'red', ...words },
      { seed: 9, stylePreset: 'anime' },
    ),
    {
      image,
      select_prompt: 'the car',
      prompt: 'red',
      negative_prompt: 'rain',
      grow_mask: '7',
      style_preset: 'anime',
      seed: '9',
    },
  ],
  [
    'edit/replace-background-and-relight',
    'all',
    edit(
      'replace-background-and-relight',
      {
        ...relight,
        foregroundPrompt: 'a bottle',
        negativePrompt: 'rain',
        preserveOriginalSubject: 0,
        originalBackgroundDepth: 1,
        keepOriginalBackground: true,
        lightSourceDirection: 'ABOVE',
        lightSourceStrength: 0.35,
      },
      { backgroundReference: sent('a beach', 'image/webp'), lightReference: sent('a lamp'), seed: 9 },
    ),
    {
      subject_image: fileOf('subject_image.jpeg', 'image/jpeg', SOURCE.bytes),
      background_prompt: 'a beach',
      background_reference: fileOf('background_reference.webp', 'image/webp', Buffer.from('a beach')),
      foreground_prompt: 'a bottle',
      negative_prompt: 'rain',
      preserve_original_subject: '0',
      original_background_depth: '1',
      keep_original_background: 'true',
      light_source_direction: 'above',
      light_reference: fileOf('light_reference.png', 'image/png', Buffer.from('a lamp')),
      light_source_strength: '0.35',
      seed: '9',
    },
  ],
  [
    'edit/replace-background-and-relight',
    'no light',
    edit('replace-background-and-relight', relight),
    {
      subject_image: fileOf('subject_image.jpeg', 'image/jpeg', SOURCE.bytes),
      background_prompt: 'a beach',
      preserve_original_subject: '0.6',
      original_background_depth: '0.5',
      keep_original_background: 'false',
    },
  ],
  ['upscale/fast', 'all', upscaleOrder('fast', 'FAST'), { image }],
  [
    'upscale/conservative',
    'all',
    upscaleOrder('conservative', 'CONSERVATIVE', {
      prompt: 'a harbour',
      negativePrompt: 'rain',
      creativity: 0.2,
      stylePreset: null,
      seed: 9,
    }),
    { image, prompt: 'a harbour', negative_prompt: 'rain', creativity: '0.2', seed: '9' },
  ],
  [
    'upscale/creative',
    'all',
    upscaleOrder('creative', 'CREATIVE', {
      prompt: 'a harbour',
      negativePrompt: null,
      creativity: 0.5,
      stylePreset: 'cinematic',
      seed: null,
    }),
    { image, prompt: 'a harbour', creativity: '0.5', style_preset: 'cinematic' },
  ],
];

describe('an order', () => {
  test.each(FORMS)('to %s says exactly what was asked (%s)', async (endpoint, _what, order, fields) => {
    const { outcome, request } = await submit(order);
    expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: 343_940_597 });
    expect(request).toMatchObject({
      method: 'POST',
      path: `/v2beta/stable-image/${endpoint}`,
      headers: { authorization: `Bearer ${API_KEY}`, accept: 'image/*' },
    });
    expect(await formOf(request)).toEqual({ ...fields, output_format });
  });

  test('quotes the names of its parts, without which the front of the vendor turns it away', async () => {
    const { request } = await submit(edit('erase', { kind: 'erase', mask: 'asset', growMask: 5 }, { mask: MASK }));
    const heads = String(request?.body).match(/^content-(?:disposition|type): .*$/gim) ?? [];
    expect(heads).toEqual([
      'Content-Disposition: form-data; name="image"; filename="image.jpeg"',
      'Content-Type: image/jpeg',
      'Content-Disposition: form-data; name="mask"; filename="mask.png"',
      'Content-Type: image/png',
      'Content-Disposition: form-data; name="grow_mask"',
      'Content-Disposition: form-data; name="output_format"',
    ]);
    expect(request?.headers['content-length']).toBe(String(request?.body.length));
  });

  test('with a picture of 14 MiB arrives whole', async () => {
    const bytes = Buffer.alloc(14 * 1024 * 1024, 'pixels');
    const { request } = await submit({ ...upscaleOrder('fast', 'FAST'), source: { ...SOURCE, bytes } });
    expect(await formOf(request)).toMatchObject({ image: fileOf('image.jpeg', 'image/jpeg', bytes) });
  });

  test('for an edit that it has no endpoint for is our defect, and nothing is sent', async () => {
    await using vendor = await ScriptedVendor.start();
    const order = edit('inpaint', { kind: 'general', prompt: 'a hat' });
    await expect(vendor.provider(StabilityProvider).submit(order, submitOptions())).rejects.toThrow(
      'the edit general was ordered of inpaint at stability',
    );
    expect(vendor.requests).toHaveLength(0);
  });
});
