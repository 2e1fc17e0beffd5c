import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Asset, AssetKind } from '../../src/assets/asset.ts';
import { assetCursor } from '../../src/assets/asset-lists.service.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { lineageOf, NOW, TestLibrary, tinyPicture, UNCURATED } from './library.ts';

const idsOf = (assets: readonly (Asset | null)[]) => assets.map((asset) => asset?.id ?? null);

/** What the library promises on whichever database `open` gives; it must be migrated. */
export function assetsStoreSuite(engine: string, open: () => Promise<Database>): void {
  describe(`the library on ${engine}`, () => {
    let database: Database;
    let library: TestLibrary;
    let account: string;
    let stranger: string;

    beforeAll(async () => {
      database = await open();
      library = await TestLibrary.on(database.db);
    });
    afterAll(async () => {
      await library.close();
      await database.close();
    });
    beforeEach(() => {
      account = newId('account');
      stranger = newId('account');
    });

    it('gives back every word of what was kept', async () => {
      const lineage = { ...lineageOf(account), negativePrompt: "'; drop table assets; --", parentId: newId('asset') };
      const picture = tinyPicture('the very bytes');
      const kept = await library.keep(account, lineage, picture);

      const [read] = await library.service.byIds(account, [kept.id]);
      expect(read).toEqual(kept);
      expect(kept).toEqual({
        ...lineage,
        id: kept.id,
        storageKey: kept.id,
        kind: 'OUTPUT',
        width: 8,
        height: 4,
        byteCount: 14,
        contentType: 'image/png',
        sha256: picture.sha256,
        transparent: false,
        createdAt: NOW,
        ...UNCURATED,
      });
    });

    it('keeps what came from outside without a lineage, free of charge, and as many as there are', async () => {
      const stored = await library.service.storeBytes(tinyPicture('from outside'));
      const input = { ...stored, id: newId('asset'), accountId: account };
      const kept = await database.db.transaction().execute((tx) => library.service.insertInput(tx, input));
      const nothing = { operation: null, provider: null, model: null, prompt: null, negativePrompt: null, seed: null };
      const noJob = { quality: null, inputHash: null, jobId: null, imageId: null, parentId: null, priceVersion: null };
      expect(kept).toEqual({
        ...input,
        ...nothing,
        ...noJob,
        credits: 0n,
        kind: 'INPUT',
        createdAt: NOW,
        ...UNCURATED,
      });
      const another = await library.service.storeBytes(tinyPicture());
      await database.db
        .transaction()
        .execute((tx) => library.service.insertInput(tx, { ...another, accountId: account }));
      expect(await library.lists.count(account)).toBe(2);
    });

    it('makes one asset of one image, however often its delivery is repeated', async () => {
      const imageId = newId('image');
      const first = await library.keep(account, { imageId, credits: 4_000n });
      const again = await library.keep(account, { imageId, credits: 9_000n });

      expect(again).toEqual(first);
      expect(await library.lists.count(account)).toBe(1);
    });

    it('makes one asset when two deliveries of one image race', async () => {
      const imageId = newId('image');
      const kept = await Promise.all([1, 2, 3].map(() => library.keep(account, { imageId })));
      expect(new Set(idsOf(kept)).size).toBe(1);
      expect(await library.lists.count(account)).toBe(1);
    });

    it('keeps nothing when the transaction that would pay for it fails', async () => {
      const stored = await library.service.storeBytes(tinyPicture());
      const failing = database.db.transaction().execute(async (tx) => {
        await library.service.insertOutput(tx, { ...stored, ...lineageOf(account) });
        throw new Error('the capture failed');
      });
      await expect(failing).rejects.toThrow('the capture failed');
      expect(await library.lists.count(account)).toBe(0);
    });

    it('never hands an image of one account to another that names it', async () => {
      const imageId = newId('image');
      await library.keep(account, { imageId });
      await expect(library.keep(stranger, { imageId })).rejects.toThrow('no result');
      expect(await library.lists.count(stranger)).toBe(0);
    });

    it('answers in the order of the ids asked for, with null for unknown, malformed and foreign ones', async () => {
      const a = await library.keep(account);
      const b = await library.keep(account);
      const foreign = await library.keep(stranger);
      const asked = [b.id, newId('asset'), 'nonsense', foreign.id, a.id, b.id];
      expect(idsOf(await library.service.byIds(account, asked))).toEqual([b.id, null, null, null, a.id, b.id]);
      expect(await library.service.byIds(account, [])).toEqual([]);
    });

    it('gives each job its own assets, oldest first, and no job those of another account', async () => {
      const [jobId, otherJob] = [newId('job'), newId('job')];
      const a = await library.keep(account, { jobId });
      const b = await library.keep(account, { jobId });
      const other = await library.keep(account, { jobId: otherJob });
      await library.keep(stranger, { jobId });
      const byJobs = await library.service.byJobs(account, [otherJob, newId('job'), jobId]);
      expect(byJobs.map(idsOf)).toEqual([[other.id], [], [a.id, b.id]]);
    });

    it('finds the five newest assets of each input and no more', async () => {
      const made: string[] = [];
      for (let i = 0; i < 7; i++) made.unshift((await library.keep(account, { inputHash: 'often' })).id);
      const once = await library.keep(account, { inputHash: 'once' });
      await library.keep(stranger, { inputHash: 'once' });
      const found = await library.service.identical(account, ['once', 'never', 'often', 'once']);
      expect(found.map(idsOf)).toEqual([[once.id], [], made.slice(0, 5), [once.id]]);
    });

    it('pages through the whole library, newest first, each asset once', async () => {
      const newestFirst: string[] = [];
      for (let i = 0; i < 5; i++) newestFirst.unshift((await library.keep(account)).id);
      await library.keep(stranger);
      const seen: string[] = [];
      const sizes: number[] = [];
      let after: string | null = null;
      for (let more = true; more; ) {
        const page = await library.lists.page(account, { first: 2, after });
        seen.push(...page.items.map((asset) => asset.id));
        sizes.push(page.items.length);
        const last = page.items.at(-1);
        after = last ? assetCursor(last) : null;
        more = page.hasNextPage;
      }
      expect(seen).toEqual(newestFirst);
      expect(sizes).toEqual([2, 2, 1]);
    });

    it('says that there is no next page when a page ends the list exactly', async () => {
      await library.keep(account);
      await library.keep(account);
      expect((await library.lists.page(account, { first: 2 })).hasNextPage).toBe(false);
      expect((await library.lists.page(account, { first: 1 })).hasNextPage).toBe(true);
    });

    it('tells what came from outside from what a job made', async () => {
      const made = await library.keep(account);
      const stored = await library.service.storeBytes(tinyPicture());
      const brought = await database.db
        .transaction()
        .execute((tx) => library.service.insertInput(tx, { ...stored, accountId: account }));
      const idsOfKind = async (kind?: AssetKind) =>
        idsOf((await library.lists.page(account, { first: 100, filter: { kind } })).items);
      expect([await idsOfKind('INPUT'), await idsOfKind('OUTPUT')]).toEqual([[brought.id], [made.id]]);
      expect((await idsOfKind()).sort()).toEqual([made.id, brought.id].sort());
      expect(await library.lists.count(account, { kind: 'INPUT' })).toBe(1);
    });

    it('narrows by operation, provider and model together', async () => {
      const wanted = await library.keep(account, { operation: 'EDIT', provider: 'gemini', model: 'gemini/pro' });
      await library.keep(account, { operation: 'EDIT', provider: 'gemini', model: 'gemini/nano-banana' });
      await library.keep(account, { operation: 'GENERATE', provider: 'gemini', model: 'gemini/pro' });
      const filter = { operation: 'EDIT', provider: 'gemini', model: 'gemini/pro' };
      expect(idsOf((await library.lists.page(account, { first: 100, filter })).items)).toEqual([wanted.id]);
      expect(await library.lists.count(account, filter)).toBe(1);
      expect(await library.lists.count(account, { provider: 'gemini' })).toBe(3);
    });

    it.each([0, -1, 101, 1.5, Number.NaN, 2 ** 31])('refuses a page of %s', async (first) => {
      await expect(library.lists.page(account, { first })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field: 'first', limit: 'a whole number from 1 to 100' },
      });
    });

    it('gives a page of exactly 100', async () => {
      await expect(library.lists.page(account, { first: 100 })).resolves.toEqual({ items: [], hasNextPage: false });
    });

    const id = newId('asset');
    const cursor = (text: string) => Buffer.from(text).toString('base64url');
    it.each([
      ['empty', ''],
      ['not a cursor', 'nonsense'],
      ['a bare id', id],
      ['of another list', cursor(`jobs:${id}.${NOW.toISOString()}`)],
      ['of another order', cursor(`assets COST DESC:${id}.1`)],
      ['of another kind of id', cursor(`assets CREATED DESC:${newId('job')}.${NOW.toISOString()}`)],
      ['without a place', cursor(`assets CREATED DESC:${id}`)],
      ['at no time', cursor(`assets CREATED DESC:${id}.yesterday`)],
      ['padded', `${cursor(`assets CREATED DESC:${id}.${NOW.toISOString()}`)}=`],
      ['followed by rubbish', `${cursor(`assets CREATED DESC:${id}.${NOW.toISOString()}`)}*`],
      ['of 10,000 characters', randomBytes(5_000).toString('hex')],
      ['with a NUL', cursor(`assets CREATED DESC:${id}.${NOW.toISOString()}\0`)],
    ])('refuses a cursor that is %s', async (_what, after) => {
      await expect(library.lists.page(account, { first: 1, after })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field: 'after' },
      });
    });

    it('shows a deleted asset nowhere', async () => {
      const gone = await library.keep(account, { inputHash: 'gone' });
      await database.db
        .withTables<{ assets: { id: string; deleted_at: Date } }>()
        .updateTable('assets')
        .set({ deleted_at: NOW })
        .where('id', '=', gone.id)
        .execute();
      const address = new URL(library.service.signedUrl(gone)).searchParams;
      const { service } = library;
      expect(await service.byIds(account, [gone.id])).toEqual([null]);
      expect(await service.byJobs(account, [gone.jobId ?? ''])).toEqual([[]]);
      expect(await service.identical(account, ['gone'])).toEqual([[]]);
      expect(await library.lists.page(account, { first: 1 })).toEqual({ items: [], hasNextPage: false });
      expect(await library.lists.count(account)).toBe(0);
      expect(
        await service.bySignature(gone.id, {
          expires: address.get('expires') ?? '',
          signature: address.get('signature') ?? '',
        }),
      ).toBeNull();
    });

    it('reads through the transaction it is given', async () => {
      const stored = await library.service.storeBytes(tinyPicture());
      await database.db.transaction().execute(async (tx) => {
        const { id } = await library.service.insertOutput(tx, { ...stored, ...lineageOf(account) });
        expect(idsOf(await library.service.byIds(account, [id], tx))).toEqual([id]);
        expect(await library.lists.count(account, {}, tx)).toBe(1);
      });
    });
  });
}
