import { GoogleGenAI, type GoogleGenAIOptions } from '@google/genai';
import { InferenceClient } from '@huggingface/inference';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client as WavespeedClient } from 'wavespeed';
import { BANANA, IMAGEN, KONTEXT, measured, onlyEntry, QWEN, QWEN_EDIT, replyOf, SCHNELL, useSandbox } from './ask.ts';
import { flat } from './samples.ts';

/** What the vendors ship to their customers must find the sandbox as good as the vendor. */

const sandbox = useSandbox();

// They tell their users about retries and deprecations on the console, which is nobody's concern here.
beforeEach(() => {
  for (const method of ['log', 'warn', 'error', 'debug', 'info'] as const) {
    vi.spyOn(console, method).mockImplementation(() => undefined);
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

const entry = () => {
  const { vendor, model, outcome, bought } = onlyEntry(sandbox());
  return { vendor, model, outcome, bought };
};

describe('the client of WaveSpeed', () => {
  const QUICK = { pollInterval: 0.01 };
  const client = (key = 'ws-good') =>
    new WavespeedClient(key, { baseUrl: sandbox().origin, maxConnectionRetries: 0, retryInterval: 0.01 });
  const input = (prompt: string) => ({ prompt, size: '512*768', output_format: 'png' });

  test('submits, looks until there is an end, and gets the address of a picture', async () => {
    const { outputs } = await client().run(QWEN, input('a lighthouse'), QUICK);
    expect(outputs).toHaveLength(1);
    const { bytes } = await replyOf(String(outputs[0]));
    expect(await measured(bytes)).toEqual({ format: 'png', width: 512, height: 768 });
    expect(entry()).toEqual({ vendor: 'wavespeed', model: QWEN, outcome: 'completed', bought: 'yes' });
  });

  test('has a picture edited that it sends along', async () => {
    const image = `data:image/png;base64,${(await flat(512, 384, '#3070c0')).toString('base64')}`;
    const { outputs } = await client().run(QWEN_EDIT, { prompt: 'a lighthouse', image, output_format: 'png' }, QUICK);
    const { bytes } = await replyOf(String(outputs[0]));
    expect(await measured(bytes)).toEqual({ format: 'png', width: 512, height: 384 });
    expect(entry()).toEqual({ vendor: 'wavespeed', model: QWEN_EDIT, outcome: 'completed', bought: 'yes' });
  });

  test('is told that a picture cannot be fetched, and nothing is paid', async () => {
    const order = client().run(QWEN_EDIT, { prompt: 'a barn', image: 'https://example.com/a.png' }, QUICK);
    await expect(order).rejects.toThrow(/Prediction failed.*could not be fetched/);
    expect(entry()).toEqual({ vendor: 'wavespeed', model: QWEN_EDIT, outcome: 'failed', bought: 'refunded' });
  });

  test('gets the picture in one go in synchronous mode', async () => {
    const { outputs } = await client().run(QWEN, input('a lighthouse'), { enableSyncMode: true });
    expect((await replyOf(String(outputs[0]))).headers.get('content-type')).toBe('image/png');
    expect(entry()).toEqual({ vendor: 'wavespeed', model: QWEN, outcome: 'completed', bought: 'yes' });
  });

  test.each([
    ['poll-failed', /Prediction failed.*failed while it was being processed/, 'failed'],
    ['moderated', /Prediction failed.*flagged as potentially sensitive/, 'moderated'],
  ])('is told of %s, and nothing is paid', async (fault, message, outcome) => {
    await expect(client().run(QWEN, input(`a barn [sandbox:${fault}]`), QUICK)).rejects.toThrow(message);
    expect(entry()).toEqual({ vendor: 'wavespeed', model: QWEN, outcome, bought: 'refunded' });
  });

  test('is told that synchronous mode took too long, and where to look', async () => {
    const order = client().run(QWEN, input('a barn [sandbox:poll-forever]'), { enableSyncMode: true });
    await expect(order).rejects.toMatchObject({
      name: 'WavespeedSyncTimeoutException',
      resultUrl: expect.stringContaining(`${sandbox().origin}/api/v3/predictions/`),
    });
  });

  test('asks again after an answer of the 500s to a look, and buys nothing more', async () => {
    const patient = new WavespeedClient('ws-good', { baseUrl: sandbox().origin, retryInterval: 0.001 });
    const { outputs } = await patient.run(QWEN, input('a barn [sandbox:status=503 on=poll times=2]'), QUICK);
    expect(outputs).toHaveLength(1);
    expect(entry()).toEqual({ vendor: 'wavespeed', model: QWEN, outcome: 'completed', bought: 'yes' });
  });

  test.each([
    ['a wrong key', 'invalid', QWEN, input('a barn'), /HTTP 401: .*invalid authentication/],
    ['a wrong size', 'ws-good', QWEN, { prompt: 'a barn', size: '1024x1024' }, /HTTP 400: .*size/],
    ['a wrong model', 'ws-good', 'ideogram-ai/ideogram-v3', { prompt: 'a barn' }, /HTTP 404: .*model not found/],
    ['an empty account', 'ws-good', QWEN, input('a barn [sandbox:no-funds]'), /HTTP 403: .*insufficient balance/],
  ])('is refused for %s, once', async (_, key, model, wanted, message) => {
    await expect(client(key).run(model, wanted, QUICK)).rejects.toThrow(message);
    expect(entry()).toEqual({ vendor: 'wavespeed', model, outcome: 'refused', bought: 'no' });
  });
});

describe('the client of Gemini', () => {
  const client = (apiKey = 'g-good') => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: sandbox().origin } });
  const draw = (prompt: string, apiKey?: string, model: string = BANANA) =>
    client(apiKey).models.generateContent({
      model,
      contents: prompt,
      config: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '9:16', imageSize: '1K' }, seed: 4 },
    });

  test('gets a picture among the parts, with what it used', async () => {
    const response = await draw('a lighthouse');
    expect(await measured(Buffer.from(response.data ?? '', 'base64'))).toEqual({
      format: 'png',
      width: 768,
      height: 1376,
    });
    expect(response.candidates?.[0]?.finishReason).toBe('STOP');
    expect(response.usageMetadata).toMatchObject({ candidatesTokenCount: 1120 });
    expect(entry()).toEqual({ vendor: 'gemini', model: BANANA, outcome: 'delivered', bought: 'yes' });
  });

  test('has a picture edited that it sends along', async () => {
    const data = (await flat(600, 400, '#3070c0')).toString('base64');
    const response = await client().models.generateContent({
      model: BANANA,
      contents: [{ text: 'make it night' }, { inlineData: { mimeType: 'image/png', data } }],
      config: { responseModalities: ['IMAGE'] },
    });
    const picture = Buffer.from(response.data ?? '', 'base64');
    expect(await measured(picture)).toEqual({ format: 'png', width: 1264, height: 848 });
    expect(entry()).toEqual({ vendor: 'gemini', model: BANANA, outcome: 'delivered', bought: 'yes' });
  });

  test('can tell the draft among the thoughts from the picture', async () => {
    const response = await draw('a lighthouse [sandbox:drafts]');
    const parts = response.candidates?.[0]?.content?.parts ?? [];
    const pictures = parts.filter(({ inlineData }) => inlineData).map(({ thought }) => thought === true);
    expect(pictures).toEqual([true, false]);
  });

  test('is told that the prompt is blocked', async () => {
    const response = await draw('a barn [sandbox:moderated]');
    expect([response.promptFeedback?.blockReason, response.candidates]).toEqual(['PROHIBITED_CONTENT', undefined]);
    expect(entry()).toEqual({ vendor: 'gemini', model: BANANA, outcome: 'moderated', bought: 'no' });
  });

  test('is told that the picture is withheld', async () => {
    const response = await draw('a barn [sandbox:withheld]');
    expect([response.candidates?.[0]?.finishReason, response.data]).toEqual(['IMAGE_SAFETY', undefined]);
    expect(entry()).toEqual({ vendor: 'gemini', model: BANANA, outcome: 'withheld', bought: 'yes' });
  });

  test.each([
    ['a wrong key', 400, 'invalid', BANANA, 'a barn', /API_KEY_INVALID/],
    ['a retired model', 404, 'g-good', 'gemini-2.5-flash-image', 'a barn', /NOT_FOUND/],
    ['a used-up quota', 429, 'g-good', BANANA, 'a barn [sandbox:daily-quota]', /RESOURCE_EXHAUSTED.*PerDay/],
  ])('is refused for %s', async (_, status, apiKey, model, prompt, message) => {
    const refused = draw(prompt, apiKey, model);
    await expect(refused).rejects.toMatchObject({ name: 'ApiError', status });
    await expect(refused).rejects.toThrow(message);
    expect(entry()).toEqual({ vendor: 'gemini', model, outcome: 'refused', bought: 'no' });
  });

  test('is told of an overload as what it is', async () => {
    await expect(draw('a barn [sandbox:status=503]')).rejects.toMatchObject({ name: 'ApiError', status: 503 });
    expect(entry()).toEqual({ vendor: 'gemini', model: BANANA, outcome: 'errored', bought: 'unknown' });
  });
});

