import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import {
  estimateOperation,
  onlyPicture,
  refusalsOf,
  runOperation,
  submitOperation,
  upload,
} from '../support/operations.ts';
import { at, pixelsOf, scene } from '../support/pixels.ts';
import { open } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'PRO' });
});
beforeEach(() => gateway.sandbox?.faults.clear());
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

const source = async (width: number, height: number) => upload(gateway, key, await scene(width, height));
const plain = async (width: number, height: number) =>
  upload(
    gateway,
    key,
    await sharp({ create: { width, height, channels: 3, background: '#567' } })
      .png()
      .toBuffer(),
  );
const upscale = (image: string, input: Record<string, unknown>) => runOperation(gateway, key, 'upscale', image, input);

describe('a mode makes exactly the size that it is for', () => {
  test.each([
    ['FAST', [240, 160], [960, 640], 2],
    ['CONSERVATIVE', [400, 200], [2896, 1448], 6],
    ['CREATIVE', [256, 256], [2048, 2048], 6],
  ] as const)('%s', async (mode, [width, height], [toWidth, toHeight], credits) => {
    const image = await source(width, height);
    const estimate = await estimateOperation(gateway, key, 'upscale', image, { mode });
    expect(estimate).toMatchObject({ credits, size: { width: toWidth, height: toHeight }, preflight: { ok: true } });
    const job = await runOperation(gateway, key, 'upscale', image, { mode }, { quote: estimate.quote ?? undefined });
    const bytes = await onlyPicture(job);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: toWidth, height: toHeight });
    expect(job).toMatchObject({ operation: 'UPSCALE', receipt: { quoted: credits, captured: credits, released: 0 } });
    // The same picture: the middle of the disc is red, the corner is the ground.
    const after = await pixelsOf(bytes);
    const [r = 0, g = 0, b = 0] = at(after, Math.round(toWidth * 0.42), Math.round(toHeight * 0.5));
    expect(r).toBeGreaterThan(Math.max(g, b) + 60);
    const [cr = 0, , cb = 0] = at(after, 6, toHeight - 6);
    expect(cb).toBeGreaterThan(cr + 40);
  });

  test('CREATIVE is done later by its vendor, and one that never finishes is not charged', async () => {
    gateway.sandbox?.faults.next('stability', 'poll-failed', 1);
    const job = await upscale(await source(256, 256), { mode: 'CREATIVE', prompt: 'a poster' });
    expect(job).toMatchObject({ status: 'FAILED', receipt: { quoted: 6, captured: 0, released: 6, settled: true } });
  });
});

describe('presets set the exact size and never the price', () => {
  test.each([
    ['WEB', 2048],
    ['PRINT', 3072],
    ['SOCIAL', 1080],
  ] as const)('%s brings the longer side to %i', async (preset, side) => {
    const image = await source(900, 600);
    const without = await estimateOperation(gateway, key, 'upscale', image, { mode: 'FAST' });
    const estimate = await estimateOperation(gateway, key, 'upscale', image, { mode: 'FAST', preset });
    const height = Math.round((side * 600) / 900);
    expect(estimate).toMatchObject({ credits: without.credits, size: { width: side, height } });
    expect(estimate.lines.at(-1)).toMatchObject({ kind: 'PREPARATION', credits: 0 });
    const job = await upscale(image, { mode: 'FAST', preset, outputFormat: 'JPEG' });
    expect(await sharp(await onlyPicture(job)).metadata()).toMatchObject({ format: 'jpeg', width: side, height });
    expect(job.receipt.captured).toBe(without.credits);
  });

  test('one that asks for more than twice what the mode makes is refused with the limit', async () => {
    expect(
      await refusalsOf(gateway, key, 'upscale', await source(100, 100), { mode: 'FAST', preset: 'PRINT' }),
    ).toMatchObject([
      {
        __typename: 'UnsupportedSize',
        requestedSize: { width: 3072, height: 3072 },
        allowed: '800x800, twice what FAST makes of this picture',
      },
    ]);
  });
});

