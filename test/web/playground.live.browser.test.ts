import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from '../support/browser.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { countListeners } from '../support/live.ts';
import { generate } from '../support/stories.ts';

describe.skipIf(!hasBrowser)('subscriptions in the playground of a running gateway', () => {
  let gateway: TestGateway;
  let browser: Browser;
  let page: Page;
  let key: string;
  let complaints: string[];
  let sockets: string[];
  let listeners: ReturnType<typeof countListeners>;

  beforeAll(async () => {
    gateway = await startTestGateway();
    key = gateway.demoKeys?.PRO ?? '';
    listeners = countListeners();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    listeners.restore();
    await gateway.stop();
  });

  beforeEach(async () => {
    complaints = [];
    sockets = [];
    page = await (await browser.newContext({ viewport: { width: 1500, height: 950 } })).newPage();
    page.on('websocket', (socket) => sockets.push(socket.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    const { data } = await gateway.ask<{ jobs: { nodes: { id: string }[] } }>(
      'PRO',
      '{ jobs(first: 50) { nodes { id } } }',
    );
    for (const { id } of data?.jobs.nodes ?? []) await cancel(id);
    await page.goto(`${origin()}/graphql`);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  });

  const NEVER = { prompt: 'it never comes [sandbox:never]', model: 'stability/core' };
  const origin = () => gateway.url.replace('localhost', '127.0.0.1');
  const execute = () => page.locator('.graphiql-execute-button');
  const choose = (tab: string) => page.locator('.graphiql-tab-button', { hasText: tab }).click();

  async function result(): Promise<string> {
    return ((await page.locator('.result-window .view-lines').first().textContent()) ?? '').replace(/\s+/g, ' ');
  }

  /** Puts something else into the variables or headers, whichever are open. */
  async function paste(text: string): Promise<void> {
    await page.locator('.graphiql-editor-tool .view-lines >> visible=true').first().click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.insertText(text);
    // The editor closes brackets by itself, also those that were pasted closed.
    await page.keyboard.press('ControlOrMeta+Shift+End');
    await page.keyboard.press('Delete');
  }

  async function cancel(id: string): Promise<void> {
    await gateway.ask('PRO', 'mutation ($id: ID!) { cancelJob(id: $id) { id } }', { id });
  }

  test('a job is seen moving up, running and ending, over a WebSocket to this server alone', async () => {
    const running: string[] = [];
    // As many as the tier runs at once.
    for (let i = 0; i < 16; i++) running.push((await generate(gateway, key, NEVER)).job.id);
    const first = await generate(gateway, key, NEVER);
    const { job } = await generate(gateway, key, NEVER);
    await choose('WatchJob');
    await page.getByRole('button', { name: 'Variables' }).click();
    await paste(JSON.stringify({ id: job.id }));
    await execute().click();
    await expect.poll(result, { timeout: 10_000 }).toContain('"position": 2');
    await cancel(first.job.id);
    await expect.poll(result).toContain('"position": 1');
    await cancel(running.pop() ?? '');
    await expect.poll(result).toContain('"status": "RUNNING", "position": null');
    if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, 'watch-job.png') });
    await cancel(job.id);
    await expect.poll(result).toContain('"status": "CANCELLED", "position": null');
    expect(sockets).toEqual([`${origin().replace('http', 'ws')}/graphql`]);
    expect(complaints).toEqual([]);
  });

  test.each<[string, () => Promise<void>]>([
    ['stopped', () => execute().click()],
    ['left for another tab', () => choose('MyAccount')],
    ['closed with its tab', () => page.locator('.graphiql-tab-active .graphiql-tab-close').click()],
    ['closed with the page', () => page.close()],
  ])('a balance is shown at the first press, and nothing listens any more once it is %s', async (_, leave) => {
    const before = listeners.count();
    await choose('WatchBalance');
    await execute().click();
    await expect.poll(result, { timeout: 10_000 }).toContain('"held": 0');
    expect(listeners.count()).toBe(before + 1);
    await leave();
    await expect.poll(listeners.count).toBe(before);
    expect(complaints).toEqual([]);
  });

  test('what is wrong is said: an id that there is not, a key that does not work', async () => {
    await choose('WatchJob');
    await execute().click();
    await expect.poll(result, { timeout: 10_000 }).toContain('No job with the id \\"job_…\\" in this account.');
    await page.getByRole('button', { name: 'Headers' }).click();
    await paste('{ "Authorization": "Bearer nonsense" }');
    await execute().click();
    await expect.poll(result).toContain('The connection was closed: This API key is not valid');
  });
});
