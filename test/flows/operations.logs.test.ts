import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../src/platform/log.ts';
import { CIRCUIT_SETTINGS } from '../../src/routing/circuit.ts';
import { ScriptedVendor } from '../providers/scripted-vendor.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { LogLines } from '../support/log-lines.ts';
import { generate, openAccount, submit } from '../support/stories.ts';

const MS = expect.any(Number);
const PROMPT = 'a very private lighthouse';
const CORE = { prompt: PROMPT, model: 'stability/core' };

let gateway: TestGateway;
let stop: () => Promise<void>;
let lines: LogLines;
/** Everything that this process writes elsewhere. */
let printed: string[];
beforeEach(() => {
  lines = new LogLines();
  printed = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});
afterEach(async () => {
  await stop();
  vi.restoreAllMocks();
});

async function house(level: string, { prompts = false, ...options }: TestGatewayOptions & { prompts?: boolean } = {}) {
  gateway = await startTestGateway({ log: createLog(level, { to: lines, prompts }), ...options });
  stop = () => {
    stop = async () => undefined;
    return gateway.stop();
  };
  return openAccount(gateway, { tier: 'PRO' });
}

/** One line at a time is written, and the end of a job is told a moment after its clients know of it. */
const jobLines = async (count: number) => {
  await expect.poll(() => lines.saying('job ended').length).toBe(count);
  return lines.saying('job ended');
};

