import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { CIRCUIT_SETTINGS } from '../../src/routing/circuit.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { generate, open, submit } from '../support/stories.ts';

let gateway: TestGateway;
afterEach(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

/** Circuits as in production, but for their times. */
const CIRCUITS = { ...CIRCUIT_SETTINGS, openMsMin: 300, openMsMax: 600 };

async function house(options: TestGatewayOptions = {}): Promise<string> {
  gateway = await startTestGateway({ circuits: CIRCUITS, ...options });
  return open(gateway, { tier: 'ENTERPRISE' });
}

interface RouteAnswer {
  readonly id: string;
  readonly healthy: boolean;
  readonly circuit: string;
  readonly reason: string | null;
  readonly retryAt: string | null;
  readonly successRate: number | null;
  readonly expectedSeconds: number;
}

async function routeOf(id: string): Promise<RouteAnswer | undefined> {
  const { data } = await gateway.ask<{ providers: { mode: string; routes: RouteAnswer[] }[] }>(
    'FREE',
    '{ providers { mode routes { id healthy circuit reason retryAt successRate expectedSeconds } } }',
  );
  return data?.providers.flatMap(({ routes }) => routes).find((route) => route.id === id);
}

/** Asks again until `done` answers something: for what happens by the clock. */
async function until<T>(done: () => Promise<T | null | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await done();
    if (answer) return answer;
    await delay(10);
  }
}

const ordersAt = (vendor: string) => gateway.sandbox?.journal().filter((entry) => entry.vendor === vendor) ?? [];

const CORE = 'stability/core';
const NAMED = { prompt: 'a lighthouse', model: CORE };

describe('a route that fails again and again', () => {
  test('is shut, says why and until when, is spared, and comes back after one probe', async () => {
    const key = await house();
    gateway.sandbox?.faults.next('stability', 'status=503', CIRCUITS.failuresMax);
    for (let failure = 0; failure < CIRCUITS.failuresMax; failure++) {
      expect((await routeOf(CORE))?.circuit).toBe('CLOSED');
      const { job } = await generate(gateway, key, NAMED, { waitSeconds: 30 });
      expect(job.images[0]).toMatchObject({ status: 'FAILED', failure: { code: 'OUTCOME_UNKNOWN' } });
    }
    expect(await routeOf(CORE)).toMatchObject({
      healthy: false,
      circuit: 'OPEN',
      reason: 'Its answers fail, or do not come.',
      retryAt: expect.any(String),
      successRate: 0,
    });
    expect(await routeOf('stability/ultra')).toMatchObject({ healthy: true, circuit: 'CLOSED', successRate: null });

    // Whoever insists on it is told at once, free of charge; whoever only wants the quality is served by others.
    const refused = await submit(gateway, key, NAMED);
    const answer = refused.data?.generate;
    if (answer?.__typename === 'Refused') {
      expect(answer.refusals).toEqual([expect.objectContaining({ __typename: 'ProviderUnavailable' })]);
    }
    const orders = ordersAt('stability').length;
    const { job: elsewhere } = await generate(gateway, key, { prompt: 'a lighthouse' }, { waitSeconds: 30 });
    expect(elsewhere.status).toBe('SUCCEEDED');
    expect(elsewhere.images[0]?.attempts).toEqual([{ route: 'huggingface/flux-dev', outcome: 'delivered' }]);
    expect(ordersAt('stability')).toHaveLength(orders);

    await until(async () => (await routeOf(CORE))?.circuit === 'HALF_OPEN');
    const { job } = await generate(gateway, key, NAMED, { waitSeconds: 30 });
    expect(job.status).toBe('SUCCEEDED');
    expect(await routeOf(CORE)).toMatchObject({ healthy: true, circuit: 'CLOSED', reason: null, retryAt: null });
    expect(ordersAt('stability')).toHaveLength(orders + 1);
  });

  test('is refused by name with the time when it is tried again, and nothing is held or stored', async () => {
    const key = await house({ circuits: { ...CIRCUITS, openMsMin: 60_000, openMsMax: 60_000 } });
    gateway.sandbox?.faults.next('stability', 'status=503', CIRCUITS.failuresMax);
    const batch = { ...NAMED, count: CIRCUITS.failuresMax };
    await generate(gateway, key, batch, { waitSeconds: 30 });
    const { data } = await gateway.ask<{ generate: { refusals: unknown[]; estimate: unknown } }>(
      { key },
      `mutation { generate(input: { prompt: "a lighthouse", model: "${CORE}" }) { ... on Refused {
        refusals { __typename message ... on ProviderUnavailable { provider retryAt } }
        estimate { credits alternatives { model quality } routes { id healthy } } } } }`,
    );
    expect(data?.generate.refusals).toEqual([
      {
        __typename: 'ProviderUnavailable',
        message: expect.stringMatching(/Stability AI.*Nothing was charged|Nothing was run and nothing was charged/),
        provider: 'STABILITY',
        retryAt: expect.stringMatching(/^\d{4}-/),
      },
    ]);
    expect(data?.generate.estimate).toMatchObject({ credits: 3, routes: [{ id: CORE, healthy: false }] });
    expect(ordersAt('stability')).toHaveLength(CIRCUITS.failuresMax);
  });
});

