import { checkPageSize, readSortedCursor, writeSortedCursor } from '../platform/cursor.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { Asset } from './asset.ts';
import { type AssetFilter, type AssetOrder, checkedFilter, NEWEST_FIRST } from './asset-filter.ts';
import { type AssetListsStore, orderKeyOf } from './asset-lists.store.ts';

export interface AssetPageRequest {
  readonly first: number;
  readonly after?: string | null | undefined;
  readonly filter?: AssetFilter | null | undefined;
  /** Newest first when left out. */
  readonly order?: AssetOrder | null | undefined;
}

export interface AssetPage {
  readonly items: readonly Asset[];
  readonly hasNextPage: boolean;
}

/** Finds assets of the library: filtered, in any order, a page at a time. */
export class AssetLists {
  constructor(
    private readonly db: Db,
    private readonly store: AssetListsStore,
  ) {}

  /**
   * @throws BAD_USER_INPUT for a page size out of range, a filter that makes no sense, or a cursor that a list in this order
   * did not give out.
   */
  async page(accountId: string, request: AssetPageRequest, db: Db | Tx = this.db): Promise<AssetPage> {
    const { first, after } = request;
    const order = request.order ?? NEWEST_FIRST;
    checkPageSize(first);
    const filter = checkedFilter(request.filter ?? {});
    const place =
      after === null || after === undefined
        ? null
        : readSortedCursor(listName(order), 'asset', after, (key) => isOrderKey(order, key));
    // One more than was asked for tells whether there is another page.
    const found = await this.store.page(db, accountId, { limit: first + 1, after: place, filter, order });
    return { items: found.slice(0, first), hasNextPage: found.length > first };
  }

  /** In the order of `collectionIds`, the newest assets in each, newest first. */
  async newestIn(accountId: string, collectionIds: readonly string[], limit: number): Promise<Asset[][]> {
    const found = await this.store.newestInCollections(this.db, accountId, collectionIds, limit);
    return collectionIds.map((id) => found.get(id) ?? []);
  }

  /** Apart from `page`, because counting grows with the library and a page does not. */
  count(accountId: string, filter: AssetFilter = {}, db: Db | Tx = this.db): Promise<number> {
    return this.store.count(db, accountId, checkedFilter(filter));
  }
}

/** Where an asset stands in a list of this order. */
export function assetCursor(asset: Asset, order: AssetOrder = NEWEST_FIRST): string {
  return writeSortedCursor(listName(order), { id: asset.id, key: orderKeyOf(asset, order) });
}

/** The name of the list, which its cursors carry: another order is another list. */
function listName({ field, direction }: AssetOrder): string {
  return `assets ${field} ${direction}`;
}

function isOrderKey({ field }: AssetOrder, key: string): boolean {
  switch (field) {
    case 'CREATED':
      return !Number.isNaN(Date.parse(key)) && new Date(key).toISOString() === key;
    case 'COST':
    case 'SIZE':
      return /^\d{1,18}$/.test(key);
    case 'TITLE':
      return !key.includes('\0');
  }
}
