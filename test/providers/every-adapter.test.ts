import { describe, expect, test } from 'vitest';
import type { Edit } from '../../src/catalog/edits.ts';
import { type GeminiOptions, GeminiProvider } from '../../src/providers/gemini/gemini.provider.ts';
import { HuggingFaceProvider } from '../../src/providers/huggingface/huggingface.provider.ts';
import type { Order, Provider, SubmitOutcome, Ticket } from '../../src/providers/provider.ts';
import { StabilityProvider } from '../../src/providers/stability/stability.provider.ts';
import { WaveSpeedProvider } from '../../src/providers/wavespeed/wavespeed.provider.ts';
import {
  ACCESS_TOKEN,
  API_KEY,
  editOrder,
  MASK,
  never,
  PICTURE,
  type Reply,
  renderRequest,
  ScriptedVendor,
  submitOptions,
  ticket,
  upscaleOrder,
} from './scripted-vendor.ts';

/** What only a vendor that follows a script can show; what each vendor really says is in the contract. */

interface Adapted {
  readonly Adapter: new (options: GeminiOptions) => Provider;
  readonly request: Order;
  /** What this vendor's protocol makes of a status, where that differs from what HTTP makes of it. */
  readonly special?: Readonly<Record<number, object>>;
  /** What it shows to be let in, where that is not our key. */
  readonly secret?: string;
  /** For vendors with a queue. */
  readonly ticket?: Ticket;
  /** Where a job that is done answers a check with its picture: what is no picture then will not become one. */
  readonly checkIsPicture?: true;
  /** For vendors that do not like to be asked as often as we would. */
  readonly pollAfterMsMin?: number;
}

const GENERAL: Edit = { kind: 'general', prompt: 'a hat' };
const INPAINT: Edit = {
  kind: 'inpaint',
  prompt: 'a hat',
  negativePrompt: null,
  mask: 'asset',
  growMask: 5,
  stylePreset: null,
};

const ADAPTED: Record<string, Adapted> = {
  stability: {
    Adapter: StabilityProvider,
    request: renderRequest('stability', 'core', { render: { aspectRatio: '1:1' } }),
    special: { 429: { retryAfterSeconds: 60 } },
  },
  'stability/inpaint': {
    Adapter: StabilityProvider,
    request: editOrder('stability', 'inpaint', INPAINT, { mask: MASK }),
    special: { 429: { retryAfterSeconds: 60 } },
  },
  'stability/creative': {
    Adapter: StabilityProvider,
    request: upscaleOrder('creative', 'CREATIVE'),
    special: { 429: { retryAfterSeconds: 60 } },
    ticket: ticket('stability', 'creative', '9f2c'.repeat(16)),
    checkIsPicture: true,
    pollAfterMsMin: 10_000,
  },
  wavespeed: {
    Adapter: WaveSpeedProvider,
    request: renderRequest('wavespeed', 'wavespeed-ai/qwen-image/text-to-image'),
    ticket: ticket('wavespeed', 'wavespeed-ai/qwen-image/text-to-image', 'p1'),
  },
  'wavespeed/inpaint': {
    Adapter: WaveSpeedProvider,
    request: editOrder('wavespeed', 'ideogram-ai/ideogram-v3-turbo', INPAINT, { mask: MASK }),
    ticket: ticket('wavespeed', 'ideogram-ai/ideogram-v3-turbo', 'p2'),
  },
  'huggingface/hf-inference': {
    Adapter: HuggingFaceProvider,
    request: renderRequest('hf-inference', 'black-forest-labs/FLUX.1-schnell'),
  },
  'huggingface/fal-ai': {
    Adapter: HuggingFaceProvider,
    request: renderRequest('fal-ai', 'fal-ai/flux/dev'),
    ticket: ticket('fal-ai', 'fal-ai/flux/dev', '/fal-ai/flux/requests/r1'),
  },
  'huggingface/fal-ai/edit': {
    Adapter: HuggingFaceProvider,
    request: editOrder('fal-ai', 'fal-ai/flux-kontext/dev', GENERAL),
    ticket: ticket('fal-ai', 'fal-ai/flux-kontext/dev', '/fal-ai/flux-kontext/requests/r2'),
  },
  gemini: {
    Adapter: GeminiProvider,
    request: renderRequest('gemini', 'gemini-3-pro-image', { render: { aspectRatio: '1:1', imageSize: '1K' } }),
  },
  'gemini/edit': {
    Adapter: GeminiProvider,
    request: editOrder('gemini', 'gemini-nano-banana-2.1', GENERAL),
  },
  'gemini/vertex': {
    Adapter: GeminiProvider,
    request: renderRequest('vertex', 'imagen-4.0-generate-001', { render: { aspectRatio: '1:1' } }),
    secret: ACCESS_TOKEN,
  },
};

