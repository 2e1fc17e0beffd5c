import { badInput, unknownReference } from '../errors.ts';
import { checkedName } from '../platform/checked-name.ts';
import type { Clock } from '../platform/clock.ts';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import type { Asset } from './asset.ts';
import { asTags, TAGS_MAX } from './asset-filter.ts';
import type { CurationStore } from './curation.store.ts';
import type { Retention } from './retention.service.ts';

export const TITLE_LENGTH_MAX = 200;
/** Assets that one call may change. */
export const BULK_MAX = 100;
export const TAG_COUNTS_MAX = 500;

export interface AssetChange {
  /** Null takes the title away. */
  readonly title?: string | null | undefined;
  readonly favourite?: boolean | undefined;
  /** All of its tags from now on. */
  readonly tags?: readonly string[] | undefined;
}

/** What people do with their pictures. Whatever is changed for several is changed for all of them or for none. */
export class Curation {
  constructor(
    private readonly db: Db,
    private readonly store: CurationStore,
    private readonly retention: Retention,
    private readonly clock: Clock,
  ) {}

  /** @throws NOT_FOUND, BAD_USER_INPUT */
  async update(accountId: string, id: string, { title, favourite, tags }: AssetChange): Promise<Asset> {
    const wanted = tags && asTags('tags', tags);
    const change = {
      ...(title !== undefined && { title: title === null ? null : checkedName('title', title, TITLE_LENGTH_MAX) }),
      ...(favourite !== undefined && { favourite }),
    };
    return inTransaction(this.db, async (tx) => {
      await this.#inLibrary(tx, accountId, 'id', [id]);
      if (Object.keys(change).length > 0) await this.store.update(tx, id, change);
      if (wanted) {
        const present = (await this.store.tags(tx, accountId, [id])).get(id) ?? [];
        const gone = present.filter((tag) => !wanted.includes(tag));
        await this.store.removeTags(tx, accountId, [id], gone);
        await this.store.addTags(tx, accountId, [id], wanted);
      }
      return one(await this.store.lock(tx, accountId, [id]));
    });
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT also when one of them would have more tags than an asset may have. */
  async tag(
    accountId: string,
    ids: readonly string[],
    { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
  ): Promise<Asset[]> {
    const [added, removed] = [asTags('add', add), asTags('remove', remove)];
    return inTransaction(this.db, async (tx) => {
      const assets = await this.#inLibrary(tx, accountId, 'assets', ids);
      await this.store.removeTags(tx, accountId, ids, removed);
      await this.store.addTags(tx, accountId, ids, added);
      const tags = await this.store.tags(tx, accountId, ids);
      for (const [id, { length }] of tags)
        if (length > TAGS_MAX)
          throw badInput('add', added, `so few tags that ${id} has at most ${TAGS_MAX}, not ${length}`);
      return assets;
    });
  }

  /**
   * Takes assets out of the library. They can be had back until their retention ends; `permanently` destroys bytes and words
   * now. What they cost stays written down. Deleting what is deleted is harmless.
   * @throws NOT_FOUND, BAD_USER_INPUT
   */
  async delete(accountId: string, ids: readonly string[], permanently: boolean): Promise<Asset[]> {
    const deleted = await inTransaction(this.db, async (tx) => {
      await this.#locked(tx, accountId, 'assets', ids);
      await this.store.setDeleted(tx, ids, this.clock.now());
      return this.store.lock(tx, accountId, ids);
    });
    if (permanently) await this.retention.purge(ids);
    return inOrder(ids, deleted);
  }

  /** Brings deleted assets back. Bringing back what is in the library is harmless. @throws NOT_FOUND, BAD_USER_INPUT */
  async restore(accountId: string, ids: readonly string[]): Promise<Asset[]> {
    return inTransaction(this.db, async (tx) => {
      await this.#locked(tx, accountId, 'assets', ids);
      await this.store.setDeleted(tx, ids, null);
      return inOrder(ids, await this.store.lock(tx, accountId, ids));
    });
  }

  /** In the order of `assetIds`, the tags of each. */
  async tagsOf(accountId: string, assetIds: readonly string[]): Promise<string[][]> {
    const tags = await this.store.tags(this.db, accountId, assetIds);
    return assetIds.map((id) => tags.get(id) ?? []);
  }

  /** The most used tags of the account, at most {@link TAG_COUNTS_MAX}. */
  tagCounts(accountId: string): Promise<{ tag: string; assets: number }[]> {
    return this.store.tagCounts(this.db, accountId, TAG_COUNTS_MAX);
  }

  async #inLibrary(tx: Tx, accountId: string, field: string, ids: readonly string[]): Promise<Asset[]> {
    const assets = await this.#locked(tx, accountId, field, ids);
    const deleted = assets.find(({ deletedAt }) => deletedAt !== null);
    if (deleted) throw unknownReference('asset', deleted.id, field);
    return assets;
  }

  async #locked(tx: Tx, accountId: string, field: string, ids: readonly string[]): Promise<Asset[]> {
    checkBulk(field, ids);
    return knownAssets(ids, await this.store.lock(tx, accountId, ids), field);
  }
}

/** @throws BAD_USER_INPUT */
export function checkBulk(field: string, ids: readonly string[]): void {
  if (ids.length < 1 || ids.length > BULK_MAX) throw badInput(field, ids.length, `a list of 1 to ${BULK_MAX} ids`);
}

/** In the order of `ids`. @throws NOT_FOUND for the first that was not found. */
export function knownAssets(ids: readonly string[], found: readonly Asset[], field: string): Asset[] {
  const byId = new Map(found.map((asset) => [asset.id, asset]));
  return ids.map((id) => {
    const asset = byId.get(id);
    if (!asset) throw unknownReference('asset', id, field);
    return asset;
  });
}

function inOrder(ids: readonly string[], assets: readonly Asset[]): Asset[] {
  const byId = new Map(assets.map((asset) => [asset.id, asset]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

function one(assets: readonly Asset[]): Asset {
  const [asset] = assets;
  if (!asset) throw new Error('an asset that is locked has gone');
  return asset;
}
