import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { askGemini, BANANA, measured, onlyEntry, type Reply, useSandbox } from './ask.ts';
import { box, flat, shapes, unlikeness } from './samples.ts';

const sandbox = useSandbox();
const PRO = 'gemini-3-pro-image';
const LITE = 'gemini-3.1-flash-lite-image';
const IMAGE = await shapes(320, 240, '#3070c0', box(100, 60, 90, 90, '#d02020'));

const inline = (picture: Buffer, mimeType = 'image/png') => ({
  inlineData: { mimeType, data: picture.toString('base64') },
});

const ask = (
  pictures: readonly object[],
  config: object = {},
  model: string = BANANA,
  text = 'a sunset',
): Promise<Reply> =>
  askGemini(sandbox(), model, {
    contents: [{ role: 'user', parts: [{ text }, ...pictures] }],
    generationConfig: { responseModalities: ['IMAGE'], seed: 1, ...config },
  });

const pictureIn = (reply: Reply) =>
  Buffer.from(reply.json().candidates[0].content.parts.at(-1).inlineData.data, 'base64');

describe('a picture that Gemini edits', () => {
  test('is changed and still to be recognised, with what was used for it', async () => {
    const reply = await ask([inline(IMAGE)]);
    const bytes = pictureIn(reply);
    expect(await measured(bytes)).toEqual({ format: 'png', width: 1200, height: 896 });
    const unlike = await unlikeness(IMAGE, bytes);
    expect([unlike > 10, unlike < 150]).toEqual([true, true]);
    expect(reply.json().usageMetadata).toMatchObject({
      promptTokenCount: 260,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 2 },
        { modality: 'IMAGE', tokenCount: 258 },
      ],
    });
    expect(onlyEntry(sandbox())).toMatchObject({
      model: BANANA,
      prompt: 'a sunset',
      width: 1200,
      height: 896,
      outcome: 'delivered',
      bought: 'yes',
    });
  });

  test.each([
    [300, 300, 1024, 1024],
    [1920, 1080, 1376, 768],
    [1080, 1920, 768, 1376],
    [500, 400, 1152, 928],
    [100, 420, 512, 2048],
    [3000, 100, 3072, 384],
  ])('of %i by %i has the nearest of the ratios: %i by %i', async (width, height, wider, higher) => {
    const reply = await ask([inline(await flat(width, height, '#3070c0'))]);
    expect(await measured(pictureIn(reply))).toMatchObject({ width: wider, height: higher });
  });

  test('has no ratio that its model does not draw', async () => {
    const reply = await ask([inline(await flat(100, 420, '#3070c0'))], {}, LITE);
    expect(await measured(pictureIn(reply))).toMatchObject({ width: 768, height: 1376 });
  });

  test('has the ratio and the size that are asked for', async () => {
    const imageConfig = { aspectRatio: '9:16', imageSize: '2K' };
    expect(await measured(pictureIn(await ask([inline(IMAGE)], { imageConfig })))).toMatchObject({
      width: 1536,
      height: 2752,
    });
  });

  test.each(['jpeg', 'webp'] as const)('may be sent as %s', async (format) => {
    const picture = await sharp(IMAGE).toFormat(format).toBuffer();
    expect((await ask([inline(picture, `image/${format}`)])).status).toBe(200);
  });

  test('is the first of those that are sent; the others change how it looks', async () => {
    const others = [await flat(64, 64, '#fff'), await flat(900, 100, '#000')].map((picture) => inline(picture));
    const [alone, first, again] = [
      pictureIn(await ask([inline(IMAGE)])),
      pictureIn(await ask([inline(IMAGE), ...others])),
      pictureIn(await ask([inline(IMAGE), ...others])),
    ];
    expect(await measured(first)).toEqual(await measured(alone));
    expect([(await unlikeness(IMAGE, first)) < 150, first.equals(again)]).toEqual([true, true]);
  });

  test('follows a draft of half its size among the thoughts of the thinking model', async () => {
    const { parts } = (await ask([inline(IMAGE)], {}, PRO)).json().candidates[0].content;
    const sizes = [];
    for (const { inlineData } of parts) {
      if (inlineData) sizes.push(await measured(Buffer.from(inlineData.data, 'base64')));
    }
    expect(sizes.map(({ width }) => width)).toEqual([600, 1200]);
  });

  test('may come with fourteen pictures and no more', async () => {
    const pictures = (count: number) => Array.from({ length: count }, () => inline(IMAGE));
    expect((await ask(pictures(14))).status).toBe(200);
    const reply = await ask(pictures(15));
    expect([reply.status, reply.json().error.message]).toEqual([400, expect.stringMatching(/14 images/)]);
    expect(sandbox().journal()[1]).toMatchObject({ outcome: 'refused', bought: 'no' });
  });

  test('is refused when a request has more than twenty mebibytes', async () => {
    const padded = Buffer.concat([IMAGE, Buffer.alloc(16 * 1024 * 1024)]);
    const reply = await ask([inline(padded)]);
    expect([reply.status, reply.json().error.status]).toEqual([413, 'INVALID_ARGUMENT']);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });

  test.each([
    ['another type', [inline(IMAGE, 'image/gif')], /MIME type/],
    ['no type', [{ inlineData: { data: IMAGE.toString('base64') } }], /MIME type/],
    ['what is no picture', [inline(Buffer.from('words'))], /input image/],
    ['half a picture', [inline(IMAGE.subarray(0, IMAGE.length / 2))], /input image/],
    ['a picture elsewhere', [{ fileData: { fileUri: 'https://example.com/a.png' } }], /inlineData/],
    ['what is no part', ['picture' as unknown as object], /parts\[1\]/],
  ])('is refused for %s, and nothing is bought', async (_, pictures, message) => {
    const reply = await ask(pictures);
    expect([reply.status, reply.json().error]).toEqual([
      400,
      expect.objectContaining({ status: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
    ]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });
});
