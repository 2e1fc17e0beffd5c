import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SOCIAL_FORMATS } from '../../src/social/social-formats.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { type OperationJob, submitOperation, upload } from '../support/operations.ts';
import { maskOf, scene } from '../support/pixels.ts';
import { open } from '../support/stories.ts';

/** Whatever is asked, as long as it is valid: what was quoted is what is taken, and the receipt adds up. */

const SIZES = [
  [256, 256],
  [320, 200],
  [700, 780],
  [1300, 1250],
] as const;

let gateway: TestGateway;
let key: string;
const pictures: { image: string; mask: string }[] = [];
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'ENTERPRISE' });
  for (const [width, height] of SIZES) {
    const area = { left: 20, top: 30, width: Math.floor(width / 3), height: Math.floor(height / 3) };
    pictures.push({
      image: await upload(gateway, key, await scene(width, height)),
      mask: await upload(gateway, key, await maskOf(width, height, area)),
    });
  }
});
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

const words = fc.constantFrom('a lamp', 'the sea at night', 'ein Fuchs', '写真', '🦊 in snow');
const outputFormat = fc.constantFrom('PNG', 'JPEG', 'WEBP');
const margin = fc.integer({ min: 0, max: 120 });

const generate = fc.record(
  {
    prompt: words,
    quality: fc.constantFrom('DRAFT', 'STANDARD', 'PREMIUM'),
    width: fc.integer({ min: 256, max: 900 }),
    height: fc.integer({ min: 256, max: 900 }),
    count: fc.integer({ min: 1, max: 3 }),
    provider: fc.constantFrom('HUGGINGFACE', 'GEMINI', 'STABILITY'),
    stylePreset: fc.constantFrom('anime', 'line-art'),
  },
  { requiredKeys: ['prompt', 'quality', 'width', 'height'] },
);

/** An edit of the picture with the mask given; each has everything that is valid for its kind. */
const edit = fc.oneof(
  fc.constantFrom('PNG', 'WEBP').map((format) => () => ({ removeBackground: { outputFormat: format } })),
  fc
    .record({ growMask: fc.integer({ min: 0, max: 20 }), outputFormat })
    .map((more) => (mask: string) => ({ erase: { mask, ...more } })),
  fc
    .record({ prompt: words, growMask: fc.integer({ min: 0, max: 100 }), outputFormat }, { requiredKeys: ['prompt'] })
    .map((more) => (mask: string) => ({ inpaint: { mask, ...more } })),
  fc
    .record({ left: margin, right: margin, up: margin, down: fc.integer({ min: 1, max: 120 }) })
    .map((more) => () => ({ outpaint: more })),
  fc.record({ searchPrompt: words, prompt: words }).map((more) => () => ({ searchReplace: more })),
  fc.record({ selectPrompt: words, prompt: words }).map((more) => () => ({ searchRecolor: more })),
  fc
    .record(
      { backgroundPrompt: words, lightSourceDirection: fc.constantFrom('LEFT', 'ABOVE') },
      { requiredKeys: ['backgroundPrompt'] },
    )
    .map((more) => () => ({ relight: more })),
  fc.record({ prompt: words, outputFormat }).map((more) => () => ({ general: more })),
);

const upscale = fc.record(
  { mode: fc.constantFrom('FAST', 'CONSERVATIVE', 'CREATIVE'), preset: fc.constantFrom('WEB', 'SOCIAL') },
  { requiredKeys: ['mode'] },
);

const optimize = fc.record({
  formats: fc.uniqueArray(fc.constantFrom(...SOCIAL_FORMATS.slice(0, 12).map(({ id }) => id)), {
    minLength: 1,
    maxLength: 4,
  }),
  crop: fc.constantFrom('SMART', 'CENTER', 'FIT'),
});