describe('a vendor that says when to come back', () => {
  test('is asked again then and not before, by the very image that it turned away', async () => {
    const key = await house();
    gateway.sandbox?.faults.next('stability', 'status=429 retry-after=1');
    const { job } = await generate(gateway, key, NAMED, { waitSeconds: 30 });
    expect(job).toMatchObject({ status: 'SUCCEEDED', receipt: { captured: 3, released: 0 } });
    expect(job.images[0]?.attempts).toEqual([
      { route: CORE, outcome: 'rejected' },
      { route: CORE, outcome: 'delivered' },
    ]);
    const [first, second] = ordersAt('stability').map(({ at }) => Date.parse(at));
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(999);
  });

  test('keeps nobody waiting who can be served elsewhere', async () => {
    const key = await house();
    gateway.sandbox?.faults.next('huggingface', 'status=429 retry-after=3000');
    const { job } = await generate(gateway, key, { prompt: 'a lighthouse' }, { waitSeconds: 30 });
    expect(job.images[0]?.attempts).toEqual([
      { route: 'huggingface/flux-dev', outcome: 'rejected' },
      { route: CORE, outcome: 'delivered' },
    ]);
    const shut = await routeOf('huggingface/flux-dev');
    expect(shut).toMatchObject({ circuit: 'OPEN', healthy: false });
    const seconds = (Date.parse(shut?.retryAt ?? '') - Date.now()) / 1_000;
    expect(seconds).toBeGreaterThan(CIRCUITS.shutMsMax / 1_000 - 20);
    expect(seconds).toBeLessThanOrEqual(CIRCUITS.shutMsMax / 1_000);
  });

  test('later than anybody waits fails the image free of charge instead of keeping it', async () => {
    const key = await house();
    gateway.sandbox?.faults.next('stability', 'status=429 retry-after=120');
    const { job } = await generate(gateway, key, NAMED, { waitSeconds: 30 });
    expect(job).toMatchObject({ status: 'FAILED', receipt: { captured: 0, released: 3 } });
    expect(job.images[0]?.failure?.code).toBe('PROVIDERS_REFUSED');
    expect(ordersAt('stability')).toHaveLength(1);
  });
});

