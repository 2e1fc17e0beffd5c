import { describe, expect, test } from 'vitest';
import { GeminiProvider } from '../../src/providers/gemini/gemini.provider.ts';
import type { Order } from '../../src/providers/provider.ts';
import {
  API_KEY,
  editOrder,
  jsonOf,
  PICTURE,
  type Reply,
  renderRequest,
  ScriptedVendor,
  SOURCE,
  submitOptions,
  upscaleOrder,
} from './scripted-vendor.ts';

const inlineData = { mimeType: 'image/png', data: PICTURE.toString('base64') };
const draft = { mimeType: 'image/png', data: Buffer.concat([PICTURE, Buffer.from('draft')]).toString('base64') };

async function submit(reply: Reply, imageSize: string | null = null, seed: number | null = null) {
  await using vendor = await ScriptedVendor.start(reply);
  const request = renderRequest('gemini', 'gemini-3-pro-image', { seed, render: { aspectRatio: '16:9', imageSize } });
  const outcome = await vendor.provider(GeminiProvider).submit(request, submitOptions());
  expect(vendor.requests).toHaveLength(1);
  return { outcome, request: vendor.requests[0] };
}

const said = (parts: object[], finishReason = 'STOP', more: object = {}): Reply => ({
  body: { candidates: [{ content: { role: 'model', parts }, finishReason, index: 0 }], ...more },
});

test('an order has the prompt, the ratio, the size and the seed, and the key in a header', async () => {
  const { outcome, request } = await submit(said([{ text: 'Here:' }, { inlineData }]), '2K', 9);
  expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: null });
  expect(request).toMatchObject({
    method: 'POST',
    path: '/v1beta/models/gemini-3-pro-image:generateContent',
    headers: { 'x-goog-api-key': API_KEY, 'content-type': 'application/json' },
  });
  expect(request?.headers.authorization).toBeUndefined();
  expect(jsonOf(request)).toEqual({
    contents: [{ role: 'user', parts: [{ text: 'a red fox\nin “snow”' }] }],
    generationConfig: {
      responseModalities: ['IMAGE'],
      imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
      seed: 9,
    },
  });
});

test('an order for a model of one size does not name it', async () => {
  const { request } = await submit(said([{ inlineData }]));
  expect(jsonOf(request)).toMatchObject({ generationConfig: { imageConfig: { aspectRatio: '16:9' } } });
  expect(String(request?.body)).not.toMatch(/imageSize|seed/);
});

test('an order for an edit has the picture behind the words', async () => {
  await using vendor = await ScriptedVendor.start(said([{ inlineData }]));
  const render = { width: 2_400, height: 1_792, aspectRatio: '4:3', imageSize: '2K' };
  const edit = { kind: 'general', prompt: 'a hat' } as const;
  const order = editOrder('gemini', 'gemini-nano-banana-2.1', edit, { seed: 7, render });
  const outcome = await vendor.provider(GeminiProvider).submit(order, submitOptions());
  expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: null });
  expect(vendor.requests[0]?.path).toBe('/v1beta/models/gemini-nano-banana-2.1:generateContent');
  expect(jsonOf(vendor.requests[0])).toEqual({
    contents: [
      {
        role: 'user',
        parts: [{ text: 'a hat' }, { inlineData: { mimeType: 'image/jpeg', data: SOURCE.bytes.toString('base64') } }],
      },
    ],
    generationConfig: {
      responseModalities: ['IMAGE'],
      imageConfig: { aspectRatio: '4:3', imageSize: '2K' },
      seed: 7,
    },
  });
});

test.each<[string, Order]>([
  ['an edit with a mask', editOrder('gemini', 'gemini-nano-banana-2.1', { kind: 'erase', mask: 'asset', growMask: 5 })],
  ['an enlargement', { ...upscaleOrder('fast', 'FAST'), host: 'gemini' }],
  ['an edit on Vertex', editOrder('vertex', 'imagen-4.0-generate-001', { kind: 'general', prompt: 'a hat' })],
])('%s is our defect, and is not sent', async (_what, order) => {
  await using vendor = await ScriptedVendor.start();
  await expect(vendor.provider(GeminiProvider).submit(order, submitOptions())).rejects.toThrow('cannot do it');
  expect(vendor.requests).toHaveLength(0);
});

describe('the picture is', () => {
  test.each<[string, object[]]>([
    ['the last one', [{ inlineData: draft }, { inlineData }]],
    ['not a thought', [{ inlineData }, { thought: true, inlineData: draft }]],
    [
      'behind thoughts and words',
      [{ thought: true, inlineData: draft }, { text: 'so' }, { inlineData, thoughtSignature: 'x' }],
    ],
  ])('%s', async (_what, parts) => {
    expect((await submit(said(parts))).outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: null });
  });

  test('broken when it is no picture, or not base64, or cut off', async () => {
    const asText = { mimeType: 'image/png', data: Buffer.from('no picture').toString('base64') };
    const junk = { ...inlineData, data: inlineData.data.replace(/^(.{40})../, '$1*!') };
    for (const reply of [
      said([{ inlineData: asText }]),
      said([{ inlineData: junk }]),
      said([{ inlineData }], 'MAX_TOKENS'),
    ]) {
      expect((await submit(reply)).outcome).toMatchObject({ kind: 'broken' });
    }
  });
});

