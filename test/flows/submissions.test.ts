import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { submitOperation, upload } from '../support/operations.ts';
import { scene } from '../support/pixels.ts';
import { generate, open, openAccount, submit } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
beforeAll(async () => {
  gateway = await startTestGateway();
});
beforeEach(async () => {
  key = await open(gateway, { tier: 'PRO' });
});
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

const INPUT = { prompt: 'a bridge', model: 'stability/core' };

async function balanceOf(customer: string): Promise<unknown> {
  const { data } = await gateway.ask<{ viewer: unknown }>({ key: customer }, '{ viewer { balance held } }');
  return data?.viewer;
}

async function quoteFor(customer: string, input: Record<string, unknown>): Promise<string> {
  const { data } = await gateway.ask<{ estimateGenerate: { quote: string } }>(
    { key: customer },
    'query ($input: GenerateInput!) { estimateGenerate(input: $input) { quote } }',
    { input },
  );
  return data?.estimateGenerate.quote ?? '';
}

async function refused(customer: string, input: Record<string, unknown>, quote?: string) {
  const { data, errors } = await submit(gateway, customer, input, { quote });
  expect(errors).toBeUndefined();
  if (data?.generate.__typename !== 'Refused') throw new Error('it was accepted');
  return data.generate;
}

describe('an idempotency key', () => {
  test('with the same input answers the same job again and runs nothing new', async () => {
    const first = await generate(gateway, key, INPUT, { idempotencyKey: 'k-1', waitSeconds: 30 });
    const again = await generate(
      gateway,
      key,
      { ...INPUT, count: 1, provider: 'STABILITY' },
      { idempotencyKey: 'k-1' },
    );
    expect([first.replayed, again.replayed, again.job.id]).toEqual([false, true, first.job.id]);
    expect(await balanceOf(key)).toEqual({ balance: 1997, held: 0 });
  });

  test('with another input is a conflict that costs nothing', async () => {
    await generate(gateway, key, INPUT, { idempotencyKey: 'k-1', waitSeconds: 30 });
    const { errors, data } = await submit(
      gateway,
      key,
      { ...INPUT, prompt: 'another bridge' },
      { idempotencyKey: 'k-1' },
    );
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      field: 'idempotencyKey',
      value: 'k-1',
    });
    expect(data).toBeNull();
    expect(await balanceOf(key)).toEqual({ balance: 1997, held: 0 });
  });

  test('sent fifty times at once makes one job', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => generate(gateway, key, INPUT, { idempotencyKey: 'k-many' })),
    );
    expect(new Set(answers.map(({ job }) => job.id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    await generate(gateway, key, INPUT, { idempotencyKey: 'k-many', waitSeconds: 30 });
    expect(await balanceOf(key)).toEqual({ balance: 1997, held: 0 });
  });

  test('whose job takes the last credits while another call with it is weighed answers that job, and is not refused', async () => {
    const last = await open(gateway, { tier: 'PRO', spendCap: 3 });
    const ask = () => generate(gateway, last, INPUT, { idempotencyKey: 'last' });
    const look = gateway.tiers.balance.bind(gateway.tiers);
    const first = Promise.withResolvers<Awaited<ReturnType<typeof ask>>>();
    const spy = vi.spyOn(gateway.tiers, 'balance').mockImplementationOnce(async (account) => {
      first.resolve(await ask());
      return look(account);
    });
    const second = await ask();
    spy.mockRestore();
    const { job, replayed } = await first.promise;
    expect([replayed, second.replayed, second.job.id]).toEqual([false, true, job.id]);
  });

  test('belongs to its account: the same one of another account is another job', async () => {
    const other = await open(gateway, { tier: 'PRO' });
    const mine = await generate(gateway, key, INPUT, { idempotencyKey: 'shared' });
    const theirs = await generate(gateway, other, INPUT, { idempotencyKey: 'shared' });
    expect(theirs.replayed).toBe(false);
    expect(theirs.job.id).not.toBe(mine.job.id);
  });

  test('of a refused submission can be used again', async () => {
    const poor = await open(gateway, { tier: 'FREE' });
    const refusal = await submit(gateway, poor, { prompt: 'x', quality: 'PREMIUM' }, { idempotencyKey: 'again' });
    expect(refusal.data?.generate.__typename).toBe('Refused');
    expect((await generate(gateway, poor, INPUT, { idempotencyKey: 'again' })).replayed).toBe(false);
  });

  test.each(['', ' ', 'é', 'x'.repeat(256), 'line\nbreak'])(
    '%j is refused, naming field and limit',
    async (idempotencyKey) => {
      const { errors } = await submit(gateway, key, INPUT, { idempotencyKey });
      expect(errors?.[0]?.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        field: 'idempotencyKey',
        limit: '1 to 255 printable ASCII characters',
      });
    },
  );
});

