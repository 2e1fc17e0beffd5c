import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Delivery, Webhooks } from '../../src/providers/provider.ts';
import { WaveSpeedProvider } from '../../src/providers/wavespeed/wavespeed.provider.ts';
import { API_KEY, never, PICTURE, type Reply, ScriptedVendor } from './scripted-vendor.ts';

const SENT_AT = 1_767_225_600;
const NOW = new Date(SENT_AT * 1_000);
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);

/** Signed with another program: openssl dgst -sha256 -hmac <secret without its prefix>. */
const BODY =
  '{"id":"45b3ab","model":"wavespeed-ai/qwen-image/text-to-image","status":"completed","outputs":["https://cdn.example/1.png"],"has_nsfw_contents":[false]}';
const SECRET = 'whsec_c2VjcmV0LW9mLW91cnM';
const SIGNATURE = 'v3,3d240fb9032655adb76bd19fde7674e932b903425e9ffbbf6ad123feb3cca3e6';
const NEXT_SECRET = 'whsec_bmV3LXNlY3JldC1vZi1vdXJz';
const NEXT_SIGNATURE = 'v3,b20886e3254e0ae0a4fb0975ed165482a03b39e5b3ad0a6fc599f8afa15b97ba';

function delivery(changes: { readonly headers?: Delivery['headers']; readonly body?: string } = {}): Delivery {
  const headers = { 'webhook-id': '45b3ab', 'webhook-timestamp': String(SENT_AT), 'webhook-signature': SIGNATURE };
  return { headers: { ...headers, ...changes.headers }, body: Buffer.from(changes.body ?? BODY) };
}

/** For what a thief of the secret could sign, or the vendor itself. */
function signed(body: string, sentAt: number = SENT_AT, secret: string = SECRET): Delivery {
  const hmac = createHmac('sha256', secret.slice('whsec_'.length)).update(`45b3ab.${sentAt}.${body}`);
  const headers = { 'webhook-timestamp': String(sentAt), 'webhook-signature': `v3,${hmac.digest('hex')}` };
  return delivery({ headers, body });
}

const secretIs = (secret: string): Reply => ({ body: { code: 200, message: 'success', data: { secret } } });

async function withWebhooks(replies: Reply[], act: (webhooks: Webhooks, vendor: ScriptedVendor) => Promise<void>) {
  await using vendor = await ScriptedVendor.start(...replies);
  await act(vendor.provider(WaveSpeedProvider).webhooks, vendor);
}

const verified =
  (given: Delivery, now = NOW) =>
  async (webhooks: Webhooks) =>
    webhooks.verify(given, now);

async function verify(given: Delivery, now = NOW): Promise<unknown> {
  let outcome: unknown;
  await withWebhooks([secretIs(SECRET), secretIs(SECRET)], async (webhooks) => {
    outcome = await verified(given, now)(webhooks);
  });
  return outcome;
}

