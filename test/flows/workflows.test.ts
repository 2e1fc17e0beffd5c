import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OUTCOME, RECIPES } from '../../src/web/examples.recipes.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { type OperationJob, refusalsOf, runOperation, submitOperation, upload } from '../support/operations.ts';
import { at, fetched, pixelsOf, scene } from '../support/pixels.ts';
import { open } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
beforeAll(async () => {
  gateway = await startTestGateway();
});
beforeEach(async () => {
  key = await open(gateway, { tier: 'PRO' });
  gateway.sandbox?.faults.clear();
});
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

type Input = Record<string, unknown>;
const run = (steps: readonly Input[], more: Input = {}, options = {}) =>
  runOperation(gateway, key, 'workflow', null, { steps, ...more }, options);
const spentBy = ({ steps }: OperationJob) =>
  steps.map(({ id, images, delivered, spent }) => [id, images, delivered, spent]);
const ordered = (model: RegExp) => gateway.sandbox?.journal().filter((entry) => model.test(entry.model ?? '')) ?? [];

const generate = (input: Input) => ({ generate: { prompt: 'a canvas backpack', ...input } });
const cut = { edit: { removeBackground: {} } };

describe("the guide's four examples run from end to end and cost what the guide says", () => {
  test('social media campaign: 29 credits', async () => {
    const job = await run([
      { id: 'create', operation: generate({ template: 'instagram_feed_square', count: 5 }) },
      { id: 'edit', from: 'create', times: 3, operation: cut },
      { id: 'optimize', from: 'create', operation: { optimize: { platforms: ['INSTAGRAM', 'FACEBOOK', 'LINKEDIN'] } } },
    ]);
    expect(job).toMatchObject({
      operation: 'WORKFLOW',
      status: 'SUCCEEDED',
      receipt: { quoted: 29, held: 29, captured: 29, released: 0, settled: true },
    });
    expect(spentBy(job)).toEqual([
      ['create', 5, 5, 20],
      ['edit', 3, 3, 9],
      ['optimize', 15, 15, 0],
    ]);
    const captured = job.receipt.entries.filter(({ bucket }) => bucket === 'captured').map(({ amount }) => amount);
    expect(captured).toEqual([4, 4, 4, 4, 4, 3, 3, 3]);
  });

  test('blog featured image: 12 credits', async () => {
    const job = await run([
      { id: 'create', operation: generate({ quality: 'PREMIUM' }) },
      { id: 'upscale', from: 'create', operation: { upscale: { mode: 'CONSERVATIVE' } } },
      { id: 'optimize', from: 'upscale', operation: { optimize: { platforms: ['TWITTER', 'LINKEDIN', 'PINTEREST'] } } },
    ]);
    expect(job).toMatchObject({ status: 'SUCCEEDED', receipt: { quoted: 12, captured: 12, released: 0 } });
    expect(job.images.map(({ size }) => [size.width, size.height]).slice(0, 2)).toEqual([
      [1024, 1024],
      [2048, 2048],
    ]);
  });

  test('product photography: 21 credits', async () => {
    const job = await run([
      { id: 'create', operation: generate({ quality: 'PREMIUM' }) },
      { id: 'cut', from: 'create', operation: cut },
      {
        id: 'colours',
        from: 'cut',
        times: 3,
        operation: { edit: { searchRecolor: { selectPrompt: 'backpack', prompt: 'green', seed: 1 } } },
      },
    ]);
    expect(job).toMatchObject({ status: 'SUCCEEDED', receipt: { quoted: 21, captured: 21, released: 0 } });
    const [created, cutout, ...colours] = job.images;
    expect(cutout?.source?.id).toBe(created?.asset?.id);
    expect(colours.map(({ source }) => source?.id)).toEqual(Array(3).fill(cutout?.asset?.id));
    const { data } = await gateway.ask<{ asset: { parent: { id: string; parent: { id: string } } } }>(
      { key },
      '($id: ID!) { asset(id: $id) { parent { id parent { id } } } }'.replace('(', 'query ('),
      { id: colours[0]?.asset?.id },
    );
    expect(data?.asset.parent).toEqual({ id: cutout?.asset?.id, parent: { id: created?.asset?.id } });
  });

  test('content library: 90 credits', async () => {
    const job = await run([
      { id: 'create', times: 2, operation: generate({ quality: 'DRAFT', count: 10 }) },
      { id: 'edit', from: 'create', times: 10, operation: { edit: { general: { prompt: 'warmer light' } } } },
      { id: 'upscale', from: 'edit', times: 5, operation: { upscale: { mode: 'FAST' } } },
    ]);
    expect(job).toMatchObject({ status: 'SUCCEEDED', receipt: { quoted: 90, captured: 90, released: 0 } });
    expect(spentBy(job)).toEqual([
      ['create', 20, 20, 40],
      ['edit', 10, 10, 40],
      ['upscale', 5, 5, 10],
    ]);
  });
});

