import { describe, expect, test } from 'vitest';
import { MODELS } from '../../src/sandbox/wavespeed.models.ts';
import { askWavespeed, measured, onlyEntry, QWEN, QWEN_EDIT, replyOf, useSandbox, wavespeedResult } from './ask.ts';

const sandbox = useSandbox();
const TURBO = 'ideogram-ai/ideogram-v3-turbo';

describe('a WaveSpeed prediction', () => {
  test('is created at submission, with an address of its own', async () => {
    const reply = await askWavespeed(sandbox(), QWEN, { prompt: 'a lighthouse' });
    const { code, message, data } = reply.json();
    expect([reply.status, code, message]).toEqual([200, 200, 'success']);
    expect(data).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      model: QWEN,
      outputs: [],
      urls: { get: `${sandbox().origin}/api/v3/predictions/${data.id}/result` },
      has_nsfw_contents: [],
      status: 'created',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      error: '',
      executionTime: 0,
      timings: { inference: 0 },
    });
  });

  test('walks from created through processing to completed, and stays there', async () => {
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: 'a lighthouse' })).json();
    const look = async () => (await askWavespeed(sandbox(), `predictions/${data.id}/result`)).json().data.status;
    expect([data.status, await look(), await look(), await look()]).toEqual([
      'created',
      'processing',
      'completed',
      'completed',
    ]);
  });

  test('is also found without /result', async () => {
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: 'a lighthouse' })).json();
    const reply = await askWavespeed(sandbox(), `predictions/${data.id}`);
    expect(reply.json().data).toMatchObject({ id: data.id, status: 'processing' });
  });

  test.each([
    [TURBO, '1:1', 1024, 1024],
    [TURBO, '16:9', 1312, 736],
    [TURBO, '9:16', 736, 1312],
    ['ideogram-ai/ideogram-v3-balanced', '4:3', 1152, 864],
    ['ideogram-ai/ideogram-v3-quality', '3:4', 864, 1152],
  ])('by %s in %s is a PNG of %i by %i, downloaded without a key', async (model, ratio, width, height) => {
    const input = { prompt: 'a poster', aspect_ratio: ratio, style: 'Design' };
    const { data } = (await wavespeedResult(sandbox(), input, model)).json();
    expect(data).toMatchObject({ status: 'completed', has_nsfw_contents: [false] });
    expect(data.outputs).toEqual([expect.stringContaining(`${sandbox().origin}/_sandbox/outputs/wavespeed/`)]);
    const output = await replyOf(data.outputs[0]);
    expect(output.headers.get('content-type')).toBe('image/png');
    expect(await measured(output.bytes)).toEqual({ format: 'png', width, height });
  });

  test('by Qwen has the asked size and format, JPEG unless another is asked', async () => {
    const draw = async (input: object) => {
      const { data } = (await wavespeedResult(sandbox(), { prompt: 'a poster', ...input })).json();
      return measured((await replyOf(data.outputs[0])).bytes);
    };
    expect(await draw({})).toEqual({ format: 'jpeg', width: 1024, height: 1024 });
    expect(await draw({ size: '256*1536', output_format: 'webp' })).toEqual({
      format: 'webp',
      width: 256,
      height: 1536,
    });
  });

  test('carries naked base64 instead of an address when asked', async () => {
    const input = { prompt: 'a poster', size: '300*400', enable_base64_output: true };
    const { data } = (await wavespeedResult(sandbox(), input)).json();
    expect(data.outputs[0]).toMatch(/^\/9j\//);
    expect(await measured(Buffer.from(data.outputs[0], 'base64'))).toMatchObject({ width: 300, height: 400 });
  });

  test('is completed in the answer itself in synchronous mode', async () => {
    const reply = await askWavespeed(sandbox(), QWEN, { prompt: 'a poster', enable_sync_mode: true });
    expect(reply.json().data).toMatchObject({ status: 'completed', outputs: [expect.any(String)] });
    expect(onlyEntry(sandbox()).outcome).toBe('completed');
  });

  test('of Ideogram knows no synchronous mode', async () => {
    const reply = await askWavespeed(sandbox(), TURBO, { prompt: 'a poster', enable_sync_mode: true });
    expect(reply.json().data.status).toBe('created');
  });

  test('that outlasts synchronous mode is still processing, with the code that says so', async () => {
    const input = { prompt: 'a poster [sandbox:poll-forever]', enable_sync_mode: true };
    const { data } = (await askWavespeed(sandbox(), QWEN, input)).json();
    expect(data).toMatchObject({ status: 'processing', code: 5004, outputs: [] });
  });

  test('with the same seed is the same picture, and with another seed another', async () => {
    const draw = async (seed: number) => {
      const input = { prompt: 'a poster', seed, size: '256*256', enable_base64_output: true };
      return (await wavespeedResult(sandbox(), input)).json().data.outputs[0];
    };
    const [first, again, other] = [await draw(5), await draw(5), await draw(6)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('is not shown to another key', async () => {
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: 'a poster' })).json();
    const reply = await askWavespeed(sandbox(), `predictions/${data.id}/result`, undefined, { key: 'somebody-else' });
    expect([reply.status, reply.json().code]).toEqual([404, 404]);
  });

  test('is gone once it was deleted, and cancelled if it was not done', async () => {
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: 'a poster' })).json();
    const deleted = await askWavespeed(sandbox(), 'predictions/delete', { ids: [data.id, 'nonsense'] });
    expect(deleted.json()).toMatchObject({ code: 200, message: 'success' });
    expect((await askWavespeed(sandbox(), `predictions/${data.id}/result`)).status).toBe(404);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'cancelled', vendorId: data.id });
  });
});

