import { type Kysely, type Selectable, sql } from 'kysely';
import { type Db, lockUntilCommit, type Tx } from '../platform/database.ts';
import { anyOf } from './assets.tables.ts';
import type { Collection, CollectionContents } from './collection.ts';

type CollectionTables = {
  collections: { id: string; account_id: string; name: string; cover_id: string | null; created_at: Date };
  collection_assets: { collection_id: string; asset_id: string; added_at: Date };
};

/** The SQL of collections. */
export class CollectionsStore {
  /** False, with nothing written, when the account has as many as it may. */
  async insert(tx: Tx, collection: Collection, max: number): Promise<boolean> {
    const { id, accountId, name, createdAt } = collection;
    // Two inserts at once would not see each other's row.
    await lockUntilCommit(tx, `collections of ${accountId}`);
    const { rows } = await sql`
      insert into collections (id, account_id, name, created_at)
      select ${id}, ${accountId}, ${name}, ${createdAt}::timestamptz
      where (select count(*) from collections where account_id = ${accountId}) < ${max}
      returning id`.execute(tx);
    return rows.length === 1;
  }

  /** Whether another collection of the account is called that, capitals or not. */
  async isTaken(tx: Tx, accountId: string, name: string, exceptId: string | null): Promise<boolean> {
    await lockUntilCommit(tx, `collections of ${accountId}`);
    const found = await tables(tx)
      .selectFrom('collections')
      .select('id')
      .where('account_id', '=', accountId)
      .where(sql<string>`lower(name)`, '=', sql<string>`lower(${name})`)
      .executeTakeFirst();
    return found !== undefined && found.id !== exceptId;
  }

  async update(tx: Tx, id: string, change: { name?: string; cover_id?: string | null }): Promise<void> {
    await tables(tx).updateTable('collections').set(change).where('id', '=', id).execute();
  }

  /** The assets stay. False when there was no such collection. */
  async delete(db: Db, accountId: string, id: string): Promise<boolean> {
    const deleted = await tables(db)
      .deleteFrom('collections')
      .where('account_id', '=', accountId)
      .where('id', '=', id)
      .returning('id')
      .execute();
    return deleted.length === 1;
  }

  async byIds(db: Db | Tx, accountId: string, ids: readonly string[]): Promise<Collection[]> {
    const rows = await tables(db)
      .selectFrom('collections')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('id', '=', anyOf(ids))
      .execute();
    return rows.map(collectionOf);
  }

  /** Newest first. */
  async page(db: Db, accountId: string, limit: number, beforeId: string | null): Promise<Collection[]> {
    let query = tables(db)
      .selectFrom('collections')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('id', 'desc')
      .limit(limit);
    if (beforeId !== null) query = query.where('id', '<', beforeId);
    return (await query.execute()).map(collectionOf);
  }

  /** Adding what is there already changes nothing. None of them is purged meanwhile, and so left behind in it. */
  async add(tx: Tx, collectionId: string, assetIds: readonly string[], addedAt: Date): Promise<void> {
    await sql`
      insert into collection_assets (collection_id, asset_id, added_at, created_at)
      select ${collectionId}, id, ${addedAt}::timestamptz, created_at from assets
      where id = any(${assetIds}::text[]) and purged_at is null order by id for share
      on conflict do nothing`.execute(tx);
  }

  async remove(tx: Tx, collectionId: string, assetIds: readonly string[]): Promise<void> {
    await tables(tx)
      .deleteFrom('collection_assets')
      .where('collection_id', '=', collectionId)
      .where('asset_id', '=', anyOf(assetIds))
      .execute();
  }

  /** Which of these assets are in a collection, and in how many. */
  async memberships(db: Db | Tx, assetIds: readonly string[]): Promise<{ asset_id: string; collection_id: string }[]> {
    return tables(db)
      .selectFrom('collection_assets')
      .select(['asset_id', 'collection_id'])
      .where('asset_id', '=', anyOf(assetIds))
      .orderBy('collection_id')
      .execute();
  }

  /**
   * How many assets each collection that is not empty has, and which stands for it. Deleted ones are few: they are counted apart
   * and taken off.
   */
  async contents(db: Db, ids: readonly string[]): Promise<Map<string, CollectionContents>> {
    const { rows } = await sql<{ id: string; assets: bigint; chosen: string | null; latest: string | null }>`
      with deleted as materialized (
        select m.collection_id, count(*) as assets from (
          select id from assets
          where account_id in (select account_id from collections where id = any(${ids}::text[]))
            and deleted_at is not null and purged_at is null offset 0
        ) a cross join lateral (
          select collection_id from collection_assets where asset_id = a.id and collection_id = any(${ids}::text[]) offset 0
        ) m
        group by m.collection_id
      )
      select c.id, inside.assets - coalesce(deleted.assets, 0) as assets,
        (select a.id from assets a join collection_assets m on m.asset_id = a.id and m.collection_id = c.id
          where a.id = c.cover_id and a.deleted_at is null) as chosen,
        (select m.asset_id from collection_assets m join assets a on a.id = m.asset_id and a.deleted_at is null
          where m.collection_id = c.id order by m.added_at desc, m.asset_id desc limit 1) as latest
      from collections c cross join lateral (
        select count(*) as assets from collection_assets m where m.collection_id = c.id
      ) inside left join deleted on deleted.collection_id = c.id
      where c.id = any(${ids}::text[])`.execute(db);
    return new Map(
      rows.map(({ id, assets, chosen, latest }) => [id, { assets: Number(assets), coverId: chosen ?? latest }]),
    );
  }
}

function tables(db: Db | Tx): Kysely<CollectionTables> {
  return db.withTables<CollectionTables>();
}

function collectionOf(row: Selectable<CollectionTables['collections']>): Collection {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    coverId: row.cover_id,
    createdAt: row.created_at,
  };
}
