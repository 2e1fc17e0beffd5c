import { createHash } from 'node:crypto';
import { rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Asset } from '../../src/assets/asset.ts';
import { newId } from '../../src/platform/ids.ts';
import { retentionOn } from './curation.ts';
import { type DeliveryServer, deliveryServer, headersOf, SAFETY_HEADERS } from './delivery-server.ts';
import { grainy, realPicture } from './library.ts';

const grain = async () => realPicture(grainy(100, 100).png());

function fileOf({ library }: DeliveryServer, storageKey: string): string {
  return join(library.folder, storageKey.slice(-2), storageKey);
}

describe('a picture in another size, when something is wrong', () => {
  const server = deliveryServer();
  let asset: Asset;
  let url: string;
  beforeEach(async () => {
    asset = await server().keep(await grain());
    url = server().library.renditions.signedUrl(asset, { width: 50 });
  });

  const rows = () => server().library.renditionsOf(asset);

  it.each([
    ['is gone', (path: string) => rm(path)],
    ['lost its end', (path: string) => truncate(path, 5)],
    ['was changed', (path: string, size: number) => writeFile(path, Buffer.alloc(size))],
  ])('says so when the original %s, as for the original itself', async (_what, harm) => {
    await harm(fileOf(server(), asset.storageKey), asset.byteCount);
    const response = await fetch(url);
    expect(response.status).toBe(404);
    expect(headersOf(response)).toMatchObject({ ...SAFETY_HEADERS, 'cache-control': 'no-store' });
    expect(await response.json()).toEqual({
      error: {
        code: 'NOT_FOUND',
        message: 'The bytes of this picture are missing from storage. The operator has been told.',
      },
    });
    expect(server().logged).toMatchObject([
      { level: 50, assetId: asset.id, msg: 'the bytes of an asset are missing or incomplete' },
    ]);
    expect(await rows()).toEqual([]);
  });

  it('says so when the original cannot be decoded, and tells the operator', async () => {
    const response = await fetch(server().library.renditions.signedUrl(server().asset, { format: 'JPEG' }));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: 'NOT_FOUND', message: expect.stringContaining('cannot be decoded') },
    });
    expect(server().logged).toMatchObject([{ assetId: server().asset.id, msg: 'an asset cannot be decoded' }]);
  });

  it.each(['COVER', 'INSIDE', 'CONTAIN'] as const)(
    'does not show the upper half of a broken picture %s',
    async (fit) => {
      const whole = await grain();
      const bytes = Buffer.concat([whole.bytes.subarray(0, whole.bytes.length / 2), Buffer.alloc(20_000)]);
      const broken = await server().keep({ ...whole, bytes, sha256: createHash('sha256').update(bytes).digest('hex') });
      const wish = { width: 100, height: 16, fit };
      expect((await fetch(server().library.renditions.signedUrl(broken, wish))).status).toBe(404);
    },
  );

  it.each([
    ['are gone', (path: string) => rm(path)],
    ['lost their end', (path: string) => truncate(path, 5)],
  ])('draws it anew when the bytes it was kept in %s', async (_what, harm) => {
    const first = await (await fetch(url)).arrayBuffer();
    const [kept] = await rows();
    await harm(fileOf(server(), kept?.storage_key ?? ''));
    const second = await fetch(url);
    expect(second.status).toBe(200);
    expect(Buffer.from(first).equals(Buffer.from(await second.arrayBuffer()))).toBe(true);
    const [redrawn, ...others] = await rows();
    expect([redrawn?.storage_key === kept?.storage_key, others.length]).toEqual([false, 0]);
    expect(await server().library.storage.size(kept?.storage_key ?? '')).toBeNull();
  });

  it('leaves bytes without a row when it dies between the two, serves it the next time, and the sweep removes them', async () => {
    const { storage, service } = server().library;
    const put = storage.put.bind(storage);
    const orphans: string[] = [];
    vi.spyOn(storage, 'put').mockImplementationOnce(async (key, bytes) => {
      await put(key, bytes);
      orphans.push(key);
      throw new Error('killed');
    });
    expect((await fetch(url)).status).toBe(503);
    expect([orphans.length, await rows()]).toEqual([1, []]);
    expect((await fetch(url)).status).toBe(200);

    const [kept] = await rows();
    const keys = [...orphans, kept?.storage_key ?? '', asset.storageKey];
    for (const key of keys) await utimes(fileOf(server(), key), new Date(0), new Date(0));
    expect(await service.sweepOrphans(new Date(1))).toMatchObject({ deleted: 1, finished: true });
    expect(await Promise.all(keys.map((key) => storage.size(key).then((size) => size !== null)))).toEqual([
      false,
      true,
      true,
    ]);
    expect((await fetch(url)).status).toBe(200);
  });

  it('of a deleted picture is neither served nor drawn, though it was kept', async () => {
    const undrawn = server().library.renditions.signedUrl(asset, { width: 60 });
    expect((await fetch(url)).status).toBe(200);
    await server().library.markDeleted(asset);
    for (const address of [url, undrawn]) {
      const response = await fetch(address);
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ error: { code: 'FORBIDDEN' } });
    }
    expect(await rows()).toHaveLength(1);
  });

  it('of a picture that is deleted while it is drawn is not kept', async () => {
    const { storage } = server().library;
    const put = storage.put.bind(storage);
    const keys: string[] = [];
    vi.spyOn(storage, 'put').mockImplementation(async (key, bytes) => {
      await put(key, bytes);
      keys.push(key);
      await server().library.markDeleted(asset);
      await retentionOn(server().library).purge([asset.id]);
    });
    expect((await fetch(url)).status).toBe(403);
    expect([await rows(), await storage.size(keys[0] ?? '')]).toEqual([[], null]);
  });

  it('refuses a properly signed address of an asset that does not exist', async () => {
    const absent = { ...asset, id: newId('asset') };
    expect((await fetch(server().library.renditions.signedUrl(absent, { width: 50 }))).status).toBe(403);
  });
});

