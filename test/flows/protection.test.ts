import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { openAccount } from '../support/stories.ts';

let gateway: TestGateway;
let closed: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
  closed = await startTestGateway({ environment: { INTROSPECTION: 'false', PLAYGROUND: 'false' } });
});
afterAll(async () => {
  await gateway.stop();
  await closed.stop();
});

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.demoKeys?.PRO}`, ...headers },
  });

describe('keys', () => {
  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['another scheme', 'Basic abc'],
    ['an unknown one', `Bearer isg_${'A'.repeat(43)}`],
    ['a malformed one', 'Bearer nonsense'],
    ['ten thousand characters', `Bearer ${'x'.repeat(10_000)}`],
    ['two in one', 'Bearer a b'],
  ])('%s opens nothing', async (_, authorization) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) },
      body: '{"query":"{ viewer { id } }"}',
    });
    const body = (await response.json()) as { data?: unknown; errors: { extensions: { code: string } }[] };
    expect([response.status, body.errors[0]?.extensions.code, body.data ?? null]).toEqual([
      401,
      'UNAUTHENTICATED',
      null,
    ]);
  });

  test('every query and mutation needs one', async () => {
    const { data } = await gateway.ask<{
      __schema: Record<'queryType' | 'mutationType', { fields: { name: string }[] }>;
    }>('PRO', '{ __schema { queryType { fields { name } } mutationType { fields { name } } } }');
    expect(data?.__schema.queryType.fields.length).toBeGreaterThan(10);
    const calls: [string, string][] = [
      ['query', 'viewer { id }'],
      ['query', 'providers { name }'],
      ['query', 'models { id }'],
      ['query', 'templates { id }'],
      ['query', 'priceBook { version }'],
      ['query', 'priceHistory { version }'],
      ['query', 'jobs { nodes { id } }'],
      ['query', 'assets { nodes { id } }'],
      ['query', 'job(id: "x") { id }'],
      ['query', 'asset(id: "x") { id }'],
      ['query', 'budget(id: "x") { id }'],
      ['query', 'budgets { nodes { id } }'],
      ['query', 'collection(id: "x") { id }'],
      ['query', 'collections { nodes { id } }'],
      ['query', 'tags { tag }'],
      ['query', 'upload(id: "x") { assetId }'],
      ['query', 'node(id: "x") { id }'],
      ['query', 'nodes(ids: ["x"]) { id }'],
      ['query', 'estimateGenerate(input: { prompt: "x" }) { credits }'],
      ['query', 'estimateEdit(edit: { removeBackground: {} }) { credits }'],
      ['query', 'estimateUpscale(upscale: { mode: FAST }) { credits }'],
      ['query', 'estimateOptimize(optimize: { platforms: [TIKTOK] }) { credits }'],
      ['query', 'estimateWorkflow(input: { steps: [] }) { credits }'],
      ['query', 'socialFormats { id }'],
      ['query', 'usage { from }'],
      ['query', 'usageLevel { percent }'],
      ['query', 'insights { images }'],
      ['query', 'explainCost(job: "x") { quoted }'],
      ['query', 'ledger { nodes { amount } }'],
      ['query', 'settlementPolicy { event }'],
      ['query', 'verifyLedger { ok }'],
      ['query', 'auditLog { nodes { id } }'],
      ['query', 'accounts { nodes { id } }'],
      ['query', 'account(id: "x") { id }'],
      ['query', 'previewPriceBook(document: {}) { images }'],
      ['query', 'priceDiff(from: 1, to: 1) { path }'],
      ['query', 'marginReport { total { images } }'],
      ['mutation', 'generate(input: { prompt: "x" }) { __typename }'],
      ['mutation', 'editImage(image: "x", edit: { removeBackground: {} }) { __typename }'],
      ['mutation', 'upscaleImage(image: "x", upscale: { mode: FAST }) { __typename }'],
      ['mutation', 'optimizeForSocial(image: "x", optimize: { platforms: [TIKTOK] }) { __typename }'],
      ['mutation', 'runWorkflow(input: { steps: [] }) { __typename }'],
      ['mutation', 'cancelJob(id: "x") { id }'],
      ['mutation', 'createUpload { assetId }'],
      ['mutation', 'importImage(url: "https://example.com/a.png") { id }'],
      ['mutation', 'createBudget(input: { name: "x", cap: 1 }) { id }'],
      ['mutation', 'updateBudget(id: "x", change: {}) { id }'],
      ['mutation', 'updateAsset(id: "x", change: {}) { id }'],
      ['mutation', 'tagAssets(assets: ["x"]) { id }'],
      ['mutation', 'deleteAssets(assets: ["x"]) { id }'],
      ['mutation', 'restoreAssets(assets: ["x"]) { id }'],
      ['mutation', 'createCollection(name: "x") { id }'],
      ['mutation', 'updateCollection(id: "x") { id }'],
      ['mutation', 'deleteCollection(id: "x")'],
      ['mutation', 'addToCollection(id: "x", assets: ["x"]) { id }'],
      ['mutation', 'removeFromCollection(id: "x", assets: ["x"]) { id }'],
      ['mutation', 'moveAssets(from: "x", to: "y", assets: ["x"]) { id }'],
      ['mutation', 'createAccount(input: { name: "x", tier: PRO }) { account { id } }'],
      ['mutation', 'setTier(account: "x", tier: PRO) { id }'],
      ['mutation', 'grantCredits(account: "x", credits: 1) { id }'],
      ['mutation', 'createApiKey(account: "x", label: "x") { secret }'],
      ['mutation', 'rotateApiKey(id: "x") { secret }'],
      ['mutation', 'revokeApiKey(id: "x")'],
      ['mutation', 'publishPriceBook(document: {}) { version }'],
    ];
    const named = (kind: 'queryType' | 'mutationType') => data?.__schema[kind].fields.map(({ name }) => name).sort();
    const covered = (kind: string) =>
      calls
        .filter(([operation]) => operation === kind)
        .map(([, call]) => /^\w+/.exec(call)?.[0])
        .sort();
    expect(covered('query')).toEqual(named('queryType'));
    expect(covered('mutation')).toEqual(named('mutationType'));
    for (const [operation, call] of calls) {
      const { errors } = await gateway.ask(null, `${operation} { ${call} }`);
      expect([call, errors?.[0]?.extensions?.code]).toEqual([call, 'UNAUTHENTICATED']);
    }
  });

  test('what is for operators is forbidden to customers, and changes nothing', async () => {
    for (const call of [
      'createAccount(input: { name: "x", tier: PRO }) { account { id } }',
      'grantCredits(account: "x", credits: 1) { id }',
      'setTier(account: "x", tier: PRO) { id }',
      'createApiKey(account: "x", label: "x") { secret }',
      'publishPriceBook(document: {}) { version }',
    ]) {
      const { errors } = await gateway.ask('ENTERPRISE', `mutation { ${call} }`);
      expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    }
    expect((await gateway.ask('PRO', '{ priceHistory { version } }')).errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  });

  test('a revoked key stops working at once', async () => {
    const { key, keyId } = await openAccount(gateway, { tier: 'PRO' });
    expect((await gateway.ask({ key }, '{ viewer { id } }')).errors).toBeUndefined();
    await gateway.ask('OPERATOR', 'mutation ($id: ID!) { revokeApiKey(id: $id) }', { id: keyId });
    expect((await gateway.ask({ key }, '{ viewer { id } }')).errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
  });
});

describe('abuse is refused before any work', () => {
  test.each([
    ['a hundred aliases', `{ ${Array.from({ length: 100 }, (_, i) => `a${i}: __typename`).join(' ')} }`],
    [
      'a hundred mutations in one',
      `mutation { ${Array.from({ length: 100 }, (_, i) => `a${i}: generate(input: { prompt: "x" }) { __typename }`).join(' ')} }`,
    ],
    [
      'twenty-one mutations behind a fragment',
      `mutation { ... { ${Array.from({ length: 21 }, (_, i) => `a${i}: generate(input: { prompt: "x" }) { __typename }`).join(' ')} } }`,
    ],
    ['a subscription, which there are none of', 'subscription { x }'],
    ['a deep query', `{ jobs { nodes { ${'images { asset { job { '.repeat(8)} id ${'} } } '.repeat(8)} } } }`],
    ['ten thousand directives', `{ viewer { id ${'@include(if: true) '.repeat(900)} } }`],
    ['a fragment that spreads itself', '{ viewer { ...F } } fragment F on Viewer { id ...F }'],
    [
      'fragments that double',
      `{ viewer { ...F0 } } ${Array.from({ length: 20 }, (_, i) => `fragment F${i} on Viewer { ...F${i + 1} ...F${i + 1} }`).join(' ')} fragment F20 on Viewer { id }`,
    ],
    [
      'a page of pages of pages',
      '{ assets(first: 100) { nodes { job { images { asset { job { images { asset { id } } } } } } } } a: jobs(first: 100) { nodes { images { attempts { route } asset { id } } } } b: jobs(first: 100) { nodes { images { asset { job { id } } } receipt { entries { amount } } } } c: jobs(first: 100) { nodes { images { asset { job { receipt { entries { amount } } } } } receipt { entries { amount } } } } d: assets(first: 100) { nodes { job { receipt { entries { amount } } images { asset { id } attempts { route } } } } } e: assets(first: 100) { nodes { job { receipt { entries { amount } } images { asset { id } attempts { route } } } } } f: jobs(first: 100) { nodes { receipt { entries { amount } } images { asset { job { receipt { entries { amount } } } } } } } g: jobs(first: 100) { nodes { receipt { entries { amount } } images { asset { job { receipt { entries { amount } } } } } } } h: jobs(first: 100) { nodes { receipt { entries { amount } } images { asset { job { receipt { entries { amount } } } } } } } }',
    ],
    ['ten thousand tokens', `{ viewer { ${'id '.repeat(10_000)} } }`],
  ])('%s', async (_, query) => {
    const before = gateway.sandbox?.journal().length;
    const { data, errors } = await gateway.ask('PRO', query);
    expect(data ?? null).toBeNull();
    expect(errors?.length).toBeLessThanOrEqual(5);
    expect(errors?.[0]?.extensions?.code).toMatch(/^GRAPHQL_(VALIDATION|PARSE)_FAILED$/);
    expect(gateway.sandbox?.journal().length).toBe(before);
  });

  test('a body over the limit is 413, a batch, a form and a plain GET are refused, a GET cannot mutate', async () => {
    expect((await post(`{"query":"{ viewer { id } }","variables":{"x":"${'x'.repeat(300_000)}"}}`)).status).toBe(413);
    expect((await post('[{"query":"{ viewer { id } }"},{"query":"{ viewer { id } }"}]')).status).toBe(400);
    expect(
      (await post('query=%7Bviewer%7Bid%7D%7D', { 'content-type': 'application/x-www-form-urlencoded' })).status,
    ).toBeGreaterThanOrEqual(400);
    expect((await post('{ viewer { id } }', { 'content-type': 'text/plain' })).status).toBeGreaterThanOrEqual(400);
    expect((await fetch(`${gateway.url}/graphql?query=%7B__typename%7D`)).status).toBe(400);
    const mutation = await fetch(`${gateway.url}/graphql?query=mutation%7BcancelJob(id%3A%22x%22)%7Bid%7D%7D`, {
      headers: { 'apollo-require-preflight': 'yes', authorization: `Bearer ${gateway.demoKeys?.PRO}` },
    });
    expect(mutation.status).toBe(405);
  });

  test.each([
    '',
    'not json',
    '{"query":',
    '{"query": 5}',
    'null',
    '"text"',
    '{"query":"{ viewer { id } }","variables":5}',
    '{"query":"{ viewer { id } }","__proto__":{"x":1}}',
  ])('the body %j is answered in form, never with a 500', async (body) => {
    const response = await post(body);
    expect(response.status).toBeLessThan(500);
    expect(await response.json()).toBeTypeOf('object');
  });

  test('with introspection off the schema stays hidden, suggestions included', async () => {
    const introspection = await closed.ask('PRO', '{ __schema { types { name } } }');
    expect(introspection.data ?? null).toBeNull();
    const typo = await closed.ask('PRO', '{ viewe { id } }');
    expect(JSON.stringify(typo.errors)).not.toMatch(/viewer/);
  });

  test('an error of our own is masked behind an id', async () => {
    const { pglite } = gateway.database;
    await pglite?.query('alter table jobs rename to jobs_gone');
    try {
      const { errors } = await gateway.ask('PRO', '{ jobs { nodes { id } } }');
      expect(errors?.[0]?.extensions).toEqual({
        code: 'INTERNAL_SERVER_ERROR',
        errorId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      expect(JSON.stringify(errors)).not.toMatch(/relation|jobs_gone|select|Error:/i);
    } finally {
      await pglite?.query('alter table jobs_gone rename to jobs');
    }
  });
});

describe('probes', () => {
  test('live and ready tell the truth, and metrics are there', async () => {
    expect(await (await fetch(`${gateway.url}/live`)).json()).toEqual({ status: 'live' });
    expect((await fetch(`${gateway.url}/ready`)).status).toBe(200);
    expect(await (await fetch(`${gateway.url}/metrics`)).text()).toContain('gateway_price_book_loads_total');
  });
});
