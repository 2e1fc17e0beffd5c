import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { liveClient, subscribe } from '../support/live.ts';
import { generate, open, openAccount } from '../support/stories.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

async function ask<T>(key: string, query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await gateway.ask<T>({ key }, query, variables);
  expect(errors).toBeUndefined();
  return data as T;
}

const SMALL = { width: 256, height: 256 };
const draw = (key: string, input: Record<string, unknown>, budget?: string) =>
  ask<{ generate: { job: { id: string; images: { asset: { id: string } | null }[] } } }>(
    key,
    `mutation ($input: GenerateInput!, $budget: ID) { generate(input: $input, budget: $budget, waitSeconds: 30) {
      ... on Submission { job { id images { asset { id } } } } } }`,
    { input: { prompt: 'a heron', ...SMALL, ...input }, budget },
  ).then((data) => data.generate.job);

describe('usage', () => {
  test('adds up to what the ledger captured, however it is told apart', async () => {
    const { id: account, key } = await openAccount(gateway, { tier: 'PRO' });
    const { createBudget } = await ask<{ createBudget: { id: string } }>(
      key,
      'mutation { createBudget(input: { name: "Spring", cap: 100 }) { id } }',
    );
    const first = await draw(key, { quality: 'DRAFT', count: 2 }, createBudget.id);
    await draw(key, { model: 'stability/ultra' });
    await draw(key, { provider: 'GEMINI' });
    await ask(
      key,
      `mutation { editImage(image: "${first.images[0]?.asset?.id}", edit: { removeBackground: {} }, waitSeconds: 30) { __typename } }`,
    );
    await ask(key, `mutation { tagAssets(assets: ["${first.images[0]?.asset?.id}"], add: ["bird", "draft"]) { id } }`);
    const { rows } = await sql<{ captured: bigint }>`
      select captured from credit_balances where account_id = ${account}`.execute(gateway.database.db);
    const captured = Number(rows[0]?.captured) / 1000;
    expect(captured).toBe(2 + 8 + 0 + 2);
    const groups = async (groupBy: string) => {
      const { usage } = await ask<{
        usage: {
          total: unknown;
          groups: { key: string | null; label: string; credits: number; images: number; freeImages: number }[];
        };
      }>(
        key,
        `{ usage(groupBy: ${groupBy}) { total { credits images freeImages } groups { key label credits images freeImages } } }`,
      );
      expect(usage.total).toEqual({ credits: captured, images: 5, freeImages: 1 });
      if (groupBy !== 'TAG') expect(usage.groups.reduce((sum, { credits }) => sum + credits, 0)).toBe(captured);
      return usage.groups.map(({ key, credits, images, freeImages }) => [key, credits, images, freeImages]);
    };
    expect(await groups('OPERATION')).toEqual([
      ['GENERATE', 10, 4, 1],
      ['EDIT', 2, 1, 0],
    ]);
    expect(await groups('QUALITY')).toEqual([
      ['PREMIUM', 8, 1, 0],
      ['DRAFT', 2, 2, 0],
      [null, 2, 1, 0],
      ['STANDARD', 0, 1, 1],
    ]);
    expect(await groups('BUDGET')).toEqual([
      [null, 10, 3, 1],
      [createBudget.id, 2, 2, 0],
    ]);
    expect(await groups('TAG')).toEqual([
      [null, 11, 4, 1],
      ['bird', 1, 1, 0],
      ['draft', 1, 1, 0],
    ]);
    expect(await groups('DAY')).toEqual([[new Date().toISOString().slice(0, 10), captured, 5, 1]]);
    expect((await groups('MODEL')).find(([model]) => model === 'stability/ultra')).toEqual([
      'stability/ultra',
      8,
      1,
      0,
    ]);
    expect((await groups('PROVIDER')).map(([, credits]) => Number(credits)).reduce((a, b) => a + b)).toBe(captured);
    // Nothing of it is lost with the pictures.
    await ask(key, `mutation { deleteAssets(assets: ["${first.images[0]?.asset?.id}"], permanently: true) { id } }`);
    expect((await groups('OPERATION'))[0]).toEqual(['GENERATE', 10, 4, 1]);
  });

  test('has a period, a time before it and a forecast', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    await draw(key, { quality: 'DRAFT' });
    const now = Date.now();
    const at = (hours: number) => new Date(now + hours * 3_600_000).toISOString();
    const report = (from: string, to: string) =>
      ask<{ usage: Record<string, unknown> }>(
        key,
        `query ($from: DateTime!, $to: DateTime!) { usage(period: { from: $from, to: $to }) {
          total { credits } previous { credits } changePercent forecast groups { averageCredits } } }`,
        { from, to },
      ).then(({ usage }) => usage);
    expect(await report(at(-1), at(0.1))).toMatchObject({
      total: { credits: 1 },
      previous: { credits: 0 },
      changePercent: null,
      groups: [{ averageCredits: 1 }],
    });
    expect(await report(at(0.1), at(2))).toEqual({
      total: { credits: 0 },
      previous: { credits: 1 },
      changePercent: -100,
      forecast: 0,
      groups: [],
    });
    const { errors } = await gateway.ask(
      { key },
      'query ($from: DateTime!, $to: DateTime!) { usage(period: { from: $from, to: $to }) { total { credits } } }',
      { from: at(0), to: at(-1) },
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'period.from' });
  });

  test('of one account shows nothing of another', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    expect(
      await ask(key, '{ usage { total { images } groups { key } } insights { images insights { kind } } }'),
    ).toEqual({
      usage: { total: { images: 0 }, groups: [] },
      insights: { images: 0, insights: [] },
    });
  });
});

