import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from '../support/browser.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';

describe.skipIf(!hasBrowser)('the playground of a running gateway, in a browser', () => {
  let gateway: TestGateway;
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    gateway = await startTestGateway();
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1500, height: 950 } });
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${gateway.url.replace('localhost', '127.0.0.1')}/graphql`);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  });
  afterAll(async () => {
    await browser.close();
    await expectLawsHold(gateway.database.db);
    await gateway.stop();
  });

  /** Chooses a tab, runs it as it stands, and answers what the gateway answered. */
  async function run(tab: string): Promise<Record<string, never>> {
    await page.locator('.graphiql-tab-button', { hasText: tab }).click();
    await expect.poll(() => page.locator('.graphiql-tab-active .graphiql-tab-button').textContent()).toBe(tab);
    const [response] = await Promise.all([
      page.waitForResponse((candidate) => candidate.request().postData()?.includes(`${tab}`) ?? false),
      page.locator('.graphiql-execute-button').click(),
    ]);
    const { data, errors } = (await response.json()) as { data: Record<string, never>; errors?: unknown };
    expect(errors).toBeUndefined();
    await expect
      .poll(async () => (await page.locator('.result-window .view-lines').first().textContent()) ?? '')
      .toContain('data');
    return data;
  }

  test('every example runs at the first press, with the demo key in place, and asks nobody outside', async () => {
    expect(await run('EstimateOneImage')).toMatchObject({ estimateGenerate: { credits: 4, preflight: { ok: true } } });
    const guide = await run('GuideExamples');
    expect(Object.values(guide).map((estimate) => (estimate as { credits: number }).credits)).toEqual([29, 12, 21, 90]);
    expect(await run('GenerateAndReadReceipt')).toMatchObject({ generate: { job: { status: 'SUCCEEDED' } } });
    expect(await run('MyAccount')).toMatchObject({ viewer: { tier: 'PRO' } });
    expect(await run('PriceBook')).toMatchObject({ priceBook: { version: 1 } });
    const origin = gateway.url.replace('localhost', '127.0.0.1');
    expect(
      requests.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('data:') && !url.startsWith('blob:')),
    ).toEqual([]);
    expect(complaints).toEqual([]);
    if (process.env.SCREENSHOTS) {
      await run('GuideExamples');
      await page.screenshot({ path: join(process.env.SCREENSHOTS, 'playground.png') });
    }
  });

  test('programs that ask the same address get GraphQL and not the page', async () => {
    const { data } = await gateway.ask('PRO', '{ __typename }');
    expect(data).toEqual({ __typename: 'Query' });
    const page = await fetch(`${gateway.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect((await fetch(`${gateway.url}/graphql`, { headers: { accept: 'application/json' } })).status).toBe(400);
  });
});
