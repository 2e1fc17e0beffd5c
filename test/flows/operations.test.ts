import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { migrate, openPostgres } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { CIRCUIT_SETTINGS } from '../../src/routing/circuit.ts';
import { Wire } from '../platform/wire.ts';
import { createPostgresDatabase, hasPostgres } from '../support/databases.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { liveClient, subscribe } from '../support/live.ts';
import { grown, type Samples, scrape } from '../support/prometheus.ts';
import { freePort } from '../support/server-process.ts';
import { generate, open, submit } from '../support/stories.ts';

const INPUT = { prompt: 'a lighthouse' };
const CORE = { ...INPUT, model: 'stability/core' };
/** What is read from the database is read anew after this. */
const EVERY_MS = 5_000;

/** Lets readings that are made once in a while be made anew, without waiting. */
let ahead = 0;
beforeEach(() => {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
});
afterEach(() => void vi.restoreAllMocks());

function scrapeAnew(url: string): Promise<Samples> {
  ahead += EVERY_MS;
  return scrape(url);
}

function estimate(gateway: TestGateway, key: string, input: Record<string, unknown>) {
  return gateway.ask({ key }, 'query ($input: GenerateInput!) { estimateGenerate(input: $input) { credits } }', {
    input,
  });
}

describe('the counts of a scrape', () => {
  const PRICES_LOOKED_UP = 'gateway_price_book_loads_total{source="database"}';
  let gateway: TestGateway;
  let pro: string;
  let free: string;
  beforeAll(async () => {
    gateway = await startTestGateway();
    pro = await open(gateway, { tier: 'PRO' });
    free = await open(gateway, { tier: 'FREE' });
  });
  afterAll(() => gateway.stop());

  const growth = async (story: () => Promise<unknown>) => {
    const before = await scrape(gateway.url);
    await story();
    // Prices are looked up anew every so often, whatever the story is.
    const { [PRICES_LOOKED_UP]: _, ...ofStory } = grown(before, await scrape(gateway.url));
    return ofStory;
  };

  test('a picture that is delivered after a vendor has failed: both calls, their waits and times, one job', async () => {
    const prompt = 'a lighthouse [sandbox:status=503 at=huggingface]';
    expect(await growth(() => generate(gateway, pro, { prompt }, { waitSeconds: 30 }))).toEqual({
      'gateway_submissions_total{operation="GENERATE",outcome="accepted"}': 1,
      'gateway_vendor_attempts_total{route="huggingface/flux-dev",outcome="unknown"}': 1,
      'gateway_vendor_attempts_total{route="stability/core",outcome="delivered"}': 1,
      'gateway_vendor_call_duration_seconds_count{route="huggingface/flux-dev",outcome="unknown"}': 1,
      'gateway_vendor_call_duration_seconds_count{route="stability/core",outcome="delivered"}': 1,
      'gateway_image_wait_seconds_count{provider="huggingface"}': 1,
      'gateway_image_wait_seconds_count{provider="stability"}': 1,
      'gateway_job_duration_seconds_count{operation="GENERATE",status="SUCCEEDED"}': 1,
      'gateway_request_duration_seconds_count{kind="mutation",field="generate",outcome="ok"}': 1,
    });
  });

  test('a picture that every vendor turns down: the call with its reason', async () => {
    const prompt = 'a lighthouse [sandbox:no-funds]';
    expect(await growth(() => generate(gateway, pro, { ...CORE, prompt }, { waitSeconds: 30 }))).toEqual({
      'gateway_submissions_total{operation="GENERATE",outcome="accepted"}': 1,
      'gateway_vendor_attempts_total{route="stability/core",outcome="rejected"}': 1,
      'gateway_vendor_rejections_total{route="stability/core",reason="OUT_OF_FUNDS"}': 1,
      'gateway_vendor_call_duration_seconds_count{route="stability/core",outcome="rejected"}': 1,
      'gateway_image_wait_seconds_count{provider="stability"}': 1,
      'gateway_job_duration_seconds_count{operation="GENERATE",status="FAILED"}': 1,
      'gateway_request_duration_seconds_count{kind="mutation",field="generate",outcome="ok"}': 1,
    });
  });

  test('refused submissions: each once, and every reason of each; an estimate apart from them', async () => {
    const story = async () => {
      await submit(gateway, free, { ...INPUT, quality: 'PREMIUM', count: 5 });
      await submit(gateway, free, { ...INPUT, count: 5 });
      await estimate(gateway, free, { ...INPUT, quality: 'PREMIUM' });
    };
    expect(await growth(story)).toEqual({
      'gateway_submissions_total{operation="GENERATE",outcome="TierTooLow"}': 1,
      'gateway_submissions_total{operation="GENERATE",outcome="TooManyImages"}': 1,
      'gateway_refusals_total{asked="submission",operation="GENERATE",type="TierTooLow"}': 1,
      'gateway_refusals_total{asked="submission",operation="GENERATE",type="TooManyImages"}': 2,
      'gateway_refusals_total{asked="submission",operation="GENERATE",type="InsufficientCredits"}': 1,
      'gateway_refusals_total{asked="estimate",operation="GENERATE",type="TierTooLow"}': 1,
      'gateway_request_duration_seconds_count{kind="mutation",field="generate",outcome="ok"}': 2,
      'gateway_request_duration_seconds_count{kind="query",field="estimateGenerate",outcome="ok"}': 1,
    });
  });

  test('a repeated submission: as such, and nothing else', async () => {
    const key = { idempotencyKey: 'once', waitSeconds: 30 };
    await generate(gateway, pro, CORE, key);
    expect(await growth(() => generate(gateway, pro, CORE, key))).toEqual({
      'gateway_submissions_total{operation="GENERATE",outcome="replayed"}': 1,
      'gateway_request_duration_seconds_count{kind="mutation",field="generate",outcome="ok"}': 1,
    });
  });

  test('requests: by what they ask for in the words of the schema, never in those of the client', async () => {
    const story = async () => {
      await gateway.ask('PRO', 'query Mine { again: viewer { id } ...F } fragment F on Query { viewer { name } }');
      await gateway.ask('PRO', '{ viewer { id } providers { name } }');
      await gateway.ask('PRO', '{ anything { id } }');
      await gateway.ask('PRO', '{ viewer {');
      await gateway.ask('PRO', '{ job(id: "job_x") { id } }');
      await gateway.ask(null, '{ viewer { id } }');
      await gateway.ask({ key: 'nobody' }, '{ viewer { id } }');
    };
    expect(await growth(story)).toEqual({
      'gateway_request_duration_seconds_count{kind="query",field="viewer",outcome="ok"}': 1,
      'gateway_request_duration_seconds_count{kind="query",field="several",outcome="ok"}': 1,
      'gateway_request_duration_seconds_count{kind="none",field="none",outcome="client_error"}': 3,
      'gateway_request_duration_seconds_count{kind="query",field="job",outcome="client_error"}': 1,
      'gateway_request_duration_seconds_count{kind="query",field="viewer",outcome="client_error"}': 1,
    });
  });

  test('subscriptions: open ones as long as they are, and how each was opened', async () => {
    const before = await scrape(gateway.url);
    const client = liveClient(gateway.url, pro);
    const balance = subscribe(client, 'subscription { balance { held } }');
    await balance.answers.until(() => true);
    await subscribe(client, 'subscription { job(id: "job_x") { id } }').ended;
    const during = await scrape(gateway.url);
    expect(during.get('gateway_websockets_open')).toBe(1);
    expect(during.get('gateway_subscriptions_open')).toBe(1);
    expect(grown(before, during)).toEqual({
      'gateway_request_duration_seconds_count{kind="subscription",field="balance",outcome="ok"}': 1,
      'gateway_request_duration_seconds_count{kind="subscription",field="job",outcome="client_error"}': 1,
    });
    await client.dispose();
    await expect.poll(async () => (await scrape(gateway.url)).get('gateway_websockets_open')).toBe(0);
    expect((await scrape(gateway.url)).get('gateway_subscriptions_open')).toBe(0);
  });

  test('no account, id, key or prompt anywhere', async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(text).not.toMatch(/lighthouse|isg_|(account|job|asset|image|attempt|hold)_01|Mine|again|anything/);
  });
});

