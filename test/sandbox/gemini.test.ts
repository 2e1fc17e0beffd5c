import { describe, expect, test } from 'vitest';
import { askGemini, BANANA, geminiBody, measured, onlyEntry, type Reply, replyOf, useSandbox } from './ask.ts';

const sandbox = useSandbox();
const LITE = 'gemini-3.1-flash-lite-image';
const PRO = 'gemini-3-pro-image';

interface Part {
  readonly text?: string;
  readonly thought?: boolean;
  readonly inlineData?: { readonly mimeType: string; readonly data: string };
}

function partsOf(reply: Reply): readonly Part[] {
  return reply.json().candidates[0].content.parts;
}

function pictureIn(reply: Reply): Buffer {
  const part = partsOf(reply).findLast(({ inlineData, thought }) => inlineData && !thought);
  return Buffer.from(part?.inlineData?.data ?? '', 'base64');
}

describe('a Gemini picture', () => {
  test('comes as base64 in a part, with what it used', async () => {
    const config = { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '16:9' } };
    const reply = await askGemini(sandbox(), BANANA, geminiBody('a lighthouse at dawn', config));
    const { candidates, ...rest } = reply.json();
    expect([reply.status, candidates.length]).toEqual([200, 1]);
    const [{ content, safetyRatings, ...candidate }] = candidates;
    expect(candidate).toEqual({ finishReason: 'STOP', index: 0 });
    expect(safetyRatings[0]).toEqual({ category: 'HARM_CATEGORY_SEXUALLY_EXPLICIT', probability: 'NEGLIGIBLE' });
    expect(content).toEqual({
      role: 'model',
      parts: [
        { inlineData: { mimeType: 'image/png', data: expect.any(String) }, thoughtSignature: expect.any(String) },
      ],
    });
    expect(rest).toEqual({
      usageMetadata: {
        promptTokenCount: 5,
        candidatesTokenCount: 1120,
        thoughtsTokenCount: 0,
        totalTokenCount: 1125,
        promptTokensDetails: [{ modality: 'TEXT', tokenCount: 5 }],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1120 }],
      },
      modelVersion: BANANA,
      responseId: expect.any(String),
    });
    expect(await measured(pictureIn(reply))).toEqual({ format: 'png', width: 1376, height: 768 });
    expect(onlyEntry(sandbox())).toMatchObject({
      vendor: 'gemini',
      vendorId: rest.responseId,
      width: 1376,
      height: 768,
      outcome: 'delivered',
      bought: 'yes',
    });
  });

  test('comes with words before it when words are wanted too', async () => {
    const body = geminiBody('a barn', { responseModalities: ['TEXT', 'IMAGE'] });
    const reply = await askGemini(sandbox(), LITE, body);
    const [words, picture, ...others] = partsOf(reply);
    expect([words?.text, picture?.inlineData?.mimeType, others]).toEqual([expect.any(String), 'image/png', []]);
    const modalities = reply
      .json()
      .usageMetadata.candidatesTokensDetails.map(({ modality }: Record<string, string>) => modality);
    expect(modalities).toEqual(['TEXT', 'IMAGE']);
  });

  test('of the thinking model follows a draft of another size among its thoughts', async () => {
    const reply = await askGemini(sandbox(), PRO, geminiBody('a barn', { responseModalities: ['IMAGE'] }));
    const parts = partsOf(reply);
    expect(parts.map(({ thought, inlineData }) => [thought === true, inlineData !== undefined])).toEqual([
      [true, false],
      [true, true],
      [false, true],
    ]);
    const draft = Buffer.from(parts[1]?.inlineData?.data ?? '', 'base64');
    expect(await measured(draft)).toMatchObject({ width: 512, height: 512 });
    expect(await measured(pictureIn(reply))).toMatchObject({ width: 1024, height: 1024 });
    expect(reply.json().usageMetadata.thoughtsTokenCount).toBeGreaterThan(0);
  });

  test.each([
    ['1:1', 1024, 1024],
    ['2:3', 848, 1264],
    ['3:2', 1264, 848],
    ['3:4', 896, 1200],
    ['4:3', 1200, 896],
    ['4:5', 928, 1152],
    ['5:4', 1152, 928],
    ['9:16', 768, 1376],
    ['21:9', 1584, 672],
  ])('in %s is %i by %i', async (aspectRatio, width, height) => {
    const reply = await askGemini(sandbox(), LITE, geminiBody('a barn', { imageConfig: { aspectRatio } }));
    expect(await measured(pictureIn(reply))).toEqual({ format: 'png', width, height });
  });

  test.each([
    [BANANA, '2K', 1536, 2752, 1680],
    [PRO, '4K', 3072, 5504, 2000],
  ])('by %s in %s is that much larger', async (model, imageSize, width, height, tokens) => {
    const config = { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '9:16', imageSize } };
    const reply = await askGemini(sandbox(), model, geminiBody('a barn', config));
    expect(await measured(pictureIn(reply))).toEqual({ format: 'png', width, height });
    expect(reply.json().usageMetadata.candidatesTokenCount).toBe(tokens);
  });

  test('is the same for the same seed, and another for another', async () => {
    const draw = async (seed: number) => pictureIn(await askGemini(sandbox(), LITE, geminiBody('a barn', { seed })));
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(again.equals(first)).toBe(true);
    expect(other.equals(first)).toBe(false);
  });

  test('may be asked for with everything that the request knows', async () => {
    const body = {
      contents: [{ parts: [{ text: 'a barn' }] }],
      systemInstruction: { parts: [{ text: 'Draw.' }] },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      generationConfig: {
        responseModalities: ['IMAGE'],
        candidateCount: 1,
        seed: -5,
        temperature: 1,
        imageConfig: { aspectRatio: '1:8', imageSize: '1K' },
        thinkingConfig: { thinkingLevel: 'minimal' },
      },
    };
    const reply = await askGemini(sandbox(), BANANA, body);
    expect(await measured(pictureIn(reply))).toMatchObject({ width: 384, height: 3072 });
  });

  test('may be asked for with the key in the address', async () => {
    const url = `${sandbox().origin}/v1beta/models/${LITE}:generateContent?key=g-good`;
    expect((await replyOf(url, { method: 'POST', body: JSON.stringify(geminiBody('a barn')) })).status).toBe(200);
  });
});

