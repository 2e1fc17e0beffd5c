import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { askWavespeed, measured, onlyEntry, QWEN, QWEN_EDIT, replyOf, useSandbox, wavespeedResult } from './ask.ts';
import { around, box, differing, flat, maskOf, pixelsOf, shapes, speckled, unlikeness } from './samples.ts';

const sandbox = useSandbox();
const TURBO = 'ideogram-ai/ideogram-v3-turbo';
const uri = (picture: Buffer) => `data:image/png;base64,${picture.toString('base64')}`;
const IMAGE = await shapes(320, 240, '#3070c0', box(100, 60, 90, 90, '#d02020'));

async function drawn(input: object, model: string = QWEN_EDIT): Promise<Buffer> {
  const { data } = (
    await wavespeedResult(sandbox(), { prompt: 'a sunset', output_format: 'png', ...input }, model)
  ).json();
  expect(data).toMatchObject({ status: 'completed', error: '' });
  return (await replyOf(data.outputs[0])).bytes;
}

describe('an edit by Qwen', () => {
  test('changes the picture, which is still to be recognised, and is journalled and paid', async () => {
    const bytes = await drawn({ image: uri(IMAGE), seed: 1 });
    expect(await measured(bytes)).toEqual({ format: 'png', width: 320, height: 256 });
    const unlike = await unlikeness(IMAGE, bytes);
    expect([
      unlike > 10,
      unlike < (await unlikeness(await flat(320, 256, '#000'), await flat(320, 256, '#fff'))),
    ]).toEqual([true, true]);
    expect(onlyEntry(sandbox())).toMatchObject({
      model: QWEN_EDIT,
      prompt: 'a sunset',
      seed: 1,
      width: 320,
      height: 256,
      outcome: 'completed',
      bought: 'yes',
    });
    expect((await askWavespeed(sandbox(), 'balance')).json().data.balance).toBeCloseTo(9999.98, 6);
  });

  test('shows where in the picture things are', async () => {
    const grey = async (picture: Buffer) => {
      const { at } = await pixelsOf(await sharp(picture).resize(320, 240, { fit: 'fill' }).png().toBuffer());
      return [at(145, 100), at(260, 60)];
    };
    const [inside, outside] = await grey(await drawn({ image: uri(IMAGE), seed: 1 }));
    expect(Math.hypot(...(inside ?? []).map((value, channel) => value - (outside?.[channel] ?? 0)))).toBeGreaterThan(
      60,
    );
  });

  test('takes naked base64 as well, and gives the same for the same', async () => {
    const [one, other, third] = [
      await drawn({ image: uri(IMAGE), seed: 1 }),
      await drawn({ image: IMAGE.toString('base64'), seed: 1 }),
      await drawn({ image: IMAGE.toString('base64'), seed: 2 }),
    ];
    expect([one.equals(other), one.equals(third)]).toEqual([true, false]);
  });

  test.each([
    [{}, 300, 400, 300, 400],
    [{}, 100, 80, 256, 256],
    [{}, 3072, 2048, 1536, 1024],
    [{}, 2000, 200, 1536, 256],
    [{ size: '512*768' }, 100, 80, 512, 768],
  ])('with %j of a picture of %i by %i is %i by %i', async (size, width, height, wider, higher) => {
    const image = uri(await flat(width, height, '#3070c0'));
    expect(await measured(await drawn({ image, ...size }))).toMatchObject({ width: wider, height: higher });
  });

  test('can be made from what was drawn here before, by its address', async () => {
    const { data } = (await wavespeedResult(sandbox(), { prompt: 'a poster', size: '400*300' })).json();
    const bytes = await drawn({ image: data.outputs[0] });
    expect(await measured(bytes)).toMatchObject({ width: 400, height: 300 });
  });

  test('is done in synchronous mode, and as base64', async () => {
    const input = { prompt: 'a sunset', image: uri(IMAGE), enable_sync_mode: true, enable_base64_output: true };
    const { data } = (await askWavespeed(sandbox(), QWEN_EDIT, input)).json();
    expect(data.status).toBe('completed');
    expect(await measured(Buffer.from(data.outputs[0], 'base64'))).toEqual({ format: 'jpeg', width: 320, height: 256 });
  });

  test.each([
    ['an address of somebody else', 'https://example.com/a.png', 1402],
    ['an address of the machine itself', 'http://127.0.0.1:1/_sandbox/outputs/wavespeed/0123.png', 1402],
    ['a nonsense address', 'http://', 1402],
    ['what is no picture', Buffer.from('words').toString('base64'), 1401],
    ['half a picture', IMAGE.subarray(0, IMAGE.length / 2).toString('base64'), 1401],
  ])('fails as a task for %s, and is not paid', async (_, image, code) => {
    const reply = await wavespeedResult(sandbox(), { prompt: 'a sunset', image }, QWEN_EDIT);
    expect([reply.status, reply.json().code]).toEqual([200, 200]);
    expect(reply.json().data).toMatchObject({ status: 'failed', code, error: expect.stringMatching(/./), outputs: [] });
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'failed', bought: 'refunded' });
  });

  test('fails for an output that is said to lie on another host', async () => {
    const { data } = (await wavespeedResult(sandbox(), { prompt: 'a poster', size: '256*256' })).json();
    const { pathname } = new URL(data.outputs[0]);
    const input = { prompt: 'a sunset', image: `https://example.com${pathname}` };
    expect((await wavespeedResult(sandbox(), input, QWEN_EDIT)).json().data).toMatchObject({
      status: 'failed',
      code: 1402,
    });
  });

  test('fails for an output that is not there any more', async () => {
    const { data } = (await wavespeedResult(sandbox(), { prompt: 'a poster [sandbox:result-gone]' })).json();
    const edit = await wavespeedResult(sandbox(), { prompt: 'a sunset', image: data.outputs[0] }, QWEN_EDIT);
    expect(edit.json().data).toMatchObject({ status: 'failed', code: 1402 });
  });

  test('takes a picture of twenty megabytes and not a byte more', async () => {
    const limit = 20 * 1024 * 1024;
    const padded = (bytes: number) => Buffer.concat([IMAGE, Buffer.alloc(bytes - IMAGE.length)]).toString('base64');
    expect(await measured(await drawn({ image: padded(limit) }))).toMatchObject({ width: 320, height: 256 });
    const reply = await askWavespeed(sandbox(), QWEN_EDIT, { prompt: 'a sunset', image: padded(limit + 1) });
    expect([reply.status, reply.json().message]).toEqual([
      400,
      expect.stringMatching(/"image" .*at most 20971520 bytes/),
    ]);
  });

  test.each([
    [{ prompt: 'a sunset' }, /"image" is required/],
    [{ image: 'AAAA' }, /"prompt" is required/],
    [{ prompt: 'a sunset', image: 7 }, /"image"/],
    [{ prompt: 'a sunset', image: '' }, /"image"/],
    [{ prompt: 'a sunset', image: 'AAAA', size: '255*300' }, /"size"/],
    [{ prompt: 'a sunset', image: 'AAAA', seed: -2 }, /"seed"/],
    [{ prompt: 'a sunset', image: 'AAAA', output_format: 'gif' }, /"output_format"/],
  ])('is refused for %j, and nothing is bought', async (input, message) => {
    const reply = await askWavespeed(sandbox(), QWEN_EDIT, input);
    expect([reply.status, reply.json().message]).toEqual([400, expect.stringMatching(message)]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });
});