describe('what a scrape finds to be so', () => {
  let gateway: TestGateway;
  afterEach(() => gateway.stop());

  test('jobs, holds and calls, as they wait and run; and nothing of them once they have ended', async () => {
    gateway = await startTestGateway();
    const key = await open(gateway, { tier: 'FREE' });
    const never = { ...CORE, prompt: 'a dock [sandbox:never]' };
    const { job: first } = await generate(gateway, key, never);
    const out = () => gateway.sandbox?.journal().length;
    await expect.poll(out).toBe(1);
    const { job: second } = await generate(gateway, key, never);
    const busy = await scrapeAnew(gateway.url);
    const figures = (samples: Samples) =>
      Object.fromEntries(
        [...samples].filter(([name]) => /^gateway_(jobs|holds|images|vendor_calls|backlog)_/.test(name)),
      );
    expect(figures(busy)).toEqual({
      gateway_jobs_queued: 1,
      gateway_jobs_running: 1,
      gateway_jobs_oldest_queued_seconds: expect.any(Number),
      gateway_holds_open: 2,
      gateway_holds_oldest_seconds: expect.any(Number),
      gateway_holds_credits: 6,
      gateway_images_waiting: 0,
      'gateway_vendor_calls_out{provider="stability"}': 1,
      gateway_backlog_stale: 0,
    });
    expect(busy.get('gateway_holds_oldest_seconds')).toBeGreaterThan(
      busy.get('gateway_jobs_oldest_queued_seconds') ?? Number.NaN,
    );
    const before = await scrape(gateway.url);
    for (const id of [second.id, first.id])
      await gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { status } }', { id });
    await expect
      .poll(async () => (await scrape(gateway.url)).get('gateway_vendor_calls_out{provider="stability"}'))
      .toBe(0);
    const idle = await scrapeAnew(gateway.url);
    expect(figures(idle)).toEqual({
      gateway_jobs_queued: 0,
      gateway_jobs_running: 0,
      gateway_jobs_oldest_queued_seconds: 0,
      gateway_holds_open: 0,
      gateway_holds_oldest_seconds: 0,
      gateway_holds_credits: 0,
      gateway_images_waiting: 0,
      'gateway_vendor_calls_out{provider="stability"}': 0,
      gateway_backlog_stale: 0,
    });
    expect(grown(before, idle)).toMatchObject({
      'gateway_job_duration_seconds_count{operation="GENERATE",status="CANCELLED"}': 2,
    });
  });

  test('images that wait for a place at a provider', async () => {
    gateway = await startTestGateway({ environment: { STABILITY_CONCURRENCY: '1' } });
    const key = await open(gateway, { tier: 'PRO' });
    const { job } = await generate(gateway, key, { ...CORE, prompt: 'a dock [sandbox:never]', count: 3 });
    await expect.poll(async () => (await scrape(gateway.url)).get('gateway_images_waiting')).toBe(2);
    expect((await scrape(gateway.url)).get('gateway_vendor_calls_out{provider="stability"}')).toBe(1);
    await gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { status } }', { id: job.id });
    await expect.poll(async () => (await scrape(gateway.url)).get('gateway_images_waiting')).toBe(0);
  });

  test('the circuits of all routes, the price book in force, and no pool where there is none', async () => {
    gateway = await startTestGateway({ circuits: { ...CIRCUIT_SETTINGS, failuresMax: 1, openMsMin: 60_000 } });
    const key = await open(gateway, { tier: 'PRO' });
    const prompt = 'a dock [sandbox:status=503]';
    await generate(gateway, key, { ...CORE, prompt }, { waitSeconds: 30 });
    const samples = await scrape(gateway.url);
    const circuits = [...samples].filter(([name]) => name.startsWith('gateway_circuit_state'));
    expect(circuits.length).toBeGreaterThan(10);
    expect(circuits.filter(([, state]) => state !== 0)).toEqual([['gateway_circuit_state{route="stability/core"}', 2]]);
    expect(samples.get('gateway_price_book_version')).toBe(1);
    expect([...samples.keys()].filter((name) => name.startsWith('gateway_database_connections'))).toEqual([]);
  });

  test('who was turned away for asking too often, by which limit', async () => {
    gateway = await startTestGateway({ environment: { READS_PER_MINUTE: '13' } });
    const key = await open(gateway, { tier: 'FREE' });
    const tooSoon = { ...CORE, model: 'stability/sd3.5-flash', prompt: 'a dock [sandbox:moderated]' };
    for (let each = 0; each < 11; each++) await submit(gateway, key, tooSoon, { waitSeconds: 30 });
    for (let each = 0; each < 4; each++) await gateway.ask({ key }, '{ viewer { id } }');
    const samples = await scrape(gateway.url);
    expect(samples.get('gateway_rate_limited_total{limit="submissions"}')).toBe(1);
    expect(samples.get('gateway_rate_limited_total{limit="reads"}')).toBe(2);
  });
});