describe('when many pictures are asked for at once', () => {
  const server = deliveryServer({ atOnce: 1, waiting: 2, waitMs: 60_000 });

  it('draws one at a time, lets a few wait, refuses the others, and serves them when there is room', async () => {
    const asset = await server().keep(await grain());
    const { storage, renditions } = server().library;
    const put = storage.put.bind(storage);
    const gate = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    let [drawing, most] = [0, 0];
    vi.spyOn(storage, 'put').mockImplementation(async (key, bytes) => {
      most = Math.max(most, ++drawing);
      began.resolve();
      await gate.promise;
      await put(key, bytes);
      drawing -= 1;
    });
    const get = (width: number) => fetch(renditions.signedUrl(asset, { width }));
    const first = get(50);
    await began.promise;
    const all = [51, 52, 53, 54, 55].map(get);
    // Only what is refused is answered before the gate opens.
    const answered = await Promise.all([...Array(3)].map((_, i) => nth(all, i)));
    const refusals = answered.filter(({ status }) => status === 503);
    expect(refusals).toHaveLength(3);
    expect(headersOf(refusals[0] as Response)).toMatchObject({ 'retry-after': '5', 'cache-control': 'no-store' });
    expect(await refusals[0]?.json()).toEqual({
      error: {
        code: 'UNAVAILABLE',
        message: 'Too many pictures are being drawn just now. Try again in 5 seconds; the address stays the same.',
      },
    });
    // Whoever wants what is under way already waits with it, and takes no place.
    const joined = get(50);
    gate.resolve();
    expect((await Promise.all([first, joined])).map(({ status }) => status)).toEqual([200, 200]);
    expect((await Promise.all(all)).map(({ status }) => status).sort()).toEqual([200, 200, 503, 503, 503]);
    expect(most).toBe(1);
    for (const width of [51, 52, 53, 54, 55]) expect((await get(width)).status).toBe(200);
    expect(server().logged).toEqual([]);
  });

  /** The answer that comes as the n-th. */
  function nth(answers: readonly Promise<Response>[], n: number): Promise<Response> {
    const { promise, resolve } = Promise.withResolvers<Response>();
    let count = 0;
    for (const answer of answers) void answer.then((response) => count++ === n && resolve(response));
    return promise;
  }
});

describe('when a picture takes long to draw', () => {
  const server = deliveryServer({ atOnce: 1, waiting: 2, waitMs: 20 });

  it('asks to try again, and has it ready then', async () => {
    const asset = await server().keep(await grain());
    const { storage, renditions } = server().library;
    const put = storage.put.bind(storage);
    const gate = Promise.withResolvers<void>();
    const stored = Promise.withResolvers<void>();
    vi.spyOn(storage, 'put').mockImplementation(async (key, bytes) => {
      await gate.promise;
      await put(key, bytes);
      stored.resolve();
    });
    const url = renditions.signedUrl(asset, { width: 50 });
    const response = await fetch(url);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    gate.resolve();
    await stored.promise;
    await vi.waitFor(async () => expect((await fetch(url)).status).toBe(200));
    expect(storage.put).toHaveBeenCalledTimes(1);
  });
});
