import { describe, expect, test } from 'vitest';
import { canonicalEdit } from '../../src/catalog/edit-requests.ts';
import { canonicalGenerate, type GenerateInput } from '../../src/catalog/requests.ts';
import { canonicalUpscale } from '../../src/catalog/upscale-requests.ts';
import { EVIDENCE_MAX, type Insight, type InsightKind, insightsOf } from '../../src/usage/insights.ts';
import type { UsedImage } from '../../src/usage/used-images.store.ts';
import { bookOf } from '../pricing/books.ts';

const NOW = new Date('2026-03-15T12:00:00Z');
let made = 0;

/** One image of an account, newest first in a list; `minutes` ago. */
function image(more: Partial<UsedImage> & Pick<UsedImage, 'request' | 'credits'>, minutes = 0): UsedImage {
  const number = made++;
  return {
    id: `image ${number}`,
    jobId: `job ${number}`,
    assetId: `asset ${number}`,
    at: new Date(NOW.getTime() - minutes * 60_000),
    size: { width: 1024, height: 1024 },
    sourceId: null,
    source: null,
    free: false,
    inputHash: null,
    deleted: false,
    ...more,
  };
}
const drawn = (input: Partial<GenerateInput>, credits: bigint, more: Partial<UsedImage> = {}, minutes = 0) =>
  image({ request: canonicalGenerate({ prompt: 'a fox', ...input }), credits, ...more }, minutes);

const draw = (images: readonly UsedImage[], allowancesLeft: { provider: string; left: number }[] = []) =>
  insightsOf({ images, book: bookOf(), allowancesLeft });
const kinds = (insights: readonly Insight[]) => insights.map(({ kind }) => kind);
const about = (insights: readonly Insight[], kind: InsightKind) => insights.find((each) => each.kind === kind);

