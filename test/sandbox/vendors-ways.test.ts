import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { askStability, measured, onlyEntry, type Reply, useSandbox } from './ask.ts';
import { AT_ONCE, pictureIn, SUBMIT } from './submit.ts';

const sandbox = useSandbox();

describe('what only some vendors say', () => {
  test.each([
    ['stability', 402, /lack sufficient credits/],
    ['wavespeed', 403, /insufficient balance/],
    ['huggingface', 402, /depleted your monthly included credits/],
    ['gemini', 429, /"quotaValue":"0"/],
  ] as const)('%s says with %i that the account is empty', async (vendor, status, words) => {
    const reply = await SUBMIT[vendor](sandbox(), 'a barn [sandbox:no-funds]');
    expect([reply.status, reply.text]).toEqual([status, expect.stringMatching(words)]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no', fault: 'no-funds' });
  });

  test.each([
    ['stability', /rate_limit_exceeded/],
    ['gemini', /"quotaId":"GenerateRequestsPerDayPerProjectPerModel".*"quotaValue":"250"/],
  ] as const)('%s says that the quota of the day is used up', async (vendor, words) => {
    const reply = await SUBMIT[vendor](sandbox(), 'a barn [sandbox:daily-quota]');
    expect([reply.status, reply.text]).toEqual([429, expect.stringMatching(words)]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });

  test('HuggingFace says how long its model will be loaded, which proves that nothing was bought', async () => {
    const reply = await SUBMIT.huggingface(sandbox(), 'a barn [sandbox:loading=7]');
    expect([reply.status, reply.json().estimated_time]).toEqual([503, 7]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });

  test('Stability has nothing to load, so its 503 proves nothing', async () => {
    expect((await SUBMIT.stability(sandbox(), 'a barn [sandbox:loading]')).status).toBe(503);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'errored', bought: 'unknown' });
  });

  test('Gemini can send thoughts and a draft with any model, and has drawn the picture all the same', async () => {
    const { parts } = (await SUBMIT.gemini(sandbox(), 'a barn [sandbox:drafts]')).json().candidates[0].content;
    const drawn = parts.filter(({ inlineData }: Record<string, unknown>) => inlineData !== undefined);
    expect(drawn.map(({ thought }: Record<string, unknown>) => thought === true)).toEqual([true, false]);
    expect(await measured(Buffer.from(drawn[0].inlineData.data, 'base64'))).toMatchObject({ width: 512, height: 512 });
    expect(await measured(Buffer.from(drawn[1].inlineData.data, 'base64'))).toMatchObject({
      width: 1024,
      height: 1024,
    });
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'delivered', bought: 'yes', fault: 'drafts' });
  });
});

describe('a picture that nobody should see', () => {
  const statsOf = async (vendor: (typeof AT_ONCE)[number], fault: string) => {
    const reply = await SUBMIT[vendor](sandbox(), `a barn [sandbox:${fault}]`);
    return { reply, stats: await sharp(pictureIn(vendor, reply)).stats() };
  };

  test.each(AT_ONCE)('is black without a word from %s', async (vendor) => {
    const { reply, stats } = await statsOf(vendor, 'black');
    expect([reply.status, Math.max(...stats.channels.map(({ max }) => max))]).toEqual([200, 0]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'withheld', bought: 'yes' });
    if (vendor === 'stability') expect(reply.headers.get('finish-reason')).toBe('SUCCESS');
    if (vendor === 'gemini') expect(reply.json().candidates[0].finishReason).toBe('STOP');
  });

  test.each(AT_ONCE)('is blurred without a word from %s', async (vendor) => {
    const { stats: whole } = await statsOf(vendor, 'slow-headers=1');
    const { reply, stats } = await statsOf(vendor, 'blurred');
    expect(stats.sharpness).toBeLessThan(whole.sharpness / 3);
    if (vendor === 'stability') expect(reply.headers.get('finish-reason')).toBe('SUCCESS');
  });

  test('is flagged and sent whole all the same', async () => {
    const { reply } = await statsOf('stability', 'flagged');
    const usual = await SUBMIT.stability(sandbox(), 'a barn');
    expect(reply.headers.get('finish-reason')).toBe('CONTENT_FILTERED');
    expect(await measured(reply.bytes)).toEqual(await measured(usual.bytes));
    const blurred = await SUBMIT.stability(sandbox(), 'a barn [sandbox:withheld]');
    expect((await sharp(reply.bytes).stats()).sharpness).toBeGreaterThan(
      3 * (await sharp(blurred.bytes).stats()).sharpness,
    );
    const [candidate] = (await SUBMIT.gemini(sandbox(), 'a barn [sandbox:flagged]')).json().candidates;
    expect([candidate.finishReason, candidate.content.parts.length]).toEqual(['IMAGE_SAFETY', 2]);
    expect(
      sandbox()
        .journal()
        .map(({ outcome }) => outcome),
    ).toEqual(['withheld', 'delivered', 'withheld', 'withheld']);
  });
});

describe('moderation of Stability', () => {
  test('before drawing is a refusal that costs nothing', async () => {
    const reply = await askStability(sandbox(), 'core', { prompt: 'a barn [sandbox:moderated]' });
    expect([reply.status, reply.json().name]).toEqual([403, 'content_moderation']);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'moderated', bought: 'no' });
  });

  test.each([
    ['image/*', (reply: Reply) => reply.headers.get('finish-reason')],
    ['application/json', (reply: Reply) => reply.json().finish_reason],
  ])('after drawing is a blurred picture that says so, in %s', async (accept, reasonOf) => {
    const fields = { prompt: 'a barn [sandbox:withheld]' };
    const reply = await askStability(sandbox(), 'core', fields, { headers: { accept } });
    expect([reply.status, reasonOf(reply)]).toEqual([200, 'CONTENT_FILTERED']);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'withheld', bought: 'yes' });
  });
});

describe('a 429', () => {
  test.each(['stability', 'wavespeed', 'huggingface'] as const)(
    'of %s says when to come back only if asked to',
    async (vendor) => {
      const header = async (directive: string) =>
        (await SUBMIT[vendor](sandbox(), `a barn [sandbox:${directive}]`)).headers.get('retry-after');
      expect(await header('status=429')).toBeNull();
      expect(await header('status=429 retry-after=7')).toBe('7');
      expect(await header('status=429 retry-after=tomorrow')).toBe('tomorrow');
    },
  );

  test('of Gemini says so in its details', async () => {
    const types = async (directive: string) => {
      const { details } = (await SUBMIT.gemini(sandbox(), `a barn [sandbox:${directive}]`)).json().error;
      return details.map((detail: Record<string, string>) => [detail['@type']?.split('.').at(-1), detail.retryDelay]);
    };
    const quota = [
      ['QuotaFailure', undefined],
      ['Help', undefined],
    ];
    expect(await types('status=429')).toEqual(quota);
    expect(await types('status=429 retry-after=41')).toEqual([...quota, ['RetryInfo', '41s']]);
  });
});
