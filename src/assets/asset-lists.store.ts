import { type Expression, type SqlBool, sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Asset } from './asset.ts';
import type { AssetFilter, AssetOrder } from './asset-filter.ts';
import { ASSET_COLUMN_LIST, ASSET_COLUMNS, type AssetRow, assetOf, assetTables } from './assets.tables.ts';

/** Where a page goes on: behind the asset of this id, whose place in the order is `key`. */
export interface AfterAsset {
  readonly key: string;
  readonly id: string;
}

export interface AssetSelection {
  readonly filter: AssetFilter;
  readonly order: AssetOrder;
  readonly limit: number;
  readonly after: AfterAsset | null;
}

/** The column of each order, and its type for a cursor's key. */
const COLUMNS = {
  CREATED: { name: 'created_at', type: 'timestamptz' },
  COST: { name: 'credits', type: 'bigint' },
  SIZE: { name: 'bytes', type: 'bigint' },
  TITLE: { name: 'title_key', type: 'text' },
} as const satisfies Record<AssetOrder['field'], { name: keyof AssetRow; type: string }>;

/** The SQL of lists of assets, filtered and in any order. */
export class AssetListsStore {
  async page(db: Db | Tx, accountId: string, selection: AssetSelection): Promise<Asset[]> {
    const { filter, order, limit, after } = selection;
    const { name, type } = COLUMNS[order.field];
    const direction = order.direction === 'ASC' ? 'asc' : 'desc';
    let query = assetTables(db)
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where(matching(accountId, filter))
      .orderBy(name, direction)
      .orderBy('id', direction)
      .limit(limit);
    if (after !== null) {
      const comes = sql.raw(direction === 'asc' ? '>' : '<');
      query = query.where(sql<boolean>`(${sql.ref(name)}, id) ${comes} (${after.key}::${sql.raw(type)}, ${after.id})`);
    }
    return (await query.execute()).map(assetOf);
  }

  /** The newest `limit` assets of each collection, newest first within it; those of other accounts' collections are left out. */
  async newestInCollections(
    db: Db,
    accountId: string,
    collectionIds: readonly string[],
    limit: number,
  ): Promise<Map<string, Asset[]>> {
    const { rows } = await sql<AssetRow & { collection: string }>`
      select wanted.id as collection, newest.* from unnest(${collectionIds}::text[]) as wanted (id)
      cross join lateral (
        select ${ASSET_COLUMN_LIST} from assets
        where account_id = ${accountId} and deleted_at is null and exists (
          select from collection_assets where collection_id = wanted.id and asset_id = assets.id)
        order by created_at desc, id desc limit ${limit}
      ) newest
      order by newest.created_at desc, newest.id desc`.execute(db);
    const byCollection = Map.groupBy(rows, ({ collection }) => collection);
    return new Map([...byCollection].map(([id, found]) => [id, found.map(assetOf)]));
  }

  async count(db: Db | Tx, accountId: string, filter: AssetFilter): Promise<number> {
    const { total } = await assetTables(db)
      .selectFrom('assets')
      .select(({ fn }) => fn.countAll<bigint>().as('total'))
      .where(matching(accountId, filter))
      .executeTakeFirstOrThrow();
    return Number(total);
  }
}

/** The place of an asset in an order, as its cursor says it. */
export function orderKeyOf(asset: Asset, { field }: AssetOrder): string {
  switch (field) {
    case 'CREATED':
      return asset.createdAt.toISOString();
    case 'COST':
      return String(asset.credits);
    case 'SIZE':
      return String(asset.byteCount);
    case 'TITLE':
      return asset.titleKey;
  }
}

function matching(accountId: string, filter: AssetFilter): Expression<SqlBool> {
  const conditions = [
    sql<SqlBool>`account_id = ${accountId}`,
    filter.status === 'DELETED'
      ? sql<SqlBool>`deleted_at is not null and purged_at is null`
      : sql<SqlBool>`deleted_at is null`,
    ...equalities(filter),
    ...ranges(filter),
    ...belongings(accountId, filter),
    ...(filter.search === undefined ? [] : [searched(accountId, filter.search)]),
  ];
  return sql<SqlBool>`${sql.join(conditions, sql` and `)}`;
}

function equalities(filter: AssetFilter) {
  const columns = {
    kind: filter.kind,
    operation: filter.operation,
    provider: filter.provider,
    model: filter.model,
    quality: filter.quality,
    favourite: filter.favourite,
    parent_id: filter.parent,
  };
  return Object.entries(columns).flatMap(([name, value]) =>
    value === undefined ? [] : [sql<SqlBool>`${sql.ref(name)} = ${value}`],
  );
}

function ranges({ created, cost }: AssetFilter) {
  return [
    ...(created?.from ? [sql<SqlBool>`created_at >= ${created.from}`] : []),
    ...(created?.to ? [sql<SqlBool>`created_at <= ${created.to}`] : []),
    ...(cost?.min === undefined ? [] : [sql<SqlBool>`credits >= ${cost.min}`]),
    ...(cost?.max === undefined ? [] : [sql<SqlBool>`credits <= ${cost.max}`]),
  ];
}

/** Tags and collections. A collection of another account holds none of this account's assets. */
function belongings(accountId: string, { tags, collection }: AssetFilter) {
  const tagged = (which: Expression<SqlBool>) => sql<SqlBool>`exists (
    select from asset_tags where asset_tags.account_id = ${accountId} and asset_tags.asset_id = assets.id and ${which})`;
  return [
    ...(tags?.any ? [tagged(sql<SqlBool>`tag = any(${tags.any}::text[])`)] : []),
    ...(tags?.all ?? []).map((tag) => tagged(sql<SqlBool>`tag = ${tag}`)),
    ...(collection === undefined
      ? []
      : [
          sql<SqlBool>`exists (
            select from collection_assets where collection_id = ${collection} and asset_id = assets.id)`,
        ]),
  ];
}

/** Words that mean nothing by themselves, such as "the", find nothing rather than everything. */
function searched(accountId: string, text: string) {
  const words = sql`websearch_to_tsquery('english', ${text})`;
  // An id is made of letters, digits and an underscore, and in quotes it is one word that is taken as it is.
  return sql<SqlBool>`numnode(${words}) > 0 and search @@ (${`'${accountId}'`}::tsquery && ${words})`;
}
