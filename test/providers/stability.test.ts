import { describe, expect, test } from 'vitest';
import { StabilityProvider } from '../../src/providers/stability/stability.provider.ts';
import {
  API_KEY,
  formOf,
  PICTURE,
  type Reply,
  renderRequest,
  ScriptedVendor,
  submitOptions,
} from './scripted-vendor.ts';

const picture = (headers: Record<string, string> = {}): Reply => ({
  headers: { 'content-type': 'image/png', 'finish-reason': 'SUCCESS', seed: '343940597', ...headers },
  body: PICTURE,
});

async function submit(reply: Reply, vendorModel = 'core', changes: Parameters<typeof renderRequest>[2] = {}) {
  await using vendor = await ScriptedVendor.start(reply);
  const request = renderRequest('stability', vendorModel, { ...changes, render: { aspectRatio: '16:9' } });
  const outcome = await vendor.provider(StabilityProvider).submit(request, submitOptions());
  expect(vendor.requests).toHaveLength(1);
  return { outcome, request: vendor.requests[0] };
}

describe('an order', () => {
  test.each([
    ['ultra', 'ultra', {}],
    ['core', 'core', {}],
    ['sd3.5-large', 'sd3', { model: 'sd3.5-large' }],
    ['sd3.5-medium', 'sd3', { model: 'sd3.5-medium' }],
  ])('for %s goes to generate/%s with all that was asked', async (vendorModel, endpoint, model) => {
    const { outcome, request } = await submit(picture(), vendorModel, {
      negativePrompt: 'rain',
      stylePreset: 'anime',
      seed: 42,
    });
    expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: 343_940_597 });
    expect(request).toMatchObject({
      method: 'POST',
      path: `/v2beta/stable-image/generate/${endpoint}`,
      headers: { authorization: `Bearer ${API_KEY}`, accept: 'image/*' },
    });
    expect(request?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(await formOf(request)).toEqual({
      // Forms write every line break as CR LF.
      prompt: 'a red fox\r\nin “snow”',
      negative_prompt: 'rain',
      aspect_ratio: '16:9',
      style_preset: 'anime',
      seed: '42',
      output_format: 'png',
      ...model,
    });
  });

  test.each(['sd3.5-large-turbo', 'sd3.5-flash'])('for %s has no negative prompt', async (vendorModel) => {
    const { request } = await submit(picture(), vendorModel, { negativePrompt: 'rain' });
    expect(await formOf(request)).toEqual({
      prompt: 'a red fox\r\nin “snow”',
      model: vendorModel,
      aspect_ratio: '16:9',
      output_format: 'png',
    });
  });

  test('with only a prompt says only that', async () => {
    const { request } = await submit(picture());
    expect(Object.keys(await formOf(request)).sort()).toEqual(['aspect_ratio', 'output_format', 'prompt']);
  });
});

describe('an answer', () => {
  test.each([
    ['', null],
    ['abc', null],
    ['0', 0],
    ['4294967294', 4_294_967_294],
    ['99999999999999999999', null],
  ])('with seed %j tells seed %j', async (seed, expected) =>
    expect((await submit(picture({ seed }))).outcome).toMatchObject({ seed: expected }),
  );

  test('that is filtered is not delivered, although it is a picture, and counts as billed', async () => {
    const { outcome } = await submit(picture({ 'finish-reason': 'CONTENT_FILTERED' }));
    expect(outcome).toMatchObject({ kind: 'moderated', billed: true });
  });

  test('that finished some other way is broken', async () => {
    const { outcome } = await submit(picture({ 'finish-reason': 'ERROR' }));
    expect(outcome).toEqual({ kind: 'broken', message: 'Stability AI: finish-reason ERROR' });
  });

  test.each([
    [403, 'content_moderation', { kind: 'moderated', billed: false }],
    [422, 'public_figure', { kind: 'moderated', billed: false }],
    [422, 'invalid_language', { kind: 'rejected', reason: 'BAD_REQUEST', scope: 'REQUEST' }],
    [403, 'forbidden', { kind: 'rejected', reason: 'FORBIDDEN', scope: 'MODEL' }],
    [400, 'content_moderation', { kind: 'rejected', reason: 'BAD_REQUEST', scope: 'REQUEST' }],
    [429, 'rate_limit_exceeded', { kind: 'rejected', reason: 'RATE_LIMITED', scope: 'HOST', retryAfterSeconds: 60 }],
  ])('%i %s', async (status, name, expected) => {
    const { outcome } = await submit({ status, body: { id: 'a1', name, errors: ['first reason', 'second reason'] } });
    expect(outcome).toEqual({
      ...(expected.kind === 'rejected' && { retryAfterSeconds: null }),
      ...expected,
      message: `Stability AI answered ${status}: first reason`,
    });
  });

  test('with the older form of an error is understood too', async () => {
    const { outcome } = await submit({ status: 401, body: { id: 'a', name: 'unauthorized', message: 'bad key' } });
    expect(outcome).toMatchObject({ reason: 'AUTHENTICATION', message: 'Stability AI answered 401: bad key' });
  });
});
