import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { open } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});
beforeEach(async () => {
  key = await open(gateway, { tier: 'PRO' });
});

const INPUT = { prompt: 'a poster', model: 'qwen-image', width: 256, height: 256 };
const GENERATE = `mutation ($input: GenerateInput!, $budget: ID, $key: String, $quote: String) {
  generate(input: $input, budget: $budget, idempotencyKey: $key, quote: $quote, waitSeconds: 30) {
    __typename
    ... on Submission { replayed job { id status budget { id } receipt { captured } } }
    ... on Refused { refusals { __typename message ... on CapExceeded { cap required spent creditsLimit resetsAt } } } } }`;

interface Generated {
  readonly generate: {
    readonly __typename: string;
    readonly replayed?: boolean;
    readonly job?: { readonly id: string; readonly status: string; readonly budget: { readonly id: string } | null };
    readonly refusals?: readonly Record<string, unknown>[];
  };
}

async function ask<T>(query: string, variables: Record<string, unknown> = {}, owner = key): Promise<T> {
  const { data, errors } = await gateway.ask<T>({ key: owner }, query, variables);
  expect(errors).toBeUndefined();
  return data as T;
}

async function refused(query: string, variables: Record<string, unknown> = {}, owner = key) {
  return (await gateway.ask({ key: owner }, query, variables)).errors?.[0];
}

const create = async (name: string, cap: number, period = 'ONCE', owner = key) =>
  (
    await ask<{ createBudget: { id: string } }>(
      'mutation ($input: CreateBudgetInput!) { createBudget(input: $input) { id } }',
      { input: { name, cap, period } },
      owner,
    )
  ).createBudget.id;
const shown = async (id: string) =>
  (await ask<{ budget: unknown }>(`{ budget(id: "${id}") { name cap period spent left closedAt } }`)).budget;
const generate = async (variables: Record<string, unknown>, input: Record<string, unknown> = {}) =>
  (await ask<Generated>(GENERATE, { input: { ...INPUT, ...input }, ...variables })).generate;

describe('a budget', () => {
  test('is counted by the jobs that name it, and refuses them at its cap with every figure', async () => {
    const budget = await create('Spring', 2.5);
    expect((await generate({ budget }, { count: 2 })).job).toMatchObject({
      status: 'SUCCEEDED',
      budget: { id: budget },
    });
    expect(await shown(budget)).toEqual({
      name: 'Spring',
      cap: 2.5,
      period: 'ONCE',
      spent: 2,
      left: 0.5,
      closedAt: null,
    });
    const answer = await generate({ budget });
    expect(answer.refusals).toEqual([
      {
        __typename: 'CapExceeded',
        cap: 'BUDGET',
        required: 1,
        spent: 2,
        creditsLimit: 2.5,
        resetsAt: null,
        message: expect.stringContaining('"Spring"'),
      },
    ]);
    const { estimateGenerate } = await ask<{ estimateGenerate: unknown }>(
      `query ($input: GenerateInput!, $budget: ID) { estimateGenerate(input: $input, budget: $budget) {
        credits quote preflight { ok refusals { __typename } } } }`,
      { input: INPUT, budget },
    );
    expect(estimateGenerate).toEqual({
      credits: 1,
      quote: expect.any(String),
      preflight: { ok: false, refusals: [{ __typename: 'CapExceeded' }] },
    });
    expect((await generate({})).job?.budget).toBeNull();
    expect(await ask('{ viewer { available } }')).toEqual({ viewer: { available: 1_997 } });
  });

  test('says when it begins anew, if it does', async () => {
    const budget = await create('Monthly', 0, 'MONTHLY');
    const { refusals } = await generate({ budget });
    const { viewer } = await ask<{ viewer: { credits: { periodEndsAt: string } } }>(
      '{ viewer { credits { periodEndsAt } } }',
    );
    expect(refusals?.[0]?.resetsAt).toBe(viewer.credits.periodEndsAt);
  });

  test('is given to exactly as many of many jobs at once as it has credits for', async () => {
    const budget = await create('Rush', 7);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => generate({ budget }, { seed: i + 1 })));
    expect(answers.filter(({ __typename }) => __typename === 'Submission')).toHaveLength(7);
    expect(new Set(answers.flatMap(({ refusals }) => refusals?.map(({ cap }) => cap) ?? []))).toEqual(
      new Set(['BUDGET']),
    );
    expect(await shown(budget)).toMatchObject({ spent: 7, left: 0 });
  });

  test('is part of what an idempotency key stands for', async () => {
    const [budget, other] = [await create('first', 100), await create('second', 100)];
    const first = await generate({ budget, key: 'k' });
    expect(await generate({ budget, key: 'k' })).toMatchObject({ replayed: true, job: { id: first.job?.id } });
    for (const another of [other, null])
      expect((await refused(GENERATE, { input: INPUT, budget: another, key: 'k' }))?.extensions?.code).toBe(
        'IDEMPOTENCY_CONFLICT',
      );
    expect(await shown(other)).toMatchObject({ spent: 0 });
  });

  test('that is closed takes nothing, and opens again', async () => {
    const budget = await create('Autumn', 100);
    const update = (change: Record<string, unknown>) =>
      ask('mutation ($id: ID!, $change: BudgetChangeInput!) { updateBudget(id: $id, change: $change) { id } }', {
        id: budget,
        change,
      });
    await update({ open: false, name: 'Autumn (over)' });
    expect((await refused(GENERATE, { input: INPUT, budget }))?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'budget',
    });
    expect(await shown(budget)).toMatchObject({ name: 'Autumn (over)', closedAt: expect.any(String), spent: 0 });
    await update({ open: true });
    expect((await generate({ budget })).__typename).toBe('Submission');
  });

  test('of another account is answered like one that never was', async () => {
    const stranger = await open(gateway, { tier: 'PRO' });
    const theirs = await create('theirs', 100, 'ONCE', stranger);
    const never = `${theirs.slice(0, -4)}zzzz`;
    const answers = async (id: string) => {
      const errors = [
        await refused(GENERATE, { input: INPUT, budget: id }),
        await refused(`{ budget(id: "${id}") { id } }`),
        await refused(`mutation { updateBudget(id: "${id}", change: { cap: 1 }) { id } }`),
        await refused(`{ estimateGenerate(input: { prompt: "x" }, budget: "${id}") { credits } }`),
      ];
      return JSON.stringify(errors.map((error) => [error?.message, error?.extensions])).replaceAll(id, 'ID');
    };
    const foreign = await answers(theirs);
    expect(foreign).toBe(await answers(never));
    expect(foreign.match(/NOT_FOUND/g)).toHaveLength(4);
    expect(await ask(`{ node(id: "${theirs}") { id } budgets { nodes { id } } }`)).toEqual({
      node: null,
      budgets: { nodes: [] },
    });
  });

  test('counts workflows too', async () => {
    const budget = await create('Campaign', 1);
    const { runWorkflow } = await ask<{ runWorkflow: unknown }>(
      `mutation ($input: WorkflowInput!, $budget: ID) { runWorkflow(input: $input, budget: $budget, waitSeconds: 30) {
        ... on WorkflowRefused { refusals { ... on CapExceeded { cap required } } } } }`,
      { input: { steps: [{ id: 'draw', times: 2, operation: { generate: INPUT } }] }, budget },
    );
    expect(runWorkflow).toEqual({ refusals: [{ cap: 'BUDGET', required: 2 }] });
  });
});
