import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import { PricePreviews } from '../../src/usage/price-preview.service.ts';
import { PricePreviewStore } from '../../src/usage/price-preview.store.ts';
import { freshDatabase } from '../support/databases.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { keyFor, notesUses } from '../support/keys.ts';
import { runOperation } from '../support/operations.ts';
import { generate, openAccount } from '../support/stories.ts';

let gateway: TestGateway;
let database: Database;
let statements = 0;
beforeAll(async () => {
  database = await freshDatabase('pglite');
  const counted = database.db.withPlugin({
    transformQuery: ({ node }) => {
      if (!notesUses(node)) statements += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const environment = { CREDIT_VALUE_USD: '0.02' };
  gateway = await startTestGateway({ database: { ...database, db: counted }, environment });
});
afterAll(async () => {
  await gateway.stop();
  await database.close();
});

async function ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await gateway.ask<T>('OPERATOR', query, variables);
  expect(errors).toBeUndefined();
  return data as T;
}

const WAIT = { waitSeconds: 30 };
const DONE = { status: 'SUCCEEDED' };

describe('previewPriceBook', () => {
  const PREVIEW = `query ($document: JSONObject!) { previewPriceBook(document: $document) {
    complete images credits creditsUnderDraft difference unpricedImages unpricedCredits accountsAffected
    rows { label images freeImages credits unitCreditsUnderDraft creditsUnderDraft difference } } }`;
  const preview = async (document: object) =>
    (await ask<{ previewPriceBook: Record<string, unknown> }>(PREVIEW, { document })).previewPriceBook;
  /** STANDARD M dearer, removeBackground M cheaper, a free picture dearer, and no FAST upscale any more. */
  const DRAFT = {
    ...GUIDE_PRICE_BOOK,
    generateByQuality: { ...GUIDE_PRICE_BOOK.generateByQuality, STANDARD: { S: 3, M: 5, L: 5 } },
    generateByModel: { ...GUIDE_PRICE_BOOK.generateByModel, 'gemini/nano-banana': { S: 9, M: 9, L: 9 } },
    edit: { ...GUIDE_PRICE_BOOK.edit, removeBackground: { S: 2, M: 2.5, L: 3 } },
    upscale: { CONSERVATIVE: { S: 6, M: 6, L: 7 }, CREATIVE: { S: 6, M: 6 } },
  };

  beforeAll(async () => {
    const [ada, bob, eve, unchanged] = [
      await openAccount(gateway, { tier: 'PRO' }),
      await openAccount(gateway, { tier: 'PRO' }),
      await openAccount(gateway, { tier: 'PRO' }),
      await openAccount(gateway, { tier: 'PRO' }),
    ];
    expect((await generate(gateway, ada.key, { prompt: 'two boats', count: 2 }, WAIT)).job).toMatchObject(DONE);
    const free = await generate(gateway, ada.key, { prompt: 'a free boat', provider: 'GEMINI' }, WAIT);
    expect(free.job).toMatchObject({ ...DONE, credits: 0 });
    const { job } = await generate(gateway, bob.key, { prompt: 'a sketch', quality: 'DRAFT' }, WAIT);
    const image = job.images[0]?.asset?.id ?? '';
    await runOperation(gateway, bob.key, 'edit', image, { removeBackground: {} }, WAIT);
    const steps = [
      { id: 'small', operation: { generate: { prompt: 'a stamp', quality: 'DRAFT', width: 512, height: 512 } } },
      { id: 'large', from: 'small', operation: { upscale: { mode: 'FAST' } } },
    ];
    await runOperation(gateway, bob.key, 'workflow', null, { steps }, WAIT);
    expect((await generate(gateway, unchanged.key, { prompt: 'x', quality: 'DRAFT' }, WAIT)).job).toMatchObject(DONE);
    // Too long ago, not delivered, and not ended: none of it counts.
    const old = await generate(gateway, eve.key, { prompt: 'an old boat' }, WAIT);
    await sql`update jobs set created_at = created_at - interval '31 days' where id = ${old.job.id}`.execute(
      database.db,
    );
    const gone = await generate(
      gateway,
      eve.key,
      { prompt: 'no boat [sandbox:status=400]', model: 'stability/core' },
      WAIT,
    );
    expect(gone.job.status).toBe('FAILED');
  });

  test('tells what images would have cost, row by row, from single operations and from steps alike', async () => {
    const row = (label: string, images: number, credits: number, unit: number | null, draft: number | null) => ({
      label,
      images,
      freeImages: 0,
      credits,
      unitCreditsUnderDraft: unit,
      creditsUnderDraft: draft,
      difference: draft === null ? null : draft - credits,
    });
    expect(await preview(DRAFT)).toEqual({
      complete: true,
      images: 8,
      credits: 16,
      creditsUnderDraft: 17.5,
      difference: 1.5,
      unpricedImages: 1,
      unpricedCredits: 2,
      accountsAffected: 2,
      rows: [
        row('Upscale, FAST, size S', 1, 2, null, null),
        row('Generate, STANDARD quality, size M', 2, 8, 5, 10),
        row('Edit, removeBackground, size M', 1, 3, 2.5, 2.5),
        row('Generate, DRAFT quality, size M', 2, 4, 2, 4),
        row('Generate, DRAFT quality, size S', 1, 1, 1, 1),
        { ...row('Generate, gemini/nano-banana, size M', 1, 0, 9, 0), freeImages: 1 },
      ],
    });
  });

  test('the price book in force changes nothing', async () => {
    expect(await preview(GUIDE_PRICE_BOOK)).toMatchObject({
      images: 8,
      difference: 0,
      unpricedImages: 0,
      accountsAffected: 0,
    });
  });

  test('counts an account whose images cost another amount, though the row as a whole would bring the same', async () => {
    const { id } = await openAccount(gateway, { tier: 'PRO' });
    await sql`update job_images set credits = credits + 1000 where id = (
      select i.id from job_images i join jobs j on j.id = i.job_id where j.request->>'prompt' = 'two boats' and i.index = 0)`.execute(
      database.db,
    );
    await sql`update job_images set credits = credits - 1000 where id = (
      select i.id from job_images i join jobs j on j.id = i.job_id where j.request->>'prompt' = 'two boats' and i.index = 1)`.execute(
      database.db,
    );
    expect(await preview(GUIDE_PRICE_BOOK)).toMatchObject({ difference: 0, accountsAffected: 1 });
    await sql`update job_images set credits = 4000 where job_id = (select id from jobs where request->>'prompt' = 'two boats')`.execute(
      database.db,
    );
    expect(id).toMatch(/^account_/);
  });

  test('refuses what could not be published, by the same words, and publishes nothing', async () => {
    const document = { ...GUIDE_PRICE_BOOK, edit: { removeBackground: { M: -1 } } };
    const asked = await gateway.ask('OPERATOR', PREVIEW, { document });
    const published = await gateway.ask(
      'OPERATOR',
      'mutation ($document: JSONObject!) { publishPriceBook(document: $document) { version } }',
      { document },
    );
    expect(asked.errors?.[0]).toMatchObject({ extensions: { field: 'document.edit.removeBackground.M' } });
    expect(asked.errors?.[0]?.message).toBe(published.errors?.[0]?.message);
    expect(await ask('{ priceBook { version } }')).toEqual({ priceBook: { version: 1 } });
  });

  test('looks at the newest images where there are too many, and says so', async () => {
    const few = new PricePreviews(gateway.priceBooks, new PricePreviewStore(database.db), systemClock, 3);
    expect(await few.preview(GUIDE_PRICE_BOOK)).toMatchObject({ complete: false, images: 3 });
    const enough = new PricePreviews(gateway.priceBooks, new PricePreviewStore(database.db), systemClock, 8);
    expect(await enough.preview(GUIDE_PRICE_BOOK)).toMatchObject({ complete: true, images: 8 });
  });
});

describe('priceDiff', () => {
  test('shows every value that differs, tiers and vendor costs included, and nothing else', async () => {
    const { FREE } = GUIDE_PRICE_BOOK.tiers;
    const document = {
      ...GUIDE_PRICE_BOOK,
      optimize: 1,
      upscale: { ...GUIDE_PRICE_BOOK.upscale, FAST: { S: 2 } },
      vendorCosts: { ...GUIDE_PRICE_BOOK.vendorCosts, 'stability/core': { perMegapixel: 30_000 } },
      tiers: {
        ...GUIDE_PRICE_BOOK.tiers,
        FREE: { ...FREE, modules: FREE.modules.toReversed(), freeImages: { huggingface: 5, gemini: 2 } },
      },
    };
    const { publishPriceBook } = await ask<{ publishPriceBook: { version: number } }>(
      'mutation ($document: JSONObject!) { publishPriceBook(document: $document, effectiveAt: "2099-01-01T00:00:00Z") { version } }',
      { document },
    );
    const DIFF = 'query ($from: Int!, $to: Int!) { priceDiff(from: $from, to: $to) { path before after } }';
    const { version } = publishPriceBook;
    expect(await ask(DIFF, { from: 1, to: version })).toEqual({
      priceDiff: [
        { path: 'optimize', before: 0, after: 1 },
        { path: 'tiers.FREE.freeImages.gemini', before: 3, after: 2 },
        { path: 'upscale.FAST.M', before: 2, after: null },
        { path: 'vendorCosts.stability/core.perImage', before: 30_000, after: null },
        { path: 'vendorCosts.stability/core.perMegapixel', before: null, after: 30_000 },
      ],
    });
    expect(await ask(DIFF, { from: version, to: version })).toEqual({ priceDiff: [] });
    const { errors } = await gateway.ask('OPERATOR', DIFF, { from: 1, to: 9_999 });
    expect(errors?.[0]?.extensions?.code).toBe('NOT_FOUND');
  });
});

describe('marginReport', () => {
  const MARGIN = `query ($from: DateTime, $to: DateTime) { marginReport(from: $from, to: $to) { creditValueUsd
    total { ...M } models { model margin { ...M } } } }
    fragment M on Margin { attempts images freeImages credits vendorUsd vendorUsdPerCredit lossUsd marginUsd }`;
  interface Shown {
    readonly attempts: number;
    readonly images: number;
    readonly credits: number;
    readonly vendorUsd: number;
    readonly lossUsd: number;
    readonly marginUsd: number;
  }
  interface Report {
    readonly marginReport: {
      readonly total: Shown;
      readonly models: readonly { readonly model: string; readonly margin: Shown }[];
    };
  }

  test('sets what vendors charge for every call, losses included, against what was captured, loss makers first', async () => {
    const { key } = await openAccount(gateway, { tier: 'PRO' });
    const { job } = await generate(gateway, key, { prompt: 'a castle', model: 'stability/ultra' }, WAIT);
    const imageId = job.images[0]?.id ?? '';
    await sql`insert into job_attempts (id, image_id, route_id, outcome, vendor_cost_micros, started_at, finished_at)
      values (${newId('attempt')}, ${imageId}, 'stability/ultra', 'unknown', 80000, now(), now())`.execute(database.db);
    const { marginReport } = await ask<Report>(MARGIN);
    const { total, models } = marginReport;
    const marginOf = (name: string) => models.find(({ model }) => model === name)?.margin;
    expect(marginOf('stability/ultra')).toEqual({
      attempts: 2,
      images: 1,
      freeImages: 0,
      credits: 8,
      vendorUsd: 0.16,
      vendorUsdPerCredit: 0.02,
      lossUsd: 0.08,
      marginUsd: 0,
    });
    // A free picture costs us and brings nothing.
    expect(marginOf('gemini/nano-banana')).toMatchObject({
      images: 1,
      freeImages: 1,
      credits: 0,
      vendorUsdPerCredit: null,
      marginUsd: -0.0336,
    });
    const margins = models.map(({ margin }) => margin.marginUsd);
    expect(margins).toEqual(margins.toSorted((a, b) => a - b));
    expect(models.every(({ model }) => !model.includes('@'))).toBe(true);
    const { rows } = await sql<{ cost: bigint; loss: bigint; captured: bigint }>`
      select (select sum(vendor_cost_micros)::bigint from job_attempts) as cost,
        (select sum(vendor_cost_micros)::bigint from job_attempts where outcome <> 'delivered') as loss,
        (select sum(captured)::bigint from credit_balances) as captured`.execute(database.db);
    expect(total).toMatchObject({
      vendorUsd: Number(rows[0]?.cost) / 1e6,
      lossUsd: Number(rows[0]?.loss) / 1e6,
      credits: Number(rows[0]?.captured) / 1e3,
      attempts: models.reduce((sum, { margin }) => sum + margin.attempts, 0),
      images: models.reduce((sum, { margin }) => sum + margin.images, 0),
    });
    expect(total.marginUsd).toBeCloseTo(total.credits * 0.02 - total.vendorUsd, 6);
    expect(marginReport).toMatchObject({ creditValueUsd: 0.02 });
  });

  test('of a time without calls is empty, and a time that ends before it begins or is too long is refused', async () => {
    const empty = await ask<Report>(MARGIN, { from: '2020-01-01T00:00:00Z', to: '2020-02-01T00:00:00Z' });
    expect(empty.marginReport).toMatchObject({
      models: [],
      total: { attempts: 0, credits: 0, vendorUsd: 0, vendorUsdPerCredit: null, marginUsd: 0 },
    });
    for (const time of [
      { from: '2020-02-01T00:00:00Z', to: '2020-01-01T00:00:00Z' },
      { from: '2020-01-01T00:00:00Z', to: '2020-01-01T00:00:00Z' },
      { from: '2020-01-01T00:00:00Z', to: '2022-01-01T00:00:00Z' },
    ]) {
      const { errors } = await gateway.ask('OPERATOR', MARGIN, time);
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'from' });
    }
  });
});

