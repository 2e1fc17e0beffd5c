import { describe, expect, test } from 'vitest';
import type { Order } from '../../src/providers/provider.ts';
import { StabilityProvider } from '../../src/providers/stability/stability.provider.ts';
import {
  API_KEY,
  editOrder,
  never,
  PICTURE,
  type Reply,
  ScriptedVendor,
  submitOptions,
  ticket,
  upscaleOrder,
} from './scripted-vendor.ts';

const JOB_ID = '9f2c'.repeat(16);
const job = ticket('stability', 'creative', JOB_ID);
const picture: Reply = { headers: { 'content-type': 'image/png', 'finish-reason': 'SUCCESS' }, body: PICTURE };

const relight = editOrder('stability', 'replace-background-and-relight', {
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
});
const creative = upscaleOrder('creative', 'CREATIVE', {
  prompt: 'a harbour',
  negativePrompt: null,
  creativity: 0.3,
  stylePreset: null,
  seed: null,
});

async function submit(order: Order, reply: Reply) {
  await using vendor = await ScriptedVendor.start(reply);
  const outcome = await vendor.provider(StabilityProvider).submit(order, submitOptions());
  expect(vendor.requests).toHaveLength(1);
  return outcome;
}

describe.each([relight, creative])('an order that is drawn later ($vendorModel)', (order) => {
  test('is accepted, to be asked for after ten seconds', async () => {
    expect(await submit(order, { body: { id: JOB_ID } })).toEqual({
      kind: 'accepted',
      ticket: ticket('stability', order.vendorModel, JOB_ID),
      pollAfterMs: 10_000,
    });
  });

  test.each([
    ['an id that would leave its place in a path', { id: '../user/balance' }],
    ['an empty id', { id: '' }],
    ['an id that is no text', { id: 7 }],
    ['no id', { status: 'in-progress' }],
  ])('is broken when it is answered with %s', async (_what, body) => {
    expect(await submit(order, { body })).toMatchObject({ kind: 'broken' });
  });

  test('is delivered when it is there at once', async () => {
    expect(await submit(order, picture)).toEqual({ kind: 'delivered', picture: PICTURE, seed: null });
  });
});

test('a picture that is drawn at once is not taken for a job because its answer has an id', async () => {
  expect(await submit(upscaleOrder('fast', 'FAST'), { body: { id: JOB_ID } })).toMatchObject({ kind: 'broken' });
});

async function check(reply: Reply) {
  await using vendor = await ScriptedVendor.start(reply);
  const outcome = await vendor.provider(StabilityProvider).check(job, never);
  expect(vendor.requests).toHaveLength(1);
  return { outcome, request: vendor.requests[0] };
}

const inJson = (body: object): Reply => ({ headers: { 'content-type': 'application/json; type=image/png' }, body });
const base64 = PICTURE.toString('base64');
const error = (status: number, name: string, headers: Record<string, string> = {}): Reply => ({
  status,
  headers,
  body: { id: 'a1', name, errors: ['because'] },
});

test('a check asks for the result by its id, and takes it in any form', async () => {
  const { outcome, request } = await check({
    headers: { 'content-type': 'image/png', 'finish-reason': 'SUCCESS', seed: '12' },
    body: PICTURE,
  });
  expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: 12 });
  expect(request).toMatchObject({
    method: 'GET',
    path: `/v2beta/results/${job.vendorId}`,
    headers: { authorization: `Bearer ${API_KEY}`, accept: '*/*' },
  });
});

test.each(['in-progress', 'paused'])('a job that is %s waits for ten seconds', async (status) => {
  const { outcome } = await check({ status: 202, body: { id: job.vendorId, status } });
  expect(outcome).toEqual({ kind: 'pending', pollAfterMs: 10_000 });
});

describe('a result', () => {
  test.each<[string, Reply, object]>([
    ['as bytes that are called JSON', { headers: { 'content-type': 'application/json' }, body: PICTURE }, {}],
    ['as bytes of no type', { body: PICTURE }, {}],
    ['in JSON', inJson({ image: base64, finish_reason: 'SUCCESS', seed: 343_940_597 }), { seed: 343_940_597 }],
    ['in JSON by its other name', inJson({ result: base64 }), {}],
    ['in JSON, with a seed that is none', inJson({ image: base64, seed: 'x' }), {}],
  ])('%s is delivered', async (_what, reply, expected) => {
    expect((await check(reply)).outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: null, ...expected });
  });

  test.each<[string, Reply]>([
    ['as bytes', { headers: { 'finish-reason': 'CONTENT_FILTERED' }, body: PICTURE }],
    ['in JSON', inJson({ image: base64, finish_reason: 'CONTENT_FILTERED', seed: 1 })],
  ])('that is filtered is not delivered, and counts as billed (%s)', async (_what, reply) => {
    expect((await check(reply)).outcome).toMatchObject({ kind: 'moderated', billed: true });
  });

  test.each<[string, Reply]>([
    ['that finished some other way', inJson({ image: base64, finish_reason: 'ERROR' })],
    ['that is no base64', inJson({ image: `${base64.slice(0, 40)}*!${base64.slice(42)}` })],
    ['that is no picture', inJson({ image: Buffer.from('no picture').toString('base64') })],
    ['of an empty picture', inJson({ image: '' })],
    ['that is a page', { headers: { 'content-type': 'image/png' }, body: '<html><title>Welcome</title>' }],
    ['that claims 5 GB', (response) => response.writeHead(200, { 'content-length': 5e9 }).write('x')],
  ])('%s is broken, and not asked for again', async (_what, reply) => {
    expect((await check(reply)).outcome).toMatchObject({ kind: 'broken', message: expect.stringMatching(/./) });
  });
});

test.each<[string, Reply, object]>([
  ['it is flagged', error(403, 'content_moderation'), { kind: 'moderated', billed: false }],
  ['it shows somebody known', error(422, 'public_figure'), { kind: 'moderated', billed: false }],
  ['it failed', error(400, 'bad_request'), { kind: 'failed' }],
  ['its words are foreign', error(422, 'invalid_language'), { kind: 'failed' }],
  ['it is gone', error(404, 'generation_not_found'), { kind: 'unknown' }],
  ['we are shut out for a minute', error(429, 'rate_limit_exceeded'), { kind: 'pending', pollAfterMs: 60_000 }],
  [
    'we are to stay away for 20 s',
    error(429, 'rate_limit_exceeded', { 'retry-after': '20' }),
    { kind: 'pending', pollAfterMs: 20_000 },
  ],
  ['our key is refused', error(401, 'unauthorized'), { kind: 'pending', pollAfterMs: 10_000 }],
  ['the vendor is in trouble', error(500, 'internal_error'), { kind: 'pending', pollAfterMs: 10_000 }],
  ['a proxy does not like the call', { status: 400, body: '<html>' }, { kind: 'pending', pollAfterMs: 10_000 }],
])('a check that hears that %s', async (_what, reply, expected) => {
  expect((await check(reply)).outcome).toMatchObject(expected);
});

test('there is nothing to cancel with', async () => {
  await using vendor = await ScriptedVendor.start();
  await vendor.provider(StabilityProvider).cancel();
  expect(vendor.requests).toHaveLength(0);
});