describe('sources at every limit pass, and one pixel over is refused', () => {
  test.each([
    ['FAST', [1024, 1024], true],
    ['FAST', [1025, 1024], false],
    ['FAST', [1536, 682], true],
    ['FAST', [1537, 600], false],
    ['FAST', [32, 32], true],
    ['CONSERVATIVE', [3072, 3072], true],
    ['CONSERVATIVE', [3073, 3072], false],
    ['CONSERVATIVE', [64, 64], true],
    ['CONSERVATIVE', [63, 66], false],
    ['CONSERVATIVE', [250, 100], true],
    ['CONSERVATIVE', [251, 100], false],
    ['CREATIVE', [1024, 1024], true],
    ['CREATIVE', [1025, 1024], false],
    ['CREATIVE', [64, 64], true],
    ['CREATIVE', [64, 63], false],
  ] as const)('%s from %o: %s', async (mode, [width, height], passes) => {
    const { preflight } = await estimateOperation(gateway, key, 'upscale', await plain(width, height), { mode });
    expect(preflight.refusals.map(({ __typename }) => __typename)).toEqual(passes ? [] : ['UnsupportedSource']);
    if (!passes) expect(preflight.refusals[0]?.message).toMatch(/A copy of \d+x\d+ would do/);
  });

  test('FAST from its largest square runs, to 16.8 million pixels', async () => {
    const job = await upscale(await source(1024, 1024), { mode: 'FAST' });
    expect(job).toMatchObject({ status: 'SUCCEEDED', images: [{ asset: { width: 4096, height: 4096 } }] });
  });
});

test('a picture of half the size that was ordered is not taken for it', async () => {
  gateway.sandbox?.faults.next('stability', 'wrong-size', 1);
  const job = await upscale(await source(256, 256), { mode: 'FAST' });
  expect(job).toMatchObject({
    status: 'FAILED',
    images: [{ failure: { code: 'UNUSABLE_PICTURE' }, attempts: [{ outcome: 'broken' }] }],
    receipt: { captured: 0, released: 2 },
  });
});

describe('what a mode cannot be told is an error', () => {
  test.each([
    ['words for FAST', { mode: 'FAST', prompt: 'sharper' }, 'prompt'],
    ['a seed for FAST', { mode: 'FAST', seed: 1 }, 'seed'],
    ['a style for CONSERVATIVE', { mode: 'CONSERVATIVE', stylePreset: 'anime' }, 'stylePreset'],
    ['too little creativity', { mode: 'CONSERVATIVE', creativity: 0.19 }, 'creativity'],
    ['too much creativity', { mode: 'CREATIVE', creativity: 0.51 }, 'creativity'],
  ])('%s', async (_, input, field) => {
    const { errors } = await submitOperation(gateway, key, 'upscale', await plain(100, 100), input);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });
});

test('cheaper modes are told, with what they save', async () => {
  const estimate = await estimateOperation(gateway, key, 'upscale', await source(256, 256), { mode: 'CREATIVE' });
  expect(estimate.alternatives).toEqual([{ edit: null, mode: 'FAST', credits: 2, saves: 4 }]);
  expect(estimate.affordableCount).toBeGreaterThan(100);
});

test.each([
  ['a preset that is smaller', { mode: 'FAST', preset: 'SOCIAL' }, [1400, 700], /makes it smaller, \d+x\d+\. It costs/],
  [
    'a mode that draws less',
    { mode: 'CONSERVATIVE' },
    [2400, 2400],
    /draws it anew at 2048x2048, and it is brought back/,
  ],
])('%s than the picture is told before it is paid for', async (_, input, [width = 0, height = 0], note) => {
  const { notes } = await estimateOperation(gateway, key, 'upscale', await plain(width, height), input);
  expect(notes).toEqual([expect.stringMatching(note)]);
});
