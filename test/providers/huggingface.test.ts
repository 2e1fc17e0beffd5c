import { describe, expect, test } from 'vitest';
import { HuggingFaceProvider } from '../../src/providers/huggingface/huggingface.provider.ts';
import type { Order } from '../../src/providers/provider.ts';
import {
  API_KEY,
  editOrder,
  jsonOf,
  never,
  PICTURE,
  type Reply,
  renderRequest,
  ScriptedVendor,
  SOURCE,
  submitOptions,
  ticket,
  upscaleOrder,
} from './scripted-vendor.ts';

const SCHNELL = 'black-forest-labs/FLUX.1-schnell';
const FAL_SCHNELL = 'fal-ai/flux/schnell';
const KONTEXT = 'fal-ai/flux-kontext/dev';
const JOB_PATH = '/fal-ai/flux/requests/80e732af-1';
const job = ticket('fal-ai', FAL_SCHNELL, JOB_PATH);

async function submit(host: string, vendorModel: string, reply: Reply, seed: number | null = null) {
  await using vendor = await ScriptedVendor.start(reply);
  const outcome = await vendor
    .provider(HuggingFaceProvider)
    .submit(renderRequest(host, vendorModel, { seed }), submitOptions());
  expect(vendor.requests).toHaveLength(1);
  return { outcome, request: vendor.requests[0] };
}

describe('hf-inference', () => {
  test('is asked for a size and answers with bytes of any content type', async () => {
    const reply = { headers: { 'content-type': 'image/jpeg' }, body: PICTURE };
    const { outcome, request } = await submit('hf-inference', SCHNELL, reply, 7);
    expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: null });
    expect(request).toMatchObject({
      method: 'POST',
      path: `/hf-inference/models/${SCHNELL}`,
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    });
    expect(jsonOf(request)).toEqual({
      inputs: 'a red fox\nin “snow”',
      parameters: { width: 1024, height: 768, seed: 7 },
    });
  });

  test.each<[string, Reply, object]>([
    [
      'a cold start, which bought nothing',
      { status: 503, body: { error: `Model ${SCHNELL} is currently loading`, estimated_time: 20.3 } },
      { kind: 'rejected', reason: 'NOT_READY', scope: 'MODEL', retryAfterSeconds: 21 },
    ],
    ['a 503 that says nothing of the kind', { status: 503, body: { error: 'overloaded' } }, { kind: 'unknown' }],
    ['a time, but no loading', { status: 503, body: { error: 'busy', estimated_time: 3 } }, { kind: 'unknown' }],
    ['loading as a 500', { status: 500, body: { error: 'loading', estimated_time: 3 } }, { kind: 'unknown' }],
    ['a list of errors', { status: 400, body: { error: ['first', 'second'] } }, { reason: 'BAD_REQUEST' }],
    ['a page instead of a refusal', { status: 401, body: '<html>Sign in</html>' }, { reason: 'AUTHENTICATION' }],
    [
      'a cold start without end',
      { status: 503, body: { error: 'Model is loading', estimated_time: 1e9 } },
      { reason: 'NOT_READY', retryAfterSeconds: 3_600 },
    ],
  ])('answers with %s', async (_what, reply, expected) => {
    expect((await submit('hf-inference', SCHNELL, reply)).outcome).toMatchObject(expected);
  });
});

describe('an order at fal', () => {
  const accepted = (responseUrl: string): Reply => ({
    body: { request_id: '80e732af-1', status: 'IN_QUEUE', response_url: responseUrl, queue_position: 0 },
  });

  test('goes through the router by the doubled path, and the ticket has the job by its path alone', async () => {
    const reply = accepted(`https://queue.fal.run${JOB_PATH}`);
    const { outcome, request } = await submit('fal-ai', FAL_SCHNELL, reply, 7);
    expect(outcome).toEqual({ kind: 'accepted', ticket: job, pollAfterMs: 500 });
    expect(request).toMatchObject({
      method: 'POST',
      path: '/fal-ai/fal-ai/flux/schnell?_subdomain=queue',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    });
    expect(jsonOf(request)).toEqual({
      prompt: 'a red fox\nin “snow”',
      image_size: { width: 1024, height: 768 },
      num_images: 1,
      output_format: 'png',
      enable_safety_checker: true,
      seed: 7,
    });
  });

  test('for an edit has the picture inside, by both names that it goes by, and no size', async () => {
    await using vendor = await ScriptedVendor.start(
      accepted('https://queue.fal.run/fal-ai/flux-kontext/requests/80e732af-1'),
    );
    const order = editOrder('fal-ai', KONTEXT, { kind: 'general', prompt: 'a hat' }, { seed: 7 });
    expect(await vendor.provider(HuggingFaceProvider).submit(order, submitOptions())).toEqual({
      kind: 'accepted',
      ticket: ticket('fal-ai', KONTEXT, '/fal-ai/flux-kontext/requests/80e732af-1'),
      pollAfterMs: 500,
    });
    expect(vendor.requests[0]?.path).toBe('/fal-ai/fal-ai/flux-kontext/dev?_subdomain=queue');
    const picture = `data:image/jpeg;base64,${SOURCE.bytes.toString('base64')}`;
    expect(jsonOf(vendor.requests[0])).toEqual({
      prompt: 'a hat',
      image_url: picture,
      image_urls: [picture],
      num_images: 1,
      output_format: 'png',
      enable_safety_checker: true,
      seed: 7,
    });
  });

  test.each(['/', 'https://queue.fal.run/', 'https://queue.fal.run/%2e%2e/%2e%2e', 'not a url', 'https://x/a b/c'])(
    'is broken when the job is said to be at %s',
    async (url) =>
      expect((await submit('fal-ai', FAL_SCHNELL, accepted(url))).outcome).toMatchObject({ kind: 'broken' }),
  );

  test.each<[string, Reply, object]>([
    [
      'a flagged prompt',
      {
        status: 422,
        body: { detail: [{ type: 'content_policy_violation', msg: 'flagged', loc: ['body', 'prompt'] }] },
      },
      { kind: 'moderated', billed: false, message: 'HuggingFace answered 422: flagged' },
    ],
    [
      'a wrong field',
      { status: 422, body: { detail: [{ type: 'value_error', msg: 'too large', loc: ['body'] }] } },
      { kind: 'rejected', reason: 'BAD_REQUEST', message: 'HuggingFace answered 422: too large' },
    ],
    ['a plain detail', { status: 422, body: { detail: 'wrong' } }, { kind: 'rejected', reason: 'BAD_REQUEST' }],
  ])('is refused with %s', async (_what, reply, expected) => {
    expect((await submit('fal-ai', FAL_SCHNELL, reply)).outcome).toMatchObject(expected);
  });
});

