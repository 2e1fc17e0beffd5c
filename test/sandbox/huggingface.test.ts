import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { askFal, askInference, falResult, measured, onlyEntry, replyOf, SCHNELL, useSandbox } from './ask.ts';

const sandbox = useSandbox();

describe('a picture of hf-inference', () => {
  test('comes as bytes, JPEG, of the asked size', async () => {
    const body = { inputs: 'a lighthouse', parameters: { width: 768, height: 512, seed: 3, num_inference_steps: 4 } };
    const reply = await askInference(sandbox(), body);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(reply.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await measured(reply.bytes)).toEqual({ format: 'jpeg', width: 768, height: 512 });
    expect(onlyEntry(sandbox())).toMatchObject({ model: SCHNELL, seed: 3, outcome: 'delivered', bought: 'yes' });
  });

  test('is 1024 by 1024 unless said otherwise, and sides are rounded down to blocks of 16', async () => {
    const size = async (parameters?: object) => {
      const body = { inputs: 'a lighthouse', ...(parameters && { parameters }) };
      return measured((await askInference(sandbox(), body)).bytes);
    };
    expect(await size()).toMatchObject({ width: 1024, height: 1024 });
    expect(await size({ width: 511, height: 256 })).toMatchObject({ width: 496, height: 256 });
  });

  test('is the same bytes for the same seed, and others for another', async () => {
    const draw = async (seed: number) =>
      (await askInference(sandbox(), { inputs: 'a barn', parameters: { seed, width: 256, height: 256 } })).bytes;
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(again.equals(first)).toBe(true);
    expect(other.equals(first)).toBe(false);
  });
});