const operation = fc.record({
  picture: fc.nat({ max: SIZES.length - 1 }),
  asked: fc.oneof(
    generate.map((input) => ['generate', () => input] as const),
    edit.map((input) => ['edit', input] as const),
    upscale.map((input) => ['upscale', () => input] as const),
    optimize.map((input) => ['optimize', () => input] as const),
  ),
  fault: fc.option(fc.constantFrom('moderated', 'status=400', 'status=500', 'truncated-picture'), { freq: 4 }),
});

async function run(picture: number, name: string, input: object): Promise<OperationJob | null> {
  const { image = '' } = pictures[picture] ?? {};
  const step = { id: 'only', ...(name !== 'generate' && { image }), operation: { [name]: input } };
  const { data, errors } = await submitOperation(gateway, key, 'workflow', null, { steps: [step] });
  expect(errors).toBeUndefined();
  return data?.answer.__typename === 'Submission' ? data.answer.job : null;
}

test('for every random valid operation, quoted = captured when all is delivered, and the receipt adds up otherwise', {
  timeout: 240_000,
}, async () => {
  const seen = { delivered: 0, failed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(operation, async ({ picture, asked: [name, input], fault }) => {
      gateway.sandbox?.faults.clear();
      if (fault !== null)
        for (const vendor of ['stability', 'wavespeed', 'huggingface', 'gemini'] as const)
          gateway.sandbox?.faults.next(vendor, fault, 1);
      const job = await run(picture, name, input(pictures[picture]?.mask ?? ''));
      // What this picture is not fit for is refused, and that is no story of money.
      if (job === null) {
        seen.refused += 1;
        return;
      }
      const { quoted, held, captured, released, settled, entries } = job.receipt;
      expect([held, captured + released, settled]).toEqual([quoted, quoted, true]);
      const delivered = job.images.filter(({ status }) => status === 'DELIVERED');
      expect(captured).toBeCloseTo(
        delivered.reduce((sum, { asset }) => sum + (asset?.cost ?? Number.NaN), 0),
        6,
      );
      if (delivered.length === job.images.length) expect([captured, released]).toEqual([quoted, 0]);
      expect(entries.reduce((sum, { amount }) => sum + amount, 0)).toBeCloseTo(0, 6);
      for (const { asset, size, status, failure } of job.images) {
        if (status === 'DELIVERED') expect([asset?.width, asset?.height]).toEqual([size.width, size.height]);
        else expect(failure?.message).toMatch(/not charged|costs nothing/);
      }
      seen[delivered.length > 0 ? 'delivered' : 'failed'] += 1;
    }),
    { numRuns: 60, endOnFailure: true },
  );
  expect(seen.delivered).toBeGreaterThan(10);
});

beforeEach(() => gateway.sandbox?.faults.clear());

test('pictures that are asked for again are the same bytes where a seed says so', async () => {
  const { image = '' } = pictures[0] ?? {};
  const twice = await Promise.all(
    [1, 2].map(() =>
      submitOperation(gateway, key, 'edit', image, { searchRecolor: { selectPrompt: 'red', prompt: 'blue', seed: 5 } }),
    ),
  );
  const hashes = twice.map(({ data }) =>
    data?.answer.__typename === 'Submission' ? data.answer.job.images[0]?.asset?.sha256 : null,
  );
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(hashes[1]).toBe(hashes[0]);
});

test('what is stored is a picture of exactly its size and kind, whatever was asked', async () => {
  const { data } = await gateway.ask<{
    assets: { nodes: { url: string; width: number; height: number; contentType: string }[] };
  }>({ key }, '{ assets(first: 30) { nodes { url width height contentType } } }');
  for (const { url, width, height, contentType } of data?.assets.nodes ?? []) {
    const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
    const metadata = await sharp(bytes).metadata();
    expect([metadata.width, metadata.height, `image/${metadata.format}`]).toEqual([width, height, contentType]);
    expect([metadata.exif, metadata.xmp, metadata.iptc]).toEqual([undefined, undefined, undefined]);
  }
});
