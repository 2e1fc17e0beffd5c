import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  askGemini,
  askService,
  BANANA,
  falResult,
  measured,
  onlyEntry,
  QWEN_EDIT,
  replyOf,
  stabilityResult,
  useSandbox,
  wavespeedResult,
} from './ask.ts';
import { box, shapes, unlikeness } from './samples.ts';

const sandbox = useSandbox();
const IMAGE = await shapes(320, 256, '#3070c0', box(100, 60, 90, 90, '#d02020'));
const uri = `data:image/png;base64,${IMAGE.toString('base64')}`;

/** One edit of every vendor, and of Stability one of each kind of answer. */
const EDITS: Record<string, (prompt: string) => Promise<Buffer>> = {
  'search-and-replace': async (prompt) =>
    (await askService(sandbox(), 'edit/search-and-replace', { image: IMAGE, search_prompt: 'red', prompt, seed: 1 }))
      .bytes,
  'replace-background-and-relight': async (background_prompt) => {
    const fields = { subject_image: IMAGE, background_prompt, seed: 1 };
    return (
      await stabilityResult(sandbox(), await askService(sandbox(), 'edit/replace-background-and-relight', fields))
    ).bytes;
  },
  'qwen-image/edit': async (prompt) => {
    const { data } = (
      await wavespeedResult(sandbox(), { prompt, image: uri, output_format: 'png', seed: 1 }, QWEN_EDIT)
    ).json();
    return (await replyOf(data.outputs[0])).bytes;
  },
  'flux-kontext/dev': async (prompt) => {
    const result = (
      await falResult(sandbox(), { prompt, image_url: uri, output_format: 'png', seed: 1 }, 'dev', 'flux-kontext')
    ).json();
    return (await replyOf(result.images[0].url)).bytes;
  },
  gemini: async (prompt) => {
    const parts = [{ text: prompt }, { inlineData: { mimeType: 'image/png', data: IMAGE.toString('base64') } }];
    const reply = await askGemini(sandbox(), BANANA, {
      contents: [{ parts }],
      generationConfig: { responseModalities: ['IMAGE'], seed: 1 },
    });
    return Buffer.from(reply.json().candidates[0].content.parts.at(-1).inlineData.data, 'base64');
  },
};

describe.each(Object.entries(EDITS))('an edited picture of %s', (_, draw) => {
  const spoiled = (fault: string) => draw(`a sunset [sandbox:${fault}]`);
  const entry = () => sandbox().journal().at(-1);

  test('is the right one without a fault, and can be black, blurred or of half the size', async () => {
    const whole = await draw('a sunset');
    const { width, height, format } = await measured(whole);
    const black = await sharp(await spoiled('black'))
      .removeAlpha()
      .stats();
    expect(black.channels.map(({ max }) => max)).toEqual([0, 0, 0]);
    expect(entry()).toMatchObject({ width, height, outcome: 'withheld', bought: 'yes' });
    const blurred = await spoiled('blurred');
    expect(await measured(blurred)).toEqual({ format, width, height });
    expect((await sharp(blurred).stats()).sharpness).toBeLessThan((await sharp(whole).stats()).sharpness / 2);
    const half = await spoiled('wrong-size');
    expect(await measured(half)).toMatchObject({ width: Math.floor(width / 2), height: Math.floor(height / 2) });
    expect(entry()).toMatchObject({ width, height, outcome: 'damaged', bought: 'yes' });
  });

  test('can break off, be a bomb, or be padded', async () => {
    const broken = await spoiled('truncated-picture');
    await expect(sharp(broken, { failOn: 'truncated' }).raw().toBuffer()).rejects.toThrow();
    expect((await spoiled('bomb')).readUInt32BE(16)).toBe(30_000);
    expect((await spoiled('huge=2')).length).toBeGreaterThan(2_000_000);
    expect(entry()).toMatchObject({ outcome: 'damaged', bought: 'yes' });
  });
});

describe('an operation without a prompt', () => {
  const OPERATIONS = ['edit/remove-background', 'upscale/fast'];

  test.each(OPERATIONS)('%s suffers what was planned for it', async (path) => {
    sandbox().faults.next('stability', 'status=503');
    sandbox().faults.next('stability', 'moderated');
    sandbox().faults.next('stability', 'withheld');
    const statuses = [];
    const pictures = [];
    for (let time = 0; time < 4; time += 1) {
      const reply = await askService(sandbox(), path, { image: IMAGE });
      statuses.push(reply.status);
      if (reply.status === 200) pictures.push(reply);
    }
    expect(statuses).toEqual([503, 403, 200, 200]);
    expect(pictures.map(({ headers }) => headers.get('finish-reason'))).toEqual(['CONTENT_FILTERED', 'SUCCESS']);
    expect(await unlikeness(pictures[0]?.bytes ?? IMAGE, pictures[1]?.bytes ?? IMAGE)).toBeGreaterThan(1);
    expect(
      sandbox()
        .journal()
        .map(({ prompt, outcome, bought, fault }) => [prompt, outcome, bought, fault]),
    ).toEqual([
      [null, 'errored', 'unknown', 'status=503'],
      [null, 'moderated', 'no', 'moderated'],
      [null, 'withheld', 'yes', 'withheld'],
      [null, 'delivered', 'yes', null],
    ]);
  });

  test.each(OPERATIONS)('%s suffers what chance has for it', async (path) => {
    sandbox().rates.set('100% status=429', 1);
    expect((await askService(sandbox(), path, { image: IMAGE })).status).toBe(429);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });
});

describe('a directive in the prompt of a background', () => {
  test('is understood like one in any other prompt', async () => {
    const fields = {
      subject_image: IMAGE,
      background_prompt: 'a beach',
      foreground_prompt: 'a box [sandbox:status=402]',
    };
    expect((await askService(sandbox(), 'edit/replace-background-and-relight', fields)).status).toBe(402);
    expect(onlyEntry(sandbox())).toMatchObject({
      prompt: 'a beach\na box [sandbox:status=402]',
      outcome: 'refused',
      bought: 'no',
    });
  });

  test('that is misspelt is refused in the words of the sandbox', async () => {
    const fields = { subject_image: IMAGE, background_prompt: 'a beach [sandbox:explode]' };
    const reply = await askService(sandbox(), 'edit/replace-background-and-relight', fields);
    expect([reply.status, reply.json().sandbox]).toEqual([400, expect.stringContaining('no fault "explode"')]);
  });
});
