import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generate, open, openAccount } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'PRO' });
  const batches = Array.from({ length: 50 }, (_, i) =>
    generate(
      gateway,
      key,
      { prompt: `picture ${i}`, model: 'qwen-image', width: 256, height: 256, seed: i },
      { waitSeconds: 30 },
    ),
  );
  await Promise.all(batches);
});
afterAll(() => gateway.stop());

interface Page {
  readonly nodes: readonly { readonly id: string; readonly createdAt: string }[];
  readonly totalCount?: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function statementsFor(query: string): Promise<{ statements: number; data: unknown }> {
  const { pglite } = gateway.database;
  if (!pglite) throw new Error('this counts the statements of the embedded engine');
  const spy = vi.spyOn(pglite, 'query');
  try {
    const { data, errors } = await gateway.ask({ key }, query);
    expect(errors).toBeUndefined();
    // The queue and the sweeps have connections of their own kind; only what names our tables is counted.
    const ours = spy.mock.calls.filter(
      ([text]) =>
        /"(jobs|job_images|job_attempts|assets|credit_holds|ledger_\w+|credit_balances|accounts|api_keys)"/.test(
          text,
        ) && /^select/i.test(text),
    );
    return { statements: ours.length, data };
  } finally {
    spy.mockRestore();
  }
}

describe('a page of fifty', () => {
  const JOBS = (first: number) =>
    `{ jobs(first: ${first}) { nodes { id images { id attempts { route } asset { id url job { id } } } receipt { captured entries { amount } } } } }`;
  const ASSETS = (first: number) =>
    `{ assets(first: ${first}) { edges { cursor node { id url job { id receipt { captured } images { asset { id } } } } } } }`;

  test.each([
    ['jobs with images, attempts, assets and receipts', JOBS],
    ['assets with their jobs, receipts and images', ASSETS],
  ])('of %s takes as many statements as a page of one', async (_, query) => {
    await statementsFor(query(1));
    const one = await statementsFor(query(1));
    const fifty = await statementsFor(query(50));
    expect(fifty.statements).toBe(one.statements);
    expect(fifty.statements).toBeLessThanOrEqual(8);
  });

  test('walks through everything once, newest first, without gaps or repeats', async () => {
    for (const list of ['jobs', 'assets']) {
      const seen: { readonly id: string; readonly createdAt: string }[] = [];
      let after: string | null = null;
      do {
        const page: { data: Record<string, Page> | null | undefined } = await gateway.ask<Record<string, Page>>(
          { key },
          `query ($after: String) { ${list}(first: 20, after: $after) { nodes { id createdAt } pageInfo { hasNextPage endCursor } } }`,
          { after },
        );
        const { nodes, pageInfo } = page.data?.[list] ?? {
          nodes: [],
          pageInfo: { hasNextPage: false, endCursor: null },
        };
        seen.push(...nodes);
        after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
      } while (after !== null);
      expect(seen).toHaveLength(50);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(50);
      const newestFirst = seen.toSorted((a, b) => (`${a.createdAt} ${a.id}` < `${b.createdAt} ${b.id}` ? 1 : -1));
      expect(seen).toEqual(newestFirst);
    }
  });

  test.each([
    ['first: 0', 'first'],
    ['first: 101', 'first'],
    ['first: -1', 'first'],
    ['after: "nonsense"', 'after'],
    ['after: ""', 'after'],
  ])('%s is refused, naming the limit', async (args, field) => {
    for (const list of ['jobs', 'assets']) {
      const { errors } = await gateway.ask({ key }, `{ ${list}(${args}) { nodes { id } } }`);
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  test('a cursor of one list is refused by the other', async () => {
    const { data } = await gateway.ask<{ jobs: Page }>(
      { key },
      '{ jobs(first: 1) { nodes { id } pageInfo { hasNextPage endCursor } } }',
    );
    const { errors } = await gateway.ask({ key }, 'query ($after: String) { assets(after: $after) { nodes { id } } }', {
      after: data?.jobs.pageInfo.endCursor,
    });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  });

  test('filters', async () => {
    const { data } = await gateway.ask<Record<string, Page>>(
      { key },
      '{ all: assets(first: 100, filter: { provider: WAVESPEED, model: "wavespeed/qwen-image", operation: GENERATE }) { nodes { id } } some: assets(first: 1) { totalCount nodes { id } } none: assets(filter: { provider: GEMINI }) { totalCount nodes { id } } }',
    );
    expect([data?.all?.nodes.length, data?.none?.nodes.length]).toEqual([50, 0]);
    expect([data?.some?.totalCount, data?.some?.nodes.length, data?.none?.totalCount]).toEqual([50, 1, 0]);
  });
});

describe("another account's things", () => {
  test('are answered exactly like things that never existed', async () => {
    const { data } = await gateway.ask<{
      jobs: { nodes: { id: string; images: { asset: { id: string } }[] }[] };
      viewer: { id: string };
    }>({ key }, '{ viewer { id } jobs(first: 1) { nodes { id images { asset { id } } } } }');
    const stranger = await openAccount(gateway, { tier: 'PRO' });
    const ids = { job: data?.jobs.nodes[0]?.id ?? '', asset: data?.jobs.nodes[0]?.images[0]?.asset.id ?? '' };
    const absent = { job: 'job_01m82c2smffqcsd28x34k9d3ev', asset: 'asset_01m82c31mrfqcsd2a1682fhjer' };
    const answerFor = async ({ job, asset }: { job: string; asset: string }) => {
      const query = `mutation { cancelJob(id: "${job}") { id } }`;
      const reads = await gateway.ask(
        { key: stranger.key },
        `{ node(id: "${job}") { id } other: node(id: "${asset}") { id } nodes(ids: ["${job}", "${asset}"]) { id } }`,
      );
      const named = await gateway.ask({ key: stranger.key }, `{ job(id: "${job}") { id } }`);
      const pictured = await gateway.ask({ key: stranger.key }, `{ asset(id: "${asset}") { id } }`);
      const cancelled = await gateway.ask({ key: stranger.key }, query);
      return JSON.stringify([reads, named, pictured, cancelled]).replaceAll(job, 'JOB').replaceAll(asset, 'ASSET');
    };
    expect(await answerFor(ids)).toBe(await answerFor(absent));
    const { data: nodes } = await gateway.ask(
      { key: stranger.key },
      `{ node(id: "${data?.viewer.id}") { id } mine: node(id: "${stranger.id}") { id ... on Viewer { name } } }`,
    );
    expect(nodes).toEqual({ node: null, mine: { id: stranger.id, name: 'a customer' } });
  });
});
