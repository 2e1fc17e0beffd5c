import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generate, open } from '../support/stories.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const WORKFLOW = `query ($input: WorkflowInput!) { estimateWorkflow(input: $input) {
  credits balanceBefore balanceAfter priceVersion preflight { ok refusals { __typename message } }
  steps { id operation times images credits lines { kind label quantity unitCredits credits } notes preflight { ok } } } }`;

const M = 'PRICE';

describe("the cost guide's examples", () => {
  test.each([
    [
      'a social media campaign',
      29,
      [
        { id: 'create', times: 5, operation: { generate: { prompt: 'a summer drink' } } },
        { id: 'edit', from: 'create', times: 3, operation: { edit: { removeBackground: {} } } },
        { id: 'social', from: 'edit', operation: { optimize: { platforms: ['INSTAGRAM', 'FACEBOOK', 'PINTEREST'] } } },
      ],
      [
        [M, 'Generate, STANDARD quality, size M', 5, 4, 20],
        [M, 'Edit, removeBackground, size M', 3, 3, 9],
        [M, 'Optimize for social', 9, 0, 0],
      ],
    ],
    [
      'a blog featured image',
      12,
      [
        { id: 'create', operation: { generate: { prompt: 'a mountain road', quality: 'PREMIUM' } } },
        { id: 'upscale', from: 'create', operation: { upscale: { mode: 'CONSERVATIVE' } } },
        { id: 'social', from: 'upscale', operation: { optimize: { platforms: ['TWITTER'] } } },
      ],
      [
        [M, 'Generate, PREMIUM quality, size M', 1, 6, 6],
        [M, 'Upscale, CONSERVATIVE, size M', 1, 6, 6],
        [M, 'Optimize for social', 1, 0, 0],
      ],
    ],
    [
      'product photography',
      21,
      [
        { id: 'create', operation: { generate: { prompt: 'a ceramic mug', quality: 'PREMIUM' } } },
        { id: 'cut', from: 'create', operation: { edit: { removeBackground: {} } } },
        {
          id: 'colours',
          from: 'cut',
          times: 3,
          operation: { edit: { searchRecolor: { selectPrompt: 'mug', prompt: 'teal' } } },
        },
      ],
      [
        [M, 'Generate, PREMIUM quality, size M', 1, 6, 6],
        [M, 'Edit, removeBackground, size M', 1, 3, 3],
        [M, 'Edit, searchRecolor, size M', 3, 4, 12],
      ],
    ],
    [
      'a content library',
      90,
      [
        { id: 'create', times: 2, operation: { generate: { prompt: 'an office scene', quality: 'DRAFT', count: 10 } } },
        { id: 'edit', from: 'create', times: 10, operation: { edit: { general: { prompt: 'warmer light' } } } },
        { id: 'upscale', from: 'edit', times: 5, operation: { upscale: { mode: 'FAST' } } },
      ],
      [
        [M, 'Generate, DRAFT quality, size M', 20, 2, 40],
        [M, 'Edit, general, size M', 10, 4, 40],
        [M, 'Upscale, FAST, size M', 5, 2, 10],
      ],
    ],
  ])('%s costs %i, line by line', async (_, total, steps, lines) => {
    interface Answer {
      estimateWorkflow: {
        credits: number;
        balanceAfter: number;
        preflight: unknown;
        steps: { credits: number; lines: Record<string, unknown>[] }[];
      };
    }
    const { data, errors } = await gateway.ask<Answer>('PRO', WORKFLOW, { input: { steps } });
    expect(errors).toBeUndefined();
    const estimate = data?.estimateWorkflow;
    expect(estimate).toMatchObject({
      credits: total,
      balanceBefore: 2000,
      balanceAfter: 2000 - total,
      preflight: { ok: true, refusals: [] },
    });
    const priced = estimate?.steps.flatMap((step) => step.lines).filter(({ kind }) => kind === 'PRICE');
    expect(
      priced?.map(({ kind, label, quantity, unitCredits, credits }) => [kind, label, quantity, unitCredits, credits]),
    ).toEqual(lines);
    expect(estimate?.steps.reduce((sum, { credits }) => sum + credits, 0)).toBe(total);
  });

  test('a workflow that costs more than its maxCredits, or that the tier lacks a part of, says so before it is run', async () => {
    const steps = [
      { id: 'create', operation: { generate: { prompt: 'a mug' } } },
      { id: 'up', from: 'create', operation: { upscale: { mode: 'FAST' } } },
    ];
    const { data } = await gateway.ask<{
      estimateWorkflow: { preflight: { ok: boolean; refusals: { __typename: string }[] } };
    }>('FREE', WORKFLOW, { input: { steps, maxCredits: 5 } });
    expect(data?.estimateWorkflow.preflight.ok).toBe(false);
    expect(data?.estimateWorkflow.preflight.refusals.map(({ __typename }) => __typename)).toEqual([
      'TierTooLow',
      'CapExceeded',
    ]);
  });

  test.each([
    [
      'a step that builds on a later one',
      [{ id: 'a', from: 'b', operation: { upscale: { mode: 'FAST' } } }],
      'steps[0].from',
    ],
    [
      'two steps of one name',
      [
        { id: 'a', operation: { generate: { prompt: 'x' } } },
        { id: 'a', operation: { generate: { prompt: 'x' } } },
      ],
      'steps[1].id',
    ],
    ['a hundred and one runs', [{ id: 'a', times: 101, operation: { generate: { prompt: 'x' } } }], 'steps[0].times'],
    ['no steps', [], 'steps'],
    [
      'a picture for words',
      [
        { id: 'a', operation: { generate: { prompt: 'x' } } },
        { id: 'b', from: 'a', operation: { generate: { prompt: 'x' } } },
      ],
      'steps[1].from',
    ],
    [
      'outpaint by nothing',
      [{ id: 'a', operation: { edit: { outpaint: { left: 0 } } } }],
      'steps[0].operation.edit.outpaint',
    ],
    [
      'more images than a workflow may make',
      [{ id: 'a', times: 100, operation: { generate: { prompt: 'x', count: 10 } } }],
      'steps',
    ],
  ])('%s is an error that names the field', async (_, steps, field) => {
    const { errors } = await gateway.ask('PRO', WORKFLOW, { input: { steps } });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });

  test.each([
    ['two kinds of edit at once', { edit: { removeBackground: {}, general: { prompt: 'x' } } }],
    ['no operation', {}],
    ['two operations', { upscale: { mode: 'FAST' }, generate: { prompt: 'x' } }],
  ])('%s is refused by the schema itself', async (_, operation) => {
    const { errors } = await gateway.ask('PRO', WORKFLOW, { input: { steps: [{ id: 'a', operation }] } });
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
  });
});

describe('an estimate', () => {
  const ALL = `query ($input: GenerateInput!) { estimateGenerate(input: $input) { operation size { width height } credits
    lines { kind label quantity unitCredits credits } quote quoteExpiresAt priceVersion balanceBefore balanceAfter affordableCount expectedSeconds notes
    routes { id provider model healthy expectedSeconds render { width height } enlargement }
    alternatives { description quality model credits saves expectedSeconds } identicalAssets { id } preflight { ok refusals { __typename message } } } }`;
  interface All {
    estimateGenerate: {
      credits: number;
      quote: string;
      lines: { credits: number; kind: string; label: string }[];
      routes: { id: string; healthy: boolean; enlargement: number }[];
      alternatives: { quality: string; credits: number; saves: number }[];
      identicalAssets: { id: string }[];
      affordableCount: number;
      notes: string[];
      balanceAfter: number;
    };
  }

  test('answers price, lines, quote, routes, alternatives and preflight in one round trip, and changes nothing', async () => {
    const customer = await open(gateway, { tier: 'PRO' });
    const before = gateway.sandbox?.journal().length;
    const { data, errors } = await gateway.ask<All>({ key: customer }, ALL, {
      input: { prompt: 'a tower', template: 'blog_header_wide', count: 2 },
    });
    expect(errors).toBeUndefined();
    const estimate = data?.estimateGenerate;
    expect(estimate).toMatchObject({
      size: { width: 2560, height: 1080 },
      credits: 10,
      balanceBefore: 2000,
      balanceAfter: 1990,
      affordableCount: 400,
      preflight: { ok: true },
    });
    expect(estimate?.lines.reduce((sum, line) => sum + line.credits, 0)).toBe(10);
    expect(estimate?.lines.find(({ kind }) => kind === 'PREPARATION')?.label).toMatch(/cut to exactly 2560x1080/);
    expect(estimate?.routes.every(({ healthy, enlargement }) => healthy && enlargement <= 2)).toBe(true);
    expect(estimate?.alternatives.length).toBeGreaterThan(0);
    expect(estimate?.alternatives.every(({ credits, saves }) => credits < 10 && credits + saves === 10)).toBe(true);
    expect(estimate?.notes).toEqual([expect.stringContaining('photographic')]);
    expect(gateway.sandbox?.journal().length).toBe(before);
    const viewer = await gateway.ask(
      { key: customer },
      '{ viewer { balance held credits { openJobs } } jobs { nodes { id } } }',
    );
    expect(viewer.data).toEqual({ viewer: { balance: 2000, held: 0, credits: { openJobs: 0 } }, jobs: { nodes: [] } });
  });

  test('shows pictures of the same input that are in the library already, and nobody else sees them', async () => {
    const customer = await open(gateway, { tier: 'PRO' });
    const input = { prompt: 'the same picture', model: 'stability/core' };
    const { job } = await generate(gateway, customer, input, { waitSeconds: 30 });
    const mine = await gateway.ask<All>({ key: customer }, ALL, { input: { ...input, count: 3 } });
    expect(mine.data?.estimateGenerate.identicalAssets).toEqual([{ id: job.images[0]?.asset?.id }]);
    const theirs = await gateway.ask<All>('PRO', ALL, { input });
    expect(theirs.data?.estimateGenerate.identicalAssets).toEqual([]);
  });

  test('a retired model names its replacement and has no price line', async () => {
    const { data } = await gateway.ask<{ estimateGenerate: unknown }>(
      'PRO',
      '{ estimateGenerate(input: { prompt: "x", model: "imagen-4" }) { routes { id } preflight { ok refusals { __typename ... on ModelRetired { model replacedBy } } } } }',
    );
    expect(data?.estimateGenerate).toEqual({
      routes: [],
      preflight: {
        ok: false,
        refusals: [{ __typename: 'ModelRetired', model: 'gemini/imagen-4', replacedBy: 'gemini/nano-banana' }],
      },
    });
  });

  test.each([
    [{ prompt: '' }, 'prompt'],
    [{ prompt: 'x'.repeat(10_001) }, 'prompt'],
    [{ prompt: 'a\u0000b' }, 'prompt'],
    [{ prompt: 'x', count: 0 }, 'count'],
    [{ prompt: 'x', count: -1 }, 'count'],
    [{ prompt: 'x', count: 11 }, 'count'],
    [{ prompt: 'x', width: 63, height: 64 }, 'width'],
    [{ prompt: 'x', width: 1024 }, 'width'],
    [{ prompt: 'x', width: 1024, height: 1024, aspectRatio: '1:1' }, 'aspectRatio'],
    [{ prompt: 'x', aspectRatio: '0:1' }, 'aspectRatio'],
    [{ prompt: 'x', template: 'no_such' }, 'template'],
    [{ prompt: 'x', model: 'no-such' }, 'model'],
    [{ prompt: 'x', model: 'stability/core', provider: 'GEMINI' }, 'provider'],
    [{ prompt: 'x', seed: -1 }, 'seed'],
    [{ prompt: 'x', stylePreset: 'no-such' }, 'stylePreset'],
  ])('%j is an error that names %s, its value and its limit', async (input, field) => {
    const { data, errors } = await gateway.ask('PRO', ALL, { input });
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(errors?.[0]?.extensions).toHaveProperty('value');
    expect(errors?.[0]?.extensions).toHaveProperty('limit');
  });
});