describe('an account', () => {
  test('that did nothing is told nothing', () => {
    expect(draw([])).toEqual([]);
  });

  test('that did one thing well is told nothing', () => {
    expect(draw([drawn({}, 4_000n)])).toEqual([]);
  });

  test('that tried words in PREMIUM is told what drafts would have saved: all tries but the last', () => {
    const tries = [
      drawn({ quality: 'PREMIUM', prompt: 'a fox' }, 6_000n),
      drawn({ quality: 'PREMIUM', prompt: 'A  fox ' }, 6_000n, {}, 60),
      drawn({ quality: 'STANDARD', prompt: 'a fox' }, 4_000n, {}, 120),
      drawn({ quality: 'PREMIUM', prompt: 'another' }, 6_000n, {}, 180),
    ];
    expect(about(draw(tries), 'DRAFT_FIRST')).toEqual({
      kind: 'DRAFT_FIRST',
      advice: expect.stringContaining('6 credits less'),
      saves: 6_000n,
      images: 2,
      evidence: [
        { jobId: tries[1]?.jobId, assetId: tries[1]?.assetId, cost: 6_000n, wouldCost: 2_000n },
        { jobId: tries[2]?.jobId, assetId: tries[2]?.assetId, cost: 4_000n, wouldCost: 2_000n },
      ],
    });
  });

  test('that asked for variations in one job is not told that they were tries', () => {
    const batch = { jobId: 'one job' };
    expect(
      about(
        draw([
          drawn({ quality: 'PREMIUM', count: 2 }, 6_000n, batch),
          drawn({ quality: 'PREMIUM', count: 2 }, 6_000n, batch),
        ]),
        'DRAFT_FIRST',
      ),
    ).toBeUndefined();
  });

  test('that drew drafts, or paid with a free allowance, is not told to', () => {
    expect(
      draw([
        drawn({ quality: 'DRAFT' }, 2_000n),
        drawn({ quality: 'DRAFT' }, 2_000n, {}, 90),
        drawn({ provider: 'gemini', seed: 1 }, 0n, { free: true }, 180),
      ]),
    ).toEqual([]);
  });

  test('that named a dear model is told the least that its class costs at that size', () => {
    const ultra = drawn({ model: 'stability/ultra' }, 8_000n);
    const sd35 = drawn({ model: 'stability/sd3.5-large', prompt: 'b' }, 6_500n);
    const fits = drawn({ model: 'wavespeed/ideogram-v3-balanced', prompt: 'c' }, 6_000n);
    const found = about(draw([ultra, sd35, fits]), 'CHEAPER_MODEL');
    expect(found).toMatchObject({ saves: 2_500n, images: 2 });
    expect(found?.evidence.map(({ jobId, wouldCost }) => [jobId, wouldCost])).toEqual([
      [ultra.jobId, 6_000n],
      [sd35.jobId, 6_000n],
    ]);
  });

  test('that asked for the very same picture again is told what that cost, unless chance was wanted', () => {
    const seeded = { seed: 7 };
    const images = [
      drawn(seeded, 4_000n, { inputHash: 'one' }),
      drawn(seeded, 4_000n, { inputHash: 'one' }, 90),
      drawn({}, 4_000n, { inputHash: 'two' }, 180),
      drawn({}, 4_000n, { inputHash: 'two' }, 270),
      image({ request: canonicalEdit('x', { removeBackground: {} }), credits: 3_000n, inputHash: 'three' }),
      image({ request: canonicalEdit('x', { removeBackground: {} }), credits: 3_000n, inputHash: 'three' }),
    ];
    expect(about(draw(images), 'REUSE')).toMatchObject({ saves: 7_000n, images: 2 });
  });

  test('that enlarged one picture again and again is told what FAST would have cost', () => {
    const upscaled = (mode: 'CREATIVE' | 'CONSERVATIVE' | 'FAST', credits: bigint, sourceId: string, minutes = 0) =>
      image(
        { request: canonicalUpscale(sourceId, { mode }), credits, sourceId, source: { width: 512, height: 512 } },
        minutes,
      );
    const images = [
      upscaled('CREATIVE', 6_000n, 'a'),
      upscaled('CREATIVE', 6_000n, 'a', 5),
      upscaled('CONSERVATIVE', 6_000n, 'a', 9),
      upscaled('CREATIVE', 6_000n, 'b', 10),
      upscaled('FAST', 2_000n, 'b', 11),
    ];
    expect(about(draw(images), 'FAST_FIRST')).toMatchObject({ saves: 8_000n, images: 2 });
  });

  test('with free images left is told which pictures they could have drawn, the dearest first', () => {
    const images = [
      drawn({ prompt: 'a' }, 4_000n),
      drawn({ prompt: 'b', quality: 'DRAFT' }, 2_000n),
      drawn({ prompt: 'c', quality: 'PREMIUM' }, 6_000n),
      drawn({ prompt: 'd', provider: 'wavespeed' }, 5_000n),
    ];
    const left = [
      { provider: 'huggingface', left: 0 },
      { provider: 'gemini', left: 1 },
    ];
    const found = about(draw(images, left), 'FREE_ALLOWANCE');
    expect(found).toMatchObject({ saves: 4_000n, images: 1, advice: expect.stringContaining('1 of gemini') });
    expect(about(draw(images, []), 'FREE_ALLOWANCE')).toBeUndefined();
  });

  test('that threw edited pictures away is told what they cost', () => {
    const edit = (deleted: boolean) =>
      image({ request: canonicalEdit('x', { removeBackground: {} }), credits: 3_000n, deleted });
    expect(about(draw([edit(true), edit(false), drawn({}, 4_000n, { deleted: true })]), 'SELECT_FIRST')).toMatchObject({
      saves: 3_000n,
      images: 1,
    });
  });

  test('that asked one by one is told of batches, honestly: they save no credits', () => {
    const images = [drawn({}, 4_000n), drawn({}, 4_000n, {}, 59), drawn({}, 4_000n, {}, 200)];
    const found = about(draw(images), 'BATCH');
    expect(found).toMatchObject({ saves: 0n, images: 1, evidence: [{ cost: 4_000n, wouldCost: 4_000n }] });
  });

  test('is told the most useful first, with a bounded number of examples', () => {
    const tries = Array.from({ length: 30 }, (_, i) => drawn({ quality: 'PREMIUM' }, 6_000n, {}, i * 90));
    const insights = draw([...tries, drawn({ model: 'stability/ultra', prompt: 'z' }, 8_000n)]);
    expect(kinds(insights)).toEqual(['DRAFT_FIRST', 'CHEAPER_MODEL']);
    expect(insights[0]).toMatchObject({ images: 29, saves: 116_000n });
    expect(insights[0]?.evidence).toHaveLength(EVIDENCE_MAX);
  });
});