describe('the client of Vertex AI', () => {
  type AuthClient = NonNullable<NonNullable<GoogleGenAIOptions['googleAuthOptions']>['authClient']>;

  /** Somebody who has an access token already, so that nothing is asked of the network. */
  function holderOf(token: string): AuthClient {
    const holder = { getRequestHeaders: async () => new Headers({ authorization: `Bearer ${token}` }) };
    return holder as unknown as AuthClient;
  }

  const draw = (prompt: string, token = 'ya29.good', model: string = IMAGEN) =>
    new GoogleGenAI({
      vertexai: true,
      project: 'our-project',
      location: 'us-central1',
      apiVersion: 'v1',
      googleAuthOptions: { authClient: holderOf(token) },
      httpOptions: { baseUrl: sandbox().origin },
    }).models.generateImages({
      model,
      prompt,
      config: {
        numberOfImages: 1,
        aspectRatio: '3:4',
        imageSize: '1K',
        seed: 9,
        addWatermark: false,
        includeRaiReason: true,
        outputMimeType: 'image/png',
      },
    });

  test('gets a picture of Imagen', async () => {
    const { generatedImages = [] } = await draw('a lighthouse');
    expect(generatedImages).toHaveLength(1);
    const { image, raiFilteredReason } = generatedImages[0] ?? {};
    expect([image?.mimeType, raiFilteredReason]).toEqual(['image/png', undefined]);
    expect(await measured(Buffer.from(image?.imageBytes ?? '', 'base64'))).toEqual({
      format: 'png',
      width: 896,
      height: 1280,
    });
    expect(onlyEntry(sandbox()).seed).toBe(9);
    expect(entry()).toEqual({ vendor: 'gemini', model: IMAGEN, outcome: 'delivered', bought: 'yes' });
  });

  test('is told why the picture is withheld', async () => {
    const { generatedImages = [] } = await draw('a barn [sandbox:withheld]');
    expect(generatedImages.map(({ raiFilteredReason }) => raiFilteredReason)).toEqual([
      expect.stringMatching(/usage guidelines/),
    ]);
    expect(generatedImages[0]?.image?.imageBytes).toBeUndefined();
    expect(entry()).toEqual({ vendor: 'gemini', model: IMAGEN, outcome: 'withheld', bought: 'yes' });
  });

  test.each([
    ['a prompt that is turned down', 400, 'ya29.good', IMAGEN, 'a barn [sandbox:moderated]', 'moderated'],
    ['a wrong token', 401, 'invalid', IMAGEN, 'a barn', 'refused'],
    ['an unknown model', 404, 'ya29.good', 'imagen-3.0-generate-002', 'a barn', 'refused'],
  ])('is refused for %s', async (_, status, token, model, prompt, outcome) => {
    await expect(draw(prompt, token, model)).rejects.toMatchObject({ name: 'ApiError', status });
    expect(entry()).toEqual({ vendor: 'gemini', model, outcome, bought: 'no' });
  });
});