describe('without a picture it is', () => {
  const blockReasons = ['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY'];
  test.each(blockReasons)('moderated and free when the prompt was blocked: %s', async (blockReason) => {
    for (const candidates of [undefined, []]) {
      const { outcome } = await submit({ body: { candidates, promptFeedback: { blockReason, safetyRatings: [] } } });
      const message = `Google Gemini: prompt blocked: ${blockReason}`;
      expect(outcome).toEqual({ kind: 'moderated', billed: false, message });
    }
  });

  test.each([
    'SAFETY',
    'PROHIBITED_CONTENT',
    'BLOCKLIST',
    'SPII',
    'RECITATION',
    'IMAGE_SAFETY',
    'IMAGE_PROHIBITED_CONTENT',
    'IMAGE_RECITATION',
    'IMAGE_OTHER',
  ])('moderated when the output was withheld: %s', async (finishReason) => {
    const candidates = [{ finishReason, finishMessage: 'Support code: 42', index: 0 }];
    const { outcome } = await submit({ body: { candidates } });
    const message = `Google Gemini: ${finishReason}: Support code: 42`;
    expect(outcome).toEqual({ kind: 'moderated', billed: true, message });
  });

  test.each([
    [{ promptTokenCount: 12 }, false],
    [{ candidatesTokenCount: 0 }, false],
    [{ candidatesTokenCount: 1_120 }, true],
    ['nonsense', true],
  ])('withheld, with usage %j billed: %s', async (usageMetadata, billed) => {
    const { outcome } = await submit({ body: { candidates: [{ finishReason: 'IMAGE_SAFETY' }], usageMetadata } });
    expect(outcome).toMatchObject({ kind: 'moderated', billed });
  });

  test.each<[string, Reply, string]>([
    ['NO_IMAGE', said([], 'NO_IMAGE'), 'no picture (NO_IMAGE): no words either'],
    ['prose', said([{ text: 'I would rather not.' }]), 'no picture (STOP): I would rather not.'],
    ['thoughts alone', said([{ thought: true, inlineData }]), 'no picture (STOP): no words either'],
    ['MAX_TOKENS', said([{ text: 'Her' }], 'MAX_TOKENS'), 'no picture (MAX_TOKENS): Her'],
    ['OTHER', said([], 'OTHER'), 'no picture (OTHER): no words either'],
    ['no content', { body: { candidates: [{ finishReason: 'STOP' }] } }, 'no picture (STOP): no words either'],
    ['no candidates', { body: { candidates: [] } }, 'no picture (no candidate): no words either'],
  ])('broken: %s', async (_what, reply, message) => {
    const talks = !message.endsWith('no words either');
    expect((await submit(reply)).outcome).toEqual({
      kind: 'broken',
      message: `Google Gemini: ${message}`,
      ...(talks && { inWords: true }),
    });
  });
});

describe('an error', () => {
  const error = (status: number, details: object[], message = 'because'): Reply => ({
    status,
    body: { error: { code: status, message, status: 'X', details } },
  });
  const retryInfo = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay });
  const quota = (quotaId: string, quotaValue: string) => ({
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ quotaMetric: 'm', quotaId, quotaDimensions: {}, quotaValue }],
  });
  const perMinute = quota('GenerateRequestsPerMinutePerProjectPerModel', '10');

  test.each<[string, Reply, object]>([
    [
      'of a wrong key',
      error(400, [{ reason: 'API_KEY_INVALID', domain: 'googleapis.com' }]),
      { reason: 'AUTHENTICATION', scope: 'HOST' },
    ],
    ['of a wrong field', error(400, [{ fieldViolations: [] }]), { reason: 'BAD_REQUEST', scope: 'REQUEST' }],
    [
      'of a rate, with a delay',
      error(429, [perMinute, retryInfo('41s')]),
      { reason: 'RATE_LIMITED', scope: 'MODEL', retryAfterSeconds: 41 },
    ],
    ['of a rate, to the millisecond', error(429, [retryInfo('2.345s')]), { retryAfterSeconds: 3 }],
    ['of a rate, absurdly', error(429, [retryInfo('999999999s')]), { retryAfterSeconds: 3_600 }],
    ['of a rate, as nonsense', error(429, [retryInfo('soon')]), { reason: 'RATE_LIMITED', retryAfterSeconds: null }],
    [
      'of a day, whatever delay it names',
      error(429, [quota('GenerateRequestsPerDay', '100'), retryInfo('41s')]),
      { reason: 'RATE_LIMITED', scope: 'MODEL', retryAfterSeconds: 3_600 },
    ],
    [
      'of a project without billing',
      error(429, [quota('PerMinute', '0'), retryInfo('41s')]),
      { reason: 'OUT_OF_FUNDS', scope: 'MODEL', retryAfterSeconds: null },
    ],
  ])('%s', async (_what, reply, expected) => {
    expect((await submit(reply)).outcome).toMatchObject({ ...expected, message: expect.stringContaining('because') });
  });
});
