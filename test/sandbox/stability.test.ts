import { describe, expect, test } from 'vitest';
import { askStability, measured, onlyEntry, replyOf, useSandbox } from './ask.ts';

const sandbox = useSandbox();

describe('a Stability picture', () => {
  test('comes as bytes with its seed and finish reason in headers', async () => {
    const reply = await askStability(sandbox(), 'core', { prompt: 'a lighthouse', seed: 42 });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('image/png');
    expect(reply.headers.get('finish-reason')).toBe('SUCCESS');
    expect(reply.headers.get('seed')).toBe('42');
    expect(reply.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(await measured(reply.bytes)).toEqual({ format: 'png', width: 1216, height: 1216 });
  });

  test('comes as base64 in JSON when that is accepted, without those headers', async () => {
    const fields = { prompt: 'a lighthouse', seed: 42, output_format: 'webp' };
    const reply = await askStability(sandbox(), 'core', fields, { headers: { accept: 'application/json' } });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/json; type=image/webp');
    expect(reply.headers.get('finish-reason')).toBeNull();
    expect(reply.headers.get('seed')).toBeNull();
    const { image, ...rest } = reply.json();
    expect(rest).toEqual({ finish_reason: 'SUCCESS', seed: 42 });
    expect((await measured(Buffer.from(image, 'base64'))).format).toBe('webp');
  });

  test.each([
    ['absent', {}],
    ['0', { seed: 0 }],
  ])('has a seed of its own when the seed is %s', async (_, seed) => {
    const fields = { prompt: 'a lighthouse', ...seed };
    const seeds = new Set<string | null>();
    for (let time = 0; time < 2; time += 1) {
      seeds.add((await askStability(sandbox(), 'core', fields)).headers.get('seed'));
    }
    expect(seeds.size).toBe(2);
    expect(seeds.has('0')).toBe(false);
  });

  test('is the same bytes for the same model, prompt and seed, and others for another seed', async () => {
    const draw = async (seed: number) => (await askStability(sandbox(), 'sd3', { prompt: 'a barn', seed })).bytes;
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(again.equals(first)).toBe(true);
    expect(other.equals(first)).toBe(false);
  });

  test.each([
    ['ultra', '1:1', 1024, 1024],
    ['ultra', '16:9', 1344, 768],
    ['ultra', '9:16', 768, 1344],
    ['ultra', '21:9', 1552, 656],
    ['sd3', '9:21', 656, 1552],
    ['sd3', '3:2', 1216, 832],
    ['sd3', '4:5', 896, 1088],
    ['core', '16:9', 1664, 896],
    ['core', '2:3', 1024, 1536],
    ['core', '21:9', 1904, 816],
  ])('by %s in %s is %i by %i', async (service, ratio, width, height) => {
    const reply = await askStability(sandbox(), service, { prompt: 'a lighthouse', aspect_ratio: ratio });
    expect(await measured(reply.bytes)).toEqual({ format: 'png', width, height });
  });

  test.each([
    ['sd3.5-large', 'sd3.5-large'],
    ['sd3.5-large-turbo', 'sd3.5-large-turbo'],
    ['sd3.5-medium', 'sd3.5-medium'],
    ['sd3.5-flash', 'sd3.5-flash'],
    ['sd3-medium', 'sd3.5-medium'],
  ])('asked of %s is drawn by %s', async (asked, drawn) => {
    const reply = await askStability(sandbox(), 'sd3', { prompt: 'a barn', model: asked, output_format: 'jpeg' });
    expect(reply.headers.get('content-type')).toBe('image/jpeg');
    expect(onlyEntry(sandbox()).model).toBe(drawn);
  });
});

describe('Stability refuses, and nothing is bought', () => {
  async function refusal(service: string, fields: Record<string, string | number>) {
    const reply = await askStability(sandbox(), service, fields);
    expect(onlyEntry(sandbox())).toMatchObject({ vendor: 'stability', outcome: 'refused', bought: 'no' });
    return { status: reply.status, ...reply.json() };
  }

  test.each([
    ['core', { aspect_ratio: '4:3' }, 'aspect_ratio'],
    ['sd3', { output_format: 'webp' }, 'output_format'],
    ['core', { output_format: 'gif' }, 'output_format'],
    ['core', { seed: 4_294_967_295 }, 'seed'],
    ['core', { seed: -1 }, 'seed'],
    ['core', { seed: 1.5 }, 'seed'],
    ['core', { seed: 'seven' }, 'seed'],
    ['ultra', { style_preset: 'oil-painting' }, 'style_preset'],
    ['ultra', { negative_prompt: 'x'.repeat(10_001) }, 'negative_prompt'],
    ['core', { prompt: 'x'.repeat(10_001) }, 'prompt'],
    ['core', { prompt: '' }, 'prompt'],
    ['sd3', { model: 'sd4' }, 'model'],
    ['sd3', { model: 'constructor' }, 'model'],
    ['sd3', { mode: 'image-to-image' }, 'mode'],
    ['sd3', { cfg_scale: 11 }, 'cfg_scale'],
    ['sd3', { cfg_scale: 4, model: 'sd3.5-large-turbo' }, 'cfg_scale'],
    ['sd3', { negative_prompt: 'mist', model: 'sd3.5-large-turbo' }, 'negative_prompt'],
    ['ultra', { strength: 0.5 }, 'strength'],
  ])('%s with %j as a bad request that names the field', async (service, fields, field) => {
    const { status, id, name, errors } = await refusal(service, { prompt: 'a barn', ...fields });
    expect([status, name, errors.length]).toEqual([400, 'bad_request', 1]);
    expect(errors[0]).toMatch(new RegExp(`^${field}: `));
    expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('a missing prompt', async () => {
    expect(await refusal('core', {})).toMatchObject({ status: 400, errors: ['prompt: is required'] });
  });

  test('everything that is wrong at once', async () => {
    const { errors } = await refusal('core', { prompt: 'a barn', seed: -1, aspect_ratio: '1:2' });
    expect(errors).toHaveLength(2);
  });

  test('a prompt in another language', async () => {
    const { id, ...rest } = await refusal('core', { prompt: '雪の中の赤い狐' });
    expect(rest).toEqual({
      status: 422,
      name: 'invalid_language',
      errors: ['English is the only supported language for this service.'],
    });
  });

  test('JSON, with the very words of the vendor', async () => {
    const reply = await replyOf(`${sandbox().origin}/v2beta/stable-image/generate/core`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-good', 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a barn' }),
    });
    const { id, ...rest } = reply.json();
    expect([reply.status, rest]).toEqual([
      400,
      { name: 'bad_request', errors: ['content-type: must be multipart/form-data'] },
    ]);
  });

  test('a form that is none', async () => {
    const reply = await replyOf(`${sandbox().origin}/v2beta/stable-image/generate/core`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-good', 'content-type': 'multipart/form-data; boundary=x' },
      body: 'not a form',
    });
    expect([reply.status, reply.json().name]).toEqual([400, 'bad_request']);
  });

  test('an accept header that it does not serve', async () => {
    const reply = await askStability(sandbox(), 'core', { prompt: 'a barn' }, { headers: { accept: 'image/png' } });
    expect([reply.status, reply.json().errors[0]]).toEqual([400, expect.stringMatching(/^accept: /)]);
  });

  test('more than ten mebibytes', async () => {
    const reply = await askStability(sandbox(), 'core', { prompt: 'x'.repeat(10 * 1024 * 1024) });
    expect([reply.status, reply.json().name]).toEqual([413, 'payload_too_large']);
    expect(reply.json().errors).toEqual(['body: payloads cannot be larger than 10MiB in size']);
  });

  test.each([['sk-invalid'], ['hf_good'], [null]])('the key %s, before it looks at the request', async (key) => {
    const reply = await askStability(sandbox(), 'core', {}, { key });
    expect([reply.status, reply.json().name]).toEqual([401, 'unauthorized']);
    expect(onlyEntry(sandbox())).toMatchObject({ model: 'core', outcome: 'refused', bought: 'no' });
  });
});

describe('the Stability balance', () => {
  const balance = (key: string) =>
    replyOf(`${sandbox().origin}/v1/user/balance`, { headers: { authorization: `Bearer ${key}` } });

  test('falls by the price of what was drawn, and by nothing for what was refused', async () => {
    const before = (await balance('sk-good')).json().credits;
    await askStability(sandbox(), 'sd3', { prompt: 'a barn' });
    await askStability(sandbox(), 'core', { prompt: 'a barn' });
    await askStability(sandbox(), 'ultra', { prompt: 'a barn', seed: -1 });
    expect(before - (await balance('sk-good')).json().credits).toBe(9.5);
  });

  test('is refused to a bad key in the manner of the first API version', async () => {
    const reply = await balance('sk-invalid');
    expect([reply.status, Object.keys(reply.json())]).toEqual([401, ['id', 'name', 'message']]);
  });
});