test.each(Object.entries(RECIPES))(
  'the recipe "%s" of the playground and the README runs, for what it is said to cost',
  async (_, recipe) => {
    const { data, errors } = await gateway.ask<{ runWorkflow: { job: OperationJob } }>({ key }, recipe.query + OUTCOME);
    expect(errors).toBeUndefined();
    expect(data?.runWorkflow.job).toMatchObject({
      status: 'SUCCEEDED',
      receipt: { captured: recipe.credits, released: 0 },
    });
  },
);

describe('steps that start from the library', () => {
  test('a batch of pictures is edited and enlarged in one job', async () => {
    const images = await Promise.all(
      [300, 320, 340].map(async (width) => upload(gateway, key, await scene(width, 240))),
    );
    const steps = images.flatMap((image, index) => [
      { id: `cut${index}`, image, operation: cut },
      { id: `big${index}`, from: `cut${index}`, operation: { upscale: { mode: 'FAST' } } },
    ]);
    const job = await run(steps);
    expect(job).toMatchObject({ status: 'SUCCEEDED', receipt: { quoted: 12, captured: 12 } });
    expect(job.images.map(({ asset }) => [asset?.width, asset?.height])).toEqual(
      [300, 320, 340].flatMap((width) => [
        [width, 240],
        [width * 4, 960],
      ]),
    );
  });

  test('a step that says nothing of its picture can be estimated, not run', async () => {
    const input = { steps: [{ id: 'cut', operation: cut }] };
    const { data } = await gateway.ask<{ estimateWorkflow: Record<string, unknown> }>(
      { key },
      'query ($input: WorkflowInput!) { estimateWorkflow(input: $input) { credits quote steps { notes } } }',
      { input },
    );
    expect(data?.estimateWorkflow).toEqual({
      credits: 3,
      quote: null,
      steps: [{ notes: ['The picture is not known yet: size M is assumed.'] }],
    });
    const { errors } = await submitOperation(gateway, key, 'workflow', null, input);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'steps[0].from' });
  });

  test("another account's picture in a step is answered as if it did not exist", async () => {
    const stranger = await open(gateway, { tier: 'PRO' });
    const theirs = await upload(gateway, stranger, await scene(200, 200));
    const { errors } = await submitOperation(gateway, key, 'workflow', null, {
      steps: [{ id: 'cut', image: theirs, operation: cut }],
    });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND', field: 'steps[0].image' });
  });

  test('what is wrong deep inside a step is named by its whole path', async () => {
    const image = await upload(gateway, key, await scene(200, 200));
    const missing = 'asset_01jd0000000000000000000000';
    for (const [operation, code, field] of [
      [{ edit: { erase: { mask: missing } } }, 'NOT_FOUND', 'steps[0].operation.edit.mask'],
      [{ edit: { general: { prompt: 'a', seed: 2_147_483_647 } } }, 'BAD_USER_INPUT', 'steps[0].operation.edit.seed'],
    ] as const) {
      const steps = [{ id: 'one', image, times: 2, operation }];
      const { errors } = await submitOperation(gateway, key, 'workflow', null, { steps });
      expect(errors?.[0]?.extensions).toMatchObject({ code, field });
    }
  });

  test('a negative maxCredits is an error, not a refusal', async () => {
    const steps = [{ id: 'one', operation: generate({ quality: 'DRAFT' }) }];
    const { errors } = await submitOperation(gateway, key, 'workflow', null, { steps, maxCredits: -1 });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'maxCredits', value: '-1' });
  });
});

