import { describe, expect, test } from 'vitest';
import { askImagen, IMAGEN, imagenBody, measured, onlyEntry, type Reply, replyOf, useSandbox } from './ask.ts';

const sandbox = useSandbox();
const FAST = 'imagen-4.0-fast-generate-001';
const ULTRA = 'imagen-4.0-ultra-generate-001';

interface Prediction {
  readonly mimeType: string;
  readonly bytesBase64Encoded: string;
}

const predictionsIn = (reply: Reply): readonly Prediction[] => reply.json().predictions;
const picturesIn = (reply: Reply) =>
  predictionsIn(reply).map(({ bytesBase64Encoded }) => Buffer.from(bytesBase64Encoded, 'base64'));

describe('an Imagen picture on Vertex AI', () => {
  test('comes as base64 in a prediction, and is journalled with its vendor', async () => {
    const parameters = { sampleCount: 1, aspectRatio: '16:9', addWatermark: false, seed: 42 };
    const reply = await askImagen(sandbox(), imagenBody('a lighthouse', parameters));
    expect([reply.status, reply.json()]).toEqual([
      200,
      { predictions: [{ mimeType: 'image/png', bytesBase64Encoded: expect.any(String) }] },
    ]);
    expect(await Promise.all(picturesIn(reply).map(measured))).toEqual([{ format: 'png', width: 1408, height: 768 }]);
    expect(onlyEntry(sandbox())).toMatchObject({
      vendor: 'gemini',
      model: IMAGEN,
      prompt: 'a lighthouse',
      seed: 42,
      width: 1408,
      height: 768,
      pictures: 1,
      outcome: 'delivered',
      bought: 'yes',
    });
  });

  test.each([
    ['1:1', '1K', 1024, 1024],
    ['3:4', '1K', 896, 1280],
    ['4:3', '1K', 1280, 896],
    ['9:16', '1K', 768, 1408],
    ['1:1', '2K', 2048, 2048],
    ['3:4', '2K', 1792, 2560],
    ['4:3', '2K', 2560, 1792],
    ['9:16', '2K', 1536, 2816],
    ['16:9', '2K', 2816, 1536],
  ])('in %s at %s is %i by %i', async (aspectRatio, sampleImageSize, width, height) => {
    const reply = await askImagen(sandbox(), imagenBody('a barn', { sampleCount: 1, aspectRatio, sampleImageSize }));
    expect(await Promise.all(picturesIn(reply).map(measured))).toEqual([{ format: 'png', width, height }]);
  });

  test.each([
    [2, { sampleCount: 2 }],
    [4, {}],
  ])('comes in %i copies of different seeds with %j, and all of them are bought', async (count, parameters) => {
    const reply = await askImagen(sandbox(), imagenBody('a barn', parameters), {}, ULTRA);
    expect(new Set(predictionsIn(reply).map(({ bytesBase64Encoded }) => bytesBase64Encoded)).size).toBe(count);
    expect(predictionsIn(reply)).toHaveLength(count);
    expect(onlyEntry(sandbox())).toMatchObject({ model: ULTRA, pictures: count, bought: 'yes' });
  });

  test('is a JPEG when that is asked, with everything that the request knows', async () => {
    const parameters = {
      sampleCount: 1,
      personGeneration: 'ALLOW_ADULT',
      safetySetting: 'block_medium_and_above',
      includeRaiReason: true,
      enhancePrompt: false,
      language: 'en',
      outputOptions: { mimeType: 'image/jpeg', compressionQuality: 80 },
    };
    const reply = await askImagen(sandbox(), imagenBody('a barn', parameters), {}, FAST);
    expect(predictionsIn(reply)[0]?.mimeType).toBe('image/jpeg');
    expect(await Promise.all(picturesIn(reply).map(measured))).toMatchObject([{ format: 'jpeg' }]);
  });

  test('comes with what was found in it and in the prompt when that is asked', async () => {
    const reply = await askImagen(sandbox(), imagenBody('a barn', { sampleCount: 1, includeSafetyAttributes: true }));
    const safetyAttributes = { categories: [expect.any(String)], scores: [expect.any(Number)] };
    expect(predictionsIn(reply)).toEqual([
      { mimeType: 'image/png', bytesBase64Encoded: expect.any(String), safetyAttributes },
      { safetyAttributes, contentType: 'Positive Prompt' },
    ]);
  });

  test('is the same for the same seed, and another for another', async () => {
    const draw = async (seed: number) => {
      const parameters = { sampleCount: 1, seed, addWatermark: false };
      return predictionsIn(await askImagen(sandbox(), imagenBody('a barn', parameters)))[0]?.bytesBase64Encoded;
    };
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});

describe('Vertex AI refuses, and nothing is bought', () => {
  function expectError(reply: Reply, code: number, status: string, message: RegExp): void {
    expect(reply.status).toBe(code);
    expect(reply.json()).toEqual({ error: { code, status, message: expect.stringMatching(message) } });
    expect(onlyEntry(sandbox())).toMatchObject({ vendor: 'gemini', outcome: 'refused', bought: 'no' });
  }

  test.each([
    [{ sampleCount: 0 }, /sampleCount/],
    [{ sampleCount: 5 }, /sampleCount/],
    [{ aspectRatio: '21:9' }, /aspectRatio/],
    [{ sampleImageSize: '4K' }, /sampleImageSize/],
    [{ seed: 0, addWatermark: false }, /seed/],
    [{ seed: 2 ** 31, addWatermark: false }, /seed/],
    [{ seed: 5 }, /watermark/],
    [{ seed: 5, addWatermark: true }, /watermark/],
    [{ personGeneration: 'everybody' }, /personGeneration/],
    [{ safetySetting: 'off' }, /safetySetting/],
    [{ includeRaiReason: 'yes' }, /includeRaiReason/],
    [{ outputOptions: { mimeType: 'image/webp' } }, /mimeType/],
    [{ outputOptions: { compressionQuality: 101 } }, /compressionQuality/],
    [{ outputOptions: 'image/png' }, /outputOptions/],
    [{ negativePrompt: 'mist' }, /negativePrompt/],
    [{ storageUri: 'gs://bucket' }, /storageUri/],
  ])('the parameters %j', async (parameters, message) => {
    expectError(await askImagen(sandbox(), imagenBody('a barn', parameters)), 400, 'INVALID_ARGUMENT', message);
  });

  test.each([
    ['{"instances":', /JSON/],
    [{}, /instance/],
    [{ instances: [] }, /instance/],
    [{ instances: [{ prompt: 'a' }, { prompt: 'b' }] }, /instance/],
    [{ instances: [{}] }, /prompt/],
    [{ instances: [{ prompt: '' }] }, /prompt/],
    [{ instances: [{ prompt: 'a barn' }], parameters: [] }, /parameters/],
  ])('the request %j', async (body, message) => {
    expectError(await askImagen(sandbox(), body), 400, 'INVALID_ARGUMENT', message);
  });

  test('2K from the model that only has 1K', async () => {
    const reply = await askImagen(sandbox(), imagenBody('a barn', { sampleImageSize: '2K' }), {}, FAST);
    expectError(reply, 400, 'INVALID_ARGUMENT', /sampleImageSize/);
  });

  test.each(['imagen-3.0-generate-002', 'gemini-nano-banana-2.1', 'constructor'])('the model %s', async (model) => {
    const reply = await askImagen(sandbox(), imagenBody('a barn'), {}, model);
    const path = `projects/our-project/locations/us-central1/publishers/google/models/${model}`;
    expectError(reply, 404, 'NOT_FOUND', new RegExp(`^Publisher Model \`${path}\` was not found\\.$`));
  });

  test.each([[null], ['invalid'], ['']])('the access token %s', async (key) => {
    expectError(await askImagen(sandbox(), imagenBody('a barn'), { key }), 401, 'UNAUTHENTICATED', /credentials/);
  });

  test('an API key in place of a token', async () => {
    const headers = { 'x-goog-api-key': 'g-good' };
    const reply = await askImagen(sandbox(), imagenBody('a barn'), { key: null, headers });
    expectError(reply, 401, 'UNAUTHENTICATED', /credentials/);
  });

  test('a prompt that its moderation turns down before drawing', async () => {
    const reply = await askImagen(sandbox(), imagenBody('a barn [sandbox:moderated]'));
    expect([reply.status, reply.json().error]).toEqual([
      400,
      { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringMatching(/could not be submitted.*guidelines/) },
    ]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'moderated', bought: 'no' });
  });
});

describe('Vertex AI keeps a picture back', () => {
  const withheld = async (parameters: Record<string, unknown>, fault = 'withheld') =>
    (await askImagen(sandbox(), imagenBody(`a barn [sandbox:${fault}]`, { sampleCount: 1, ...parameters }))).json();

  test('and leaves no trace of it, unless a reason is asked for', async () => {
    expect(await withheld({})).toEqual({});
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'withheld', bought: 'yes' });
  });

  test('and says why when that is asked', async () => {
    expect(await withheld({ includeRaiReason: true })).toEqual({
      predictions: [{ raiFilteredReason: expect.stringMatching(/usage guidelines/) }],
    });
  });

  test('or flags it and sends it, which only shows where a reason is asked for', async () => {
    expect(Object.keys((await withheld({}, 'flagged')).predictions[0])).toEqual(['mimeType', 'bytesBase64Encoded']);
    expect(await withheld({ includeRaiReason: true }, 'flagged')).toEqual({
      predictions: [
        {
          mimeType: 'image/png',
          bytesBase64Encoded: expect.any(String),
          raiFilteredReason: expect.stringMatching(/usage guidelines/),
        },
      ],
    });
  });
});

