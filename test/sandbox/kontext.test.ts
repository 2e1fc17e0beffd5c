import { describe, expect, test } from 'vitest';
import { askFal, falResult, KONTEXT, measured, onlyEntry, replyOf, useSandbox } from './ask.ts';
import { box, flat, shapes, unlikeness } from './samples.ts';

const sandbox = useSandbox();
const APP = 'flux-kontext';
const uri = (picture: Buffer) => `data:image/png;base64,${picture.toString('base64')}`;
const IMAGE = await shapes(320, 240, '#3070c0', box(100, 60, 90, 90, '#d02020'));

/** As the client of the hub sends it: the same picture under both names. */
const input = (picture: Buffer, more: object = {}) => ({
  prompt: 'a sunset',
  image_url: uri(picture),
  image_urls: [uri(picture)],
  ...more,
});
const result = (body: unknown) => falResult(sandbox(), body, 'dev', APP);

describe('an edit by FLUX.1 Kontext behind the router', () => {
  test('is queued under an address without the sub-model, and found there alone', async () => {
    const queued = (await askFal(sandbox(), 'dev', input(IMAGE), {}, 'POST', APP)).json();
    const address = `https://queue.fal.run/fal-ai/flux-kontext/requests/${queued.request_id}`;
    expect(queued).toMatchObject({ status: 'IN_QUEUE', response_url: address, status_url: `${address}/status` });
    const status = (app: string) =>
      askFal(sandbox(), `requests/${queued.request_id}/status`, undefined, {}, 'GET', app);
    expect([(await status('flux')).status, (await status(APP)).status]).toEqual([404, 202]);
    const cancel = (app: string) =>
      askFal(sandbox(), `requests/${queued.request_id}/cancel`, undefined, {}, 'PUT', app);
    expect([(await cancel('flux')).status, (await cancel(APP)).status]).toEqual([404, 202]);
  });

  test('has a picture that is changed and still to be recognised, with its seed', async () => {
    const body = input(IMAGE, {
      seed: 11,
      num_images: 1,
      output_format: 'png',
      enable_safety_checker: true,
      resolution_mode: 'match_input',
    });
    const { images, seed, prompt, has_nsfw_concepts } = (await result(body)).json();
    expect([seed, prompt, has_nsfw_concepts]).toEqual([11, 'a sunset', [false]]);
    expect(images).toEqual([{ url: expect.any(String), width: 1184, height: 880, content_type: 'image/png' }]);
    const { bytes } = await replyOf(images[0].url);
    expect(await measured(bytes)).toEqual({ format: 'png', width: 1184, height: 880 });
    const unlike = await unlikeness(IMAGE, bytes);
    expect([unlike > 10, unlike < 150]).toEqual([true, true]);
    expect(onlyEntry(sandbox())).toMatchObject({
      model: 'fal-ai/flux-kontext/dev',
      seed: 11,
      width: 1184,
      height: 880,
      outcome: 'completed',
      bought: 'yes',
    });
  });

  test.each([
    [100, 100, undefined, 1024, 1024],
    [1920, 1080, undefined, 1392, 752],
    [90, 160, 'auto', 752, 1392],
    [1000, 100, undefined, 1568, 672],
    [100, 1000, 'match_input', 672, 1568],
    [100, 100, '16:9', 1392, 752],
    [100, 100, '9:21', 672, 1568],
  ])('of %i by %i in the mode %s is %i by %i', async (width, height, resolution_mode, wider, higher) => {
    const { images } = (await result(input(await flat(width, height, '#3070c0'), { resolution_mode }))).json();
    expect(await measured((await replyOf(images[0].url)).bytes)).toEqual({
      format: 'jpeg',
      width: wider,
      height: higher,
    });
  });

  test('can be made from what was drawn here before', async () => {
    const first = (await result(input(IMAGE))).json();
    expect((await result({ prompt: 'again', image_url: first.images[0].url })).status).toBe(200);
  });

  test.each([
    ['without a picture', { prompt: 'a sunset' }, 'image_url'],
    ['of what is no picture', { prompt: 'a sunset', image_url: 'data:image/png;base64,AAAA' }, 'image_url'],
    ['of half a picture', { prompt: 'a sunset', image_url: uri(IMAGE.subarray(0, IMAGE.length / 2)) }, 'image_url'],
    ['of a picture elsewhere', { prompt: 'a sunset', image_url: 'https://example.com/a.png' }, 'image_url'],
    ['without a prompt', { image_url: uri(IMAGE) }, 'prompt'],
    ['in an unknown mode', input(IMAGE, { resolution_mode: 'huge' }), 'resolution_mode'],
    ['of two pictures', input(IMAGE, { num_images: 2 }), 'num_images'],
  ])('%s fails when its result is fetched, and is not paid', async (_, body, field) => {
    const reply = await result(body);
    expect([reply.status, reply.json().detail]).toEqual([
      422,
      [{ loc: ['body', field], msg: expect.any(String), type: 'value_error' }],
    ]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'failed', bought: 'refunded' });
  });

  test('is black and flagged when it is withheld', async () => {
    const { images, has_nsfw_concepts } = (
      await result(input(IMAGE, { prompt: 'a sunset [sandbox:withheld]' }))
    ).json();
    expect(has_nsfw_concepts).toEqual([true]);
    expect(await unlikeness(await flat(64, 64, '#000'), (await replyOf(images[0].url)).bytes)).toBe(0);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'withheld', bought: 'yes' });
  });

  test('is what the hub says of it', async () => {
    const query = new URLSearchParams({ 'expand[]': 'inferenceProviderMapping' });
    const reply = await replyOf(`${sandbox().origin}/api/models/${KONTEXT}?${query}`);
    expect(reply.json().inferenceProviderMapping).toEqual({
      'fal-ai': { status: 'live', providerId: 'fal-ai/flux-kontext/dev', task: 'image-to-image' },
    });
  });

  test('is not to be had from another app', async () => {
    expect((await askFal(sandbox(), 'schnell', input(IMAGE), {}, 'POST', APP)).status).toBe(404);
    expect((await askFal(sandbox(), 'dev', input(IMAGE), {}, 'POST', 'nothing')).status).toBe(404);
  });
});