describe('the price of the whole', () => {
  const steps = [
    { id: 'create', operation: generate({ quality: 'DRAFT', count: 2 }) },
    { id: 'cut', from: 'create', times: 2, operation: cut },
  ];

  test('is quoted, and the quote is what the run takes', async () => {
    const { data } = await gateway.ask<{
      estimateWorkflow: { credits: number; quote: string; steps: { routes: unknown[] }[] };
    }>(
      { key },
      `query ($input: WorkflowInput!) { estimateWorkflow(input: $input) { credits quote affordableCount expectedSeconds preflight { ok }
        steps { id credits lines { label credits } routes { id } alternatives { credits } preflight { ok } } } }`,
      { input: { steps } },
    );
    expect(data?.estimateWorkflow).toMatchObject({ credits: 10, affordableCount: 200, preflight: { ok: true } });
    const job = await run(steps, {}, { quote: data?.estimateWorkflow.quote });
    expect(job.receipt).toMatchObject({ quoted: 10, captured: 10 });
  });

  test('above maxCredits refuses the whole, and nothing is ordered', async () => {
    const before = gateway.sandbox?.journal().length;
    expect(await refusalsOf(gateway, key, 'workflow', null, { steps, maxCredits: 9.999 })).toMatchObject([
      { __typename: 'CapExceeded', cap: 'MAX_CREDITS', required: 10, creditsLimit: 9.999 },
    ]);
    expect(gateway.sandbox?.journal().length).toBe(before);
  });

  test('uses up the free images of two providers at once, and gives back those that are not delivered', async () => {
    gateway.sandbox?.faults.next('gemini', 'moderated', 1);
    const job = await run([
      { id: 'a', operation: generate({ provider: 'HUGGINGFACE', quality: 'DRAFT', count: 2 }) },
      { id: 'b', operation: generate({ provider: 'GEMINI' }) },
    ]);
    expect(job).toMatchObject({ status: 'PARTIAL', receipt: { quoted: 0, captured: 0 } });
    expect(job.receipt.freeAllowances).toEqual(
      expect.arrayContaining([
        { provider: 'HUGGINGFACE', images: 2 },
        { provider: 'GEMINI', images: 1 },
      ]),
    );
    const { data } = await gateway.ask<{ viewer: { allowances: { provider: string; left: number }[] } }>(
      { key },
      '{ viewer { allowances { provider left } } }',
    );
    expect(data?.viewer.allowances).toEqual([
      { provider: 'HUGGINGFACE', left: 48 },
      { provider: 'GEMINI', left: 25 },
    ]);
  });

  test('is asked for once: the same key answers the same job', async () => {
    const options = { idempotencyKey: 'campaign-1' };
    const first = await run(steps, {}, options);
    const { data } = await submitOperation(gateway, key, 'workflow', null, { steps }, options);
    expect(data?.answer).toMatchObject({ replayed: true, job: { id: first.id } });
  });

  test('with another maxCredits under the same key is another wish, and a conflict', async () => {
    const options = { idempotencyKey: 'campaign-1' };
    await run(steps, { maxCredits: 100 }, options);
    const again = (maxCredits: number) =>
      submitOperation(gateway, key, 'workflow', null, { steps, maxCredits }, options);
    expect((await again(100)).data?.answer).toMatchObject({ replayed: true });
    expect((await again(99)).errors?.[0]?.extensions).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });
});

