import { createHash } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { generate, type JobAnswer, open } from '../support/stories.ts';

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

const bought = (prompt: string) =>
  gateway.sandbox?.journal().filter((entry) => entry.prompt?.startsWith(prompt) && entry.bought !== 'no') ?? [];

describe('a generated picture', () => {
  test('has exactly the asked size, costs exactly the estimate, and comes by a signed address', async () => {
    const input = { prompt: 'a lighthouse at dawn', width: 1080, height: 1350 };
    const estimate = await gateway.ask<{
      estimateGenerate: { credits: number; quote: string; balanceBefore: number; balanceAfter: number };
    }>(
      { key },
      'query ($input: GenerateInput!) { estimateGenerate(input: $input) { credits quote balanceBefore balanceAfter } }',
      { input },
    );
    expect(estimate.data?.estimateGenerate).toMatchObject({ credits: 4, balanceBefore: 2000, balanceAfter: 1996 });
    const { job, billing } = await generate(gateway, key, input, {
      quote: estimate.data?.estimateGenerate.quote,
      waitSeconds: 30,
    });
    expect(job).toMatchObject({
      status: 'SUCCEEDED',
      credits: 4,
      receipt: { quoted: 4, held: 4, captured: 4, released: 0, settled: true },
    });
    expect(billing).toMatchObject({ balance: 1996, held: 0, available: 1996, unlimited: false });

    const asset = job.images[0]?.asset;
    const response = await fetch(asset?.url ?? '');
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 1080, height: 1350 });
    expect(asset).toMatchObject({
      width: 1080,
      height: 1350,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      cost: 4,
    });
    const etag = response.headers.get('etag') ?? '';
    expect((await fetch(asset?.url ?? '', { headers: { 'if-none-match': etag } })).status).toBe(304);
    const part = await fetch(asset?.url ?? '', { headers: { range: 'bytes=0-7' } });
    expect([
      part.status,
      part.headers.get('content-range'),
      Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(0, 8)),
    ]).toEqual([206, `bytes 0-7/${bytes.length}`, true]);
  });

  test('is not to be had with an address that was changed', async () => {
    const { job } = await generate(gateway, key, { prompt: 'a harbour' }, { waitSeconds: 30 });
    const url = new URL(job.images[0]?.asset?.url ?? '');
    url.searchParams.set('expires', String(Number(url.searchParams.get('expires')) + 1));
    expect((await fetch(url)).status).toBe(403);
  });

  test('shows every ledger entry of its job, and they add up', async () => {
    const { job } = await generate(gateway, key, { prompt: 'a pier', count: 2 }, { waitSeconds: 30 });
    expect(job.receipt.entries.map(({ kind, bucket, amount }) => [kind, bucket, amount])).toEqual([
      ['HOLD', 'monthly', -8],
      ['HOLD', 'held', 8],
      ['CAPTURE', 'held', -4],
      ['CAPTURE', 'captured', 4],
      ['CAPTURE', 'held', -4],
      ['CAPTURE', 'captured', 4],
    ]);
    expect(job.receipt.entries.at(-1)?.imageId).toBe(job.images[1]?.id);
  });

  test('a batch of a seed is several pictures, and the same seed the same picture again', async () => {
    const input = { prompt: 'a gull', quality: 'DRAFT', model: 'qwen-image', seed: 7, count: 2 };
    const first = await generate(gateway, key, input, { waitSeconds: 30 });
    const again = await generate(gateway, key, { ...input, seed: 8, count: 1 }, { waitSeconds: 30 });
    const hashes = first.job.images.map(({ asset }) => asset?.sha256);
    expect(new Set(hashes).size).toBe(2);
    expect(again.job.images[0]?.asset?.sha256).toBe(hashes[1]);
  });
});

describe('what is not delivered is not charged', () => {
  test('one image of a batch withheld by moderation: the others are captured, it is released, and nobody else is asked', async () => {
    gateway.sandbox?.faults.next('stability', 'moderated', 1);
    const { job } = await generate(
      gateway,
      key,
      { prompt: 'a batch of three', model: 'stability/core', count: 3 },
      { waitSeconds: 30 },
    );
    expect(job).toMatchObject({ status: 'PARTIAL', receipt: { quoted: 9, held: 9, captured: 6, released: 3 } });
    const failed = job.images.filter(({ status }) => status === 'FAILED');
    expect(failed.map(({ failure }) => failure?.code)).toEqual(['CONTENT_REFUSED']);
    expect(failed[0]?.failure?.message).toMatch(/not charged/);
    expect(bought('a batch of three')).toHaveLength(2);
  });
});

test('a picture that cannot be stored is released, and says so', async () => {
  const pictures = join(gateway.dataDir, 'assets');
  await rename(pictures, `${pictures}-away`);
  await writeFile(pictures, '');
  try {
    const { job } = await generate(
      gateway,
      key,
      { prompt: 'nowhere to keep it', model: 'stability/core' },
      { waitSeconds: 30 },
    );
    expect(job).toMatchObject({ status: 'FAILED', receipt: { captured: 0, released: 3, settled: true } });
    expect(job.images[0]?.failure?.code).toBe('NOT_STORABLE');
  } finally {
    await rm(pictures);
    await rename(`${pictures}-away`, pictures);
  }
});

describe('cancelling', () => {
  test('a job that waits is released at once and never reaches a vendor', async () => {
    const customer = await open(gateway, { tier: 'FREE' });
    gateway.sandbox?.faults.next('stability', 'never', 1);
    const running = await generate(gateway, customer, { prompt: 'the one that blocks', model: 'stability/core' });
    const waiting = await generate(gateway, customer, { prompt: 'the one behind it', model: 'stability/core' });
    const cancel =
      'mutation ($id: ID!) { cancelJob(id: $id) { status images { status } receipt { captured released settled } } }';
    const cancelled = await gateway.ask<{ cancelJob: JobAnswer }>({ key: customer }, cancel, { id: waiting.job.id });
    expect(cancelled.data?.cancelJob).toEqual({
      status: 'CANCELLED',
      images: [{ status: 'CANCELLED' }],
      receipt: { captured: 0, released: 3, settled: true },
    });
    await gateway.ask({ key: customer }, cancel, { id: running.job.id });
    expect(gateway.sandbox?.journal().some(({ prompt }) => prompt === 'the one behind it')).toBe(false);
    const again = await gateway.ask<{ cancelJob: JobAnswer }>({ key: customer }, cancel, { id: waiting.job.id });
    expect(again.data?.cancelJob.status).toBe('CANCELLED');
    const viewer = await gateway.ask<{ viewer: { balance: number; held: number } }>(
      { key: customer },
      '{ viewer { balance held } }',
    );
    expect(viewer.data?.viewer).toEqual({ balance: 25, held: 0 });
  });
});
