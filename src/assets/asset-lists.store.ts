import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Asset } from './asset.ts';
import {
  allOf,
  belongings,
  type Condition,
  costWithin,
  createdWithin,
  equalities,
  idLists,
  ownAnd,
  searched,
} from './asset-conditions.store.ts';
import type { AssetFilter, AssetOrder } from './asset-filter.ts';
import { ASSET_COLUMN_LIST, type AssetRow, assetOf, assetTables } from './assets.tables.ts';

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

const LIMITS = {
  /** So many assets are fetched and sorted whole; of a condition that more fulfil, some are soon met in any order. */
  few: 500,
  /** So far a list is walked for the words of a search before the words are looked up. */
  searchWalk: 1_000,
};

/**
 * The SQL of lists of assets, filtered and in any order.
 *
 * The database cannot know how many assets have a tag or a word until it is asked for this one, and it plans a statement
 * once for all: so it is decided here how a list is found. When some condition has few assets, they are fetched and sorted;
 * else an index in the order of the list is walked from where the page begins, until the page is full.
 */
export class AssetListsStore {
  /** Other limits than ours are for tests: every way to find a list must find the same. */
  constructor(private readonly limits: { readonly few: number; readonly searchWalk: number } = LIMITS) {}

  async page(db: Db | Tx, accountId: string, selection: AssetSelection): Promise<Asset[]> {
    const { filter, order } = selection;
    const few = await this.#few(db, accountId, filter, order);
    if (few?.length === 0) return [];
    if (few !== null) return rows(db, amongst(accountId, selection, sql`unnest(${few}::text[])`));
    if (filter.search === undefined) return rows(db, walk(accountId, selection, selection.limit));
    const words = searched(accountId, filter.search);
    const found = await rows(
      db,
      sql<AssetRow>`
        select ${ASSET_COLUMN_LIST} from (${walk(accountId, selection, this.limits.searchWalk)}) walked
        where ${words} ${ordered(order, 'walked')} limit ${selection.limit}`,
    );
    if (found.length === selection.limit) return found;
    const alive = filter.status === 'DELETED' ? sql`` : sql` and deleted_at is null`;
    return rows(
      db,
      sql<AssetRow>`
        with matches as materialized (select id from assets where ${words}${alive})
        ${amongst(accountId, { ...selection, filter: { ...filter, search: undefined } }, sql`(select id from matches)`)}`,
    );
  }

  /** All assets of that condition of the filter which the fewest fulfil, among others perhaps; null when none has few. */
  async #few(db: Db | Tx, accountId: string, filter: AssetFilter, order: AssetOrder): Promise<string[] | null> {
    const lists = idLists(accountId, filter, this.limits.few + 1);
    const [only] = equalities(filter);
    // One index holds what is equal in a column and in this order.
    if (lists.length === 0 || (lists.length === 1 && only !== undefined && order.field === 'CREATED')) return null;
    const columns = lists.map(
      (list, index) => sql`
        (select case when count(*) <= ${this.limits.few}::int then coalesce(array_agg(id), '{}') end from (${list}) list) as ${sql.ref(`list${index}`)}`,
    );
    const { rows: answers } = await sql<Record<string, string[] | null>>`select ${sql.join(columns)}`.execute(db);
    const complete = Object.values(answers[0] ?? {}).filter((ids) => ids !== null);
    return complete.sort((a, b) => a.length - b.length)[0] ?? null;
  }

  /** The newest `limit` assets of each collection, newest first within it; those of other accounts' collections are left out. */
  async newestInCollections(
    db: Db,
    accountId: string,
    collectionIds: readonly string[],
    limit: number,
  ): Promise<Map<string, Asset[]>> {
    const { rows: found } = await sql<AssetRow & { collection: string }>`
      select wanted.id as collection, newest.* from unnest(${collectionIds}::text[]) as wanted (id)
      cross join lateral (
        select kept.* from collection_assets m cross join lateral (
          select ${ASSET_COLUMN_LIST} from assets
          where id = m.asset_id and account_id = ${accountId} and deleted_at is null offset 0
        ) kept
        where m.collection_id = wanted.id order by m.created_at desc, m.asset_id desc limit ${limit}
      ) newest
      order by newest.created_at desc, newest.id desc`.execute(db);
    const byCollection = Map.groupBy(found, ({ collection }) => collection);
    return new Map([...byCollection].map(([id, rowsOf]) => [id, rowsOf.map(assetOf)]));
  }

  async count(db: Db | Tx, accountId: string, filter: AssetFilter): Promise<number> {
    const { total } = await assetTables(db)
      .selectFrom('assets')
      .select(({ fn }) => fn.countAll<bigint>().as('total'))
      .where(
        allOf([
          ...ownAnd(accountId, filter),
          ...equalities(filter),
          ...createdWithin(filter),
          ...costWithin(filter),
          ...belongings(accountId, filter),
          ...(filter.search === undefined ? [] : [searched(accountId, filter.search)]),
        ]),
      )
      .executeTakeFirstOrThrow();
    return Number(total);
  }
}

