import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PLATFORM_LIMITS, SOCIAL_FORMATS } from '../../src/social/social-formats.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { estimateOperation, refusalsOf, runOperation, submitOperation, upload } from '../support/operations.ts';
import { at, fetched, pixelsOf, scene } from '../support/pixels.ts';
import { open } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
let image: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'FREE' });
  image = await upload(gateway, key, await scene(1536, 1536));
});
beforeEach(() => gateway.sandbox?.faults.clear());
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

const optimize = (input: Record<string, unknown>, of = image) => runOperation(gateway, key, 'optimize', of, input);

describe('one picture for all the formats there are', () => {
  test('each has exactly its size, within what its network takes, in one job that costs nothing', async () => {
    const formats = SOCIAL_FORMATS.map(({ id }) => id);
    const estimate = await estimateOperation(gateway, key, 'optimize', image, { formats });
    expect(estimate).toMatchObject({
      credits: 0,
      size: null,
      routes: [],
      affordableCount: null,
      preflight: { ok: true },
    });
    expect(estimate.lines[0]).toMatchObject({ kind: 'PRICE', label: 'Optimize for social', quantity: 20, credits: 0 });
    const job = await runOperation(
      gateway,
      key,
      'optimize',
      image,
      { formats },
      { quote: estimate.quote ?? undefined },
    );
    expect(job).toMatchObject({
      operation: 'OPTIMIZE',
      status: 'SUCCEEDED',
      receipt: { quoted: 0, held: 0, captured: 0, released: 0, settled: true, entries: [] },
      steps: [{ operation: 'OPTIMIZE', images: 20, delivered: 20, spent: 0 }],
    });
    expect(job.images.map(({ format }) => format?.id).sort()).toEqual(formats.toSorted());
    for (const { format, asset, source, attempts } of job.images) {
      const expected = SOCIAL_FORMATS.find(({ id }) => id === format?.id);
      if (!expected || !asset) throw new Error('a format is missing');
      expect(format?.safeZone.top).toBe(expected.safeZone.top);
      expect([asset.cost, source?.id, attempts]).toEqual([0, image, []]);
      const bytes = await fetched(asset.url);
      expect(bytes.length).toBeLessThanOrEqual(PLATFORM_LIMITS[expected.platform].bytesMax);
      const { width, height } = expected;
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', width, height });
    }
    expect(gateway.sandbox?.journal()).toEqual([]);
  });

  test('a network by its name means the format of its feed', async () => {
    const job = await optimize({ platforms: ['INSTAGRAM', 'TIKTOK'], outputFormat: 'PNG' });
    expect(job.images.map(({ asset }) => [asset?.width, asset?.height])).toEqual([
      [1080, 1080],
      [1080, 1920],
    ]);
  });
});

describe('how it is cut', () => {
  test('FIT cuts nothing off: the rest has exactly the colour that was asked for', async () => {
    const wide = await upload(gateway, key, await scene(1600, 800));
    const job = await optimize(
      { formats: ['instagram-feed-square'], crop: 'FIT', padding: '#FF8800', outputFormat: 'PNG' },
      wide,
    );
    const after = await pixelsOf(await fetched(job.images[0]?.asset?.url ?? ''));
    expect(at(after, 540, 100)).toEqual([0xff, 0x88, 0, 255]);
    expect(at(after, 540, 979)).toEqual([0xff, 0x88, 0, 255]);
    const [r = 0, , b = 0] = at(after, Math.round(1080 * 0.42), 540);
    expect(r).toBeGreaterThan(b);
  });

  test('FOCAL keeps the point: another point gives another part', async () => {
    const wide = await upload(gateway, key, await scene(2500, 1000));
    const partAround = async (x: number) => {
      const job = await optimize(
        { formats: ['instagram-story'], crop: 'FOCAL', focalPoint: { x, y: 0.5 }, outputFormat: 'PNG' },
        wide,
      );
      return pixelsOf(await fetched(job.images[0]?.asset?.url ?? ''));
    };
    const disc = at(await partAround(0.42), 540, 960);
    const bar = at(await partAround(0.77), 540, 960);
    expect(disc[0]).toBeGreaterThan(disc[1] ?? 255);
    expect(bar[1]).toBeGreaterThan(bar[0] ?? 255);
  });

  test('SMART keeps what is to be seen, where the middle has nothing', async () => {
    const lone = await sharp({ create: { width: 2500, height: 1000, channels: 3, background: '#8899aa' } })
      .composite([{ input: await scene(400, 400, '#101010'), left: 1900, top: 300 }])
      .png()
      .toBuffer();
    const id = await upload(gateway, key, lone);
    const redIn = async (crop: string) => {
      const job = await optimize({ formats: ['instagram-story'], crop, outputFormat: 'PNG' }, id);
      const { data } = await pixelsOf(await fetched(job.images[0]?.asset?.url ?? ''));
      let red = 0;
      for (let i = 0; i < data.length; i += 4) if ((data[i] ?? 0) > 150 && (data[i + 1] ?? 255) < 80) red += 1;
      return red;
    };
    expect(await redIn('SMART')).toBeGreaterThan(10_000);
    expect(await redIn('CENTER')).toBe(0);
  });
});

