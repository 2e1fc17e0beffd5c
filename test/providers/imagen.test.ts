import { describe, expect, test } from 'vitest';
import { GeminiProvider } from '../../src/providers/gemini/gemini.provider.ts';
import {
  ACCESS_TOKEN,
  API_KEY,
  jsonOf,
  PICTURE,
  type Reply,
  renderRequest,
  ScriptedVendor,
  submitOptions,
} from './scripted-vendor.ts';

const MODEL = 'imagen-4.0-generate-001';
const PATH = `/v1/projects/our-project/locations/europe-west4/publishers/google/models/${MODEL}:predict`;
const bytesBase64Encoded = PICTURE.toString('base64');
const predicted = (...predictions: object[]): Reply => ({ body: { predictions } });

async function submit(reply: Reply, render: { aspectRatio?: string; imageSize?: string } = {}) {
  await using vendor = await ScriptedVendor.start(reply);
  const outcome = await vendor
    .provider(GeminiProvider)
    .submit(renderRequest('vertex', MODEL, { seed: 7, render }), submitOptions());
  expect(vendor.requests).toHaveLength(1);
  return { outcome, request: vendor.requests[0] };
}

describe('an order', () => {
  test('goes to the project by its path, with a token and never with our key', async () => {
    const reply = predicted({ mimeType: 'image/png', bytesBase64Encoded });
    const { outcome, request } = await submit(reply, { aspectRatio: '4:3', imageSize: '2K' });
    expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: null });
    expect(request).toMatchObject({
      method: 'POST',
      path: PATH,
      headers: { authorization: `Bearer ${ACCESS_TOKEN}`, 'content-type': 'application/json' },
    });
    expect(JSON.stringify(request)).not.toContain(API_KEY);
    // No seed: Vertex takes one only for pictures without a watermark.
    expect(jsonOf(request)).toEqual({
      instances: [{ prompt: 'a red fox\nin “snow”' }],
      parameters: {
        sampleCount: 1,
        aspectRatio: '4:3',
        sampleImageSize: '2K',
        includeRaiReason: true,
        outputOptions: { mimeType: 'image/png' },
      },
    });
  });

  test('for a model of one size does not name it', async () => {
    const { request } = await submit(predicted({ bytesBase64Encoded }), { aspectRatio: '1:1' });
    expect(String(request?.body)).not.toContain('sampleImageSize');
  });
});

describe('the token', () => {
  test('is asked for with each call', async () => {
    await using vendor = await ScriptedVendor.start(
      predicted({ bytesBase64Encoded }),
      predicted({ bytesBase64Encoded }),
    );
    let asked = 0;
    const provider = vendor.provider(GeminiProvider, async () => `token-${++asked}`);
    await provider.submit(renderRequest('vertex', MODEL), submitOptions());
    await provider.submit(renderRequest('vertex', MODEL), submitOptions());
    expect(vendor.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  test.each([
    ['an error', new Error('lstat /home/ops/key.json')],
    ['something else', 'no luck'],
  ])('that is refused with %s leaves nothing sent, and does not say more than that to strangers', async (_, why) => {
    await using vendor = await ScriptedVendor.start();
    const provider = vendor.provider(GeminiProvider, () => Promise.reject(why));
    expect(await provider.submit(renderRequest('vertex', MODEL), submitOptions())).toEqual({
      kind: 'rejected',
      reason: 'AUTHENTICATION',
      scope: 'HOST',
      message: 'Google Gemini: no access token for Vertex',
      retryAfterSeconds: null,
    });
    expect(vendor.requests).toHaveLength(0);
  });

  test('is not needed by the Gemini API', async () => {
    await using vendor = await ScriptedVendor.start({ status: 500 });
    const provider = vendor.provider(GeminiProvider, () => Promise.reject(new Error('none')));
    const request = renderRequest('gemini', 'gemini-3-pro-image', { render: { aspectRatio: '1:1' } });
    expect(await provider.submit(request, submitOptions())).toMatchObject({ kind: 'unknown' });
    expect(vendor.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('an answer', () => {
  const raiFilteredReason = 'Support codes: 58061214';
  const withheld = (why: string, billed: boolean) => ({
    kind: 'moderated',
    billed,
    message: `Google Gemini: withheld: ${why}`,
  });

  test.each<[string, Reply, object]>([
    ['with a reason in place of the picture', predicted({ raiFilteredReason }), withheld(raiFilteredReason, false)],
    [
      'with a reason beside the picture, which was handed over',
      predicted({ bytesBase64Encoded, raiFilteredReason }),
      withheld(raiFilteredReason, true),
    ],
    ['that is an empty object', { body: {} }, withheld('without a reason', false)],
    ['with no predictions', predicted(), withheld('without a reason', false)],
  ])('%s is moderated', async (_what, reply, expected) => expect((await submit(reply)).outcome).toEqual(expected));

  test.each<[string, Reply]>([
    ['without picture and reason', predicted({ mimeType: 'image/png' })],
    ['with null for both', predicted({ bytesBase64Encoded: null, raiFilteredReason: null })],
    ['whose picture is none', predicted({ bytesBase64Encoded: Buffer.from('no picture').toString('base64') })],
    ['whose picture is no base64', predicted({ bytesBase64Encoded: `*!${bytesBase64Encoded.slice(2)}` })],
    ['of another shape', { body: { candidates: [] } }],
  ])('%s is broken', async (_what, reply) => expect((await submit(reply)).outcome).toMatchObject({ kind: 'broken' }));

  test.each([
    ["violates Vertex AI's usage guidelines", { kind: 'moderated', billed: false }],
    ['violates our Responsible AI practices', { kind: 'moderated', billed: false }],
    ['contains sensitive words', { kind: 'moderated', billed: false }],
    ['is too long', { kind: 'rejected', reason: 'BAD_REQUEST', scope: 'REQUEST' }],
  ])('of 400 that says that the prompt %s', async (words, expected) => {
    const reply = { status: 400, body: { error: { code: 400, message: `The prompt ${words}.`, details: [] } } };
    expect((await submit(reply)).outcome).toMatchObject(expected);
  });

  test('of 403 that mentions guidelines is about us, not about the prompt', async () => {
    const reply = { status: 403, body: { error: { message: 'usage guidelines were not accepted' } } };
    expect((await submit(reply)).outcome).toMatchObject({ kind: 'rejected', reason: 'FORBIDDEN' });
  });
});