describe('WaveSpeed refuses, and nothing is bought', () => {
  test.each([
    [QWEN, {}, /"prompt" is required/],
    [QWEN, { prompt: '' }, /"prompt"/],
    [QWEN, { prompt: 'a poster', size: '1024x1024' }, /"size"/],
    [QWEN, { prompt: 'a poster', size: '255*1024' }, /"size"/],
    [QWEN, { prompt: 'a poster', size: '1537*1024' }, /"size"/],
    [QWEN, { prompt: 'a poster', seed: -2 }, /"seed"/],
    [QWEN, { prompt: 'a poster', seed: 2 ** 31 }, /"seed"/],
    [QWEN, { prompt: 'a poster', output_format: 'jpg' }, /"output_format"/],
    [QWEN, { prompt: 'a poster', enable_sync_mode: 'yes' }, /"enable_sync_mode"/],
    [TURBO, { prompt: 'a poster', aspect_ratio: '21:9' }, /"aspect_ratio"/],
    [TURBO, { prompt: 'a poster', style: 'Anime' }, /"style"/],
    [TURBO, { prompt: 'a poster', reference_images: ['https://example.com/a.png'] }, /"reference_images"/],
  ])('%s with %j', async (model, input, message) => {
    const reply = await askWavespeed(sandbox(), model, input);
    expect([reply.status, reply.json().code]).toEqual([400, 400]);
    expect(reply.json().message).toMatch(message);
    expect(onlyEntry(sandbox())).toMatchObject({ vendor: 'wavespeed', model, outcome: 'refused', bought: 'no' });
  });

  test('what is not JSON', async () => {
    expect((await askWavespeed(sandbox(), QWEN, 'prompt=x')).json().code).toBe(400);
  });

  test.each(['ideogram-ai/ideogram-v3', 'wavespeed-ai/nothing', 'constructor'])(
    'the unknown model %s',
    async (model) => {
      const reply = await askWavespeed(sandbox(), model, { prompt: 'a poster' });
      expect([reply.status, reply.json()]).toEqual([404, { code: 404, message: `model not found: ${model}` }]);
      expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
    },
  );

  test.each([['invalid'], [null]])('the key %s', async (key) => {
    const reply = await askWavespeed(sandbox(), QWEN, { prompt: 'a poster' }, { key });
    expect([reply.status, reply.json()]).toEqual([401, { code: 401, message: 'invalid authentication' }]);
  });

  test('a prediction that it does not know', async () => {
    const reply = await askWavespeed(sandbox(), 'predictions/0123/result');
    expect([reply.status, reply.json().code]).toEqual([404, 404]);
    expect(sandbox().journal()).toEqual([]);
  });
});

describe('WaveSpeed accounts', () => {
  test('the balance falls by what was drawn and not by what failed', async () => {
    const balance = async () => (await askWavespeed(sandbox(), 'balance')).json().data.balance;
    const before = await balance();
    await wavespeedResult(sandbox(), { prompt: 'a poster' }, TURBO);
    await wavespeedResult(sandbox(), { prompt: 'a poster' });
    await wavespeedResult(sandbox(), { prompt: 'a poster [sandbox:poll-failed]' });
    expect(before - (await balance())).toBeCloseTo(0.05, 6);
  });

  test('the price of a model is told in dollars', async () => {
    const reply = await askWavespeed(sandbox(), 'model/price', { model_id: TURBO, inputs: { prompt: 'a poster' } });
    expect(reply.json().data).toEqual({
      model_id: TURBO,
      price: 0.03,
      discounted_price: 0.03,
      discount_rate: 0,
      currency: 'USD',
    });
    expect((await askWavespeed(sandbox(), 'model/price', { model_id: 'nothing' })).status).toBe(404);
  });
});