describe('a delivery', () => {
  test('of the vendor is genuine, and checked with the secret that our key has there', async () => {
    await withWebhooks([secretIs(SECRET)], async (webhooks, vendor) => {
      const report = { id: '45b3ab', status: 'completed', outputs: ['https://cdn.example/1.png'] };
      expect(await webhooks.verify(delivery(), NOW)).toEqual({
        kind: 'GENUINE',
        vendorId: '45b3ab',
        report: { ...report, has_nsfw_contents: [false], error: undefined, code: undefined },
      });
      expect(await webhooks.verify(delivery(), NOW)).toMatchObject({ kind: 'GENUINE' });
      expect(vendor.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /api/v3/webhook/secret']);
      expect(vendor.requests[0]?.headers.authorization).toBe(`Bearer ${API_KEY}`);
    });
  });

  test.each([
    ['300 s old', 300, 'GENUINE'],
    ['301 s old', 301, 'FORGED'],
    ['300 s ahead', -300, 'GENUINE'],
    ['301 s ahead', -301, 'FORGED'],
  ])('%s', async (_what, age, kind) => expect(await verify(delivery(), later(age))).toMatchObject({ kind }));

  test.each<[string, Delivery]>([
    ['signed with another secret', signed(BODY, SENT_AT, NEXT_SECRET)],
    ['with a changed body', delivery({ body: BODY.replace('1.png', '2.png') })],
    ['with a space behind its body', delivery({ body: `${BODY} ` })],
    ['with another id', delivery({ headers: { 'webhook-id': '45b3ac' } })],
    ['with another time', delivery({ headers: { 'webhook-timestamp': String(SENT_AT + 1) } })],
    ['with a time that is none', delivery({ headers: { 'webhook-timestamp': `${SENT_AT}.0` } })],
    ['with another version', delivery({ headers: { 'webhook-signature': SIGNATURE.replace('v3', 'v1') } })],
    ['with half a signature', delivery({ headers: { 'webhook-signature': SIGNATURE.slice(0, -2) } })],
    ['with more than a signature', delivery({ headers: { 'webhook-signature': `${SIGNATURE},${SIGNATURE}` } })],
    ['with two ids', delivery({ headers: { 'webhook-id': ['45b3ab', '45b3ab'] } })],
    ['with two times', delivery({ headers: { 'webhook-timestamp': [String(SENT_AT), String(SENT_AT)] } })],
    ['with two signatures', delivery({ headers: { 'webhook-signature': [SIGNATURE, NEXT_SIGNATURE] } })],
    ['without an id', delivery({ headers: { 'webhook-id': undefined } })],
    ['without a time', delivery({ headers: { 'webhook-timestamp': undefined } })],
    ['without a signature', delivery({ headers: { 'webhook-signature': undefined } })],
    ['rightly signed, of something else', signed('{"hello":"world"}')],
    ['rightly signed, of no JSON', signed('hello')],
    ['rightly signed, of an id that would leave its place', signed(BODY.replace('45b3ab', '../balance'))],
  ])('%s is forged', async (_what, given) => expect(await verify(given)).toEqual({ kind: 'FORGED' }));

  test('that cannot be the vendor’s does not even make us ask for the secret', async () => {
    await withWebhooks([], async (webhooks, vendor) => {
      await webhooks.verify(delivery({ headers: { 'webhook-signature': 'v3,none' } }), NOW);
      await webhooks.verify(delivery(), later(301));
      expect(vendor.requests).toHaveLength(0);
    });
  });
});

describe('the secret', () => {
  test('that was changed is asked for anew, at most once a minute whoever sends what', async () => {
    const rotated = delivery({ headers: { 'webhook-signature': NEXT_SIGNATURE } });
    await withWebhooks([secretIs(SECRET), secretIs(NEXT_SECRET)], async (webhooks, vendor) => {
      expect(await webhooks.verify(delivery(), NOW)).toMatchObject({ kind: 'GENUINE' });
      expect(await webhooks.verify(rotated, later(59.999))).toEqual({ kind: 'FORGED' });
      expect(vendor.requests).toHaveLength(1);
      expect(await webhooks.verify(rotated, later(60))).toMatchObject({ kind: 'GENUINE' });
      expect(await webhooks.verify(delivery(), later(119))).toEqual({ kind: 'FORGED' });
      expect(vendor.requests).toHaveLength(2);
    });
  });

  test.each<[string, Reply]>([
    ['an error', { status: 500 }],
    ['our key refused', { status: 401, body: { code: 401, message: 'invalid' } }],
    ['a broken connection', (response) => response.socket?.resetAndDestroy()],
    ['something that is no secret', secretIs('sk-nothing-of-the-kind')],
    ['an empty one', secretIs('whsec_')],
    ['no JSON', { body: 'whsec_c2VjcmV0LW9mLW91cnM' }],
  ])(
    'that is answered with %s leaves us unable to tell, and is asked for at most once in 5 s',
    async (_what, reply) => {
      await withWebhooks([reply, secretIs(SECRET)], async (webhooks, vendor) => {
        expect(await webhooks.verify(delivery(), NOW)).toEqual({ kind: 'CANNOT_TELL' });
        expect(await webhooks.verify(delivery(), later(4.999))).toEqual({ kind: 'CANNOT_TELL' });
        expect(vendor.requests).toHaveLength(1);
        expect(await webhooks.verify(delivery(), later(5))).toMatchObject({ kind: 'GENUINE' });
        expect(vendor.requests).toHaveLength(2);
      });
    },
  );

  test('is asked for once by many deliveries at the same time', async () => {
    await withWebhooks([secretIs(SECRET)], async (webhooks, vendor) => {
      const kinds = await Promise.all(Array.from({ length: 20 }, () => webhooks.verify(delivery(), NOW)));
      expect(kinds.map(({ kind }) => kind)).toEqual(Array(20).fill('GENUINE'));
      expect(vendor.requests).toHaveLength(1);
    });
  });

  test('that was had is kept when it cannot be had again', async () => {
    await withWebhooks([secretIs(SECRET), { status: 500 }], async (webhooks, vendor) => {
      await webhooks.verify(delivery(), NOW);
      await webhooks.verify(signed(BODY, SENT_AT, NEXT_SECRET), later(60));
      expect(vendor.requests).toHaveLength(2);
      expect(await webhooks.verify(delivery(), later(61))).toMatchObject({ kind: 'GENUINE' });
    });
  });
});

describe('what a report says', () => {
  const read = async (report: (origin: string) => object, replies: Reply[] = []) => {
    await using vendor = await ScriptedVendor.start(...replies);
    const outcome = await vendor.provider(WaveSpeedProvider).webhooks.read(report(vendor.origin), never);
    return { outcome, requests: vendor.requests };
  };

  test('of a picture is fetched without our key, and nobody is asked how the job stands', async () => {
    const report = (origin: string) => ({ id: '45b3ab', status: 'completed', outputs: [`${origin}/1.png`] });
    const { outcome, requests } = await read(report, [{ body: PICTURE }]);
    expect(outcome).toEqual({ kind: 'delivered', picture: PICTURE, seed: null });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /1.png']);
    expect(JSON.stringify(requests[0]?.headers)).not.toContain(API_KEY);
  });

  test.each<[object, object]>([
    [
      { status: 'failed', code: 1200, error: 'nsfw' },
      { kind: 'moderated', billed: false },
    ],
    [{ status: 'failed', code: 1405, error: 'GPU on fire' }, { kind: 'failed' }],
    [
      { status: 'completed', outputs: ['x'], has_nsfw_contents: [true] },
      { kind: 'moderated', billed: true },
    ],
    [{ status: 'completed', outputs: ['http://169.254.169.254/1.png'] }, { kind: 'broken' }],
    [{ status: 'processing' }, { kind: 'pending', pollAfterMs: 1_000 }],
  ])('%j is %j, and nobody is called', async (told, expected) => {
    const { outcome, requests } = await read(() => ({ id: '45b3ab', ...told }));
    expect(outcome).toMatchObject(expected);
    expect(requests).toHaveLength(0);
  });
});