describe('hf-inference refuses, and nothing is bought', () => {
  test.each([
    ['stabilityai/stable-diffusion-xl-base-1.0', 410, /deprecated and no longer supported by provider hf-inference/],
    ['black-forest-labs/FLUX.1-dev', 400, /^Model not supported by provider hf-inference$/],
    ['nobody/nothing', 400, /^Model not supported by provider hf-inference$/],
  ])('the model %s with %i', async (model, status, error) => {
    const reply = await askInference(sandbox(), { inputs: 'a barn' }, {}, model);
    expect([reply.status, reply.json().error]).toEqual([status, expect.stringMatching(error)]);
    expect(onlyEntry(sandbox())).toMatchObject({ model, outcome: 'refused', bought: 'no' });
  });

  test.each([
    [{}, 'inputs'],
    [{ inputs: '' }, 'inputs'],
    [{ inputs: 'a barn', parameters: { width: 'wide' } }, 'width'],
    [{ inputs: 'a barn', parameters: { height: 8192 } }, 'height'],
    [{ inputs: 'a barn', parameters: { seed: -1 } }, 'seed'],
    [{ inputs: 'a barn', parameters: { num_inference_steps: 0 } }, 'num_inference_steps'],
  ])('%j, in a list of errors', async (body, field) => {
    const reply = await askInference(sandbox(), body);
    expect([reply.status, reply.json().error]).toEqual([400, [expect.stringContaining(`\`${field}\``)]]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });

  test('a call without a token, with a page of HTML', async () => {
    const reply = await askInference(sandbox(), { inputs: 'a barn' }, { key: null });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([401, expect.stringMatching(/^text\/html/)]);
  });

  test.each(['sk-good', 'hf_invalid'])('the token %s with JSON, before it looks at the model', async (key) => {
    const reply = await askInference(sandbox(), { inputs: 'a barn' }, { key }, 'nobody/nothing');
    expect([reply.status, reply.json()]).toEqual([401, { error: 'Invalid username or password.' }]);
    expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="Authentication required"');
  });
});

describe("a picture of fal's queue", () => {
  test('is queued, with addresses at another host that leave out the sub-model', async () => {
    const reply = await askFal(sandbox(), 'schnell', { prompt: 'a lighthouse' });
    const { request_id: id, ...rest } = reply.json();
    const address = `https://queue.fal.run/fal-ai/flux/requests/${id}`;
    expect([reply.status, id]).toEqual([200, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(rest).toEqual({
      status: 'IN_QUEUE',
      response_url: address,
      status_url: `${address}/status`,
      cancel_url: `${address}/cancel`,
      logs: null,
      metrics: {},
      queue_position: 0,
    });
  });

  test('is in progress with 202, then completed with 200, and only then has a result', async () => {
    const { request_id: id } = (await askFal(sandbox(), 'dev', { prompt: 'a lighthouse' })).json();
    const early = await askFal(sandbox(), `requests/${id}`);
    expect([early.status, early.json()]).toEqual([400, { detail: 'Request is still in progress' }]);
    const first = await askFal(sandbox(), `requests/${id}/status`);
    expect([first.status, first.json().status, first.json().request_id]).toEqual([202, 'IN_PROGRESS', id]);
    const second = await askFal(sandbox(), `requests/${id}/status`);
    expect([second.status, second.json().status]).toEqual([200, 'COMPLETED']);
    expect((await askFal(sandbox(), `requests/${id}`)).status).toBe(200);
  });

  test('has a result with its seed, its prompt, and an address that needs no token', async () => {
    const input = { prompt: 'a lighthouse', seed: 11, image_size: { width: 832, height: 1216 }, output_format: 'png' };
    const result = (await falResult(sandbox(), input, 'krea')).json();
    const url = expect.stringContaining(`${sandbox().origin}/_sandbox/outputs/huggingface/`);
    expect(result).toEqual({
      images: [{ url, width: 832, height: 1216, content_type: 'image/png' }],
      timings: { inference: 0 },
      seed: 11,
      has_nsfw_concepts: [false],
      prompt: 'a lighthouse',
    });
    const output = await replyOf(result.images[0].url);
    expect(await measured(output.bytes)).toEqual({ format: 'png', width: 832, height: 1216 });
    expect(onlyEntry(sandbox())).toMatchObject({ model: 'fal-ai/flux/krea', outcome: 'completed', bought: 'yes' });
  });

  test.each([
    [undefined, 1024, 768],
    ['square_hd', 1024, 1024],
    ['square', 512, 512],
    ['portrait_4_3', 768, 1024],
    ['portrait_16_9', 576, 1024],
    ['landscape_4_3', 1024, 768],
    ['landscape_16_9', 1024, 576],
  ])('in the size %s is %i by %i', async (preset, width, height) => {
    const result = (await falResult(sandbox(), { prompt: 'a barn', ...(preset && { image_size: preset }) })).json();
    expect(await measured((await replyOf(result.images[0].url)).bytes)).toEqual({ format: 'jpeg', width, height });
  });

  test('has a seed of its own when none is given', async () => {
    const seeds = [await falResult(sandbox(), { prompt: 'a barn' }), await falResult(sandbox(), { prompt: 'a barn' })];
    const [first, second] = seeds.map((reply) => reply.json().seed);
    expect(first).not.toBe(second);
    expect(first).toBeGreaterThan(0);
  });

  test('is not shown to another token', async () => {
    const { request_id: id } = (await askFal(sandbox(), 'dev', { prompt: 'a barn' })).json();
    for (const path of [`requests/${id}/status`, `requests/${id}`]) {
      expect((await askFal(sandbox(), path, undefined, { key: 'hf_other' })).status).toBe(404);
    }
    expect((await askFal(sandbox(), `requests/${id}/cancel`, undefined, { key: 'hf_other' }, 'PUT')).status).toBe(404);
  });

  test('can be cancelled until it is done', async () => {
    const { request_id: id } = (await askFal(sandbox(), 'dev', { prompt: 'a barn' })).json();
    const cancel = () => askFal(sandbox(), `requests/${id}/cancel`, undefined, {}, 'PUT');
    const [first, second] = [await cancel(), await cancel()];
    expect([first.status, first.json()]).toEqual([202, { status: 'CANCELLATION_REQUESTED' }]);
    expect([second.status, second.json()]).toEqual([400, { status: 'ALREADY_COMPLETED' }]);
    expect((await askFal(sandbox(), `requests/${id}`)).status).toBe(400);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'cancelled', vendorId: id });
  });

  test('that is done stays delivered when it is cancelled', async () => {
    await falResult(sandbox(), { prompt: 'a barn' });
    const { vendorId } = onlyEntry(sandbox());
    const reply = await askFal(sandbox(), `requests/${vendorId}/cancel`, undefined, {}, 'PUT');
    expect([reply.status, onlyEntry(sandbox()).outcome]).toEqual([400, 'completed']);
  });

  test.each([
    [{ prompt: 'a barn', image_size: 'banner' }, 'image_size'],
    [{ prompt: 'a barn', image_size: { width: 4096, height: 64 } }, 'image_size'],
    [{ prompt: 'a barn', seed: 'seven' }, 'seed'],
    [{ prompt: 'a barn', num_images: 2 }, 'num_images'],
    [{}, 'prompt'],
  ])('with the input %j fails when its result is fetched, and is not paid', async (input, field) => {
    const reply = await falResult(sandbox(), input);
    expect([reply.status, reply.json().detail]).toEqual([
      422,
      [{ loc: ['body', field], msg: expect.any(String), type: 'value_error' }],
    ]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'failed', bought: 'refunded' });
  });
});

