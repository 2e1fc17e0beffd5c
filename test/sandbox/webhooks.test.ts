import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseFault } from '../../src/sandbox/faults.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { Webhooks } from '../../src/sandbox/wavespeed.webhooks.ts';
import { askWavespeed, measured, onlyEntry, QWEN, replyOf, useSandbox } from './ask.ts';
import { ageOf, isSigned, type Message, useReceiver } from './receiver.ts';

const sandbox = useSandbox();
const receiver = useReceiver();

const pathFor = (url: string) => `${QWEN}?webhook=${encodeURIComponent(url)}`;

async function order(prompt: string, at = sandbox()): Promise<string> {
  const reply = await askWavespeed(at, pathFor(receiver().url), { prompt, size: '256*320' });
  expect([reply.status, reply.json().data.status]).toEqual([200, 'created']);
  return reply.json().data.id;
}

async function arrived(count: number): Promise<readonly Message[]> {
  await vi.waitFor(() => expect(receiver().messages.length).toBeGreaterThanOrEqual(count));
  return receiver().messages;
}

const secretOf = async (key?: string) =>
  (await askWavespeed(sandbox(), 'webhook/secret', undefined, key === undefined ? {} : { key })).json().data.secret;

async function first(prompt: string): Promise<Message> {
  await order(prompt);
  const [message] = await arrived(1);
  if (!message) throw new Error('no message');
  return message;
}

describe('the webhook of a prediction', () => {
  test('brings the bare prediction when it is completed, though nobody looked', async () => {
    const id = await order('a barn');
    const [message] = await arrived(1);
    if (!message) throw new Error('no message');
    expect(message.url).toBe('/hook?for=me');
    expect(message.headers['content-type']).toBe('application/json');
    expect(message.headers['webhook-id']).toBe(id.slice(0, 25));
    expect(Math.abs(ageOf(message))).toBeLessThan(5);
    expect(isSigned(message, await secretOf())).toBe(true);
    const looked = await askWavespeed(sandbox(), `predictions/${id}/result`);
    expect(JSON.parse(message.body)).toEqual(looked.json().data);
    const [url] = JSON.parse(message.body).outputs;
    expect(await measured((await replyOf(url)).bytes)).toMatchObject({ width: 256, height: 320 });
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'completed', bought: 'yes', vendorId: id });
    expect(receiver().messages).toHaveLength(1);
  });

  test.each([
    ['poll-failed', { status: 'failed', code: 1405, outputs: [] }, { outcome: 'failed', bought: 'refunded' }],
    ['moderated', { status: 'failed', code: 1200, outputs: [] }, { outcome: 'moderated', bought: 'refunded' }],
    ['withheld', { status: 'completed', has_nsfw_contents: [true] }, { outcome: 'withheld', bought: 'yes' }],
  ])('tells of the end that %s brings', async (fault, prediction, entry) => {
    const message = await first(`a barn [sandbox:${fault}]`);
    expect(JSON.parse(message.body)).toMatchObject(prediction);
    expect(onlyEntry(sandbox())).toMatchObject(entry);
  });

  test('tells that the prediction was deleted before it was done', async () => {
    const slow = await startSandbox({ latency: 1 });
    onTestFinished(() => slow.close());
    const id = await order('a barn', slow);
    await askWavespeed(slow, 'predictions/delete', { ids: [id] });
    const [message] = await arrived(1);
    expect(JSON.parse(message?.body ?? '')).toMatchObject({ id, status: 'cancelled', outputs: [] });
  });

  test('comes when the time of the model has passed, and not before', async () => {
    const slow = await startSandbox({ latency: 0.05 });
    onTestFinished(() => slow.close());
    const start = performance.now();
    await order('a barn', slow);
    await arrived(1);
    expect(performance.now() - start).toBeGreaterThanOrEqual(145);
  });

  test('comes once although the job is looked at all the while', async () => {
    const id = await order('a barn');
    for (let look = 0; look < 4; look += 1) await askWavespeed(sandbox(), `predictions/${id}/result`);
    const fence = await order('the one behind it');
    const messages = await vi.waitFor(() => {
      const seen = receiver().messages.map(({ body }) => JSON.parse(body).id);
      expect(seen).toContain(fence);
      return seen;
    });
    expect(messages.toSorted()).toEqual([id, fence].toSorted());
  });

  test.each([
    ['status=500 on=poll', 500],
    ['poll-gone', 404],
  ])('comes even if looking at the job is answered with %s', async (fault, status) => {
    const id = await order(`a barn [sandbox:${fault}]`);
    const [message] = await arrived(1);
    expect(JSON.parse(message?.body ?? '')).toMatchObject({ id, status: 'completed' });
    for (let look = 0; look < 3; look += 1) {
      expect((await askWavespeed(sandbox(), `predictions/${id}/result`)).status).toBe(status);
    }
    expect((await replyOf(JSON.parse(message?.body ?? '').outputs[0])).status).toBe(200);
  });

  test('comes even if whoever looks never sees the job done', async () => {
    const id = await order('a barn [sandbox:poll-forever]');
    const [message] = await arrived(1);
    expect(JSON.parse(message?.body ?? '').status).toBe('completed');
    expect((await askWavespeed(sandbox(), `predictions/${id}/result`)).json().data.status).toBe('processing');
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'completed', bought: 'yes' });
  });

  test.each(['', 'nonsense', 'ftp://example.com/x', 'javascript:alert(1)', '/hook'])(
    'is refused with the order when its address is "%s"',
    async (url) => {
      const reply = await askWavespeed(sandbox(), pathFor(url), { prompt: 'a barn' });
      expect([reply.status, reply.json().code]).toEqual([400, 400]);
      expect(reply.json().message).toMatch(/webhook/);
      expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
    },
  );
});

