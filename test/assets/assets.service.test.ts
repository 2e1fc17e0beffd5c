import { appendFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { URL_LIFETIME_MAX_SECONDS } from '../../src/assets/asset-url.ts';
import { DamagedAsset } from '../../src/assets/assets.service.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { Signer } from '../../src/platform/signer.ts';
import { freshDatabase } from '../support/databases.ts';
import { NOW, TestLibrary, tinyPicture } from './library.ts';

const HOUR_MS = 60 * 60 * 1000;

describe('the library', () => {
  let database: Database;
  let library: TestLibrary;

  beforeAll(async () => {
    database = await freshDatabase('pglite');
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    library = await TestLibrary.on(database.db);
  });
  afterEach(() => library.close());

  it('has the bytes safe before the row is written', async () => {
    const picture = tinyPicture('these very bytes');
    const { bytes, ...measured } = picture;
    const stored = await library.service.storeBytes(picture);
    expect(stored).toEqual({ ...measured, id: stored.id, storageKey: stored.id, byteCount: bytes.length });
    expect(await text(await library.service.open(stored))).toBe('these very bytes');
    expect(await library.service.isIntact(stored)).toBe(true);
  });

  describe('reading a picture back whole', () => {
    const fileOf = ({ storageKey }: { storageKey: string }) => join(library.folder, storageKey.slice(-2), storageKey);

    it('gives the very bytes', async () => {
      const kept = await library.keep(newId('account'), {}, tinyPicture('the very bytes'));
      expect((await library.service.read(kept)).toString()).toBe('the very bytes');
    });

    it.each([
      ['are gone', (path: string) => rm(path), 'are missing or incomplete'],
      ['lost their end', (path: string) => truncate(path, 3), 'are missing or incomplete'],
      ['have grown', (path: string) => appendFile(path, '!'), 'are missing or incomplete'],
      ['were changed', (path: string) => writeFile(path, 'THE VERY BYTES'), 'have changed'],
    ])('says by name that they %s', async (_, harm, what) => {
      const kept = await library.keep(newId('account'), {}, tinyPicture('the very bytes'));
      await harm(fileOf(kept));
      const damage = new DamagedAsset(kept.id, what);
      await expect(library.service.read(kept)).rejects.toThrow(damage);
    });
  });

  describe('addresses', () => {
    const asset = { id: 'asset_01k6x3v9m2e8yb5c7d0f1g2h3j' };
    const expiryOf = (url: string) => Number(new URL(url).searchParams.get('expires'));

    it('name the asset, the expiry and the signature, under the address that clients reach us at', () => {
      library.publicUrl = 'https://images.example/api//';
      const url = new URL(library.service.signedUrl(asset));
      expect(`${url.origin}${url.pathname}`).toBe(`https://images.example/api/assets/${asset.id}`);
      expect([...url.searchParams.keys()]).toEqual(['expires', 'signature']);
      expect(url.searchParams.get('signature')).toMatch(/^[A-Za-z0-9_-]{43}$/);
    });

    it('stay the same within five minutes, so that a browser uses its copy', () => {
      const at = (time: string) => library.service.signedUrl(asset, new Date(time));
      expect(at('2030-05-05T12:00:00.000Z')).toBe(at('2030-05-05T12:04:59.999Z'));
      expect(at('2030-05-05T12:05:00.000Z')).not.toBe(at('2030-05-05T12:04:59.999Z'));
    });

    it('live for 10 to 15 minutes, whenever they are made', () => {
      for (let second = 0; second < 900; second += 7) {
        const now = new Date(NOW.getTime() + second * 1000);
        const lifetime = expiryOf(library.service.signedUrl(asset, now)) - now.getTime() / 1000;
        expect(lifetime).toBeGreaterThan(600);
        expect(lifetime).toBeLessThanOrEqual(URL_LIFETIME_MAX_SECONDS);
      }
    });

    it('are for one asset each', () => {
      expect(library.service.signedUrl(asset)).not.toBe(library.service.signedUrl({ id: newId('asset') }));
    });

    it('still open after the signing key was rotated, and not after it was dropped', async () => {
      const kept = await library.keep(newId('account'));
      const query = new URL(library.service.signedUrl(kept)).searchParams;
      const [expires, signature] = [query.get('expires') ?? '', query.get('signature') ?? ''];
      const open = () => library.service.bySignature(kept.id, { expires, signature });
      expect((await open())?.asset).toEqual(kept);
      const rotated = new Signer(['a-newer-key-that-is-for-tests-only', 'a-key-that-is-used-in-tests-only-1']);
      expect(rotated.verify('asset-url', `/assets/${kept.id}\n${expires}`, signature)).toBe(true);
      const dropped = new Signer(['a-newer-key-that-is-for-tests-only']);
      expect(dropped.verify('asset-url', `/assets/${kept.id}\n${expires}`, signature)).toBe(false);
    });

    it('open nothing that was signed for another purpose', async () => {
      const kept = await library.keep(newId('account'));
      const expires = String(Math.floor(NOW.getTime() / 1000) + 60);
      const words = `/assets/${kept.id}\n${expires}`;
      const { service, signer } = library;
      expect(await service.bySignature(kept.id, { expires, signature: signer.sign('quote', words) })).toBeNull();
      expect(
        (await service.bySignature(kept.id, { expires, signature: signer.sign('asset-url', words) }))?.secondsLeft,
      ).toBe(60);
    });
  });

  describe('sweeping', () => {
    async function orphan(ageMs = 2 * HOUR_MS) {
      const stored = await library.service.storeBytes(tinyPicture());
      await age(stored.storageKey, ageMs);
      return stored;
    }

    async function age(key: string, ageMs: number) {
      const then = new Date(Date.now() - ageMs);
      await utimes(join(library.folder, key.slice(-2), key), then, then);
    }

    const anHourAgo = () => new Date(Date.now() - HOUR_MS);

    it('deletes old bytes that no row owns, and nothing else', async () => {
      const lost = [await orphan(), await orphan()];
      const young = await orphan(HOUR_MS / 2);
      const owned = await library.keep(newId('account'));
      await age(owned.storageKey, 2 * HOUR_MS);

      expect(await library.service.sweepOrphans(anHourAgo())).toEqual({ examined: 4, deleted: 2, finished: true });
      for (const { storageKey } of lost) expect(await library.storage.size(storageKey)).toBeNull();
      expect(await library.service.isIntact(young)).toBe(true);
      expect(await library.service.isIntact(owned)).toBe(true);
    });

    it('deletes the bytes of a repeated delivery, and keeps those that the asset has', async () => {
      const account = newId('account');
      const imageId = newId('image');
      const first = await library.keep(account, { imageId });
      await library.keep(account, { imageId });
      const later = new Date(Date.now() + HOUR_MS);
      expect(await library.service.sweepOrphans(later)).toEqual({ examined: 2, deleted: 1, finished: true });
      expect(await library.service.isIntact(first)).toBe(true);
    });

    it('keeps the bytes of an asset that is only marked as deleted', async () => {
      const kept = await library.keep(newId('account'));
      await database.db
        .withTables<{ assets: { id: string; deleted_at: Date } }>()
        .updateTable('assets')
        .set({ deleted_at: NOW })
        .where('id', '=', kept.id)
        .execute();
      const later = new Date(Date.now() + HOUR_MS);
      expect(await library.service.sweepOrphans(later)).toEqual({ examined: 1, deleted: 0, finished: true });
    });

    it('finds nothing the second time, and finds what came since', async () => {
      await orphan();
      expect((await library.service.sweepOrphans(anHourAgo())).deleted).toBe(1);
      expect(await library.service.sweepOrphans(anHourAgo())).toEqual({ examined: 0, deleted: 0, finished: true });
      await orphan();
      expect((await library.service.sweepOrphans(anHourAgo())).deleted).toBe(1);
    });

    it('looks at a bounded number of files at a time and goes on from there', async () => {
      const many = 5_600;
      async function* files() {
        for (let i = 0; i < many; i++) yield { key: `lost_file_${i}`, storedAt: new Date(0) };
      }
      const deleted = new Set<string>();
      library.storage.files = files;
      library.storage.delete = async (key) => void deleted.add(key);

      expect(await library.service.sweepOrphans(anHourAgo())).toEqual({
        examined: 5_000,
        deleted: 5_000,
        finished: false,
      });
      expect(await library.service.sweepOrphans(anHourAgo())).toEqual({ examined: 600, deleted: 600, finished: true });
      expect(deleted.size).toBe(many);
    });
  });
});