describe('the catalogue of WaveSpeed', () => {
  test('has every model with its price and the schema of what it takes', async () => {
    const models: { model_id: string; base_price: number }[] = (await askWavespeed(sandbox(), 'models')).json().data;
    expect(models.map(({ model_id, base_price }) => [model_id, base_price])).toEqual([
      [TURBO, 0.03],
      ['ideogram-ai/ideogram-v3-balanced', 0.06],
      ['ideogram-ai/ideogram-v3-quality', 0.09],
      [QWEN, 0.02],
      [QWEN_EDIT, 0.02],
    ]);
    expect(models[4]).toMatchObject({
      type: 'image-to-image',
      api_schema: { api_schemas: [{ request_schema: { required: ['prompt', 'image'] } }] },
    });
    expect(models[0]).toEqual({
      model_id: TURBO,
      name: TURBO,
      type: 'text-to-image',
      base_price: 0.03,
      formula: 'base_price',
      api_schema: {
        api_schemas: [
          { request_schema: { type: 'object', required: ['prompt'], properties: expect.objectContaining({}) } },
        ],
      },
    });
  });

  test('has a schema that names just what a model takes, with defaults that it accepts', async () => {
    const { data } = (await askWavespeed(sandbox(), 'models')).json();
    for (const { model_id, api_schema } of data) {
      const { properties } = api_schema.api_schemas[0].request_schema;
      const checked = Object.entries(MODELS.get(model_id)?.checks ?? {});
      const taken = checked.filter(([, check]) => !/not supported/.test(check('x') ?? ''));
      expect(Object.keys(properties)).toEqual(taken.map(([name]) => name));
      for (const [name, check] of taken) {
        const { default: usual = name === 'size' ? '256*256' : 'a poster' } = properties[name];
        expect([name, check(usual)]).toEqual([name, null]);
      }
    }
  });
});

describe('the history of WaveSpeed', () => {
  interface Item {
    readonly id: string;
    readonly status: string;
  }
  const ask = (filters: unknown, key?: string) =>
    askWavespeed(sandbox(), 'predictions', filters, key === undefined ? {} : { key });
  const items = async (filters: object): Promise<Item[]> => (await ask({ page: 1, ...filters })).json().data.items;

  test('has the predictions of the key, the youngest first, and moves none of them on', async () => {
    const done = (await wavespeedResult(sandbox(), { prompt: 'done' })).json().data;
    const failed = (await wavespeedResult(sandbox(), { prompt: 'failed [sandbox:poll-failed]' }, TURBO)).json().data;
    const open = (await askWavespeed(sandbox(), QWEN, { prompt: 'open' })).json().data;
    await askWavespeed(sandbox(), QWEN, { prompt: 'not mine' }, { key: 'somebody-else' });
    for (let time = 0; time < 3; time += 1) {
      const { data } = (await ask({ page: 1, page_size: 100 })).json();
      expect(data).toEqual({ page: 1, total: 3, items: [open, failed, done] });
    }
    expect(await items({ status: 'failed' })).toEqual([failed]);
    expect(await items({ model: QWEN })).toEqual([open, done]);
    expect(await items({ created_after: '2100-01-01T00:00:00Z' })).toEqual([]);
    expect(await items({ created_before: '2100-01-01T00:00:00Z' })).toHaveLength(3);
    expect(await items({ page_size: 2 })).toEqual([open, failed]);
    expect(await items({ page: 2, page_size: 2 })).toEqual([done]);
  });

  test('shows no more of a prediction than a look at it', async () => {
    await askWavespeed(sandbox(), QWEN, { prompt: 'a poster [sandbox:poll-gone]' });
    const forever = { prompt: 'a poster [sandbox:poll-forever]', enable_sync_mode: true };
    const { data } = (await askWavespeed(sandbox(), QWEN, forever)).json();
    expect((await items({})).map(({ id, status }) => [id, status])).toEqual([[data.id, 'processing']]);
  });

  test.each([{ page: 0 }, { page_size: 101 }, { created_after: 'yesterday' }, 'nonsense'])(
    'cannot be asked for with %j',
    async (filters) => {
      expect((await ask(filters)).json().code).toBe(400);
    },
  );

  test('is nothing to a stranger, and buys nothing', async () => {
    expect((await ask({ page: 1 }, 'invalid')).status).toBe(401);
    expect(sandbox().journal()).toEqual([]);
  });
});

describe('an output of a prediction', () => {
  test('is refused to whoever sends a key along, which would have leaked it', async () => {
    const { data } = (await wavespeedResult(sandbox(), { prompt: 'a poster' })).json();
    const reply = await replyOf(data.outputs[0], { headers: { authorization: 'Bearer ws-good' } });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('OnlyOneAuthMechanismAllowed')]);
  });

  test('is not there before the prediction is completed', async () => {
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: 'a poster' })).json();
    expect((await replyOf(`${sandbox().origin}/_sandbox/outputs/wavespeed/${data.id}.jpeg`)).status).toBe(404);
  });
});