test('a repeated key is answered with its job even when the same submission would be refused now', async () => {
  const poor = await open(gateway, { tier: 'FREE' });
  const wish = { prompt: 'all of it', count: 4, model: 'stability/sd3.5-medium', width: 256, height: 256 };
  const first = await generate(gateway, poor, wish, { idempotencyKey: 'once', waitSeconds: 30 });
  await generate(gateway, poor, { ...wish, count: 3 }, { waitSeconds: 30 });
  const again = await generate(gateway, poor, wish, { idempotencyKey: 'once' });
  expect([again.replayed, again.job.id]).toEqual([true, first.job.id]);
  expect(await balanceOf(poor)).toEqual({ balance: 0.5, held: 0 });
});

test('a repeated key is answered with its job even when the picture it worked on is gone by now', async () => {
  const source = await upload(gateway, key, await scene(64, 64));
  const ask = () =>
    submitOperation(
      gateway,
      key,
      'edit',
      source,
      { removeBackground: {} },
      { idempotencyKey: 'once', waitSeconds: 30 },
    );
  const first = await ask();
  expect(first.data?.answer).toMatchObject({ replayed: false });
  await sql`update assets set deleted_at = now() where id = ${source}`.execute(gateway.database.db);
  const job = { id: first.data && 'job' in first.data.answer ? first.data.answer.job.id : '' };
  expect((await ask()).data?.answer).toMatchObject({ replayed: true, job });
  const { errors } = await submitOperation(gateway, key, 'edit', source, { removeBackground: {} }, {});
  expect(errors?.[0]?.extensions?.code).toBe('NOT_FOUND');
});

