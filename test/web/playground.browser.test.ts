import { mkdtemp } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FastifyInstance, fastify } from 'fastify';
import { buildSchema, graphql, Kind, parse } from 'graphql';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PLAYGROUND_TABS } from '../../src/web/examples.ts';
import { createPlayground, type Playground } from '../../src/web/playground.ts';
import { hasBrowser, launchBrowser } from '../support/browser.ts';

const operationsIn = (query: string) =>
  parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length;

describe.skipIf(!hasBrowser)('the playground in a browser', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let app: FastifyInstance;
  let address: string;
  let playground: Playground;
  let requests: string[];
  let complaints: string[];
  let authorizations: (string | undefined)[];
  let broken: boolean;

  const schema = buildSchema('type Query { "Says it back." hello(name: String): String }');

  beforeAll(async () => {
    browser = await launchBrowser();
    app = fastify();
    await app.register(createPlayground({ endpoint: '/graphql', demoKey: null, tabs: [] }).files);
    app.get('/graphql', (request, reply) =>
      playground.wants(request.headers) ? playground.send(reply) : reply.code(406).send(),
    );
    app.addHook('preHandler', async (request, reply) => {
      if (broken && request.method === 'POST') return reply.code(502).send('Bad gateway');
    });
    app.post<{ Body: { query: string; variables?: Record<string, unknown>; operationName?: string } }>(
      '/graphql',
      (request) => {
        const { query, variables, operationName } = request.body;
        if (query.includes('IntrospectionQuery')) return graphql({ schema, source: query });
        authorizations.push(request.headers.authorization);
        if (operationName && !query.includes(operationName)) return { errors: [{ message: 'no such operation' }] };
        return { data: { answer: 42, variables: variables ?? null }, extensions: { billing: { available: 25 } } };
      },
    );
    await app.listen({ port: 0, host: '127.0.0.1' });
    address = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser.close();
    await app.close();
  });

  beforeEach(async () => {
    requests = [];
    complaints = [];
    authorizations = [];
    broken = false;
    playground = createPlayground({ endpoint: '/graphql', demoKey: 'demo-key', tabs: PLAYGROUND_TABS });
    context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    context.on('request', (request) => requests.push(request.url()));
    page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
  });
  afterEach(() => context.close());

  const tabs = () => page.locator('.graphiql-tab-button').allTextContents();
  const editor = () => textOf('.graphiql-query-editor .view-lines');
  const result = () => textOf('.result-window .view-lines');
  const headers = () => textOf('.graphiql-editor-tool .view-lines >> visible=true');

  /** However the editor breaks its lines, and whichever kind of space it draws. */
  async function textOf(selector: string): Promise<string> {
    return ((await page.locator(selector).first().textContent()) ?? '').replace(/\s+/g, ' ');
  }

  /** One press: a tab must not need a second one. */
  async function choose(tab: string): Promise<void> {
    await page.locator('.graphiql-tab-button', { hasText: tab }).click();
    await expect.poll(() => page.locator('.graphiql-tab-active .graphiql-tab-button').textContent()).toBe(tab);
  }

  async function open(): Promise<void> {
    await page.goto(`${address}/graphql`);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  }

  /** Which tab a reload would come back to; GraphiQL writes it down half a second after a change. */
  function rememberedTab(): Promise<number | undefined> {
    return page.evaluate(() => {
      const key = Object.keys(localStorage).find((name) => name.endsWith('graphiql:tabState'));
      return key && JSON.parse(localStorage.getItem(key) ?? '').activeTabIndex;
    });
  }

  /** Runs what the tab shows; one of many operations asks which, once it has counted them, and is told the first. */
  async function run(operations = 1): Promise<string> {
    const before = authorizations.length;
    const button = page.locator('.graphiql-execute-button');
    await expect.poll(() => button.getAttribute('aria-haspopup')).toBe(operations > 1 ? 'menu' : null);
    await button.click();
    if (operations > 1) await page.getByRole('menuitem').first().click();
    await expect.poll(() => authorizations.length, { timeout: 10_000 }).toBe(before + 1);
    await expect.poll(result, { timeout: 10_000 }).toContain('answer');
    return result();
  }

  it('shows our examples, has the demo key in place and runs the first one', async () => {
    await open();
    expect(await tabs()).toEqual([
      'EstimateOneImage',
      'GuideExamples',
      'GenerateAndReadReceipt',
      'SocialCampaign',
      'EstimateEdit',
      'WatchJob',
      'WatchBalance',
      'MyAccount',
      'EveryCredit',
      'PriceBook',
    ]);
    await expect.poll(editor).toContain('estimateGenerate');
    await expect.poll(headers).toContain('"Authorization": "Bearer demo-key"');

    const answer = await run();
    expect(answer).toContain('"answer": 42');
    expect(answer).toContain('"available": 25');
    expect(authorizations).toEqual(['Bearer demo-key']);

    const folder = await mkdtemp(join(tmpdir(), 'playground-'));
    await page.screenshot({ path: join(folder, 'playground.png') });
    expect(complaints).toEqual([]);
  });

  it('asks nobody but this server anything, workers and every tab included', async () => {
    await open();
    const posted = (await tabs())
      .map((name, index) => ({ name, operations: operationsIn(PLAYGROUND_TABS[index]?.query ?? '') }))
      .filter(({ name }) => !name.startsWith('Watch'));
    for (const { name, operations } of posted) {
      await choose(name);
      await run(operations);
    }
    const worker = (label: string) => requests.some((url) => url.endsWith(`/${label}.worker.js`));
    await expect.poll(() => ['editor', 'json', 'graphql'].every(worker), { timeout: 10_000 }).toBe(true);
    expect(requests.filter((url) => !url.startsWith(`${address}/`) && !url.startsWith('data:'))).toEqual([]);
    expect(authorizations).toEqual(posted.map(() => 'Bearer demo-key'));
    expect(complaints).toEqual([]);
  });

  it('comes back after a reload as it was left, with no tab more', async () => {
    await open();
    await expect.poll(rememberedTab).toBe(0);
    await open();
    expect(await tabs()).toHaveLength(PLAYGROUND_TABS.length);

    await choose('MyAccount');
    await expect.poll(editor).toContain('viewer');
    await expect.poll(rememberedTab).toBe((await tabs()).indexOf('MyAccount'));
    for (let reloads = 0; reloads < 2; reloads++) await open();
    expect(await tabs()).toHaveLength(PLAYGROUND_TABS.length);
    await expect.poll(editor).toContain('viewer');
    await run();
    expect(authorizations).toEqual(['Bearer demo-key']);
    expect(complaints).toEqual([]);
  });

  it('uses a new demo key at once, whatever it remembers of the old one', async () => {
    await open();
    await expect.poll(rememberedTab).toBe(0);
    playground = createPlayground({ endpoint: '/graphql', demoKey: 'another-key', tabs: PLAYGROUND_TABS });
    await open();
    await expect.poll(headers).toContain('Bearer another-key');
    await run();
    expect(authorizations).toEqual(['Bearer another-key']);
  });

  it('shows the variables of an example, also of the first', async () => {
    const query = 'query Greeting($name: String) { hello(name: $name) }';
    playground = createPlayground({
      endpoint: '/graphql',
      demoKey: null,
      tabs: [{ query, variables: '{ "name": "Ada" }' }],
    });
    await open();
    expect(await run()).toContain('"name": "Ada"');
    expect(authorizations).toEqual([undefined]);
    expect(complaints).toEqual([]);
  });

  it('shows what a server that speaks no JSON says', async () => {
    await open();
    broken = true;
    await page.locator('.graphiql-execute-button').click();
    await expect.poll(result).toContain('The server answered 502 with something else than JSON: Bad gateway');
  });

  it('opens empty where there are no examples', async () => {
    playground = createPlayground({ endpoint: '/graphql', demoKey: null, tabs: [] });
    await open();
    expect(await tabs()).toEqual(['<untitled>']);
    expect(complaints).toEqual([]);
  });
});