/** Statuses that no vendor is known to send, but whatever stands before it may. */
const STATUSES: [number, object][] = [
  [405, { kind: 'rejected', reason: 'BAD_REQUEST', scope: 'REQUEST' }],
  [409, { kind: 'rejected', reason: 'BAD_REQUEST', scope: 'REQUEST' }],
  [414, { kind: 'rejected', reason: 'TOO_LARGE', scope: 'REQUEST' }],
  [415, { kind: 'rejected', reason: 'BAD_REQUEST', scope: 'REQUEST' }],
  [425, { kind: 'rejected', reason: 'RATE_LIMITED', scope: 'HOST' }],
  [431, { kind: 'rejected', reason: 'TOO_LARGE', scope: 'REQUEST' }],
  [451, { kind: 'rejected', reason: 'FORBIDDEN', scope: 'MODEL' }],
  [408, { kind: 'unknown' }],
  [499, { kind: 'unknown' }],
  [501, { kind: 'unknown' }],
  [599, { kind: 'unknown' }],
  [301, { kind: 'unknown' }],
  [307, { kind: 'unknown' }],
  [204, { kind: 'broken' }],
];

/** Answers with 200 that are no picture: the vendor thinks that it has delivered. */
const USELESS: Record<string, string> = {
  'JSON of another shape': '{"hello":["world"]}',
  null: 'null',
  'deep JSON': '['.repeat(100_000),
  'an error': '{"error":{"message":"something went wrong"}}',
  'binary nonsense': '\u0000\u0001\u0002\u0003'.repeat(100),
};

async function submitTo(adapted: Adapted, reply: Reply): Promise<{ outcome: SubmitOutcome; requests: number }> {
  await using vendor = await ScriptedVendor.start(reply);
  const outcome = await vendor.provider(adapted.Adapter).submit(adapted.request, submitOptions());
  return { outcome, requests: vendor.requests.length };
}