test('a job that was accepted is told even when the balance cannot be looked up for the answer', async () => {
  const look = gateway.tiers.balance.bind(gateway.tiers);
  const spy = vi
    .spyOn(gateway.tiers, 'balance')
    .mockImplementationOnce(look)
    .mockImplementationOnce(() => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:5432')));
  const { data, errors, extensions } = await submit(gateway, key, INPUT);
  spy.mockRestore();
  expect([errors, extensions?.billing]).toEqual([undefined, undefined]);
  expect(data?.generate).toMatchObject({ __typename: 'Submission', replayed: false });
});

describe('a quote', () => {
  test('is the price that is held, even when the prices have risen since', async () => {
    const customer = await open(gateway, { tier: 'PRO' });
    const quote = await quoteFor(customer, INPUT);
    const history = await gateway.ask<{
      priceHistory: { version: number; document: { generateByModel: Record<string, unknown> } }[];
    }>('OPERATOR', '{ priceHistory(first: 1) { version document } }');
    const before = history.data?.priceHistory[0];
    const document = {
      ...before?.document,
      generateByModel: { ...before?.document.generateByModel, 'stability/core': { S: 30, M: 30, L: 30 } },
    };
    const publish = 'mutation ($document: JSONObject!) { publishPriceBook(document: $document) { version } }';
    const published = await gateway.ask<{ publishPriceBook: { version: number } }>('OPERATOR', publish, { document });
    expect(published.data?.publishPriceBook.version).toBe((before?.version ?? 0) + 1);
    try {
      const { job } = await generate(gateway, customer, INPUT, { quote, waitSeconds: 30 });
      expect(job.receipt).toMatchObject({ quoted: 3, captured: 3 });
      const unquoted = await generate(gateway, customer, INPUT, { waitSeconds: 30 });
      expect(unquoted.job.receipt).toMatchObject({ quoted: 30, captured: 30 });
    } finally {
      await gateway.ask('OPERATOR', publish, { document: before?.document });
    }
  });

  test.each([
    ['of another input', async (customer: string) => quoteFor(customer, { ...INPUT, count: 2 })],
    ['of another account', async () => quoteFor(await open(gateway, { tier: 'PRO' }), INPUT)],
    ['that was tampered with', async (customer: string) => (await quoteFor(customer, INPUT)).replace(/^./, 'f')],
    ['that was made up', async () => 'a.b'],
  ])('%s is refused with a new one beside it, and nothing is held', async (_, make) => {
    const customer = await open(gateway, { tier: 'PRO' });
    const { refusals, estimate } = await refused(customer, INPUT, await make(customer));
    expect(refusals).toEqual([
      { __typename: 'QuoteInvalid', reason: 'INPUT_CHANGED', message: expect.stringContaining('nothing was charged') },
    ]);
    expect(estimate).toEqual({ credits: 3, quote: expect.any(String) });
    expect(await balanceOf(customer)).toEqual({ balance: 2000, held: 0 });
    expect((await generate(gateway, customer, INPUT, { quote: estimate.quote ?? '' })).job.receipt.held).toBe(3);
  });
});

describe('a free allowance', () => {
  test('pays the first images of a named provider, then credits do, and the receipt says so', async () => {
    const customer = await open(gateway, { tier: 'FREE' });
    const four = { prompt: 'a boat', provider: 'HUGGINGFACE', quality: 'DRAFT', count: 4 };
    const first = await generate(gateway, customer, four, { waitSeconds: 30 });
    expect(first.job.receipt).toMatchObject({
      quoted: 0,
      captured: 0,
      freeAllowances: [{ provider: 'HUGGINGFACE', images: 4 }],
    });
    const second = await generate(gateway, customer, four, { waitSeconds: 30 });
    expect(second.job.receipt).toMatchObject({
      quoted: 3,
      captured: 3,
      freeAllowances: [{ provider: 'HUGGINGFACE', images: 1 }],
    });
    const { data } = await gateway.ask({ key: customer }, '{ viewer { balance allowances { provider limit left } } }');
    expect(data).toEqual({
      viewer: {
        balance: 22,
        allowances: [
          { provider: 'HUGGINGFACE', limit: 5, left: 0 },
          { provider: 'GEMINI', limit: 3, left: 3 },
        ],
      },
    });
  });

  test('is given back for a free image that was not delivered', async () => {
    const customer = await open(gateway, { tier: 'FREE' });
    const { job } = await generate(
      gateway,
      customer,
      { prompt: 'a boat [sandbox:moderated]', provider: 'GEMINI', quality: 'DRAFT' },
      { waitSeconds: 30 },
    );
    expect(job).toMatchObject({ status: 'FAILED', receipt: { quoted: 0, captured: 0 } });
    const { data } = await gateway.ask({ key: customer }, '{ viewer { allowances { left } } }');
    expect(data).toEqual({ viewer: { allowances: [{ left: 5 }, { left: 3 }] } });
  });

  test('counted on by a quote but used meanwhile is a refusal with the new price', async () => {
    const customer = await open(gateway, { tier: 'FREE' });
    const input = { prompt: 'a canoe', provider: 'GEMINI', quality: 'DRAFT', count: 3 };
    const quote = await quoteFor(customer, input);
    await generate(gateway, customer, { ...input, prompt: 'a kayak', count: 1 }, { waitSeconds: 30 });
    const { refusals, estimate } = await refused(customer, input, quote);
    expect(refusals.map(({ __typename, reason }) => [__typename, reason])).toEqual([
      ['QuoteInvalid', 'ALLOWANCE_USED'],
    ]);
    expect(estimate.credits).toBe(4);
  });
});

describe('limits', () => {
  test('a tier names what it lacks and the tier that has it', async () => {
    const free = await open(gateway, { tier: 'FREE' });
    const { refusals } = await refused(free, { prompt: 'x', quality: 'PREMIUM', count: 5 });
    expect(refusals).toEqual([
      {
        __typename: 'TierTooLow',
        tier: 'FREE',
        requiredTier: 'PRO',
        feature: 'PREMIUM quality',
        message: expect.any(String),
      },
      { __typename: 'TooManyImages', requested: 5, limit: 4, requiredTier: 'BASIC', message: expect.any(String) },
      {
        __typename: 'InsufficientCredits',
        required: 30,
        available: 25,
        short: 5,
        resetsAt: expect.any(String),
        message: expect.stringContaining('5 short'),
      },
    ]);
    expect(await balanceOf(free)).toEqual({ balance: 25, held: 0 });
  });

  test('submissions a minute are counted one a mutation, estimates not at all', async () => {
    const slow = await open(gateway, { tier: 'PRO', limits: { submissionsPerMinute: 2 } });
    for (let i = 0; i < 5; i++) await quoteFor(slow, INPUT);
    await generate(gateway, slow, INPUT);
    const second = await generate(gateway, slow, INPUT);
    expect(second.billing.rateLimit).toMatchObject({ limit: 2, remaining: 0 });
    const { refusals } = await refused(slow, INPUT);
    expect(refusals).toEqual([
      {
        __typename: 'RateLimited',
        limit: 2,
        resetsAt: expect.any(String),
        message: expect.stringContaining('2 submissions a minute'),
      },
    ]);
  });

  test('a spend cap holds however much credit there is', async () => {
    const capped = await open(gateway, { tier: 'ENTERPRISE', spendCap: 5 });
    await generate(gateway, capped, INPUT, { waitSeconds: 30 });
    const { refusals } = await refused(capped, INPUT);
    expect(refusals).toEqual([
      {
        __typename: 'CapExceeded',
        cap: 'SPEND_CAP',
        required: 3,
        spent: 3,
        creditsLimit: 5,
        message: expect.any(String),
      },
    ]);
  });

  test('an unlimited account has no balance and owes exactly what was delivered', async () => {
    const unlimited = await open(gateway, { tier: 'ENTERPRISE' });
    await generate(gateway, unlimited, INPUT, { waitSeconds: 30 });
    const { data } = await gateway.ask(
      { key: unlimited },
      '{ viewer { balance available unlimited credits { owed spent } } }',
    );
    expect(data).toEqual({
      viewer: { balance: null, available: null, unlimited: true, credits: { owed: 3, spent: 3 } },
    });
  });

  test('jobs beyond the running limit wait, and beyond twenty times it are refused', async () => {
    const { key: busy } = await openAccount(gateway, { tier: 'PRO', limits: { runningJobs: 1 } });
    gateway.sandbox?.faults.next('stability', 'never', 1);
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push((await generate(gateway, busy, { ...INPUT, prompt: `a queue ${i}` })).job.id);
    const { refusals } = await refused(busy, INPUT);
    expect(refusals).toEqual([{ __typename: 'TooManyJobs', open: 20, limit: 20, message: expect.any(String) }]);
    const { data } = await gateway.ask<{ jobs: { nodes: unknown[] } }>(
      { key: busy },
      '{ jobs(status: QUEUED, first: 100) { nodes { id } } }',
    );
    expect(data?.jobs.nodes).toHaveLength(19);
    for (const id of ids)
      await gateway.ask({ key: busy }, 'mutation ($id: ID!) { cancelJob(id: $id) { status } }', { id });
    expect(await balanceOf(busy)).toEqual({ balance: 2000, held: 0 });
  });
});