async function check(replies: (origin: string) => Reply[]) {
  await using vendor = await ScriptedVendor.start();
  vendor.reply(...replies(vendor.origin));
  const outcome = await vendor.provider(HuggingFaceProvider).check(job, never);
  return { outcome, requests: vendor.requests };
}

describe('a check at fal', () => {
  const completed: Reply = { body: { status: 'COMPLETED', request_id: '80e732af-1' } };

  test('asks for the status, then the result, then the picture without our token', async () => {
    const { outcome, requests } = await check((origin) => [
      completed,
      {
        body: {
          images: [{ url: `${origin}/files/x.png`, width: 1024, height: 768, content_type: 'image/png' }],
          seed: 12_345,
          has_nsfw_concepts: [false],
          timings: {},
        },
      },
      { body: PICTURE },
    ]);
    expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: 12_345 });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /fal-ai${JOB_PATH}/status?_subdomain=queue`,
      `GET /fal-ai${JOB_PATH}?_subdomain=queue`,
      'GET /files/x.png',
    ]);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${API_KEY}`,
      `Bearer ${API_KEY}`,
      undefined,
    ]);
  });

  test.each([
    [202, 'IN_QUEUE'],
    [202, 'IN_PROGRESS'],
    [200, 'IN_PROGRESS'],
    [200, 'MEDITATING'],
  ])('answered %i %s waits', async (httpStatus, status) => {
    const { outcome, requests } = await check(() => [{ status: httpStatus, body: { status } }]);
    expect(outcome).toEqual({ kind: 'pending', pollAfterMs: 500 });
    expect(requests).toHaveLength(1);
  });

  test.each<[string, Reply, object]>([
    [
      'a black picture',
      { body: { images: [{ url: 'https://x/1.png' }], has_nsfw_concepts: [true] } },
      { kind: 'moderated', billed: true },
    ],
    [
      'a flagged one',
      { status: 422, body: { detail: [{ type: 'content_policy_violation', msg: 'no' }] } },
      { kind: 'moderated', billed: false },
    ],
    ['a complaint', { status: 422, body: { detail: [{ type: 'x', msg: 'bad' }] } }, { kind: 'failed' }],
    ['no pictures', { body: { images: [], seed: 1 } }, { kind: 'broken' }],
    ['no JSON', { body: 'done' }, { kind: 'broken' }],
    ['a picture inside', { body: { images: [{ url: 'http://127.0.0.1:1/x' }] } }, { kind: 'broken' }],
    ['nothing any more', { status: 404, body: { detail: 'gone' } }, { kind: 'unknown' }],
    ['trouble', { status: 502, body: '<html>' }, { kind: 'pending' }],
  ])('of a finished job with %s', async (_what, reply, expected) => {
    const { outcome, requests } = await check(() => [completed, reply]);
    expect(outcome).toMatchObject(expected);
    expect(requests).toHaveLength(2);
  });

  test('does not tell a seed that JSON could not hold', async () => {
    const { outcome } = await check((origin) => [
      completed,
      { body: `{"images":[{"url":"${origin}/x"}],"seed":18446744073709551615}` },
      { body: PICTURE },
    ]);
    expect(outcome).toMatchObject({ kind: 'delivered', seed: null });
  });
});

test('cancelling asks fal to stop the job', async () => {
  await using vendor = await ScriptedVendor.start({ status: 202, body: { status: 'CANCELLATION_REQUESTED' } });
  await vendor.provider(HuggingFaceProvider).cancel(job, never);
  expect(vendor.requests).toMatchObject([{ method: 'PUT', path: `/fal-ai${JOB_PATH}/cancel?_subdomain=queue` }]);
});

test('a host without a protocol of ours is our defect', async () => {
  await using vendor = await ScriptedVendor.start();
  const order = async () => vendor.provider(HuggingFaceProvider).submit(renderRequest('nscale', 'x'), submitOptions());
  await expect(order()).rejects.toThrow('no host nscale');
});

test.each<[string, Order]>([
  ['an edit at hf-inference', editOrder('hf-inference', SCHNELL, { kind: 'general', prompt: 'a hat' })],
  ['another edit at fal', editOrder('fal-ai', KONTEXT, { kind: 'removeBackground' })],
  ['an enlargement at fal', { ...upscaleOrder('fast', 'FAST'), host: 'fal-ai' }],
])('%s is our defect, and is not sent', async (_what, order) => {
  await using vendor = await ScriptedVendor.start();
  await expect(vendor.provider(HuggingFaceProvider).submit(order, submitOptions())).rejects.toThrow('cannot do it');
  expect(vendor.requests).toHaveLength(0);
});