describe('faults of Vertex AI', () => {
  test.each([
    ['status=429', 429, /RESOURCE_EXHAUSTED/],
    ['no-funds', 429, /"quotaValue":"0"/],
    ['status=503', 503, /UNAVAILABLE/],
    ['html', 502, /^<!DOCTYPE html>/],
    ['empty', 200, /^$/],
    ['prose', 200, /describe/],
  ])('%s', async (fault, status, text) => {
    const reply = await askImagen(sandbox(), imagenBody(`a barn [sandbox:${fault} at=gemini]`));
    expect([reply.status, reply.text]).toEqual([status, expect.stringMatching(text)]);
  });

  test('a picture of another size', async () => {
    const reply = await askImagen(sandbox(), imagenBody('a barn [sandbox:wrong-size]'));
    expect(await Promise.all(picturesIn(reply).map(measured))).toEqual([{ format: 'png', width: 512, height: 512 }]);
    expect(onlyEntry(sandbox())).toMatchObject({ width: 1024, outcome: 'damaged', bought: 'yes' });
  });

  test('what was planned for Gemini', async () => {
    sandbox().faults.next('gemini', 'status=500');
    expect((await askImagen(sandbox(), imagenBody('a barn'))).status).toBe(500);
  });
});

test('the address of a preview version serves the same', async () => {
  const path = `projects/p/locations/global/publishers/google/models/${FAST}:predict`;
  const reply = await replyOf(`${sandbox().origin}/v1beta1/${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer ya29.good' },
    body: JSON.stringify(imagenBody('a barn')),
  });
  expect(reply.status).toBe(200);
});