describe('alerts', () => {
  test('come when 80, 90 and 100 percent are reached, each once, and not when credits come back', async () => {
    const key = await open(gateway, { tier: 'ENTERPRISE', spendCap: 10 });
    const client = liveClient(gateway.url, key);
    const alerts = subscribe<{ usageAlert: { threshold: number; percent: number; spent: number } }>(
      client,
      'subscription { usageAlert { threshold percent spent creditsLimit } }',
    );
    const reached = (threshold: number) => alerts.answers.until(({ data }) => data?.usageAlert.threshold === threshold);
    await reached(0);
    const draft = { quality: 'DRAFT' };
    await draw(key, { ...draft, count: 7 });
    await draw(key, draft);
    await reached(80);
    // A job that fails holds its credits and gives them back.
    await draw(key, { ...draft, prompt: 'refused [sandbox:moderated]', count: 1 });
    await draw(key, draft);
    await reached(90);
    await draw(key, draft);
    await reached(100);
    await client.dispose();
    const told = alerts.answers.all.map(({ data }) => data?.usageAlert.threshold);
    expect(told).toEqual([0, 80, 90, 100]);
    expect(await ask(key, '{ usageLevel { threshold percent spent creditsLimit } }')).toEqual({
      usageLevel: { threshold: 100, percent: 100, spent: 10, creditsLimit: 10 },
    });
  });
});

describe('insights', () => {
  test('come from what the account did, with the jobs that show it', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const first = await draw(key, { quality: 'PREMIUM', prompt: 'a Kite' });
    await draw(key, { quality: 'PREMIUM', prompt: 'a kite' });
    const { insights } = await ask<{ insights: { insights: Record<string, unknown>[] } }>(
      key,
      '{ insights { complete images insights { kind saves images advice evidence { cost wouldCost job { id } asset { id } } } } }',
    );
    expect(insights).toMatchObject({ complete: true, images: 2 });
    expect(insights.insights[0]).toEqual({
      kind: 'DRAFT_FIRST',
      saves: 5,
      images: 1,
      advice: expect.stringContaining('5 credits less'),
      evidence: [{ cost: 6, wouldCost: 1, job: { id: first.id }, asset: { id: first.images[0]?.asset?.id } }],
    });
  });

  test('name the free images that are left, and not after they are used', async () => {
    const key = await open(gateway, { tier: 'FREE' });
    await draw(key, {});
    const kinds = async () =>
      (
        await ask<{ insights: { insights: { kind: string; saves: number }[] } }>(
          key,
          '{ insights { insights { kind saves } } }',
        )
      ).insights.insights;
    expect(await kinds()).toEqual([{ kind: 'FREE_ALLOWANCE', saves: 3 }]);
  });
});