describe('Gemini refuses, and nothing is bought', () => {
  function expectError(reply: Reply, code: number, status: string, message: RegExp): void {
    expect(reply.status).toBe(code);
    expect(reply.json().error).toMatchObject({ code, status, message: expect.stringMatching(message) });
    expect(onlyEntry(sandbox())).toMatchObject({ vendor: 'gemini', outcome: 'refused', bought: 'no' });
  }

  test.each([
    [LITE, { imageConfig: { imageSize: '1K' } }, /imageSize/],
    [BANANA, { imageConfig: { imageSize: '1k' } }, /imageSize/],
    [BANANA, { imageConfig: { imageSize: '512' } }, /imageSize/],
    [PRO, { imageConfig: { aspectRatio: '1:4' } }, /aspectRatio/],
    [BANANA, { imageConfig: { aspectRatio: '9:21' } }, /aspectRatio/],
    [BANANA, { imageConfig: { outputMimeType: 'image/png' } }, /Unknown name "outputMimeType"/],
    [BANANA, { negativePrompt: 'mist' }, /Unknown name "negativePrompt"/],
    [BANANA, { candidateCount: 2 }, /candidateCount/],
    [BANANA, { seed: 2 ** 31 }, /seed/],
    [BANANA, { thinkingConfig: { thinkingLevel: 'MAXIMAL' } }, /thinkingLevel/],
    [BANANA, { responseModalities: ['TEXT'] }, /modalities/],
  ])('%s with the configuration %j', async (model, config, message) => {
    expectError(await askGemini(sandbox(), model, geminiBody('a barn', config)), 400, 'INVALID_ARGUMENT', message);
  });

  test.each([
    [{}, /contents/],
    [{ contents: [] }, /contents/],
    [{ contents: [{ parts: [{ text: ' ' }] }] }, /empty/],
    [{ contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: '' } }] }] }, /empty/],
    ['{"contents":', /JSON/],
  ])('the request %j', async (body, message) => {
    expectError(await askGemini(sandbox(), BANANA, body), 400, 'INVALID_ARGUMENT', message);
  });

  test('a field beside those it knows', async () => {
    const body = { contents: [{ parts: [{ text: 'a barn' }] }], prompt: 'a barn' };
    expectError(
      await askGemini(sandbox(), BANANA, body),
      400,
      'INVALID_ARGUMENT',
      /Unknown name "prompt" at 'request'/,
    );
  });

  test.each([
    'gemini-2.5-flash-image',
    'gemini-3.1-flash-image',
    'gemini-3-pro-image-preview',
    'imagen-4.0-generate-001',
    'imagen-4.0-generate-001:predict',
    `${BANANA}:predict`,
  ])('the retired or unknown %s', async (model) => {
    expectError(
      await askGemini(sandbox(), model, geminiBody('a barn')),
      404,
      'NOT_FOUND',
      /is not found for API version v1beta/,
    );
  });

  test('a bad key as a bad argument, with the reason in the details', async () => {
    const reply = await askGemini(sandbox(), BANANA, {}, { key: 'invalid' });
    expectError(reply, 400, 'INVALID_ARGUMENT', /^API key not valid\. Please pass a valid API key\.$/);
    expect(reply.json().error.details).toEqual([
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
    ]);
  });

  test('a missing key as a lack of permission', async () => {
    expectError(
      await askGemini(sandbox(), BANANA, {}, { key: null }),
      403,
      'PERMISSION_DENIED',
      /unregistered callers/,
    );
  });
});

describe('Gemini answers 200 without a picture', () => {
  test('when the prompt is blocked, without candidates', async () => {
    const reply = await askGemini(sandbox(), BANANA, geminiBody('a barn [sandbox:moderated]'));
    const { promptFeedback, candidates } = reply.json();
    expect([reply.status, candidates]).toEqual([200, undefined]);
    expect(promptFeedback.blockReason).toBe('PROHIBITED_CONTENT');
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'moderated', bought: 'no' });
  });

  test('when the picture is withheld, with a candidate that has no content', async () => {
    const reply = await askGemini(sandbox(), BANANA, geminiBody('a barn [sandbox:withheld]'));
    expect([reply.status, reply.json().candidates]).toEqual([
      200,
      [{ finishReason: 'IMAGE_SAFETY', finishMessage: expect.stringContaining('Support code'), index: 0 }],
    ]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'withheld', bought: 'yes' });
  });

  test('when the model would rather talk, with words that stop like a success', async () => {
    const reply = await askGemini(sandbox(), BANANA, geminiBody('a barn [sandbox:prose]'));
    const [candidate] = reply.json().candidates;
    expect([candidate.finishReason, candidate.content.parts]).toEqual(['STOP', [{ text: expect.any(String) }]]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'damaged', bought: 'yes' });
  });
});
