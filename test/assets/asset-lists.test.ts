import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Asset, Lineage } from '../../src/assets/asset.ts';
import {
  ASSET_ORDER_FIELDS,
  type AssetFilter,
  type AssetOrder,
  ORDER_DIRECTIONS,
} from '../../src/assets/asset-filter.ts';
import { assetCursor } from '../../src/assets/asset-lists.service.ts';
import { Collections } from '../../src/assets/collections.service.ts';
import { CollectionsStore } from '../../src/assets/collections.store.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { curationOn } from './curation.ts';
import { NOW, TestLibrary, tinyPicture } from './library.ts';

const HOUR_MS = 60 * 60_000;

for (const engine of ENGINES)
  describe(`lists of the library on ${engine}`, () => {
    let database: Database;
    let library: TestLibrary;
    let account: string;

    beforeAll(async () => {
      database = await freshDatabase(engine);
      library = await TestLibrary.on(database.db);
    });
    afterAll(async () => {
      await library.close();
      await database.close();
    });
    beforeEach(() => {
      account = newId('account');
      library.now = NOW;
    });

    const keep = (lineage: Partial<Lineage> = {}, bytes = 'x') => library.keep(account, lineage, tinyPicture(bytes));
    const idsFor = async (filter: AssetFilter, order?: AssetOrder) =>
      (await library.lists.page(account, { first: 100, filter, order })).items.map(({ id }) => id);
    const curation = () => curationOn(library);

    it('narrow by any and by all of some tags, capitals or not', async () => {
      const [spring, both, autumn, bare] = [await keep(), await keep(), await keep(), await keep()];
      await curation().tag(account, [spring.id, both.id], { add: ['Spring'], remove: [] });
      await curation().tag(account, [both.id, autumn.id], { add: ['AUTUMN', 'Größe'], remove: [] });
      const sorted = async (filter: AssetFilter) => (await idsFor(filter)).sort();
      expect(await sorted({ tags: { any: ['spring', 'autumn'] } })).toEqual([spring.id, both.id, autumn.id].sort());
      expect(await sorted({ tags: { all: ['spring', 'autumn'] } })).toEqual([both.id]);
      expect(await sorted({ tags: { any: ['größe'], all: ['sPRING'] } })).toEqual([both.id]);
      expect(await sorted({ tags: { any: [] } })).toEqual([]);
      expect(await sorted({ tags: { all: [] } })).toHaveLength(4);
      expect(await sorted({ tags: { any: ["'; drop table assets; --"] } })).toEqual([]);
      expect(await sorted({})).toContain(bare.id);
    });

    it('narrow by favourite, quality, parent, cost and time, both ends included', async () => {
      const cheap = await keep({ credits: 2_000n, quality: 'DRAFT' });
      library.now = new Date(NOW.getTime() + HOUR_MS);
      const dear = await keep({ credits: 6_500n, quality: 'PREMIUM', parentId: cheap.id });
      await curation().update(account, dear.id, { favourite: true });
      expect(await idsFor({ favourite: true })).toEqual([dear.id]);
      expect(await idsFor({ favourite: false })).toEqual([cheap.id]);
      expect(await idsFor({ quality: 'DRAFT' })).toEqual([cheap.id]);
      expect(await idsFor({ parent: cheap.id })).toEqual([dear.id]);
      expect(await idsFor({ cost: { min: 6_500n } })).toEqual([dear.id]);
      expect(await idsFor({ cost: { min: 2_001n, max: 6_499n } })).toEqual([]);
      expect(await idsFor({ cost: { max: 2_000n } })).toEqual([cheap.id]);
      expect(await idsFor({ created: { from: library.now } })).toEqual([dear.id]);
      expect(await idsFor({ created: { to: NOW } })).toEqual([cheap.id]);
      expect(await idsFor({ created: { from: NOW, to: library.now } })).toEqual([dear.id, cheap.id]);
    });

    it('search the words of prompt and title as a search box does, and nothing of another account', async () => {
      const cats = await keep({ prompt: 'Three cats sleeping on a red sofa' });
      const dog = await keep({ prompt: 'a dog on a red carpet' });
      const titled = await keep({ prompt: null });
      await curation().update(account, titled.id, { title: 'Sofas for the spring catalogue' });
      await library.keep(newId('account'), { prompt: 'a cat of somebody else' });
      const found = async (search: string) => (await idsFor({ search })).sort();
      expect(await found('cat')).toEqual([cats.id]);
      expect(await found('sofa')).toEqual([cats.id, titled.id].sort());
      expect(await found('red -dog')).toEqual([cats.id]);
      expect(await found('dog or cats')).toEqual([cats.id, dog.id].sort());
      expect(await found('"red sofa"')).toEqual([cats.id]);
      expect(await found('"sofa red"')).toEqual([]);
      expect(await found('the')).toEqual([]);
      expect(await found(account)).toEqual([]);
      for (const odd of ["'", '"', '((', '& | !', ':*', '\\', '%', '<->', '🙂', 'x'.repeat(200)])
        expect(await found(odd)).toEqual([]);
    });

    it('narrow by a collection, and never by one of another account', async () => {
      const [inside] = [await keep(), await keep()];
      const collections = new Collections(database.db, new CollectionsStore(), library.service, { now: () => NOW });
      const mine = await collections.create(account, 'mine');
      await collections.add(account, mine.id, [inside.id]);
      const stranger = newId('account');
      const theirs = await collections.create(stranger, 'theirs');
      await collections.add(stranger, theirs.id, [(await library.keep(stranger)).id]);
      expect(await idsFor({ collection: mine.id })).toEqual([inside.id]);
      expect(await idsFor({ collection: theirs.id })).toEqual([]);
      expect(await idsFor({ collection: newId('collection') })).toEqual([]);
    });

    it('show deleted assets apart, until they are purged', async () => {
      const [kept, deleted, purged] = [await keep(), await keep(), await keep()];
      await curation().delete(account, [deleted.id], false);
      await curation().delete(account, [purged.id], true);
      expect(await idsFor({})).toEqual([kept.id]);
      expect(await idsFor({ status: 'KEPT' })).toEqual([kept.id]);
      expect(await idsFor({ status: 'DELETED' })).toEqual([deleted.id]);
      expect(await library.lists.count(account, { status: 'DELETED' })).toBe(1);
    });

    it.each([
      ['an empty search', { search: '  ' }, 'filter.search'],
      ['too long a search', { search: 'x'.repeat(201) }, 'filter.search'],
      ['a search with a NUL', { search: 'a\0b' }, 'filter.search'],
      ['an empty tag', { tags: { any: ['ok', ' '] } }, 'filter.tags.any[1]'],
      ['too long a tag', { tags: { all: ['x'.repeat(51)] } }, 'filter.tags.all[0]'],
      ['a tag with a line in it', { tags: { all: ['a\nb'] } }, 'filter.tags.all[0]'],
      ['too many tags', { tags: { any: Array.from({ length: 21 }, (_, i) => `t${i}`) } }, 'filter.tags.any'],
      ['a cost that ends before it begins', { cost: { min: 2n, max: 1n } }, 'filter.cost.min'],
      ['a time that ends before it begins', { created: { from: NOW, to: new Date(0) } }, 'filter.created.from'],
    ])('refuse %s, naming the field', async (_, filter, field) => {
      await expect(library.lists.page(account, { first: 1, filter })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field },
      });
    });

    it('come in every order, each asset once, whatever is stored meanwhile', async () => {
      const made: Asset[] = [];
      for (let i = 0; i < 12; i++) {
        library.now = new Date(NOW.getTime() + Math.floor(i / 3) * HOUR_MS);
        const asset = await keep({ credits: BigInt(i % 4) * 500n }, 'x'.repeat(1 + (i % 5)));
        const title = [null, 'b', 'B', 'a', 'Ünder', '.', '🙂'][i % 7] ?? null;
        made.push(title === null ? asset : await curation().update(account, asset.id, { title }));
      }
      const keyOf = {
        CREATED: (asset: Asset) => asset.createdAt.getTime(),
        COST: (asset: Asset) => Number(asset.credits),
        SIZE: (asset: Asset) => asset.byteCount,
        TITLE: (asset: Asset) => asset.titleKey,
      };
      for (const field of ASSET_ORDER_FIELDS)
        for (const direction of ORDER_DIRECTIONS) {
          const order: AssetOrder = { field, direction };
          const ascending = made.toSorted((a, b) => compare(keyOf[field](a), keyOf[field](b)) || compare(a.id, b.id));
          const expected = (direction === 'ASC' ? ascending : ascending.reverse()).map(({ id }) => id);
          const seen: string[] = [];
          let after: string | null = null;
          for (let more = true; more; ) {
            const page = await library.lists.page(account, { first: 5, after, order });
            seen.push(...page.items.map(({ id }) => id));
            const last = page.items.at(-1);
            after = last ? assetCursor(last, order) : null;
            more = page.hasNextPage;
            // Somebody stores another picture while the list is walked through; it may come or not, but shifts nothing.
            await library.keep(newId('account'));
          }
          expect({ order, seen }).toEqual({ order, seen: expected });
        }
    });

    it('go on behind a cursor however many assets have been stored before it', async () => {
      for (let i = 0; i < 4; i++) await keep();
      const first = await library.lists.page(account, { first: 2 });
      library.now = new Date(NOW.getTime() + HOUR_MS);
      for (let i = 0; i < 3; i++) await keep();
      const last = first.items.at(-1);
      if (!last) throw new Error('the first page is empty');
      const second = await library.lists.page(account, { first: 10, after: assetCursor(last) });
      expect(second.items.map(({ createdAt }) => createdAt)).toEqual([NOW, NOW]);
      expect(second.items.some(({ id }) => first.items.some((other) => other.id === id))).toBe(false);
    });

    it('take no cursor of another order', async () => {
      const asset = await keep();
      const after = assetCursor(asset, { field: 'COST', direction: 'ASC' });
      for (const order of [
        { field: 'COST', direction: 'DESC' },
        { field: 'SIZE', direction: 'ASC' },
      ] as const)
        await expect(library.lists.page(account, { first: 1, after, order })).rejects.toMatchObject({
          details: { field: 'after' },
        });
    });

    it('go through any title as a cursor', async () => {
      const asset = await keep();
      const order = { field: 'TITLE', direction: 'ASC' } as const;
      await fc.assert(
        fc.asyncProperty(fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }), async (text) => {
          const title = text.trim().slice(0, 100);
          fc.pre(title.trim() !== '' && title.isWellFormed() && !title.includes('\0'));
          const titled = await curation().update(account, asset.id, { title });
          const page = await library.lists.page(account, { first: 1, after: assetCursor(titled, order), order });
          expect(page).toEqual({ items: [], hasNextPage: false });
        }),
        { numRuns: 50 },
      );
    });
  });

function compare<T extends string | number>(a: T, b: T): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
