import { badInput, notFound, unknownReference } from '../errors.ts';
import { checkedName } from '../platform/checked-name.ts';
import type { Clock } from '../platform/clock.ts';
import { checkPageSize, readCursor } from '../platform/cursor.ts';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { Asset } from './asset.ts';
import type { AssetsService } from './assets.service.ts';
import type { Collection, CollectionContents } from './collection.ts';
import type { CollectionsStore } from './collections.store.ts';
import { checkBulk, knownAssets } from './curation.service.ts';

export const COLLECTIONS_MAX = 1_000;
export const COLLECTIONS_OF_ASSET_MAX = 50;
/** The name of the list, which its cursors carry. */
export const COLLECTIONS_LIST = 'collections';

const EMPTY: CollectionContents = { assets: 0, coverId: null };

/** Named groups of assets. */
export class Collections {
  constructor(
    private readonly db: Db,
    private readonly store: CollectionsStore,
    private readonly assets: Pick<AssetsService, 'byIds'>,
    private readonly clock: Clock,
  ) {}

  /** @throws BAD_USER_INPUT also when the account has one of that name, or as many as it may. */
  async create(accountId: string, name: string): Promise<Collection> {
    const collection: Collection = {
      id: newId('collection'),
      accountId,
      name: checkedName('name', name),
      coverId: null,
      createdAt: this.clock.now(),
    };
    await inTransaction(this.db, async (tx) => {
      await this.#checkName(tx, accountId, collection.name, null);
      if (!(await this.store.insert(tx, collection, COLLECTIONS_MAX)))
        throw badInput('name', name, `one of at most ${COLLECTIONS_MAX} collections: delete one first`);
    });
    return collection;
  }

  /** A cover that is null is the asset added last. @throws NOT_FOUND, BAD_USER_INPUT */
  async update(
    accountId: string,
    id: string,
    { name, cover }: { readonly name?: string | undefined; readonly cover?: string | null | undefined },
  ): Promise<Collection> {
    const change = {
      ...(name !== undefined && { name: checkedName('name', name) }),
      ...(cover !== undefined && { cover_id: cover }),
    };
    return inTransaction(this.db, async (tx) => {
      const collection = await this.#get(tx, accountId, id);
      if (change.name !== undefined) await this.#checkName(tx, accountId, change.name, id);
      if (cover) await this.#checkMember(tx, accountId, id, cover);
      if (Object.keys(change).length > 0) await this.store.update(tx, id, change);
      return {
        ...collection,
        name: change.name ?? collection.name,
        coverId: cover === undefined ? collection.coverId : cover,
      };
    });
  }