describe('explainCost', () => {
  const explain = (key: string, job: string) =>
    ask<{ explainCost: { lines: Record<string, unknown>[]; causes: Record<string, unknown>[] } }>(
      key,
      `query ($job: ID!) { explainCost(job: $job) { job { id } quoted captured released
        lines { step label images unitCredits quoted delivered captured freeImages }
        causes { reason step explanation wouldCost } } }`,
      { job },
    ).then((data) => data.explainCost);

  test('says line by line what was charged, and what would have been less', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const job = await draw(key, { model: 'stability/ultra', count: 3 });
    const explained = await explain(key, job.id);
    expect(explained).toMatchObject({ job: { id: job.id }, quoted: 24, captured: 24, released: 0 });
    expect(explained.lines).toEqual([
      {
        step: 0,
        label: 'Generate, stability/ultra, size S',
        images: 3,
        unitCredits: 8,
        quoted: 24,
        delivered: 3,
        captured: 24,
        freeImages: 0,
      },
    ]);
    expect(explained.causes.map(({ reason, wouldCost }) => [reason, wouldCost])).toEqual([
      ['PRICE', null],
      ['VARIATIONS', 8],
      ['QUALITY', 3],
      ['MODEL', 18],
    ]);
  });

  test('says what was not delivered and what a free allowance paid', async () => {
    const key = await open(gateway, { tier: 'FREE' });
    const job = await draw(key, { provider: 'GEMINI', count: 4 });
    const explained = await explain(key, job.id);
    expect(explained.lines.map(({ images, unitCredits, freeImages }) => [images, unitCredits, freeImages])).toEqual([
      [3, 0, 3],
      [1, 4, 0],
    ]);
    expect(explained.causes.map(({ reason }) => reason)).toContain('FREE_ALLOWANCE');
    const { job: failed } = await generate(
      gateway,
      key,
      { prompt: 'no [sandbox:moderated]', ...SMALL, quality: 'DRAFT' },
      { waitSeconds: 30 },
    );
    expect(await explain(key, failed.id)).toMatchObject({
      captured: 0,
      released: 1,
      lines: [{ delivered: 0, captured: 0, quoted: 1 }],
      causes: expect.arrayContaining([expect.objectContaining({ reason: 'NOT_DELIVERED' })]),
    });
  });

  test('adds up for a workflow, step by step, also when its picture is gone', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const { runWorkflow } = await ask<{ runWorkflow: { job: { id: string; images: { asset: { id: string } }[] } } }>(
      key,
      `mutation ($input: WorkflowInput!) { runWorkflow(input: $input, waitSeconds: 30) {
        ... on Submission { job { id images { asset { id } } } } } }`,
      {
        input: {
          steps: [
            { id: 'draw', operation: { generate: { prompt: 'a vase', ...SMALL, quality: 'DRAFT' } } },
            { id: 'cut', from: 'draw', operation: { edit: { removeBackground: {} } } },
          ],
        },
      },
    );
    const { id, images } = runWorkflow.job;
    const before = await explain(key, id);
    expect(before).toMatchObject({ quoted: 3, captured: 3 });
    expect(before.lines.map(({ step, label, captured }) => [step, label, captured])).toEqual([
      [0, 'Generate, DRAFT quality, size S', 1],
      [1, 'Edit, removeBackground, size S', 2],
    ]);
    const ids = images.map(({ asset }) => asset.id);
    await ask(key, 'mutation ($ids: [ID!]!) { deleteAssets(assets: $ids, permanently: true) { id } }', { ids });
    expect(await explain(key, id)).toEqual(before);
  });
});