describe('accounts', () => {
  const LIST = `query ($search: String, $tier: Tier, $first: Int! = 100, $after: String) {
    accounts(search: $search, tier: $tier, first: $first, after: $after) { nodes { ...A } pageInfo { hasNextPage endCursor } } }
    fragment A on Viewer { id name tier balance limits { runningJobs } allowances { left } apiKeys { id label } }`;
  interface Found {
    readonly accounts: {
      readonly nodes: readonly {
        readonly id: string;
        readonly name: string;
        readonly apiKeys: readonly { id: string }[];
      }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
    };
  }
  const found = async (variables: Record<string, unknown>) => (await ask<Found>(LIST, variables)).accounts;
  const named = (name: string, tier = 'BASIC') =>
    ask<{ createAccount: { account: { id: string } } }>(
      'mutation ($name: String!, $tier: Tier!) { createAccount(input: { name: $name, tier: $tier }) { account { id } } }',
      { name, tier },
    ).then(({ createAccount }) => createAccount.account.id);

  test('are found by a part of their name, as it is written and whatever its capitals, and by their id', async () => {
    const [percent, plain] = [await named('Ünder 100% _wool_'), await named('Under 100 wool', 'FREE')];
    const ids = async (variables: Record<string, unknown>) => (await found(variables)).nodes.map(({ id }) => id);
    expect(await ids({ search: '100% _WOOL' })).toEqual([percent]);
    expect(await ids({ search: 'wool' })).toEqual([plain, percent]);
    expect(await ids({ search: 'wool', tier: 'FREE' })).toEqual([plain]);
    expect(await ids({ search: percent })).toEqual([percent]);
    expect(await ids({ search: "'; drop table accounts; --" })).toEqual([]);
  });

  test('come in pages that meet without a gap, each with the same number of statements however long it is', async () => {
    const all: string[] = [];
    for (let count = 0; count < 7; count++) all.unshift(await named(`Paged ${count}`));
    const seen: string[] = [];
    let page = await found({ search: 'Paged', first: 3 });
    seen.push(...page.nodes.map(({ id }) => id));
    while (page.pageInfo.hasNextPage) {
      page = await found({ search: 'Paged', first: 3, after: page.pageInfo.endCursor });
      seen.push(...page.nodes.map(({ id }) => id));
    }
    expect(seen).toEqual(all);
    const sent = async (first: number) => {
      statements = 0;
      expect((await found({ search: 'Paged', first })).nodes).toHaveLength(first);
      return statements;
    };
    await sent(1);
    const [one, seven] = [await sent(1), await sent(7)];
    expect([one, seven]).toEqual([one, one]);
    expect(one).toBeLessThan(8);
  });

  test('one by its id: its balance, limits and keys, and never a secret', async () => {
    const { id, key, keyId } = await openAccount(gateway, { tier: 'PRO', limits: { runningJobs: 3 } });
    const second = await keyFor(gateway, id, ['RUN']);
    const { account } = await ask<{ account: Record<string, unknown> }>(
      'query ($id: ID!) { account(id: $id) { id tier balance limits { runningJobs } apiKeys { id scopes } } }',
      { id },
    );
    expect(account).toEqual({
      id,
      tier: 'PRO',
      balance: 2000,
      limits: { runningJobs: 3 },
      apiKeys: [
        { id: second.id, scopes: ['RUN'] },
        { id: keyId, scopes: ['ESTIMATE', 'RUN', 'LIBRARY'] },
      ],
    });
    const asCustomer = await gateway.ask({ key }, 'query ($id: ID!) { account(id: $id) { id } }', { id });
    expect(asCustomer.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  });

  test.each([
    ['first', { first: 0 }],
    ['first', { first: 101 }],
    ['after', { after: 'x' }],
    ['search', { search: 'x'.repeat(201) }],
  ])('a wrong %s is refused by name: %j', async (field, variables) => {
    const { errors } = await gateway.ask('OPERATOR', LIST, variables);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });
});
