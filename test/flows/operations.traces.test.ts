import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ScriptedVendor } from '../providers/scripted-vendor.ts';
import { Collector, namesOf, type SpanTree } from '../support/collector.ts';
import { freshDatabase, hasPostgres } from '../support/databases.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { open } from '../support/stories.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const PROMPT = 'a lighthouse that nobody may read of';

let collector: Collector;
beforeEach(async () => {
  collector = await Collector.start();
});
afterEach(() => collector.stop());

const traced = (more: Record<string, string> = {}) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...more });

/** Asks for one picture and waits for it, as a caller that is traced itself. */
async function generate(gateway: TestGateway, key: string, input: Record<string, unknown>, waitSeconds = 30) {
  const query = `mutation ($input: GenerateInput!, $waitSeconds: Int) { generate(input: $input, waitSeconds: $waitSeconds) {
    ... on Submission { job { id status } } ... on Refused { refusals { message } } } }`;
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      traceparent: `00-${TRACE}-${CALLER}-01`,
    },
    body: JSON.stringify({ query, variables: { input, waitSeconds } }),
  });
  const { data } = (await response.json()) as { data: { generate: { job: { id: string; status: string } } } };
  return data.generate.job;
}

function found(trees: readonly SpanTree[], name: string): SpanTree[] {
  return trees.flatMap((tree) => [...(tree.name === name ? [tree] : []), ...found(tree.parts, name)]);
}

describe('one picture', () => {
  test('is one trace, from the request to the end of its job, with every call and how it ended', async () => {
    const gateway = await startTestGateway({ environment: traced() });
    const key = await open(gateway, { tier: 'PRO' });
    const prompt = `${PROMPT} [sandbox:status=503 at=huggingface]`;
    const { id, status } = await generate(gateway, key, { prompt });
    expect(status).toBe('SUCCEEDED');
    await gateway.stop();
    const trees = collector.tree(TRACE, CALLER);
    expect(namesOf(trees)).toEqual([
      'mutation generate',
      '  submission',
      '    job',
      '      image',
      '        attempt',
      '        attempt',
      '        store picture',
      '      settlement',
    ]);
    const attributes = (name: string) => found(trees, name).map(({ span }) => span.attributes);
    expect(attributes('mutation generate')).toEqual([{ outcome: 'ok' }]);
    expect(attributes('job')).toEqual([{ 'job.id': id, operation: 'GENERATE' }]);
    const call = { 'attempt.id': expect.stringMatching(/^attempt_/), resumed: false };
    expect(attributes('attempt')).toEqual([
      { ...call, route: 'huggingface/flux-dev', outcome: 'unknown', 'http.response.status_code': 503 },
      { ...call, route: 'stability/core', outcome: 'delivered', 'http.response.status_code': 200 },
    ]);
    // Whatever else was traced meanwhile is not in it.
    expect(collector.spans.filter(({ traceId }) => traceId === TRACE)).toHaveLength(8);
    expect(collector.spans.map(({ name }) => name)).toContain('mutation createAccount');
    expect(JSON.stringify(collector.spans)).not.toMatch(/lighthouse|isg_|sk-sandbox|hf_sandbox|https?:/);
  });

  test('of a vendor that is asked again and again: each time is an event of the call', async () => {
    const gateway = await startTestGateway({ environment: traced({ SANDBOX_LATENCY: '0.02' }) });
    const key = await open(gateway, { tier: 'PRO' });
    const { status } = await generate(gateway, key, { prompt: PROMPT, model: 'huggingface/flux-dev' });
    expect(status).toBe('SUCCEEDED');
    await gateway.stop();
    const [attempt] = found(collector.tree(TRACE, CALLER), 'attempt');
    const events = attempt?.span.events ?? [];
    expect(events.length).toBeGreaterThan(1);
    expect(events.at(-1)).toEqual({ name: 'poll', attributes: { outcome: 'delivered' } });
    expect(events.slice(0, -1)).toEqual(
      events.slice(0, -1).map(() => ({ name: 'poll', attributes: { outcome: 'pending' } })),
    );
  });

  test('shows its prompt only where prompts may be shown', async () => {
    const gateway = await startTestGateway({ environment: traced({ LOG_PROMPTS: 'true' }) });
    const key = await open(gateway, { tier: 'PRO' });
    await generate(gateway, key, { prompt: PROMPT });
    await gateway.stop();
    const spans = collector.spans.filter((span) => JSON.stringify(span).includes('lighthouse'));
    expect(spans.map(({ name, attributes }) => [name, attributes.prompt])).toEqual([['job', PROMPT]]);
  });

  test('that is refused is a request and no submission', async () => {
    const gateway = await startTestGateway({ environment: traced() });
    const key = await open(gateway, { tier: 'FREE' });
    await generate(gateway, key, { prompt: PROMPT, quality: 'PREMIUM' });
    await gateway.stop();
    expect(namesOf(collector.tree(TRACE, CALLER))).toEqual(['mutation generate']);
  });
});

test.skipIf(!hasPostgres)('a job that another process runs stays in the trace of its request', async () => {
  const database = await freshDatabase('postgres');
  const gateways: TestGateway[] = [];
  const start = async (ROLE: string) => {
    const environment = traced({
      ROLE,
      DATABASE_URL: database.url ?? '',
      STORAGE: join(gateways[0]?.dataDir ?? '', 'shared'),
    });
    const gateway = await startTestGateway({ database, environment });
    gateways.push(gateway);
    return gateway;
  };
  const front = await start('gateway');
  const key = await open(front, { tier: 'PRO' });
  const { id } = await generate(front, key, { prompt: PROMPT }, 0);
  await start('worker');
  const status = async () =>
    (await front.ask<{ job: { status: string } }>({ key }, `{ job(id: "${id}") { status } }`)).data?.job.status;
  await expect.poll(status, { timeout: 20_000 }).toBe('SUCCEEDED');
  for (const gateway of gateways) await gateway.stop();
  await database.close();
  const trees = collector.tree(TRACE, CALLER);
  expect(namesOf(trees)).toEqual([
    'mutation generate',
    '  submission',
    '    job',
    '      image',
    '        attempt',
    '        store picture',
    '      settlement',
  ]);
  expect(found(trees, 'submission').map(({ span }) => span.role)).toEqual(['gateway']);
  expect(found(trees, 'job').map(({ span }) => span.role)).toEqual(['worker']);
});

describe('a vendor', () => {
  test.each([
    ['traced', true],
    ['not traced', false],
  ])('is told nothing of a trace, in a gateway that is %s', async (_, isTraced) => {
    await using vendor = await ScriptedVendor.start({ status: 400, body: { errors: ['no'] } });
    const live = {
      STABILITY_API_KEY: 'sk-live-key-of-the-house',
      STABILITY_BASE_URL: vendor.origin,
      OUTBOUND_ALLOW: new URL(vendor.origin).host,
    };
    const gateway = await startTestGateway({ environment: isTraced ? traced(live) : live });
    const key = await open(gateway, { tier: 'PRO' });
    await generate(gateway, key, { prompt: PROMPT, model: 'stability/core' });
    await gateway.stop();
    expect(vendor.requests).toHaveLength(1);
    const names = Object.keys(vendor.requests[0]?.headers ?? {});
    expect(names).toContain('authorization');
    expect(names.filter((name) => /trace|baggage|b3/.test(name))).toEqual([]);
    expect(collector.requests.all.length > 0).toBe(isTraced);
  });
});