describe('the line at the end of a job', () => {
  test('tells its whole story when all is well', async () => {
    const { id: accountId, key } = await house('info');
    const { job } = await generate(gateway, key, { ...CORE, count: 2 }, { waitSeconds: 30 });
    const delivered = { route: 'stability/core', outcome: 'delivered', ms: MS };
    expect(await jobLines(1)).toEqual([
      {
        level: 'info',
        msg: 'job ended',
        jobId: job.id,
        requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
        accountId,
        operation: 'GENERATE',
        status: 'SUCCEEDED',
        priceVersion: 1,
        quoted: '6',
        captured: '6',
        released: '0',
        waitedMs: MS,
        ranMs: MS,
        images: [
          { index: 0, status: 'DELIVERED', attempts: [delivered] },
          { index: 1, status: 'DELIVERED', attempts: [delivered] },
        ],
      },
    ]);
  });

  test('is a warning when something has failed, with every call and why', async () => {
    const { key } = await house('warn');
    const prompt = `${PROMPT} [sandbox:no-funds at=stability]`;
    await generate(gateway, key, { prompt, model: 'sd3.5-large' }, { waitSeconds: 30 });
    expect(await jobLines(1)).toMatchObject([
      {
        level: 'warn',
        status: 'FAILED',
        quoted: '6.5',
        captured: '0',
        released: '6.5',
        images: [
          {
            index: 0,
            status: 'FAILED',
            failure: 'PROVIDERS_REFUSED',
            attempts: [{ route: 'stability/sd3.5-large', outcome: 'rejected', reason: 'OUT_OF_FUNDS', ms: MS }],
          },
        ],
      },
    ]);
  });

  test('names the job at a vendor that has one, and is no warning for what the customer asked or took back', async () => {
    const { key } = await house('info');
    const flux = { prompt: PROMPT, model: 'huggingface/flux-dev' };
    await generate(gateway, key, flux, { waitSeconds: 30 });
    await generate(gateway, key, { ...CORE, prompt: `${PROMPT} [sandbox:moderated]` }, { waitSeconds: 30 });
    const { job } = await generate(gateway, key, { ...CORE, prompt: `${PROMPT} [sandbox:never]` });
    await expect.poll(() => gateway.sandbox?.journal().length).toBe(3);
    await gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { status } }', { id: job.id });
    const [drawn, withheld, cancelled] = await jobLines(3);
    expect(drawn).toMatchObject({ images: [{ attempts: [{ outcome: 'delivered', vendorId: expect.any(String) }] }] });
    expect(withheld).toMatchObject({ level: 'info', status: 'FAILED', images: [{ failure: 'CONTENT_REFUSED' }] });
    expect(cancelled).toMatchObject({
      level: 'info',
      status: 'CANCELLED',
      jobId: job.id,
      released: '3',
      images: [{ status: 'CANCELLED', attempts: [{ route: 'stability/core', outcome: null }] }],
    });
  });

  test('names the request that a caller traces by the id of its trace', async () => {
    const { key } = await house('info');
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const query = `mutation { generate(input: { prompt: "x", model: "stability/core" }, waitSeconds: 30) { __typename } }`;
    await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${key}`,
        traceparent: `00-${trace}-00f067aa0ba902b7-01`,
      },
      body: JSON.stringify({ query }),
    });
    expect(await jobLines(1)).toMatchObject([{ requestId: trace }]);
  });
});

test('a refused submission is one line for whoever looks closely, with every reason', async () => {
  await house('debug');
  const { id: accountId, key } = await openAccount(gateway, { tier: 'FREE' });
  await submit(gateway, key, { prompt: PROMPT, count: 5 });
  await submit(gateway, key, { prompt: PROMPT, quality: 'PREMIUM', count: 5 });
  const line = { level: 'debug', msg: 'submission refused', accountId, operation: 'GENERATE' };
  const requestId = expect.stringMatching(/^[0-9a-f]{32}$/);
  expect(lines.saying('submission refused')).toEqual([
    { ...line, requestId, refusals: ['TooManyImages'] },
    { ...line, requestId, refusals: ['TierTooLow', 'TooManyImages', 'InsufficientCredits'] },
  ]);
});

test('a circuit that opens is one line, and one when it is closed again, whatever tries it meanwhile', async () => {
  const circuits = { ...CIRCUIT_SETTINGS, failuresMax: 2, openMsMin: 100, openMsMax: 100 };
  const { key } = await house('info', { circuits });
  const state = async () => {
    const { data } = await gateway.ask<{ providers: { routes: { id: string; circuit: string }[] }[] }>(
      'PRO',
      '{ providers { routes { id circuit } } }',
    );
    return data?.providers.flatMap(({ routes }) => routes).find(({ id }) => id === CORE.model)?.circuit;
  };
  gateway.sandbox?.faults.next('stability', 'status=503', 4);
  await generate(gateway, key, { ...CORE, count: 2 }, { waitSeconds: 30 });
  for (let probe = 0; probe < 3; probe++) {
    await expect.poll(state).toBe('HALF_OPEN');
    await generate(gateway, key, CORE, { waitSeconds: 30 });
  }
  expect(await state()).toBe('CLOSED');
  const about = lines.all.filter(({ circuit }) => circuit !== undefined);
  expect(about.map(({ level, circuit, msg }) => [level, circuit, msg])).toEqual([
    ['warn', 'route:stability/core', 'a circuit is open: nothing is sent this way for now'],
    ['info', 'route:stability/core', 'a circuit is closed again'],
  ]);
  expect(about[0]).toMatchObject({ reason: 'Its answers fail, or do not come.', openMs: MS });
});

test('nothing is said while all is well', async () => {
  const { key } = await house('warn');
  await generate(gateway, key, { prompt: PROMPT, count: 3 }, { waitSeconds: 30 });
  for (const model of ['wavespeed/qwen-image', 'huggingface/flux-schnell', 'gemini/nano-banana', 'stability/core'])
    await generate(gateway, key, { prompt: PROMPT, model }, { waitSeconds: 30 });
  await submit(gateway, key, { prompt: PROMPT, count: 10, quality: 'PREMIUM', model: 'gemini/pro' });
  await stop();
  expect(lines.text).toEqual([]);
  expect(printed).toEqual([]);
});

describe('secrets and prompts', () => {
  const VENDOR_KEY = 'a-live-key-that-looks-like-nothing';

  /** Jobs with every kind of trouble, at vendors that repeat in their complaints all they were told. */
  async function troubles(prompts: boolean): Promise<readonly string[]> {
    await using vendor = await ScriptedVendor.start();
    const { key } = await house('debug', {
      prompts,
      environment: {
        STABILITY_API_KEY: VENDOR_KEY,
        STABILITY_BASE_URL: vendor.origin,
        OUTBOUND_ALLOW: new URL(vendor.origin).host,
      },
    });
    for (const status of [400, 401, 402, 403, 404, 429, 500, 503]) {
      const said = `no: ${VENDOR_KEY} (Bearer ${VENDOR_KEY}) asked for "${PROMPT}", see https://v.test/r?key=${VENDOR_KEY}`;
      vendor.reply({ status, body: { name: 'no', errors: [said] } });
      await generate(gateway, key, CORE, { waitSeconds: 30 });
    }
    vendor.reply({ status: 403, body: { name: 'content_moderation', errors: [`"${PROMPT}" is not allowed`] } });
    await generate(gateway, key, CORE, { waitSeconds: 30 });
    const faults = [
      'status=401',
      'no-funds',
      'reset-after',
      'truncated-json',
      'truncated-picture',
      'black',
      'withheld',
    ];
    for (const fault of [
      ...faults,
      'poll-failed',
      'webhook-forged',
      'webhook-tampered',
      'result-gone',
      'result-private',
    ]) {
      for (const model of ['wavespeed/ideogram-v3-turbo', 'huggingface/flux-dev', 'gemini/nano-banana'])
        await generate(gateway, key, { prompt: `${PROMPT} [sandbox:${fault}]`, model }, { waitSeconds: 30 });
    }
    await submit(gateway, key, { prompt: PROMPT, quality: 'PREMIUM', count: 10, model: 'gemini/pro' });
    const quote = await gateway.ask<{ estimateGenerate: { quote: string } }>(
      { key },
      `{ estimateGenerate(input: { prompt: "${PROMPT}" }) { quote } }`,
    );
    const { job } = await generate(gateway, key, { prompt: PROMPT, model: 'gemini/nano-banana' }, { waitSeconds: 30 });
    // The database fails in the middle of things, with what it was given in its complaints.
    await gateway.database.pglite?.query('alter table job_images rename to gone');
    await submit(gateway, key, { prompt: PROMPT });
    await gateway.ask({ key }, '{ jobs { nodes { images { status } } } }');
    await gateway.database.pglite?.query('alter table gone rename to job_images');
    await submit(gateway, key, { prompt: `${PROMPT}\u0000` });
    await gateway.ask({ key: `isg_${'A'.repeat(43)}` }, '{ viewer { id } }');
    const signature = new URL(job.images[0]?.asset?.url ?? '').searchParams.get('signature');
    const secrets = [
      key,
      VENDOR_KEY,
      'sk-sandbox',
      'hf_sandbox',
      'whsec_',
      `isg_A`,
      signature,
      quote.data?.estimateGenerate.quote,
    ];
    return secrets.map(String);
  }

  test('never stand in the log, whatever vendors and the database repeat of them', { timeout: 120_000 }, async () => {
    const secrets = await troubles(false);
    const all = [...lines.text, ...printed].join('\n');
    expect(lines.saying('job ended').length).toBeGreaterThan(40);
    expect(lines.all.filter(({ level }) => level === 'error').length).toBeGreaterThan(3);
    for (const secret of [...secrets, PROMPT, 'private lighthouse']) expect(all).not.toContain(secret);
  });

  test('and where prompts may, they do, and the secrets still do not', { timeout: 120_000 }, async () => {
    const secrets = await troubles(true);
    const all = [...lines.text, ...printed].join('\n');
    expect(lines.saying('job ended').every(({ prompt }) => String(prompt).includes(PROMPT))).toBe(true);
    for (const secret of secrets) expect(all).not.toContain(secret);
  });
});
