import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Asset } from '../../src/assets/asset.ts';
import { RENDITIONS_KEPT_MAX, type Renditions } from '../../src/assets/renditions.service.ts';
import { RenditionsStore } from '../../src/assets/renditions.store.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { retentionOn } from './curation.ts';
import { grainy, NOW, realPicture, TestLibrary } from './library.ts';

/** What is promised of derived pictures on whichever database `open` gives; it must be migrated. */
export function renditionsSuite(engine: string, open: () => Promise<Database>): void {
  describe(`derived pictures on ${engine}`, () => {
    let database: Database;
    let library: TestLibrary;
    let asset: Asset;

    beforeAll(async () => {
      database = await open();
      library = await TestLibrary.on(database.db);
    });
    afterAll(async () => {
      await library.close();
      await database.close();
    });
    const keep = async () => library.keep(newId('account'), {}, await realPicture(grainy(64, 64).png()));
    beforeEach(async () => {
      library.now = NOW;
      asset = await keep();
    });

    async function fetched(width: number, of = asset, from: Renditions = library.renditions) {
      const url = new URL(from.signedUrl(of, { width }));
      const { expires = '', signature = '' } = Object.fromEntries(url.searchParams);
      const found = await from.bySignature(of.id, url.pathname.split('/').at(-1) ?? '', { expires, signature });
      return found?.rendition ?? null;
    }

    const specsOf = async (of = asset) => (await library.renditionsOf(of)).map(({ spec }) => spec);
    const exists = async (key: string | undefined) => (await library.storage.size(key ?? '')) !== null;

    it('gives back every word of what was made, and does not make it again', async () => {
      const made = await fetched(32);
      library.now = new Date(NOW.getTime() + 60_000);
      expect(await fetched(32)).toEqual(made);
      expect(made).toEqual({
        assetId: asset.id,
        fit: 'INSIDE',
        width: 32,
        height: 32,
        contentType: 'image/png',
        storageKey: made?.storageKey,
        byteCount: await library.storage.size(made?.storageKey ?? ''),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        madeAt: NOW,
      });
    });

    it('are kept twenty of a picture: the oldest goes, row and bytes, and is drawn again when asked for', async () => {
      const other = await keep();
      await fetched(20, other);
      const first = await fetched(16);
      const second = await fetched(17);
      for (let more = 2; more < RENDITIONS_KEPT_MAX; more++) {
        library.now = new Date(NOW.getTime() + more);
        await fetched(16 + more);
      }
      expect([(await specsOf()).length, await exists(first?.storageKey)]).toEqual([20, true]);
      await fetched(40);
      expect(await specsOf()).toHaveLength(20);
      expect([await exists(first?.storageKey), await exists(second?.storageKey)]).toEqual([false, true]);
      expect(await specsOf()).not.toContain('inside-16x16.png');
      expect((await fetched(16))?.storageKey).not.toBe(first?.storageKey);
      expect(await exists(second?.storageKey)).toBe(false);
      expect(await specsOf(other)).toEqual(['inside-20x20.png']);
    });

    it('stay twenty when many processes write theirs at once, and what is evicted is told once', async () => {
      const made = await fetched(32);
      if (!made) throw new Error('nothing was made');
      const store = new RenditionsStore();
      const write = (i: number) => {
        const storageKey = newId('rendition');
        return store.insert(database.db, { ...made, width: 100 + i, storageKey }, RENDITIONS_KEPT_MAX);
      };
      const written = await Promise.all(Array.from({ length: 60 }, (_, i) => write(i)));
      expect(written.every(({ inserted }) => inserted)).toBe(true);
      const evicted = written.flatMap((each) => each.evicted);
      expect([evicted.length, new Set(evicted).size, (await specsOf()).length]).toEqual([41, 41, 20]);
    });

    it('are one when two processes make the same, and the bytes of the other are gone', async () => {
      const before = await countFiles();
      const processes = [1, 2, 3].map(() => library.newRenditions());
      const made = await Promise.all(processes.map((process) => fetched(32, asset, process)));
      expect(new Set(made.map((each) => each?.storageKey)).size).toBe(1);
      expect(await specsOf()).toEqual(['inside-32x32.png']);
      expect((await countFiles()) - before).toBe(1);
    });

    async function countFiles(): Promise<number> {
      let count = 0;
      for await (const _ of library.storage.files()) count += 1;
      return count;
    }

    it('go with their pictures, rows and bytes, when those are purged, and no others', async () => {
      const [gone, kept] = [await keep(), await keep()];
      const made = [await fetched(32, gone), await fetched(33, gone), await fetched(32, kept)];
      await library.markDeleted(gone);
      expect(await retentionOn(library).purge([gone.id, kept.id])).toBe(1);
      expect(await Promise.all(made.map((each) => exists(each?.storageKey)))).toEqual([false, false, true]);
      expect([await specsOf(gone), await specsOf(kept)]).toEqual([[], ['inside-32x32.png']]);
      expect(await library.service.isIntact(kept)).toBe(true);
    });

    it('are left alone by the sweep, deleted picture or not, until the row is gone', async () => {
      const swept = await TestLibrary.on(database.db);
      try {
        const picture = await swept.keep(newId('account'), {}, await realPicture(grainy(64, 64).png()));
        const made = await fetched(32, picture, swept.renditions);
        await swept.markDeleted(picture);
        const later = new Date(Date.now() + 60_000);
        expect(await swept.service.sweepOrphans(later)).toEqual({ examined: 2, deleted: 0, finished: true });
        await database.db
          .withTables<{ assets: { id: string } }>()
          .deleteFrom('assets')
          .where('id', '=', picture.id)
          .execute();
        expect(await swept.renditionsOf(picture)).toEqual([]);
        expect(await swept.service.sweepOrphans(later)).toEqual({ examined: 2, deleted: 2, finished: true });
        expect(await swept.storage.size(made?.storageKey ?? '')).toBeNull();
      } finally {
        await swept.close();
      }
    });
  });
}