async function rows(db: Db | Tx, question: RawBuilder<AssetRow>): Promise<Asset[]> {
  return (await question.execute(db)).rows.map(assetOf);
}

/** The page of those assets whose ids `few` are; each is looked up by itself, and then they are sorted. */
function amongst(accountId: string, selection: AssetSelection, few: RawBuilder<unknown>): RawBuilder<AssetRow> {
  const { filter, order, limit } = selection;
  const words = filter.search === undefined ? [] : [searched(accountId, filter.search)];
  const conditions = [...ownAnd(accountId, filter), ...others(accountId, filter), ...words, ...behind(selection)];
  // An asset may have several of the tags, and is then among the few more than once.
  return sql<AssetRow>`
    select kept.* from (select distinct id from ${few} as given (id)) few cross join lateral (
      select ${ASSET_COLUMN_LIST} from assets where id = few.id and ${allOf(conditions)} offset 0
    ) kept ${ordered(order, 'kept')} limit ${limit}`;
}

/** Everything but the words that are searched for, asked of one asset after the other. */
function others(accountId: string, filter: AssetFilter, credits = sql`credits + 0`): Condition[] {
  return [
    ...equalities(filter),
    ...createdWithin(filter),
    ...costWithin(filter, credits),
    ...belongings(accountId, filter),
  ];
}

/** The first `limit` assets of the list, whatever words are searched for. */
function walk(accountId: string, selection: AssetSelection, limit: number): RawBuilder<AssetRow> {
  const { filter, order } = selection;
  const own = ownAnd(accountId, filter);
  const columns = sql`${ASSET_COLUMN_LIST}, search`;
  const members = order.field === 'CREATED' ? membersOf(accountId, filter) : null;
  if (members === null) {
    const credits = order.field === 'COST' ? sql`credits` : sql`credits + 0`;
    const conditions = [...own, ...others(accountId, filter, credits), ...behind(selection)];
    return sql<AssetRow>`select ${columns} from assets where ${allOf(conditions)} ${ordered(order)} limit ${limit}`;
  }
  const direction = sql.raw(order.direction);
  const after = behind(selection, sql`(m.created_at, m.asset_id)`).map((condition) => sql` and ${condition}`);
  // An asset may have several of the tags.
  return sql<AssetRow>`
    select distinct on (found.created_at, found.id) found.* from unnest(${members.of}::text[]) as list (name)
    cross join lateral (
      select kept.* from ${members.table} cross join lateral (
        select ${columns} from assets where id = m.asset_id and ${allOf([...own, ...others(accountId, filter)])} offset 0
      ) kept
      where ${members.where}${sql.join(after, sql``)}
      order by m.created_at ${direction}, m.asset_id ${direction} limit ${limit}
    ) found
    order by found.created_at ${direction}, found.id ${direction} limit ${limit}`;
}

/** The lists of a tag or a collection that keep its assets in the order in which they were stored. */
function membersOf(accountId: string, { collection, tags }: AssetFilter) {
  if (collection !== undefined)
    return { of: [collection], table: sql`collection_assets m`, where: sql`m.collection_id = list.name` };
  const of = tags?.all?.slice(0, 1) ?? tags?.any;
  if (of === undefined || of.length === 0) return null;
  return { of, table: sql`asset_tags m`, where: sql`m.account_id = ${accountId} and m.tag = list.name` };
}

function ordered({ field, direction }: AssetOrder, of = 'assets'): RawBuilder<unknown> {
  const way = sql.raw(direction);
  return sql`order by ${sql.ref(`${of}.${COLUMNS[field].name}`)} ${way}, ${sql.ref(`${of}.id`)} ${way}`;
}

/** What comes behind the place where the page goes on. */
function behind({ order, after }: AssetSelection, place?: RawBuilder<unknown>): Condition[] {
  if (after === null) return [];
  const { name, type } = COLUMNS[order.field];
  const comes = sql.raw(order.direction === 'ASC' ? '>' : '<');
  return [sql`${place ?? sql`(${sql.ref(name)}, id)`} ${comes} (${after.key}::${sql.raw(type)}, ${after.id})`];
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
