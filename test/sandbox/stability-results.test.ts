import { describe, expect, onTestFinished, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { askResult, askService, measured, onlyEntry, type Reply, replyOf, stabilityResult, useSandbox } from './ask.ts';
import { box, shapes } from './samples.ts';

const sandbox = useSandbox();
const IMAGE = await shapes(96, 80, '#3070c0', box(20, 20, 40, 30, '#d02020'));

const ASK: Record<string, (at: Sandbox, prompt: string) => Promise<Reply>> = {
  creative: (at, prompt) => askService(at, 'upscale/creative', { image: IMAGE, prompt, seed: 5 }),
  'replace-background-and-relight': (at, prompt) =>
    askService(at, 'edit/replace-background-and-relight', { subject_image: IMAGE, background_prompt: prompt, seed: 5 }),
};
const relight = (at: Sandbox, prompt = 'a beach') =>
  ASK['replace-background-and-relight']?.(at, prompt) ?? expect.fail('no service');

describe.each(Object.entries(ASK))('%s', (name, ask) => {
  test('answers with an id alone, then with 202 while it works, and with 200 and the picture when it is done', async () => {
    const accepted = await ask(sandbox(), 'a beach');
    const { id } = accepted.json();
    expect([accepted.status, accepted.json()]).toEqual([200, { id: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(onlyEntry(sandbox())).toMatchObject({ model: name, vendorId: id, outcome: 'accepted', bought: 'yes' });
    const first = await askResult(sandbox(), id);
    expect([first.status, first.json()]).toEqual([202, { id, status: 'in-progress' }]);
    const second = await askResult(sandbox(), id);
    expect([second.status, second.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect([second.headers.get('finish-reason'), second.headers.get('seed')]).toEqual(['SUCCESS', '5']);
    const { width, height } = await measured(second.bytes);
    expect(onlyEntry(sandbox())).toMatchObject({ width, height, outcome: 'completed', bought: 'yes', vendorId: id });
    expect((await askResult(sandbox(), id)).bytes.equals(second.bytes)).toBe(true);
  });

  test('sends its picture as JSON when that is accepted', async () => {
    const headers = { accept: 'application/json' };
    const reply = await stabilityResult(sandbox(), await ask(sandbox(), 'a beach'), { headers });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/json; type=image/png']);
    const { image, ...rest } = reply.json();
    expect(rest).toEqual({ finish_reason: 'SUCCESS', seed: 5 });
    expect((await measured(Buffer.from(image, 'base64'))).format).toBe('png');
  });

  test('that fails is answered with 400, and is not paid', async () => {
    const reply = await stabilityResult(sandbox(), await ask(sandbox(), 'a beach [sandbox:poll-failed]'));
    expect([reply.status, Object.keys(reply.json())]).toEqual([400, ['id', 'name', 'errors']]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'failed', bought: 'refunded' });
  });

  test('that moderation turns down is answered with 403, and is not paid', async () => {
    const accepted = await ask(sandbox(), 'a beach [sandbox:moderated]');
    expect(accepted.status).toBe(200);
    const reply = await stabilityResult(sandbox(), accepted);
    expect([reply.status, reply.json().name]).toEqual([403, 'content_moderation']);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'moderated', bought: 'refunded' });
  });

  test('that is withheld is a success with the reason and a blurred picture, and is paid', async () => {
    const [withheld, whole] = [
      await stabilityResult(sandbox(), await ask(sandbox(), 'a beach [sandbox:withheld]')),
      await stabilityResult(sandbox(), await ask(sandbox(), 'a beach')),
    ];
    expect([withheld.status, withheld.headers.get('finish-reason')]).toEqual([200, 'CONTENT_FILTERED']);
    expect(await measured(withheld.bytes)).toEqual(await measured(whole.bytes));
    expect(withheld.bytes.equals(whole.bytes)).toBe(false);
    expect(sandbox().journal()[0]).toMatchObject({ outcome: 'withheld', bought: 'yes' });
  });

  test.each([
    ['poll-forever', 202, 'in-progress'],
    ['poll-unknown-status', 202, 'paused'],
  ])('with %s is never there', async (fault, status, shown) => {
    const { id } = (await ask(sandbox(), `a beach [sandbox:${fault}]`)).json();
    for (let look = 0; look < 5; look += 1) {
      const reply = await askResult(sandbox(), id);
      expect([reply.status, reply.json()]).toEqual([status, { id, status: shown }]);
    }
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'accepted', bought: 'yes' });
  });

  test('that is gone was bought all the same', async () => {
    const { id } = (await ask(sandbox(), 'a beach [sandbox:poll-gone]')).json();
    const reply = await askResult(sandbox(), id);
    expect([reply.status, reply.json().name]).toEqual([404, 'generation_not_found']);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'accepted', bought: 'yes' });
  });

  test('can be ill when it is looked at, and when its picture is fetched', async () => {
    const prompt = 'a beach [sandbox:status=500 on=poll times=1][sandbox:html on=result times=1]';
    const { id } = (await ask(sandbox(), prompt)).json();
    const statuses = [];
    for (let look = 0; look < 4; look += 1) statuses.push((await askResult(sandbox(), id)).status);
    expect(statuses).toEqual([500, 202, 502, 200]);
  });
});