describe.each(Object.entries(ADAPTED))('%s', (_name, adapted) => {
  test.each(STATUSES)('status %i is understood, and asked only once', async (status, expected) => {
    const reply = { status, headers: { location: '/elsewhere' }, body: status === 204 ? '' : { error: 'because' } };
    const { outcome, requests } = await submitTo(adapted, reply);
    expect(outcome).toMatchObject({ ...expected, ...adapted.special?.[status] });
    expect(outcome).toMatchObject({ message: expect.stringMatching(status === 204 ? /204/ : `${status}: because`) });
    expect(requests).toBe(1);
  });

  test.each([
    ['0', 0],
    ['Sun, 22 Nov 2026 16:00:30 GMT', 30],
    ['Sun, 22 Nov 2026 15:00:00 GMT', 0],
    ['Sun, 22 Nov 2099 16:00:00 GMT', 3_600],
  ])('429 with Retry-After %s waits %i s', async (retryAfter, seconds) => {
    const headers = { 'retry-after': retryAfter, date: 'Sun, 22 Nov 2026 16:00:00 GMT' };
    const { outcome } = await submitTo(adapted, { status: 429, headers });
    expect(outcome).toMatchObject({ kind: 'rejected', reason: 'RATE_LIMITED', retryAfterSeconds: seconds });
  });

  test.each(['soon', '-1', '1e9', '1.5', '2026-11-22', ' ', '0x10'])(
    '429 with Retry-After %j is as if it had none',
    async (retryAfter) => {
      const { outcome } = await submitTo(adapted, { status: 429, headers: { 'retry-after': retryAfter } });
      expect(outcome).toMatchObject({ retryAfterSeconds: null, ...adapted.special?.[429] });
    },
  );

  test.each(Object.entries(USELESS))('a 200 with %s is broken', async (_what, body) => {
    const { outcome, requests } = await submitTo(adapted, { body });
    expect(outcome).toMatchObject({ kind: 'broken', message: expect.stringMatching(/./) });
    expect(requests).toBe(1);
  });

  test('an answer that claims 5 GB is unknown, and asked only once', async () => {
    const { outcome, requests } = await submitTo(adapted, (response) =>
      response.writeHead(200, { 'content-length': 5e9 }).write('x'),
    );
    expect(outcome).toMatchObject({ kind: 'unknown', message: expect.stringContaining('longer than') });
    expect(requests).toBe(1);
  });

  test('an order has the time that it is given, and no more', async () => {
    await using vendor = await ScriptedVendor.start(() => undefined);
    const outcome = await vendor.provider(adapted.Adapter).submit(adapted.request, submitOptions({ timeoutMs: 200 }));
    expect(outcome).toMatchObject({ kind: 'unknown', message: expect.stringContaining('no full answer in 200 ms') });
    expect(vendor.requests).toHaveLength(1);
  });

  test('a vendor that is not there is rejected', async () => {
    await using vendor = await ScriptedVendor.start();
    const provider = vendor.provider(adapted.Adapter);
    await vendor.stop();
    expect(await provider.submit(adapted.request, submitOptions())).toMatchObject({
      kind: 'rejected',
      reason: 'UNREACHABLE',
      scope: 'HOST',
    });
  });

  test('a call given up before it was made is rejected, and not made', async () => {
    await using vendor = await ScriptedVendor.start();
    const outcome = await vendor
      .provider(adapted.Adapter)
      .submit(adapted.request, submitOptions({ signal: AbortSignal.abort() }));
    expect(outcome).toMatchObject({ kind: 'rejected', reason: 'UNREACHABLE' });
    expect(vendor.requests).toHaveLength(0);
  });

  const { secret = API_KEY } = adapted;
  test.each([
    ['JSON', { error: `Incorrect API key provided: ${secret}.` }],
    ['text', `Bearer ${secret} is not valid, nor is hf_abcdefghijklmnop`],
    ['HTML', `<html><title>denied ${secret}</title>`],
    ['a long text that cuts the key', `${'x'.repeat(280)}${secret}`],
  ])('our key is never shown (%s)', async (_form, body) => {
    const { outcome } = await submitTo(adapted, { status: 401, body });
    expect(JSON.stringify(outcome)).not.toMatch(/sk-the|1234567890|hf_abc|ya29|the-hour/);
    expect(outcome).toMatchObject({ kind: 'rejected', reason: 'AUTHENTICATION' });
  });

  const { ticket: job } = adapted;
  if (job === undefined) {
    test('says that it is our defect to ask about a job, and has nothing to cancel', async () => {
      await using vendor = await ScriptedVendor.start();
      const provider = vendor.provider(adapted.Adapter);
      const none = ticket(adapted.request.host, adapted.request.vendorModel, 'none');
      await expect((async () => provider.check(none, never))()).rejects.toThrow();
      await provider.cancel(none, never);
      expect(vendor.requests).toHaveLength(0);
    });
    return;
  }

  test.each([
    [400, 'pending'],
    [401, 'pending'],
    [403, 'pending'],
    [408, 'pending'],
    [410, 'unknown'],
    [502, 'pending'],
    [503, 'pending'],
    [504, 'pending'],
  ])('a check answered with %i is %s', async (status, kind) => {
    await using vendor = await ScriptedVendor.start({ status, body: '<html>' });
    expect(await vendor.provider(adapted.Adapter).check(job, never)).toMatchObject({ kind });
    expect(vendor.requests).toHaveLength(1);
  });

  const { checkIsPicture, pollAfterMsMin = 0 } = adapted;
  const askedAgain = { kind: 'pending', pollAfterMs: Math.max(5_000, pollAfterMsMin) };
  const hopeless = checkIsPicture ? { kind: 'broken' } : askedAgain;
  test.each(Object.entries(USELESS))(`a check answered with %s is ${hopeless.kind}`, async (_what, body) => {
    await using vendor = await ScriptedVendor.start({ body });
    const outcome = await vendor.provider(adapted.Adapter).check(job, never);
    expect(outcome).toMatchObject(hopeless);
  });

  const faults: [string, Reply, object][] = [
    ['a reset instead of an answer', (response) => response.socket?.resetAndDestroy(), askedAgain],
    [
      'an answer that claims 5 GB',
      (response) => response.writeHead(200, { 'content-length': 5e9 }).write('x'),
      hopeless,
    ],
    ['silence until we give up', () => undefined, askedAgain],
  ];
  test.each(faults)('a check answered with %s', async (_what, reply, expected) => {
    await using vendor = await ScriptedVendor.start(reply);
    const outcome = await vendor.provider(adapted.Adapter).check(job, AbortSignal.timeout(500));
    expect(outcome).toMatchObject(expected);
  });

  test.each([
    ['20', 20_000],
    ['1', 5_000],
    ['1000000', 60_000],
  ])('a check that is limited for %s s is asked again after %i ms, or later', async (retryAfter, pollAfterMs) => {
    await using vendor = await ScriptedVendor.start({ status: 429, headers: { 'retry-after': retryAfter } });
    const outcome = await vendor.provider(adapted.Adapter).check(job, never);
    expect(outcome).toEqual({ kind: 'pending', pollAfterMs: Math.max(pollAfterMs, pollAfterMsMin) });
  });

  test('cancelling says nothing, whatever happens', async () => {
    await using vendor = await ScriptedVendor.start({ status: 500 }, (response) => response.destroy());
    const provider = vendor.provider(adapted.Adapter);
    await provider.cancel(job, never);
    await provider.cancel(job, never);
    await vendor.stop();
    await provider.cancel(job, never);
  });
});

test('the picture of these tests is one', () => expect(PICTURE.subarray(1, 4).toString()).toBe('PNG'));
