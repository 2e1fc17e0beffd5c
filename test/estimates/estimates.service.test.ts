import { beforeEach, describe, expect, test } from 'vitest';
import { canonicalGenerate, type GenerateInput } from '../../src/catalog/requests.ts';
import { canonicalWorkflow } from '../../src/estimates/workflow-request.ts';
import { canonicalHash } from '../../src/platform/canonical-hash.ts';
import { bookOf } from '../pricing/books.ts';
import { balanceOf } from '../tiers/accounts.ts';
import { House, viewerOf } from './house.ts';
import { edit, generate, step } from './workflows.ts';

let house: House;
beforeEach(() => {
  house = new House();
});
const input = { prompt: 'a lighthouse' };
const estimate = async (wish: Partial<GenerateInput> = {}, viewer = viewerOf()) =>
  (await house.estimates.operation(viewer, canonicalGenerate({ ...input, ...wish }))).estimate;

describe('an estimate', () => {
  test('tells everything in one answer', async () => {
    const answer = await estimate({ count: 2, template: 'instagram_feed_square' });
    expect(answer).toMatchObject({
      operation: 'GENERATE',
      size: { width: 1080, height: 1080 },
      credits: 8000n,
      quoteExpiresAt: new Date('2026-03-15T12:10:00Z'),
      priceVersion: 1,
      balanceBefore: 300_000n,
      balanceAfter: 292_000n,
      affordableCount: 75,
      refusals: [],
    });
    expect(answer.routes).toHaveLength(7);
    expect(answer.expectedSeconds).toBe(answer.routes[0]?.expectedSeconds);
    expect(answer.lines[0]).toMatchObject({ kind: 'PRICE', quantity: 2, credits: 8000n });
    expect(answer.notes[0]).toContain('"photographic"');
    expect(answer.alternatives().length).toBeGreaterThan(0);
  });

  test('gives a job everything it needs to run, at the very price that was told', async () => {
    const { plan, inputHash } = await house.estimates.operation(
      viewerOf(),
      canonicalGenerate({ ...input, provider: 'gemini', count: 2 }),
    );
    const request = canonicalGenerate({ ...input, provider: 'gemini', count: 2 });
    expect(plan).toEqual({
      request,
      budgetId: null,
      credits: 0n,
      images: [0, 1].map((run) => ({
        step: 0,
        run,
        source: null,
        size: request.size,
        format: null,
        credits: 0n,
        allowance: 'gemini',
      })),
      allowances: [{ provider: 'gemini', limit: 25, images: 2 }],
      openJobsMax: 320,
      priority: 2,
    });
    expect(inputHash).toBe(canonicalHash(request));
  });

  test('of what cannot be had has no price, no quote and no plan', async () => {
    const { estimate: answer, plan } = await house.estimates.operation(
      viewerOf(),
      canonicalGenerate({ ...input, model: 'imagen-4' }),
    );
    expect(plan).toBeNull();
    expect(answer).toMatchObject({
      credits: null,
      quote: null,
      quoteExpiresAt: null,
      balanceBefore: 300_000n,
      balanceAfter: null,
      affordableCount: 0,
      expectedSeconds: null,
      lines: [],
      refusals: [{ type: 'ModelRetired', replacedBy: 'gemini/nano-banana' }],
    });
    expect(answer.alternatives()).toEqual([]);
  });

  test('of what only time, money or a higher tier can lift has its price and a quote', async () => {
    house.balance = balanceOf({ monthly: 1000n });
    house.submissionsUsed = 10;
    const answer = await estimate({ quality: 'PREMIUM', count: 5 }, house.tier('FREE'));
    expect(answer).toMatchObject({ credits: 30_000n, balanceBefore: 1000n, balanceAfter: null });
    expect(answer.quote).not.toBeNull();
    expect(answer.refusals.map(({ type }) => type)).toEqual([
      'TierTooLow',
      'TooManyImages',
      'InsufficientCredits',
      'RateLimited',
    ]);
    expect(answer.refusals.at(-1)).toMatchObject({ limit: 10, resetsAt: new Date('2026-03-15T12:00:30Z') });
  });

  test('hashes alike for the same pictures in any number, and apart for others', async () => {
    const one = await estimate({ count: 1 });
    expect((await estimate({ count: 5, quality: 'STANDARD' })).pictureHashes).toEqual(one.pictureHashes);
    expect((await estimate({ seed: 1 })).pictureHashes).not.toEqual(one.pictureHashes);
  });

  test('hashes each picture of a batch with the seed that it has', async () => {
    const { pictureHashes } = await estimate({ seed: 7, count: 3 });
    expect(new Set(pictureHashes).size).toBe(3);
    expect((await estimate({ seed: 9, count: 1 })).pictureHashes).toEqual([pictureHashes[2]]);
  });

  test('of bad input is an error, not a refusal', async () => {
    await expect(estimate({ count: 0 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT', details: { field: 'count' } });
  });
});

describe('how many the account could pay for', () => {
  const count = async (wish: Partial<GenerateInput> = {}, tier: 'FREE' | 'PRO' = 'PRO') =>
    (await estimate(wish, house.tier(tier))).affordableCount;

  test('is what its credits buy, whole images only', async () => {
    house.balance = balanceOf({ monthly: 10_000n, topup: 1999n });
    expect(await count()).toBe(2);
    expect(await count({ model: 'sd3.5-large' })).toBe(1);
    house.balance = balanceOf({ monthly: 3999n });
    expect(await count()).toBe(0);
  });

  test('adds the free images that are left', async () => {
    house.balance = balanceOf({ monthly: 9000n, allowancesUsed: { gemini: 1 } });
    expect(await count({ provider: 'gemini' }, 'FREE')).toBe(4);
  });

  test('is bounded by what is left under the spend cap', async () => {
    house.balance = balanceOf({ monthly: 100_000n, spent: 92_000n, spendCap: 100_000n });
    expect(await count()).toBe(2);
    house.balance = balanceOf({ monthly: 100_000n, spent: 120_000n, spendCap: 100_000n });
    expect(await count()).toBe(0);
  });

  test('is null where nothing bounds it: an account without balance and cap, or a price of 0', async () => {
    house.balance = balanceOf({ postpaid: true });
    expect(await count()).toBeNull();
    expect(await estimate()).toMatchObject({ balanceBefore: null, balanceAfter: null, refusals: [] });
    house.balance = balanceOf({ postpaid: true, spent: 0n, spendCap: 40_000n });
    expect(await count()).toBe(10);
    house.books.set(1, bookOf({ generateByQuality: { STANDARD: { M: 0 } } }));
    house.balance = balanceOf();
    expect(await count()).toBeNull();
  });

  test('never outgrows what a GraphQL Int can say', async () => {
    house.balance = balanceOf({ topup: 10n ** 18n });
    expect(await count()).toBe(2 ** 31 - 1);
  });
});

describe('a workflow', () => {
  test('is refused for the rate too, and estimated with the balance of now', async () => {
    house.submissionsUsed = 300;
    const answer = await house.estimates.workflow(viewerOf(), canonicalWorkflow([step('draw', generate())]), null);
    expect(answer.estimate).toMatchObject({ credits: 4000n, balanceBefore: 300_000n, balanceAfter: 296_000n });
    expect(answer.estimate.refusals.map(({ type }) => type)).toEqual(['RateLimited']);
  });

  test('that costs a thousandth more than maxCredits is refused, and told what it would cost', async () => {
    const request = canonicalWorkflow([step('draw', generate({ model: 'sd3.5-medium', count: 3 }))]);
    const refusalsAt = async (maxCredits: bigint) =>
      (await house.estimates.workflow(viewerOf(), request, maxCredits)).estimate.refusals;
    expect(await refusalsAt(10_500n)).toEqual([]);
    expect(await refusalsAt(10_499n)).toEqual([
      {
        type: 'CapExceeded',
        cap: 'MAX_CREDITS',
        required: 10_500n,
        spent: 0n,
        limit: 10_499n,
        resetsAt: null,
        message: expect.stringContaining('costs 10.5 credits, more than the 10.499 allowed by maxCredits'),
      },
    ]);
  });

  test('tells how often the account could pay for the whole of it, and takes the quote back for exactly that', async () => {
    const request = canonicalWorkflow([
      step('draw', generate({ quality: 'DRAFT', count: 2 })),
      step('cut', edit('removeBackground'), { from: 'draw', times: 2 }),
    ]);
    const { estimate } = await house.estimates.workflow(viewerOf(), request, null);
    expect(estimate).toMatchObject({ credits: 10_000n, affordableCount: 30, refusals: [] });
    const quoted = await house.estimates.workflow(viewerOf(), request, null, { quote: estimate.quote ?? '' });
    expect(quoted.estimate).toMatchObject({ quote: estimate.quote, refusals: [] });
    const other = canonicalWorkflow([step('draw', generate({ quality: 'DRAFT', count: 2 }))]);
    const changed = await house.estimates.workflow(viewerOf(), other, null, { quote: estimate.quote ?? '' });
    expect(changed.estimate.refusals).toMatchObject([{ type: 'QuoteInvalid', reason: 'INPUT_CHANGED' }]);
  });
});
