import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { open } from '../support/stories.ts';
import {
  ADD_TO_COLLECTION,
  CREATE_BUDGET,
  CREATE_COLLECTION,
  EDIT,
  ESTIMATE,
  ESTIMATE_EDIT,
  FIND,
  GENERATE,
  TAG,
} from './documents.ts';
import type { GenerateInput, JobPartsFragment, ResultPartsFragment } from './generated/graphql.ts';
import { StudioClient } from './studio-client.ts';
import { buttonOf, outcomeOf } from './wording.ts';

let gateway: TestGateway;
let client: StudioClient;
beforeAll(async () => {
  gateway = await startTestGateway();
  client = new StudioClient(gateway.url, await open(gateway, { tier: 'FREE' }));
});
afterAll(async () => {
  await client.close();
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

const LIGHTHOUSE: GenerateInput = { prompt: 'a lighthouse at dawn', quality: 'STANDARD', width: 512, height: 512 };

/** The job of a submission; anything else fails the test with what a page would say. */
function jobOf(result: ResultPartsFragment): JobPartsFragment {
  if (result.__typename !== 'Submission') throw new Error(outcomeOf(result));
  return result.job;
}

const pictureOf = ({ images }: JobPartsFragment) => {
  const asset = images[0]?.asset;
  if (!asset) throw new Error('no picture was delivered');
  return asset;
};

/** Watches a job to its end; answers it with the states that were seen on the way. */
async function watched({ id }: JobPartsFragment) {
  const seen: string[] = [];
  const job = await client.watchJob(id, ({ status }) => seen.push(status));
  return { job, seen };
}

test('a picture, from the price on the button to a collection and an edit', async () => {
  const { estimateGenerate: price } = await client.query(ESTIMATE, { input: LIGHTHOUSE });
  expect(buttonOf(price)).toBe('Generate for 3 credits');
  expect(price).toMatchObject({ balanceAfter: 22, affordableCount: 8 });

  const wish = { input: LIGHTHOUSE, quote: price.quote ?? null, key: randomUUID() };
  const { generate: accepted } = await client.mutate(GENERATE, wish);
  expect(outcomeOf(accepted)).toBe('on its way');
  const { job, seen } = await watched(jobOf(accepted));
  expect(seen.at(-1)).toBe('SUCCEEDED');
  expect(job.receipt).toMatchObject({ quoted: 3, held: 3, captured: 3, released: 0, settled: true });
  expect(job.receipt.entries.reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
  const { generate: repeated } = await client.mutate(GENERATE, wish);
  expect(outcomeOf(repeated)).toBe('already on its way');
  expect(jobOf(repeated).id).toBe(job.id);

  const picture = pictureOf(job);
  expect(picture).toMatchObject({ width: 512, height: 512, cost: 3, tags: [], prompt: LIGHTHOUSE.prompt });
  expect((await fetch(picture.url)).headers.get('content-type')).toBe('image/png');
  await client.mutate(TAG, { assets: [picture.id], add: ['Sea'] });
  const { assets: found } = await client.query(FIND, {
    filter: { tags: { all: ['sea'] }, search: 'lighthouses' },
    first: 10,
  });
  expect(found.nodes.map(({ id, tags }) => ({ id, tags }))).toEqual([{ id: picture.id, tags: ['sea'] }]);
  const { createCollection: coast } = await client.mutate(CREATE_COLLECTION, { name: 'Coast' });
  const { addToCollection: filled } = await client.mutate(ADD_TO_COLLECTION, { id: coast.id, assets: [picture.id] });
  expect(filled).toMatchObject({ count: 1, cover: { id: picture.id }, assets: [{ collections: [coast] }] });

  const change = { image: picture.id, edit: { general: { prompt: 'at night' } } };
  const { estimateEdit: editPrice } = await client.query(ESTIMATE_EDIT, change);
  expect(editPrice.credits).toBe(3);
  const { editImage } = await client.mutate(EDIT, { ...change, quote: editPrice.quote ?? null, key: randomUUID() });
  const { job: edit } = await watched(jobOf(editImage));
  expect(pictureOf(edit).parent).toEqual({ id: picture.id });
  expect(edit.receipt.captured).toBe(3);
});

test('what is refused says every figure, in the estimate and in the mutation alike, and costs nothing', async () => {
  const tooMany: GenerateInput = { ...LIGHTHOUSE, quality: 'PREMIUM', count: 5 };
  const { estimateGenerate: price } = await client.query(ESTIMATE, { input: tooMany });
  const { generate: refused } = await client.mutate(GENERATE, { input: tooMany, key: randomUUID() });
  if (refused.__typename !== 'Refused') throw new Error(outcomeOf(refused));
  expect(refused.refusals).toEqual(price.preflight.refusals);
  expect(outcomeOf(refused)).toMatch(
    /^refused: PREMIUM quality needs PRO, not FREE; 5 of 4 images, BASIC has more; needs 30, has 19, 11 short until \d{4}-\d\d-\d\d$/,
  );
  expect(buttonOf(price)).toContain('30 credits: ');
  const { generate: tampered } = await client.mutate(GENERATE, {
    input: LIGHTHOUSE,
    quote: 'forged',
    key: randomUUID(),
  });
  expect(outcomeOf(tampered)).toBe('refused: quote: INPUT_CHANGED');
});

test('a budget takes what fits in it, and refuses the rest with its figures', async () => {
  const { createBudget: budget } = await client.mutate(CREATE_BUDGET, { input: { name: 'Spring', cap: 5 } });
  expect(budget).toMatchObject({ cap: 5, spent: 0, left: 5 });
  const spend = async () =>
    (await client.mutate(GENERATE, { input: LIGHTHOUSE, key: randomUUID(), budget: budget.id })).generate;
  const { job } = await watched(jobOf(await spend()));
  expect(job.budget).toEqual({ id: budget.id, left: 2 });
  expect(outcomeOf(await spend())).toBe('refused: BUDGET: 3 more than 3 of 5');
});

test('an error is thrown with the code that the gateway promises', async () => {
  await expect(client.query(FIND, { filter: {}, first: 101 })).rejects.toMatchObject({
    graphQLErrors: [{ extensions: { code: 'BAD_USER_INPUT', field: 'first' } }],
  });
});