describe('a result of Stability', () => {
  const LEGACY = 'stable-image/upscale/creative/result';
  const creative = async (at: Sandbox) => (await (ASK.creative?.(at, 'a box') ?? expect.fail())).json().id;

  test('is found at its old address when it is a creative upscale, and nothing else is', async () => {
    const [id, other] = [await creative(sandbox()), (await relight(sandbox())).json().id];
    const status = async (each: string) => (await askResult(sandbox(), each, {}, LEGACY)).status;
    expect([await status(id), await status(id), await status(other)]).toEqual([202, 200, 404]);
  });

  test('is not there for another key, nor for an id that nobody gave out', async () => {
    const { id } = (await relight(sandbox())).json();
    for (const reply of [
      await askResult(sandbox(), id, { key: 'sk-other' }),
      await askResult(sandbox(), 'f'.repeat(64)),
      await askResult(sandbox(), 'constructor'),
    ]) {
      const { id: _, ...rest } = reply.json();
      expect([reply.status, rest]).toEqual([
        404,
        { name: 'generation_not_found', errors: ['id: the generation either does not exist or has expired.'] },
      ]);
    }
  });

  test.each([['sk-invalid'], [null]])('is refused to the key %s', async (key) => {
    const { id } = (await relight(sandbox())).json();
    expect((await askResult(sandbox(), id, { key })).status).toBe(401);
  });

  test('is not sent as what it cannot be', async () => {
    const { id } = (await relight(sandbox())).json();
    const reply = await askResult(sandbox(), id, { headers: { accept: 'image/png' } });
    expect([reply.status, reply.json().errors[0]]).toEqual([400, expect.stringMatching(/^accept: /)]);
  });

  test('has no address that needs no key', async () => {
    const accepted = await relight(sandbox());
    await stabilityResult(sandbox(), accepted);
    const reply = await replyOf(`${sandbox().origin}/_sandbox/outputs/stability/${accepted.json().id}.png`);
    expect(reply.status).toBe(404);
  });

  test('is kept for a day and then gone, done or not', async () => {
    let later = 0;
    const kept = await startSandbox({ now: () => Date.now() + later });
    onTestFinished(() => kept.close());
    const [done, undone] = [await relight(kept), await relight(kept)];
    await stabilityResult(kept, done);
    const statuses = async () => [
      (await askResult(kept, done.json().id)).status,
      (await askResult(kept, undone.json().id)).status,
    ];
    later = 24 * 3_600_000 - 60_000;
    expect(await statuses()).toEqual([200, 202]);
    later = 24 * 3_600_000;
    expect(await statuses()).toEqual([404, 404]);
    expect(kept.journal().map(({ outcome, bought }) => `${outcome} ${bought}`)).toEqual([
      'completed yes',
      'accepted yes',
    ]);
  });

  test('takes as long as the model where time passes', async () => {
    let later = 0;
    const slow = await startSandbox({ latency: 1, now: () => 1_000_000 + later });
    onTestFinished(() => slow.close());
    const { id } = (await relight(slow)).json();
    const status = async () => (await askResult(slow, id)).status;
    expect(await status()).toBe(202);
    later = 19_999;
    expect(await status()).toBe(202);
    later = 20_000;
    expect(await status()).toBe(200);
  });
});