describe('fal behind the router refuses, and nothing is bought', () => {
  test('a call without a token, with a page of HTML', async () => {
    const reply = await askFal(sandbox(), 'dev', { prompt: 'a barn' }, { key: null });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([401, expect.stringMatching(/^text\/html/)]);
  });

  test('a sub-model that it does not have', async () => {
    expect((await askFal(sandbox(), 'ultra', { prompt: 'a barn' })).status).toBe(404);
    expect(onlyEntry(sandbox())).toMatchObject({ model: 'fal-ai/flux/ultra', outcome: 'refused', bought: 'no' });
  });

  test('a path that is not doubled', async () => {
    const url = `${sandbox().origin}/fal-ai/flux/schnell?_subdomain=queue`;
    const init = { method: 'POST', headers: { authorization: 'Bearer hf_good' }, body: '{"prompt":"a barn"}' };
    expect((await replyOf(url, init)).status).toBe(404);
  });

  test('a submission that does not ask for the queue', async () => {
    const url = `${sandbox().origin}/fal-ai/fal-ai/flux/schnell`;
    const init = { method: 'POST', headers: { authorization: 'Bearer hf_good' }, body: '{"prompt":"a barn"}' };
    expect((await replyOf(url, init)).status).toBe(400);
  });
});

describe('moderation behind the router', () => {
  test('turns a withheld picture of fal black and says so', async () => {
    const result = (await falResult(sandbox(), { prompt: 'a barn [sandbox:withheld]' })).json();
    expect(result.has_nsfw_concepts).toEqual([true]);
    const { channels } = await sharp((await replyOf(result.images[0].url)).bytes).stats();
    expect(channels.map(({ max }) => max)).toEqual([0, 0, 0]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'withheld', bought: 'yes' });
  });

  test('of fal before drawing shows when the result is fetched', async () => {
    const reply = await falResult(sandbox(), { prompt: 'a barn [sandbox:moderated]' });
    expect([reply.status, reply.json().detail[0].type]).toEqual([422, 'content_policy_violation']);
    expect(reply.headers.get('x-fal-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'moderated', bought: 'refunded' });
  });

  test('turns a withheld picture of hf-inference black and says nothing', async () => {
    const reply = await askInference(sandbox(), { inputs: 'a barn [sandbox:withheld]' });
    const { channels } = await sharp(reply.bytes).stats();
    expect([reply.status, channels.map(({ max }) => max)]).toEqual([200, [0, 0, 0]]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'withheld', bought: 'yes' });
  });
});

describe('the hub', () => {
  const ask = (model: string) =>
    replyOf(
      `${sandbox().origin}/api/models/${model}?${new URLSearchParams({ 'expand[]': 'inferenceProviderMapping' })}`,
    );

  test('says which provider serves a model under which name', async () => {
    const live = (providerId: string) => ({ status: 'live', providerId, task: 'text-to-image' });
    expect((await ask(SCHNELL)).json()).toEqual({
      id: SCHNELL,
      inferenceProviderMapping: { 'hf-inference': live(SCHNELL), 'fal-ai': live('fal-ai/flux/schnell') },
    });
  });

  test('knows no other models', async () => {
    expect((await ask('nobody/nothing')).status).toBe(404);
  });
});