describe('the secret for webhooks', () => {
  test('belongs to one key and stays the same', async () => {
    const secret = await secretOf();
    expect(secret).toMatch(/^whsec_[\w-]{43}$/);
    expect(await secretOf()).toBe(secret);
    expect(await secretOf('somebody-else')).not.toBe(secret);
  });

  test('is not told without a key', async () => {
    const reply = await askWavespeed(sandbox(), 'webhook/secret', undefined, { key: null });
    expect([reply.status, reply.json().code]).toEqual([401, 401]);
  });
});

describe('a webhook can go wrong', () => {
  test('by not coming at all, while the job ends as ever', async () => {
    const id = await order('a barn [sandbox:webhook-none]');
    await vi.waitFor(() => expect(onlyEntry(sandbox()).outcome).toBe('completed'));
    const fence = await order('the one behind it');
    const messages = await arrived(1);
    expect(messages.map(({ body }) => JSON.parse(body).id)).toEqual([fence]);
    expect((await askWavespeed(sandbox(), `predictions/${id}/result`)).json().data.status).toBe('completed');
  });

  test('by coming twice, as the same message', async () => {
    await order('a barn [sandbox:webhook-twice]');
    const [one, other] = await arrived(2);
    expect(other?.body).toBe(one?.body);
    expect(other?.headers['webhook-id']).toBe(one?.headers['webhook-id']);
  });

  test('by coming late', async () => {
    const start = performance.now();
    await first('a barn [sandbox:webhook-late=120]');
    expect(performance.now() - start).toBeGreaterThanOrEqual(115);
  });

  test('by being signed with another secret', async () => {
    const message = await first('a barn [sandbox:webhook-forged]');
    expect(message.headers['webhook-signature']).toMatch(/^v3,[0-9a-f]{64}$/);
    expect(isSigned(message, await secretOf())).toBe(false);
  });

  test('by being old, though rightly signed', async () => {
    const message = await first('a barn [sandbox:webhook-stale]');
    expect(isSigned(message, await secretOf())).toBe(true);
    expect(ageOf(message)).toBeGreaterThanOrEqual(599);
  });

  test('by being changed after it was signed', async () => {
    const message = await first('a barn [sandbox:webhook-tampered]');
    expect(isSigned(message, await secretOf())).toBe(false);
    expect(JSON.parse(message.body)).toMatchObject({
      status: 'completed',
      outputs: ['http://169.254.169.254/tampered.png'],
    });
    const untouched = { ...message, body: await trueBodyOf(message) };
    expect(isSigned(untouched, await secretOf())).toBe(true);
  });

  async function trueBodyOf(message: Message): Promise<string> {
    const { id } = JSON.parse(message.body);
    return JSON.stringify((await askWavespeed(sandbox(), `predictions/${id}/result`)).json().data);
  }

  test('when that was planned for the next order', async () => {
    sandbox().faults.next('wavespeed', 'webhook-forged');
    const message = await first('a barn');
    expect(isSigned(message, await secretOf())).toBe(false);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'completed', fault: 'webhook-forged' });
  });
});

describe('the sender of webhooks', () => {
  const announcement = (faults: readonly string[] = []) => ({
    to: new URL(receiver().url),
    owner: 'ws-good',
    prediction: { id: 'abc', status: 'completed' },
    jobId: 'abc',
    faults: faults.map(parseFault),
  });

  test('tries three times more, waiting longer each time, and then gives up', async () => {
    const webhooks = new Webhooks({ latency: 0, closing: new AbortController().signal });
    receiver().answers.push(500, 404, 500, 503, 500, 500);
    const start = performance.now();
    await webhooks.announce(announcement());
    const took = performance.now() - start;
    expect(receiver().messages).toHaveLength(4);
    expect(took).toBeGreaterThanOrEqual(20 + 40 + 80 - 5);
    expect(took).toBeLessThan(900);
    expect(new Set(receiver().messages.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('stops as soon as the message is taken', async () => {
    const webhooks = new Webhooks({ latency: 0, closing: new AbortController().signal });
    receiver().answers.push(500, 200);
    await webhooks.announce(announcement());
    expect(receiver().messages).toHaveLength(2);
  });

  test('does not follow the receiver to another address', async () => {
    const webhooks = new Webhooks({ latency: 0, closing: new AbortController().signal });
    receiver().answers.push(307, 302, 204);
    await webhooks.announce(announcement());
    expect(receiver().messages.map(({ url }) => url)).toEqual(['/hook?for=me', '/hook?for=me', '/hook?for=me']);
  });

  test('gives up quietly when nobody listens there', async () => {
    const webhooks = new Webhooks({ latency: 0, closing: new AbortController().signal });
    const nobody = { ...announcement(), to: new URL('http://127.0.0.1:1/') };
    await expect(webhooks.announce(nobody)).resolves.toBeUndefined();
  });

  test('sends nothing more once the sandbox closes', async () => {
    const closing = new AbortController();
    const webhooks = new Webhooks({ latency: 0, closing: closing.signal });
    const waiting = webhooks.announce(announcement(['webhook-late']));
    closing.abort();
    await waiting;
    await webhooks.announce(announcement());
    expect(receiver().messages).toEqual([]);
  });

  test('does not keep a sandbox from closing', async () => {
    const slow = await startSandbox({ latency: 1 });
    await order('not yet due', slow);
    const late = await startSandbox();
    await order('a barn [sandbox:webhook-late]', late);
    await vi.waitFor(() => expect(onlyEntry(late).outcome).toBe('completed'));
    const start = performance.now();
    await Promise.all([slow.close(), late.close()]);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(receiver().messages).toEqual([]);
  });
});