describe.each(['turbo', 'balanced', 'quality'])('an inpainting by Ideogram %s', (quality) => {
  const model = `ideogram-ai/ideogram-v3-${quality}`;

  test('has the size of the image, is drawn where the mask is white, and is the image everywhere else', async () => {
    const image = await speckled(160, 120);
    const mask = await maskOf(160, 120, 40, 30, 50, 40);
    const bytes = await drawn({ image: uri(image), mask_image: uri(mask), aspect_ratio: '16:9' }, model);
    const pixels = differing(await pixelsOf(image), await pixelsOf(bytes));
    expect([around(pixels), pixels.length > 1900]).toEqual([[40, 30, 89, 69], true]);
    expect(onlyEntry(sandbox())).toMatchObject({ model, width: 160, height: 120, outcome: 'completed', bought: 'yes' });
  });

  test.each([
    ['image', 'mask_image'],
    ['mask_image', 'image'],
  ])('is refused with %s alone', async (sent, missing) => {
    const reply = await askWavespeed(sandbox(), model, { prompt: 'a fox', [sent]: uri(IMAGE) });
    expect([reply.status, reply.json().message]).toEqual([400, `property "${missing}" is required with "${sent}"`]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });

  test('fails as a task for a mask that cannot be had', async () => {
    const input = { prompt: 'a fox', image: uri(IMAGE), mask_image: 'https://example.com/mask.png' };
    const { data } = (await wavespeedResult(sandbox(), input, model)).json();
    expect([data.status, data.code]).toEqual(['failed', 1402]);
  });
});

test('a prediction and its output are kept for seven days', async () => {
  let later = 0;
  const kept = await startSandbox({ now: () => Date.now() + later });
  onTestFinished(() => kept.close());
  const { data } = (await wavespeedResult(kept, { prompt: 'a poster', size: '256*256' })).json();
  const found = async () => [
    (await askWavespeed(kept, `predictions/${data.id}/result`)).status,
    (await replyOf(data.outputs[0])).status,
    (await askWavespeed(kept, 'predictions', { page: 1 })).json().data.total,
  ];
  later = 7 * 24 * 3_600_000 - 60_000;
  expect(await found()).toEqual([200, 200, 1]);
  later = 7 * 24 * 3_600_000;
  expect((await askWavespeed(kept, 'predictions', { page: 1 })).json().data.total).toBe(0);
  expect(await found()).toEqual([404, 404, 0]);
});

test('both ways of Qwen and of Ideogram have their prices', async () => {
  const price = async (model_id: string) =>
    (await askWavespeed(sandbox(), 'model/price', { model_id, inputs: {} })).json().data.price;
  expect([await price(QWEN), await price(QWEN_EDIT), await price(TURBO)]).toEqual([0.02, 0.02, 0.03]);
});