describe('a vendor that draws so many at once', () => {
  test('gets no more than that; the others wait their turn and all are delivered', async () => {
    const key = await house({ environment: { STABILITY_CONCURRENCY: '2' } });
    const prompt = 'a lighthouse [sandbox:slow-headers=200]';
    const [core, ultra] = await Promise.all([
      generate(gateway, key, { prompt, model: CORE, count: 3 }, { waitSeconds: 30 }),
      generate(gateway, key, { prompt, model: 'stability/ultra', count: 3 }, { waitSeconds: 30 }),
    ]);
    expect([core.job.status, ultra.job.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    const sent = ordersAt('stability')
      .map(({ at }) => Date.parse(at))
      .sort((a, b) => a - b);
    expect(sent).toHaveLength(6);
    for (let third = 2; third < sent.length; third++) {
      expect((sent[third] ?? 0) - (sent[third - 2] ?? 0)).toBeGreaterThanOrEqual(199);
    }
  });

  test('an image that waits for its place and is cancelled never reaches it', async () => {
    const key = await house({ environment: { STABILITY_CONCURRENCY: '1' } });
    const { job: first } = await generate(gateway, key, { ...NAMED, prompt: 'one [sandbox:slow-headers=500]' });
    await until(async () => ordersAt('stability').length === 1);
    const { job: second } = await generate(gateway, key, { ...NAMED, prompt: 'two' });
    await until(async () => (await statusOf(key, second.id)) === 'RUNNING');
    await gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { status } }', { id: second.id });
    expect(await until(async () => (await statusOf(key, first.id)) === 'SUCCEEDED')).toBe(true);
    expect(await statusOf(key, second.id)).toBe('CANCELLED');
    expect(ordersAt('stability').map(({ prompt }) => prompt)).toEqual(['one [sandbox:slow-headers=500]']);
  });
});

async function statusOf(key: string, id: string): Promise<string | undefined> {
  const { data } = await gateway.ask<{ job: { status: string } }>(
    { key },
    'query ($id: ID!) { job(id: $id) { status } }',
    {
      id,
    },
  );
  return data?.job.status;
}

describe('the time of an image', () => {
  test('is not spent by waiting for its turn, also after a first call', async () => {
    const key = await house({ patience: 0.03, environment: { STABILITY_CONCURRENCY: '1' } });
    const slow = { prompt: 'one of eight [sandbox:slow-headers=600]', model: CORE, count: 8 };
    const { job: eight } = await generate(gateway, key, slow);
    await until(async () => ordersAt('stability').length === 1);
    const refused = { prompt: 'a lighthouse [sandbox:status=400 at=huggingface]' };
    const began = performance.now();
    const { job } = await generate(gateway, key, refused, { waitSeconds: 30 });
    expect(job.images[0]?.attempts.at(-1)).toEqual({ route: CORE, outcome: 'delivered' });
    // Longer than all the time that it has: twice the sixty seconds of its slowest route, thirty times shortened.
    expect(performance.now() - began).toBeGreaterThan(3_600);
    await until(async () => (await statusOf(key, eight.id)) === 'SUCCEEDED');
  });

  test('that is nearly over buys nothing that could not be finished', async () => {
    // 4.128 s for the image, of which the vendor's pause leaves less than the model needs.
    const key = await house({ patience: 0.043 });
    gateway.sandbox?.faults.next('stability', 'status=429 retry-after=4');
    const { job } = await generate(gateway, key, NAMED, { waitSeconds: 30 });
    expect(job.images[0]).toMatchObject({ status: 'FAILED', failure: { code: 'DEADLINE_PASSED' } });
    expect(ordersAt('stability')).toHaveLength(1);
  });
});

describe('a vendor that never answers', () => {
  test('has a time of its own, after which another vendor delivers and it is never asked again', async () => {
    const key = await house({ patience: 0.02 });
    const prompt = 'a lighthouse [sandbox:never at=huggingface]';
    const { job } = await generate(gateway, key, { prompt }, { waitSeconds: 30 });
    expect(job).toMatchObject({ status: 'SUCCEEDED', receipt: { captured: 4, released: 0 } });
    expect(job.images[0]?.attempts).toEqual([
      { route: 'huggingface/flux-dev', outcome: 'unknown' },
      { route: CORE, outcome: 'delivered' },
    ]);
    expect(ordersAt('huggingface')).toHaveLength(1);
  });

  test('anywhere fails the image when its whole time is over, free of charge', async () => {
    const key = await house({ patience: 0.01 });
    const prompt = 'a lighthouse [sandbox:never]';
    const { job } = await generate(gateway, key, { prompt }, { waitSeconds: 30 });
    expect(job).toMatchObject({ status: 'FAILED', receipt: { captured: 0, released: 4 } });
    expect(job.images[0]?.failure?.code).toBe('DEADLINE_PASSED');
    const asked = gateway.sandbox?.journal().map(({ vendor }) => vendor) ?? [];
    expect(new Set(asked).size).toBe(asked.length);
  });
});