describe('refused or wrong', () => {
  test('a picture that is too small for a format is refused before anything is run, and told what to do', async () => {
    const small = await upload(gateway, key, await scene(500, 500));
    const [refusal] = await refusalsOf(gateway, key, 'optimize', small, { formats: ['youtube-channel-art'] });
    expect(refusal).toMatchObject({
      __typename: 'UnsupportedSource',
      source: { width: 500, height: 500 },
      fits: { width: 1280, height: 1280 },
    });
    expect(refusal?.message).toMatch(/A copy of 1280x1280 would do: upscale the picture first.*nothing was charged/);
  });

  test.each([
    ['neither platforms nor formats', {}, 'platforms'],
    ['both', { platforms: ['TIKTOK'], formats: ['tiktok-video-cover'] }, 'platforms'],
    ['an unknown format', { formats: ['instagram-poster'] }, 'formats'],
    ['a format twice', { formats: ['instagram-story', 'instagram-story'] }, 'formats'],
    ['FOCAL without a point', { platforms: ['TIKTOK'], crop: 'FOCAL' }, 'focalPoint'],
    ['a point outside', { platforms: ['TIKTOK'], crop: 'FOCAL', focalPoint: { x: 1.01, y: 0 } }, 'focalPoint.x'],
    ['a colour that is none', { platforms: ['TIKTOK'], crop: 'FIT', padding: 'blue' }, 'padding'],
  ])('%s is an error that names the field', async (_, input, field) => {
    const { errors } = await submitOperation(gateway, key, 'optimize', image, input);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });

  test('a job whose picture is gone from the disk ends, free of charge, and says so', async () => {
    const id = await upload(gateway, key, await scene(1200, 1200));
    await gateway.removeBytes(id);
    const job = await optimize({ platforms: ['INSTAGRAM'] }, id);
    expect(job).toMatchObject({ status: 'FAILED', images: [{ failure: { code: 'SOURCE_UNUSABLE' } }] });
  });
});

test('the formats can be looked up, with what is covered and what the network takes', async () => {
  const { data } = await gateway.ask<{ socialFormats: Record<string, unknown>[] }>(
    { key },
    `{ socialFormats(platform: YOUTUBE) { id platform name width height bytesMax fileTypes
      safeZone { top bottom left right } safeArea { x y width height } } }`,
  );
  expect(data?.socialFormats).toEqual([
    {
      id: 'youtube-thumbnail',
      platform: 'YOUTUBE',
      name: 'Thumbnail',
      width: 1280,
      height: 720,
      bytesMax: 2_000_000,
      fileTypes: ['PNG', 'JPEG'],
      safeZone: { top: 0.15, bottom: 0.15, left: 0.1, right: 0.1 },
      safeArea: { x: 128, y: 108, width: 1024, height: 504 },
    },
    expect.objectContaining({ id: 'youtube-channel-art', width: 2560, height: 1440 }),
  ]);
});