describe('a picture that fails', () => {
  test('stops only what builds on it, and only it is released', async () => {
    gateway.sandbox?.faults.next('stability', 'moderated', 1);
    const before = ordered(/qwen-image\/edit/).length;
    const job = await run([
      { id: 'create', operation: generate({ model: 'qwen-image', count: 3 }) },
      { id: 'cut', from: 'create', times: 3, operation: cut },
      { id: 'warm', from: 'cut', times: 3, operation: { edit: { general: { prompt: 'warmer' } } } },
      { id: 'posts', from: 'warm', operation: { optimize: { platforms: ['INSTAGRAM', 'LINKEDIN'] } } },
    ]);
    expect(job.status).toBe('PARTIAL');
    expect(spentBy(job)).toEqual([
      ['create', 3, 3, 6],
      ['cut', 3, 2, 6],
      ['warm', 3, 2, 8],
      ['posts', 6, 4, 0],
    ]);
    expect(job.receipt).toMatchObject({ quoted: 27, held: 27, captured: 20, released: 7, settled: true });
    const failures = job.images.flatMap(({ failure }) => failure?.code ?? []);
    expect(failures.toSorted()).toEqual(['CONTENT_REFUSED', 'SOURCE_FAILED', 'SOURCE_FAILED', 'SOURCE_FAILED']);
    expect(ordered(/qwen-image\/edit/)).toHaveLength(before + 2);
  });
});

describe('cancelling between steps', () => {
  test('keeps and charges what is delivered, releases the rest, and orders nothing more', async () => {
    gateway.sandbox?.faults.next('stability', 'never', 1);
    const { data } = await submitOperation(
      gateway,
      key,
      'workflow',
      null,
      {
        steps: [
          { id: 'create', operation: generate({ model: 'qwen-image', count: 1 }) },
          { id: 'cut', from: 'create', operation: cut },
          { id: 'warm', from: 'cut', operation: { edit: { general: { prompt: 'never to be asked for' } } } },
        ],
      },
      { waitSeconds: 0 },
    );
    if (data?.answer.__typename !== 'Submission') throw new Error('refused');
    const { id } = data.answer.job;
    const steps = async () =>
      (
        await gateway.ask<{ job: { images: { status: string }[] } }>(
          { key },
          'query ($id: ID!) { job(id: $id) { images { status } } }',
          { id },
        )
      ).data?.job.images.map(({ status }) => status);
    await expect.poll(steps, { timeout: 20_000 }).toEqual(['DELIVERED', 'RUNNING', 'WAITING']);
    const cancelled = await gateway.ask<{ cancelJob: OperationJob }>(
      { key },
      'mutation ($id: ID!) { cancelJob(id: $id) { status images { status } receipt { captured released settled } steps { id spent } } }',
      { id },
    );
    expect(cancelled.data?.cancelJob).toEqual({
      status: 'PARTIAL',
      images: [{ status: 'DELIVERED' }, { status: 'CANCELLED' }, { status: 'CANCELLED' }],
      receipt: { captured: 2, released: 7, settled: true },
      steps: [
        { id: 'create', spent: 2 },
        { id: 'cut', spent: 0 },
        { id: 'warm', spent: 0 },
      ],
    });
    expect(gateway.sandbox?.journal().some(({ prompt }) => prompt === 'never to be asked for')).toBe(false);
  });
});

test('a cutout is really what the next step works on: its transparency shows in the end', async () => {
  const image = await upload(gateway, key, await scene(600, 600));
  const job = await run([
    { id: 'cut', image, operation: cut },
    {
      id: 'post',
      from: 'cut',
      operation: { optimize: { formats: ['pinterest-pin'], crop: 'FIT', padding: '#00ff00', outputFormat: 'PNG' } },
    },
  ]);
  const last = await fetched(job.images[1]?.asset?.url ?? '');
  expect(await sharp(last).metadata()).toMatchObject({ width: 1000, height: 1500 });
  const pixels = await pixelsOf(last);
  // Above the picture there is padding, and behind the cutout the same colour shows through.
  expect(at(pixels, 500, 20)).toEqual([0, 255, 0, 255]);
  expect(at(pixels, 20, 750)).toEqual([0, 255, 0, 255]);
});