describe('the client of HuggingFace', () => {
  const draw = (prompt: string, accessToken = 'hf_good', model: string = SCHNELL) =>
    new InferenceClient(accessToken).textToImage(
      {
        endpointUrl: `${sandbox().origin}/hf-inference/models/${model}`,
        model,
        inputs: prompt,
        parameters: { width: 512, height: 768, seed: 3 },
      },
      { outputType: 'blob', retry_on_error: false },
    );

  test('gets the bytes of a picture from hf-inference', async () => {
    const picture = await draw('a lighthouse');
    expect(picture.type).toBe('image/jpeg');
    expect(await measured(Buffer.from(await picture.arrayBuffer()))).toEqual({
      format: 'jpeg',
      width: 512,
      height: 768,
    });
    expect(entry()).toEqual({ vendor: 'huggingface', model: SCHNELL, outcome: 'delivered', bought: 'yes' });
  });

  test.each([
    ['a wrong token', 401, 'hf_invalid', SCHNELL, 'a barn'],
    ['an empty account', 402, 'hf_good', SCHNELL, 'a barn [sandbox:no-funds]'],
    ['a model that was given up', 410, 'hf_good', 'stabilityai/stable-diffusion-xl-base-1.0', 'a barn'],
    ['a model that is not loaded', 503, 'hf_good', SCHNELL, 'a barn [sandbox:loading]'],
  ])('is refused for %s', async (_, status, token, model, prompt) => {
    await expect(draw(prompt, token, model)).rejects.toMatchObject({ httpResponse: { status } });
    expect(entry()).toEqual({ vendor: 'huggingface', model, outcome: 'refused', bought: 'no' });
  });

  describe('on the way to fal', () => {
    const DEV = 'black-forest-labs/FLUX.1-dev';
    const HOSTS = new Set(['https://huggingface.co', 'https://router.huggingface.co']);

    // The client cannot be told where the router is, so every call of it is led here instead.
    beforeEach(() => {
      const { fetch } = globalThis;
      vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        if (!HOSTS.has(url.origin)) {
          expect(url.origin).toBe(sandbox().origin);
          return fetch(input, init);
        }
        return fetch(`${sandbox().origin}${url.pathname}${url.search}`, init);
      });
    });

    const drawByFal = (prompt: string) =>
      new InferenceClient('hf_good').textToImage(
        { provider: 'fal-ai', model: DEV, inputs: prompt, parameters: { seed: 3 } },
        { outputType: 'blob', retry_on_error: false },
      );

    test('asks the hub for the way, submits, looks, fetches the result and downloads the picture', async () => {
      const picture = await drawByFal('a lighthouse');
      expect(await measured(Buffer.from(await picture.arrayBuffer()))).toMatchObject({ width: 1024, height: 768 });
      expect(entry()).toEqual({
        vendor: 'huggingface',
        model: 'fal-ai/flux/dev',
        outcome: 'completed',
        bought: 'yes',
      });
    });

    test('has a picture edited that it sends along', async () => {
      const picture = await new InferenceClient('hf_good').imageToImage({
        provider: 'fal-ai',
        model: KONTEXT,
        inputs: new Blob([new Uint8Array(await flat(640, 640, '#3070c0'))], { type: 'image/png' }),
        parameters: { prompt: 'make it night' },
      });
      expect(await measured(Buffer.from(await picture.arrayBuffer()))).toMatchObject({ width: 1024, height: 1024 });
      expect(entry()).toEqual({
        vendor: 'huggingface',
        model: 'fal-ai/flux-kontext/dev',
        outcome: 'completed',
        bought: 'yes',
      });
    });

    test('is told that the job failed, and nothing is paid', async () => {
      await expect(drawByFal('a barn [sandbox:poll-failed]')).rejects.toThrow();
      expect(entry()).toEqual({
        vendor: 'huggingface',
        model: 'fal-ai/flux/dev',
        outcome: 'failed',
        bought: 'refunded',
      });
    });
  });
});
