import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { generate, open, type SubmitOptions, submit } from '../support/stories.ts';

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

/** 1 credit an image. */
const INPUT = { prompt: 'a bridge', model: 'qwen-image', width: 256, height: 256 };

interface Answer {
  readonly generate: {
    readonly __typename: string;
    readonly assets?: readonly { readonly id: string; readonly url: string }[];
    readonly credits?: number;
    readonly saved?: number | null;
    readonly estimate?: {
      readonly credits: number | null;
      readonly quote: string | null;
      readonly preflight: { readonly refusals: readonly { readonly __typename: string }[] };
    };
    readonly replayed?: boolean;
    readonly job?: { readonly id: string; readonly images: readonly { readonly asset: { readonly id: string } }[] };
  };
}

const REUSE = `mutation ($input: GenerateInput!, $reuse: Boolean! = true, $quote: String, $idempotencyKey: String, $waitSeconds: Int) {
  generate(input: $input, reuse: $reuse, quote: $quote, idempotencyKey: $idempotencyKey, waitSeconds: $waitSeconds) { __typename
    ... on Reused { assets { id url } credits saved estimate { credits quote preflight { refusals { __typename } } } }
    ... on Submission { replayed job { id images { asset { id } } } }
    ... on Refused { estimate { credits quote preflight { refusals { __typename } } } } } }`;

async function ask(
  customer: string,
  input: Record<string, unknown>,
  options: SubmitOptions & { reuse?: boolean } = {},
) {
  const variables = { input, waitSeconds: 30, ...options };
  const { data, errors, extensions } = await gateway.ask<Answer>({ key: customer }, REUSE, variables);
  return { answer: data?.generate, errors, billing: extensions?.billing as Record<string, unknown> | undefined };
}

async function reused(customer: string, input: Record<string, unknown>, options: SubmitOptions = {}) {
  const { answer, errors, billing } = await ask(customer, input, options);
  expect(errors).toBeUndefined();
  expect(answer?.__typename).toBe('Reused');
  return { ...answer, ids: answer?.assets?.map(({ id }) => id) ?? [], billing };
}

async function run(
  customer: string,
  input: Record<string, unknown>,
  options: SubmitOptions & { reuse?: boolean } = {},
) {
  const { answer, errors } = await ask(customer, input, options);
  expect(errors).toBeUndefined();
  expect([answer?.__typename, answer?.replayed]).toEqual(['Submission', false]);
  return answer?.job?.images.map(({ asset }) => asset.id) ?? [];
}