  /** Its assets stay in the library. @throws NOT_FOUND */
  async delete(accountId: string, id: string): Promise<void> {
    if (!(await this.store.delete(this.db, accountId, id))) throw notFound('collection', id);
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT also when one of them would be in more collections than an asset may be in. */
  add(accountId: string, id: string, assetIds: readonly string[]): Promise<Collection> {
    return this.#change(accountId, [id], assetIds, (tx) => this.#put(tx, id, assetIds));
  }

  /** Taking out what is not in it is harmless. @throws NOT_FOUND, BAD_USER_INPUT */
  remove(accountId: string, id: string, assetIds: readonly string[]): Promise<Collection> {
    return this.#change(accountId, [id], assetIds, (tx) => this.store.remove(tx, id, assetIds));
  }

  /** Takes assets out of one collection and puts them into another. @throws NOT_FOUND, BAD_USER_INPUT */
  move(accountId: string, from: string, to: string, assetIds: readonly string[]): Promise<Collection> {
    return this.#change(accountId, [to, from], assetIds, async (tx) => {
      await this.store.remove(tx, from, assetIds);
      await this.#put(tx, to, assetIds);
    });
  }

  /** @throws NOT_FOUND */
  get(accountId: string, id: string): Promise<Collection> {
    return this.#get(this.db, accountId, id);
  }

  /** In the order of `ids`; null for what does not exist or belongs to another account. */
  async byIds(accountId: string, ids: readonly string[]): Promise<(Collection | null)[]> {
    const found = new Map((await this.store.byIds(this.db, accountId, ids)).map((each) => [each.id, each]));
    return ids.map((id) => found.get(id) ?? null);
  }

  /** A page of the account's collections, newest first. @throws BAD_USER_INPUT */
  async list(
    accountId: string,
    page: { readonly first: number; readonly after: string | null },
  ): Promise<{ items: Collection[]; hasNextPage: boolean }> {
    checkPageSize(page.first);
    const beforeId = page.after === null ? null : readCursor(COLLECTIONS_LIST, 'collection', page.after);
    const found = await this.store.page(this.db, accountId, page.first + 1, beforeId);
    return { items: found.slice(0, page.first), hasNextPage: found.length > page.first };
  }

  /** In the order of `ids`, what is in each. */
  async contentsOf(ids: readonly string[]): Promise<CollectionContents[]> {
    const contents = await this.store.contents(this.db, ids);
    return ids.map((id) => contents.get(id) ?? EMPTY);
  }

  /** In the order of `assetIds`, the collections that each is in. */
  async ofAssets(accountId: string, assetIds: readonly string[]): Promise<Collection[][]> {
    const memberships = await this.store.memberships(this.db, assetIds);
    const ids = [...new Set(memberships.map(({ collection_id }) => collection_id))];
    const known = new Map((await this.store.byIds(this.db, accountId, ids)).map((each) => [each.id, each]));
    const byAsset = Map.groupBy(memberships, ({ asset_id }) => asset_id);
    return assetIds.map((id) => (byAsset.get(id) ?? []).flatMap(({ collection_id }) => known.get(collection_id) ?? []));
  }

  /** Changes what is in the first of the collections; all of them must be the account's, and so must the assets. */
  #change(
    accountId: string,
    ids: readonly [string, ...string[]],
    assetIds: readonly string[],
    change: (tx: Tx) => Promise<void>,
  ): Promise<Collection> {
    checkBulk('assets', assetIds);
    return inTransaction(this.db, async (tx) => {
      const collections = [];
      for (const id of ids) collections.push(await this.#get(tx, accountId, id));
      await this.#known(tx, accountId, assetIds, 'assets');
      await change(tx);
      return collections[0] as Collection;
    });
  }

  async #put(tx: Tx, id: string, assetIds: readonly string[]): Promise<void> {
    await this.store.add(tx, id, assetIds, this.clock.now());
    const counts = Map.groupBy(await this.store.memberships(tx, assetIds), ({ asset_id }) => asset_id);
    for (const [assetId, { length }] of counts)
      if (length > COLLECTIONS_OF_ASSET_MAX)
        throw badInput('assets', assetId, `in at most ${COLLECTIONS_OF_ASSET_MAX} collections, this one included`);
  }

  async #known(tx: Tx, accountId: string, assetIds: readonly string[], field: string): Promise<Asset[]> {
    const found = await this.assets.byIds(accountId, assetIds, tx);
    return knownAssets(
      assetIds,
      found.filter((asset) => asset !== null),
      field,
    );
  }

  async #checkMember(tx: Tx, accountId: string, id: string, cover: string): Promise<void> {
    await this.#known(tx, accountId, [cover], 'cover');
    const isInside = (await this.store.memberships(tx, [cover])).some(({ collection_id }) => collection_id === id);
    if (!isInside) throw badInput('cover', cover, 'an asset of this collection');
  }

  async #checkName(tx: Tx, accountId: string, name: string, exceptId: string | null): Promise<void> {
    if (await this.store.isTaken(tx, accountId, name, exceptId))
      throw badInput('name', name, 'a name that no other collection of this account has');
  }

  async #get(db: Db | Tx, accountId: string, id: string): Promise<Collection> {
    const [collection] = await this.store.byIds(db, accountId, [id]);
    if (!collection) throw unknownReference('collection', id, 'id');
    return collection;
  }
}
