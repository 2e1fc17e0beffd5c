import { describe, expect, test } from 'vitest';
import type { Edit } from '../../src/catalog/edits.ts';
import type { Order } from '../../src/providers/provider.ts';
import { WaveSpeedProvider } from '../../src/providers/wavespeed/wavespeed.provider.ts';
import {
  API_KEY,
  editOrder,
  jsonOf,
  MASK,
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

const QWEN = 'wavespeed-ai/qwen-image/text-to-image';
const IDEOGRAM = 'ideogram-ai/ideogram-v3-turbo';
const QWEN_EDIT = 'wavespeed-ai/qwen-image/edit';
const inpaint: Edit = {
  kind: 'inpaint',
  prompt: 'a hat',
  negativePrompt: null,
  mask: 'asset',
  growMask: 5,
  stylePreset: null,
};
const job = ticket('wavespeed', QWEN, '45b3ab');
const envelope = (data: object, code = 200): Reply => ({ body: { code, message: 'success', data } });

describe('an order', () => {
  test('for a size says the size with an asterisk, and asks for PNG', async () => {
    await using vendor = await ScriptedVendor.start(envelope({ id: '45b3ab', status: 'created', outputs: [] }));
    const request = renderRequest('wavespeed', QWEN, { seed: 0 });
    expect(await vendor.provider(WaveSpeedProvider).submit(request, submitOptions())).toEqual({
      kind: 'accepted',
      ticket: job,
      pollAfterMs: 1_000,
    });
    expect(vendor.requests).toHaveLength(1);
    expect(vendor.requests[0]).toMatchObject({
      method: 'POST',
      path: `/api/v3/${QWEN}`,
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    });
    expect(jsonOf(vendor.requests[0])).toEqual({
      prompt: 'a red fox\nin “snow”',
      size: '1024*768',
      output_format: 'png',
      seed: 0,
    });
  });

  test('for a ratio says the ratio and nothing else', async () => {
    await using vendor = await ScriptedVendor.start(envelope({ id: '45b3ab' }));
    const request = renderRequest('wavespeed', IDEOGRAM, { render: { aspectRatio: '4:3' } });
    await vendor.provider(WaveSpeedProvider).submit(request, submitOptions());
    expect(vendor.requests[0]?.path).toBe(`/api/v3/${IDEOGRAM}`);
    expect(jsonOf(vendor.requests[0])).toEqual({ prompt: 'a red fox\nin “snow”', aspect_ratio: '4:3' });
  });

  test('for an edit in words has the picture inside, and the size to draw', async () => {
    await using vendor = await ScriptedVendor.start(envelope({ id: '45b3ab' }));
    const order = editOrder('wavespeed', QWEN_EDIT, { kind: 'general', prompt: 'a hat' }, { seed: 7 });
    expect(await vendor.provider(WaveSpeedProvider).submit(order, submitOptions())).toEqual({
      kind: 'accepted',
      ticket: ticket('wavespeed', QWEN_EDIT, '45b3ab'),
      pollAfterMs: 1_000,
    });
    expect(vendor.requests[0]?.path).toBe(`/api/v3/${QWEN_EDIT}`);
    expect(jsonOf(vendor.requests[0])).toEqual({
      prompt: 'a hat',
      image: `data:image/jpeg;base64,${SOURCE.bytes.toString('base64')}`,
      size: '640*480',
      output_format: 'png',
      seed: 7,
    });
  });

  test('to inpaint has the picture and its mask inside, and nothing that the model does not know', async () => {
    await using vendor = await ScriptedVendor.start(envelope({ id: '45b3ab' }));
    const order = editOrder('wavespeed', IDEOGRAM, inpaint, { mask: MASK, prompt: 'a hat, in anime style' });
    await vendor.provider(WaveSpeedProvider).submit(order, submitOptions());
    expect(vendor.requests[0]?.path).toBe(`/api/v3/${IDEOGRAM}`);
    expect(jsonOf(vendor.requests[0])).toEqual({
      prompt: 'a hat, in anime style',
      image: `data:image/jpeg;base64,${SOURCE.bytes.toString('base64')}`,
      mask_image: `data:image/png;base64,${MASK.bytes.toString('base64')}`,
    });
  });

  test.each<[string, Order]>([
    ['to inpaint without a mask', editOrder('wavespeed', IDEOGRAM, inpaint)],
    ['for another edit', editOrder('wavespeed', QWEN_EDIT, { kind: 'removeBackground' })],
    ['to enlarge', { ...upscaleOrder('fast', 'FAST'), host: 'wavespeed' }],
  ])('%s is our defect, and is not sent', async (_what, order) => {
    await using vendor = await ScriptedVendor.start();
    await expect(vendor.provider(WaveSpeedProvider).submit(order, submitOptions())).rejects.toThrow('cannot do it');
    expect(vendor.requests).toHaveLength(0);
  });

  test('names where to report to only when it is told', async () => {
    await using vendor = await ScriptedVendor.start(envelope({ id: '45b3ab' }), envelope({ id: '45b3ab' }));
    const provider = vendor.provider(WaveSpeedProvider);
    const reportTo = 'https://gateway.example/webhooks/wavespeed/attempt_1?a=b&c';
    await provider.submit(renderRequest('wavespeed', QWEN), submitOptions({ reportTo }));
    await provider.submit(renderRequest('wavespeed', QWEN), submitOptions());
    expect(vendor.requests.map(({ path }) => path)).toEqual([
      `/api/v3/${QWEN}?webhook=${encodeURIComponent(reportTo)}`,
      `/api/v3/${QWEN}`,
    ]);
  });

  test.each<[string, Reply, object]>([
    ['a job that failed at once', envelope({ id: '45b3ab', status: 'failed', code: 1200 }), { kind: 'accepted' }],
    ['an id that would leave its place in a path', envelope({ id: '../balance' }), { kind: 'broken' }],
    ['no id', envelope({ status: 'created' }), { kind: 'broken' }],
    ['401 within a 200', { body: { code: 401, message: 'invalid' } }, { reason: 'AUTHENTICATION' }],
    ['429 within a 200', { body: { code: 429, message: 'slow down' } }, { reason: 'RATE_LIMITED' }],
    ['500 within a 200', { body: { code: 500, message: 'oops' } }, { kind: 'unknown' }],
    ['moderation', { status: 400, body: { code: 1200, message: 'flagged' } }, { kind: 'moderated', billed: false }],
    [
      'an empty balance in other words',
      { status: 403, body: { message: 'Insufficient credits' } },
      { reason: 'OUT_OF_FUNDS', scope: 'HOST' },
    ],
    ['words about balance in a bad request', { status: 400, body: { message: 'balance' } }, { reason: 'BAD_REQUEST' }],
  ])('answered with %s', async (_what, reply, expected) => {
    await using vendor = await ScriptedVendor.start(reply);
    const outcome = await vendor.provider(WaveSpeedProvider).submit(renderRequest('wavespeed', QWEN), submitOptions());
    expect(outcome).toMatchObject(expected);
  });
});

const halfAnswer: Reply = (response) =>
  response.writeHead(200, { 'content-length': 999 }).write('\x89PNG', () => response.socket?.end());

async function check(replies: (origin: string) => Reply[]) {
  await using vendor = await ScriptedVendor.start();
  vendor.reply(...replies(vendor.origin));
  const outcome = await vendor.provider(WaveSpeedProvider).check(job, never);
  return { outcome, requests: vendor.requests };
}

describe('a check', () => {
  test('goes to our base URL whatever the vendor says, and fetches the picture without our key', async () => {
    await using elsewhere = await ScriptedVendor.start();
    const { outcome, requests } = await check((origin) => [
      envelope({
        id: '45b3ab',
        status: 'completed',
        outputs: [`${origin}/outputs/1.png?signature=abc`, `${origin}/outputs/2.png`],
        urls: { get: `${elsewhere.origin}/steal` },
        has_nsfw_contents: [false],
      }),
      { headers: { 'content-type': 'text/plain' }, body: PICTURE },
    ]);
    expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: null });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/v3/predictions/45b3ab/result',
      'GET /outputs/1.png?signature=abc',
    ]);
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${API_KEY}`);
    expect(JSON.stringify(requests[1]?.headers)).not.toContain(API_KEY);
    expect(elsewhere.requests).toHaveLength(0);
  });

  test.each(['created', 'processing', 'dreaming'])('of a job that is %s waits', async (status) => {
    const { outcome, requests } = await check(() => [envelope({ id: '45b3ab', status, outputs: [] })]);
    expect(outcome).toEqual({ kind: 'pending', pollAfterMs: 1_000 });
    expect(requests).toHaveLength(1);
  });

  test.each(['failed', 'cancelled', 'timeout', 'deleted'])('of a job that is %s is failed', async (status) => {
    const { outcome } = await check(() => [envelope({ status, code: 1403, error: 'GPU on fire' })]);
    expect(outcome).toEqual({ kind: 'failed', message: `WaveSpeed: ${status} (code 1403): GPU on fire` });
  });

  test('of a failure that explains itself in odd ways is failed all the same', async () => {
    const { outcome } = await check(() => [
      envelope({ status: 'failed', code: 'E', error: { why: 1 }, outputs: null }),
    ]);
    expect(outcome).toMatchObject({ kind: 'failed' });
  });

  test.each<[string, object, object]>([
    [
      'flagged before it was drawn',
      { status: 'failed', code: 1200, error: 'nsfw' },
      { kind: 'moderated', billed: false },
    ],
    [
      'flagged after it was drawn',
      { status: 'completed', outputs: ['https://x/1.png'], has_nsfw_contents: [true] },
      { kind: 'moderated', billed: true },
    ],
    ['completed without outputs', { status: 'completed', outputs: [] }, { kind: 'broken' }],
    ['completed with null for outputs', { status: 'completed', outputs: null }, { kind: 'broken' }],
    ['completed inside', { status: 'completed', outputs: ['http://127.0.0.1:1/1.png'] }, { kind: 'broken' }],
    ['completed with no URL', { status: 'completed', outputs: ['iVBORw0KGgo='] }, { kind: 'broken' }],
  ])('of a job %s', async (_what, data, expected) => {
    const { outcome, requests } = await check(() => [envelope(data)]);
    expect(outcome).toMatchObject(expected);
    expect(requests).toHaveLength(1);
  });

  test.each<[string, Reply, string]>([
    ['is gone', { status: 404 }, 'broken'],
    ['is forbidden', { status: 403 }, 'broken'],
    ['is a page', { body: '<html>' }, 'broken'],
    ['is empty', { body: '' }, 'broken'],
    ['is half a picture', halfAnswer, 'pending'],
    ['redirects inside', { status: 302, headers: { location: 'http://169.254.169.254/' } }, 'broken'],
    ['redirects for ever', { status: 302, headers: { location: '?' } }, 'pending'],
    ['claims 5 GB', (response) => response.writeHead(200, { 'content-length': 5e9 }).write('x'), 'broken'],
    ['is in trouble', { status: 503 }, 'pending'],
    ['is limited', { status: 429 }, 'pending'],
    ['is reset', (response) => response.socket?.resetAndDestroy(), 'pending'],
  ])('of a finished job whose picture %s', async (_what, reply, kind) => {
    const { outcome } = await check((origin) => [
      envelope({ status: 'completed', outputs: [`${origin}/1.png`] }),
      reply,
    ]);
    expect(outcome).toMatchObject({ kind });
  });
});

test('there is nothing to cancel with', async () => {
  await using vendor = await ScriptedVendor.start();
  await vendor.provider(WaveSpeedProvider).cancel();
  expect(vendor.requests).toHaveLength(0);
});