describe('a database that does not answer', () => {
  const STORY = { prompt: 'a dock [sandbox:never]', model: 'stability/core' };
  const HEALS = { timeout: 10_000 };

  test('embedded: leaves the old figures, marked as old, and keeps a scrape from the rest no longer than a second', async () => {
    const gateway = await startTestGateway();
    const key = await open(gateway, { tier: 'FREE' });
    const { job } = await generate(gateway, key, STORY);
    await expect.poll(() => gateway.sandbox?.journal().length).toBe(1);
    expect((await scrapeAnew(gateway.url)).get('gateway_jobs_running')).toBe(1);
    const { promise: thawed, resolve: thaw } = Promise.withResolvers<void>();
    const frozen = Promise.withResolvers<void>();
    const frost = gateway.database.db.transaction().execute(async () => {
      frozen.resolve();
      await thawed;
    });
    await frozen.promise;
    await expectStale(gateway.url);
    thaw();
    await frost;
    // A reading that began before is given up first.
    await expect.poll(async () => (await scrapeAnew(gateway.url)).get('gateway_backlog_stale'), HEALS).toBe(0);
    await gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { status } }', { id: job.id });
    await gateway.stop();
  });

  test.skipIf(!hasPostgres)('PostgreSQL: the same, and its pool is told', async () => {
    const server = await createPostgresDatabase();
    const wire = await Wire.open(server.url, await freePort());
    const database = { ...openPostgres({ url: wire.url, poolMax: 4, log: createLog('silent') }), url: wire.url };
    await migrate(database.db);
    const gateway = await startTestGateway({ database });
    const key = await open(gateway, { tier: 'FREE' });
    const { job } = await generate(gateway, key, STORY);
    await expect.poll(() => gateway.sandbox?.journal().length).toBe(1);
    const before = await scrapeAnew(gateway.url);
    expect(before.get('gateway_jobs_running')).toBe(1);
    const pool = ['busy', 'idle'].map((state) => before.get(`gateway_database_connections{state="${state}"}`) ?? 0);
    expect(pool[0]).toBeGreaterThanOrEqual(0);
    expect((pool[0] ?? 0) + (pool[1] ?? 0)).toBeGreaterThan(0);
    expect(before.get('gateway_database_waiting')).toBe(0);
    wire.freeze();
    await expectStale(gateway.url);
    wire.thaw();
    // A reading that began before is given up first.
    await expect.poll(async () => (await scrapeAnew(gateway.url)).get('gateway_backlog_stale'), HEALS).toBe(0);
    await gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { status } }', { id: job.id });
    await gateway.stop();
    await database.close();
    await wire.close();
    await server.drop();
  });

  async function expectStale(url: string): Promise<void> {
    const begunAt = performance.now();
    ahead += EVERY_MS;
    const stale = await scrape(url);
    expect(performance.now() - begunAt - EVERY_MS).toBeLessThan(1_500);
    expect(stale.get('gateway_backlog_stale')).toBe(1);
    expect(stale.get('gateway_jobs_running')).toBe(1);
    expect(stale.get('gateway_vendor_calls_out{provider="stability"}')).toBe(1);
    // And nobody waits for it a second time.
    const again = performance.now();
    expect((await scrape(url)).get('gateway_backlog_stale')).toBe(1);
    expect(performance.now() - again).toBeLessThan(500);
  }
});

test('the README names metrics that there are', async () => {
  const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
  const named = [...readme.matchAll(/`(gateway_[a-z0-9_]+)/g)].map(([, name]) => name ?? '');
  expect(named.length).toBeGreaterThan(10);
  const gateway = await startTestGateway();
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  await gateway.stop();
  const there = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  expect(named.filter((name) => !there.has(name))).toEqual([]);
});
