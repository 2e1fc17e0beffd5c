import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { libraryLaws } from '../../src/assets/assets.laws.store.ts';
import { StorageUses } from '../../src/assets/storage-use.service.ts';
import { StorageUseStore } from '../../src/assets/storage-use.store.ts';
import { type Database, inSnapshot } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { curationOn, retentionOn, TRASH_DAYS } from './curation.ts';
import { NOW, TestLibrary, tinyPicture } from './library.ts';

const DAY_MS = 24 * 60 * 60_000;
const later = (ms: number) => new Date(NOW.getTime() + ms);

for (const engine of ENGINES)
  describe(`deleted assets on ${engine}`, () => {
    let database: Database;
    let library: TestLibrary;
    let account: string;

    beforeAll(async () => {
      database = await freshDatabase(engine);
      library = await TestLibrary.on(database.db);
    });
    afterAll(async () => {
      expect((await inSnapshot(database.db, libraryLaws.check)).filter(({ violations }) => violations > 0)).toEqual([]);
      await library.close();
      await database.close();
    });
    beforeEach(() => {
      account = newId('account');
      library.now = NOW;
    });

    const keep = () => library.keep(account, { credits: 4_000n }, tinyPicture('ten bytes!'));
    const useOf = (id = account) => new StorageUses(database.db, new StorageUseStore()).of(id);
    const rowOf = async (id: string) =>
      (
        await sql<Record<string, unknown>>`
          select prompt, title, credits, purged_at is not null as purged from assets where id = ${id}`.execute(
          database.db,
        )
      ).rows[0];

    it('keep their bytes, tags and words until their time is over, and can be had back until then', async () => {
      const asset = await keep();
      const curation = curationOn(library);
      await curation.update(account, asset.id, { title: 'kept', favourite: true, tags: ['one'] });
      await curation.delete(account, [asset.id], false);
      library.now = later(TRASH_DAYS * DAY_MS - 1);
      await retentionOn(library).purgeDue();
      expect(await library.storage.size(asset.storageKey)).toBe(10);
      expect(await useOf()).toEqual({ assets: 1, bytes: 10 });
      const [restored] = await curation.restore(account, [asset.id]);
      expect(restored).toEqual({ ...asset, title: 'kept', titleKey: 'kept', favourite: true });
      expect(await curation.tagsOf(account, [asset.id])).toEqual([['one']]);
      library.now = later(2 * TRASH_DAYS * DAY_MS);
      await retentionOn(library).purgeDue();
      expect(await library.storage.size(asset.storageKey)).toBe(10);
    });

    it('lose bytes, words and tags when it is over, and keep what they cost', async () => {
      const asset = await keep();
      const curation = curationOn(library);
      await curation.update(account, asset.id, { title: 'secret', tags: ['secret'] });
      await curation.delete(account, [asset.id], false);
      library.now = later(TRASH_DAYS * DAY_MS);
      await retentionOn(library).purgeDue();
      expect(await library.storage.size(asset.storageKey)).toBeNull();
      expect(await rowOf(asset.id)).toEqual({ prompt: null, title: null, credits: 4_000n, purged: true });
      expect(await curation.tagsOf(account, [asset.id])).toEqual([[]]);
      expect(await useOf()).toEqual({ assets: 0, bytes: 0 });
      await expect(curation.restore(account, [asset.id])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('are not kept for longer by being deleted once more', async () => {
      const asset = await keep();
      await curationOn(library).delete(account, [asset.id], false);
      library.now = later(TRASH_DAYS * DAY_MS - 1);
      const [again] = await curationOn(library).delete(account, [asset.id], false);
      expect(again?.deletedAt).toEqual(NOW);
    });

    it('are destroyed at once when they are deleted permanently, also out of the trash', async () => {
      const [first, second] = [await keep(), await keep()];
      await curationOn(library).delete(account, [first.id], false);
      await curationOn(library).delete(account, [second.id, first.id], true);
      for (const asset of [first, second]) expect(await library.storage.size(asset.storageKey)).toBeNull();
      expect(await useOf()).toEqual({ assets: 0, bytes: 0 });
    });

    it('are purged once by however many sweeps at once', async () => {
      const assets = await Promise.all(Array.from({ length: 20 }, keep));
      await curationOn(library).delete(
        account,
        assets.map(({ id }) => id),
        false,
      );
      library.now = later(TRASH_DAYS * DAY_MS);
      const counts = await Promise.all(
        Array.from({ length: 4 }, () => retentionOn(library).purge(assets.map(({ id }) => id))),
      );
      expect(counts.reduce((sum, count) => sum + count)).toBe(20);
      expect(await useOf()).toEqual({ assets: 0, bytes: 0 });
    });

    it.skipIf(engine === 'pglite')('are destroyed also when somebody has them in hand at that moment', async () => {
      const asset = await keep();
      await curationOn(library).delete(account, [asset.id], false);
      const [held, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const hand = database.db.transaction().execute(async (tx) => {
        await sql`select id from assets where id = ${asset.id} for no key update`.execute(tx);
        held.resolve();
        await letGo.promise;
      });
      await held.promise;
      const purging = retentionOn(library).purge([asset.id]);
      const waiting = sql<{ pid: number }>`
        select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await waiting.execute(database.db)).rows.length).toBe(1);
      letGo.resolve();
      expect(await purging).toBe(1);
      await hand;
      expect(await library.storage.size(asset.storageKey)).toBeNull();
    });

    it('leave no bytes behind when the process dies between the word and the deed', async () => {
      const asset = await keep();
      await curationOn(library).delete(account, [asset.id], false);
      await sql`update assets set purged_at = ${NOW} where id = ${asset.id}`.execute(database.db);
      expect(await library.storage.size(asset.storageKey)).toBe(10);
      await library.service.sweepOrphans(new Date(Date.now() + 60_000));
      expect(await library.storage.size(asset.storageKey)).toBeNull();
    });

    it('of another account are not touched, and neither are the others of a list with one that is unknown', async () => {
      const mine = await keep();
      const theirs = await library.keep(newId('account'));
      for (const stranger of [theirs.id, newId('asset'), 'nonsense'])
        await expect(curationOn(library).delete(account, [mine.id, stranger], true)).rejects.toMatchObject({
          code: 'NOT_FOUND',
          details: { field: 'assets' },
        });
      expect((await library.service.byIds(account, [mine.id]))[0]?.id).toBe(mine.id);
      expect(await library.storage.size(theirs.storageKey)).not.toBeNull();
    });

    it('count: what is kept is what the account is said to keep, however pictures come and go at once', async () => {
      const pictures = await Promise.all(Array.from({ length: 30 }, keep));
      await Promise.all(
        pictures.map(({ id }, i) => (i % 3 === 0 ? curationOn(library).delete(account, [id], true) : keep())),
      );
      const { rows } = await sql<{ assets: bigint; bytes: bigint }>`
        select count(*) as assets, sum(bytes)::bigint as bytes from assets
        where account_id = ${account} and purged_at is null`.execute(database.db);
      expect(await useOf()).toEqual({ assets: Number(rows[0]?.assets), bytes: Number(rows[0]?.bytes) });
      expect(rows[0]?.assets).toBe(40n);
    });
  });