/** Everything that running something would leave behind. */
async function traces(): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*) from jobs) as jobs, (select count(*) from job_images) as images,
      (select count(*) from credit_holds) as holds, (select count(*) from ledger_entries) as entries,
      (select count(*) from idempotency_keys) as keys, (select count(*) from assets) as assets`.execute(
    gateway.database.db,
  );
  return rows[0];
}

describe('what the library already holds', () => {
  test('is answered for nothing, and leaves no trace', async () => {
    const [made] = await run(key, INPUT);
    const before = await traces();
    const { data: standing } = await gateway.ask({ key }, '{ viewer { balance held } }');
    const answer = await reused(key, { ...INPUT, provider: 'WAVESPEED', count: 1 }, { idempotencyKey: 'k' });
    expect(answer).toMatchObject({ ids: [made], credits: 0, saved: 1, estimate: { credits: 1 } });
    expect((await fetch(answer.assets?.[0]?.url ?? '')).status).toBe(200);
    expect(await traces()).toEqual(before);
    expect((await gateway.ask({ key }, '{ viewer { balance held } }')).data).toEqual(standing);
    // The first call took one of 300; this one takes none.
    expect(answer.billing).toMatchObject({ balance: 1999, held: 0, rateLimit: { limit: 300, remaining: 299 } });
  });

  test('is not looked for unless it is asked for', async () => {
    const first = await run(key, INPUT, { reuse: false });
    expect(await run(key, INPUT, { reuse: false })).not.toEqual(first);
    const { job } = await generate(gateway, key, INPUT, { waitSeconds: 30 });
    expect(job.status).toBe('SUCCEEDED');
  });

  test('has to be enough: for three with two there a job runs, and draws three', async () => {
    const two = await run(key, { ...INPUT, count: 2 });
    const three = await run(key, { ...INPUT, count: 3 });
    expect([two.length, three.length, new Set([...two, ...three]).size]).toEqual([2, 3, 5]);
    const newest = [...two, ...three].sort().reverse();
    expect((await reused(key, { ...INPUT, count: 3 })).ids).toEqual(newest.slice(0, 3));
    expect(await reused(key, { ...INPUT, count: 5 })).toMatchObject({ ids: newest, saved: 5 });
    expect(await run(key, { ...INPUT, count: 6 })).toHaveLength(6);
    expect((await reused(key, { ...INPUT, count: 10 })).ids).toHaveLength(10);
  });

  test('with a seed is one picture for each seed, in their order, whichever batch made it', async () => {
    const [seven = '', eight = ''] = await run(key, { ...INPUT, seed: 7, count: 2 });
    expect((await reused(key, { ...INPUT, seed: 7, count: 2 })).ids).toEqual([seven, eight]);
    expect((await reused(key, { ...INPUT, seed: 8 })).ids).toEqual([eight]);
    const again = await run(key, { ...INPUT, seed: 7, count: 3 });
    expect(again).toHaveLength(3);
    expect((await reused(key, { ...INPUT, seed: 8, count: 2 })).ids).toEqual(again.slice(1));
    // Of one seed there are two pictures now, but they are no batch of two.
    expect(await run(key, { ...INPUT, seed: 9, count: 2 })).toHaveLength(2);
  });

  test.each<[string, Record<string, unknown>]>([
    ['other words', { prompt: 'a bridge.' }],
    ['another size', { width: 320 }],
    ['a seed', { seed: 1 }],
    ['something to leave out', { negativePrompt: 'people', model: undefined }],
    ['another model', { model: 'flux-schnell' }],
  ])('is another picture with %s', async (_what, change) => {
    await run(key, INPUT);
    expect(await run(key, { ...INPUT, ...change })).toHaveLength(1);
  });

  test("is never another account's", async () => {
    const other = await open(gateway, { tier: 'PRO' });
    const theirs = await run(other, INPUT);
    expect(await run(key, INPUT)).not.toEqual(theirs);
    expect((await reused(other, INPUT)).ids).toEqual(theirs);
  });

  test('is not what was deleted', async () => {
    const [old = ''] = await run(key, INPUT);
    const [newer = ''] = await run(key, INPUT, { reuse: false });
    await sql`update assets set deleted_at = now() where id = ${newer}`.execute(gateway.database.db);
    expect((await reused(key, INPUT)).ids).toEqual([old]);
    await sql`update assets set deleted_at = now() where id = ${old}`.execute(gateway.database.db);
    expect(await run(key, INPUT)).toHaveLength(1);
  });

  test('is not a picture whose bytes are lost', async () => {
    const [lost = ''] = await run(key, INPUT);
    await gateway.removeBytes(lost);
    expect(await run(key, INPUT)).not.toEqual([lost]);
  });
});

describe('whatever stands against running it', () => {
  test('an empty balance does not matter', async () => {
    const poor = await open(gateway, { tier: 'FREE' });
    const four = { ...INPUT, model: undefined, quality: 'STANDARD', count: 4 };
    const made = [...(await run(poor, four)), ...(await run(poor, four, { reuse: false }))].sort().reverse();
    await run(poor, INPUT);
    expect((await ask(poor, { ...INPUT, seed: 1 })).answer?.__typename).toBe('Refused');
    expect(await reused(poor, four)).toMatchObject({
      ids: made.slice(0, 4),
      credits: 0,
      saved: 12,
      billing: { balance: 0, held: 0 },
      estimate: { preflight: { refusals: [{ __typename: 'InsufficientCredits' }] } },
    });
    // More than this tier may ask for at once is no matter either.
    expect(await reused(poor, { ...four, count: 8 })).toMatchObject({ ids: made, saved: 24 });
  });

  test('a spend cap that is reached does not matter', async () => {
    const capped = await open(gateway, { tier: 'PRO', spendCap: 1 });
    const made = await run(capped, INPUT);
    expect((await ask(capped, { ...INPUT, seed: 1 })).answer?.__typename).toBe('Refused');
    expect(await reused(capped, INPUT)).toMatchObject({
      ids: made,
      estimate: { preflight: { refusals: [{ __typename: 'CapExceeded' }] } },
    });
  });

  test('a full minute does not matter', async () => {
    const busy = await open(gateway, { tier: 'PRO', limits: { submissionsPerMinute: 1 } });
    const made = await run(busy, INPUT);
    expect((await ask(busy, { ...INPUT, seed: 1 })).answer?.__typename).toBe('Refused');
    expect(await reused(busy, INPUT)).toMatchObject({ ids: made, billing: { rateLimit: { remaining: 0 } } });
  });

  test.each<[string, Record<string, unknown>, SubmitOptions]>([
    ['waitSeconds', INPUT, { waitSeconds: 31 }],
    ['idempotencyKey', INPUT, { idempotencyKey: '' }],
    ['count', { ...INPUT, count: 11 }, {}],
    ['prompt', { ...INPUT, prompt: '' }, {}],
  ])('a bad %s is refused all the same', async (field, input, options) => {
    await run(key, INPUT);
    const { errors } = await ask(key, input, options);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });

  test('nobody without a key is answered', async () => {
    const { errors } = await gateway.ask(null, REUSE, { input: INPUT });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('an idempotency key', () => {
  test('that a job has is answered with that job, also when the library holds its pictures', async () => {
    const made = await run(key, INPUT, { idempotencyKey: 'mine' });
    const { answer } = await ask(key, INPUT, { idempotencyKey: 'mine' });
    expect(answer).toMatchObject({ __typename: 'Submission', replayed: true });
    expect(answer?.job?.images.map(({ asset }) => asset.id)).toEqual(made);
    // The same wish with reuse or without: it plays no part in what a key stands for.
    const { answer: without } = await ask(key, INPUT, { idempotencyKey: 'mine', reuse: false });
    expect(without).toMatchObject({ __typename: 'Submission', replayed: true, job: { id: answer?.job?.id } });
  });

  test('that a job of another input has is a conflict, whatever the library holds', async () => {
    await run(key, INPUT);
    await run(key, { ...INPUT, seed: 1 }, { idempotencyKey: 'mine' });
    const { errors } = await ask(key, INPUT, { idempotencyKey: 'mine' });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', field: 'idempotencyKey' });
  });

  test('is not used up by reuse: another input can have it', async () => {
    await run(key, INPUT);
    await reused(key, INPUT, { idempotencyKey: 'free' });
    expect(await run(key, { ...INPUT, seed: 1 }, { idempotencyKey: 'free' })).toHaveLength(1);
  });

  test('that a job takes while reuse is weighed is answered with that job', async () => {
    await run(key, INPUT);
    const look = gateway.tiers.balance.bind(gateway.tiers);
    const taken = Promise.withResolvers<string>();
    const spy = vi.spyOn(gateway.tiers, 'balance').mockImplementationOnce(async (account) => {
      const { job } = await generate(gateway, key, INPUT, { idempotencyKey: 'raced' });
      taken.resolve(job.id);
      return look(account);
    });
    const { answer } = await ask(key, INPUT, { idempotencyKey: 'raced' });
    spy.mockRestore();
    expect(answer).toMatchObject({ __typename: 'Submission', replayed: true, job: { id: await taken.promise } });
  });

  test('sent twenty times at once makes one job, and every answer is that job', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask(key, { ...INPUT, seed: 3 }, { idempotencyKey: 'many' })),
    );
    expect(answers.map(({ answer }) => answer?.__typename)).toEqual(Array(20).fill('Submission'));
    expect(new Set(answers.map(({ answer }) => answer?.job?.id)).size).toBe(1);
  });
});

describe('a quote', () => {
  async function quoteFor(input: Record<string, unknown>): Promise<string> {
    const { data } = await gateway.ask<{ estimateGenerate: { quote: string } }>(
      { key },
      'query ($input: GenerateInput!) { estimateGenerate(input: $input) { quote } }',
      { input },
    );
    return data?.estimateGenerate.quote ?? '';
  }

  test('holds with reuse and without, and is still good after a reuse', async () => {
    const quote = await quoteFor(INPUT);
    const made = await run(key, INPUT, { quote });
    expect(await reused(key, INPUT, { quote })).toMatchObject({ ids: made, saved: 1, estimate: { quote } });
    expect(await run(key, INPUT, { quote, reuse: false })).toHaveLength(1);
  });

  test('of another input refuses a run, but not a reuse', async () => {
    const quote = await quoteFor({ ...INPUT, seed: 5 });
    expect((await ask(key, INPUT, { quote })).answer).toMatchObject({
      __typename: 'Refused',
      estimate: { preflight: { refusals: [{ __typename: 'QuoteInvalid' }] } },
    });
    const made = await run(key, INPUT);
    expect((await reused(key, INPUT, { quote })).ids).toEqual(made);
  });
});

test('what has no price any more is still there, and what it saved is not known', async () => {
  const made = await run(key, INPUT);
  const { 'wavespeed/qwen-image': _gone, ...generateByModel } = GUIDE_PRICE_BOOK.generateByModel;
  const publish = 'mutation ($document: JSONObject!) { publishPriceBook(document: $document) { version } }';
  const { errors } = await gateway.ask('OPERATOR', publish, { document: { ...GUIDE_PRICE_BOOK, generateByModel } });
  expect(errors).toBeUndefined();
  expect((await submit(gateway, key, INPUT)).data?.generate).toMatchObject({
    __typename: 'Refused',
    refusals: [{ __typename: 'Unpriced' }],
  });
  expect(await reused(key, INPUT)).toMatchObject({
    ids: made,
    credits: 0,
    saved: null,
    estimate: { credits: null, quote: null },
  });
});
