import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Asset } from './asset.ts';
import { ASSET_COLUMNS, anyOf, assetOf, assetTables } from './assets.tables.ts';

/** The SQL of what people do with their pictures: titles, tags, favourites, deletion and what undoes it. */
export class CurationStore {
  /** Those of the account that are not purged, deleted or not; locked in the order of their ids until the transaction ends. */
  async lock(tx: Tx, accountId: string, ids: readonly string[]): Promise<Asset[]> {
    const rows = await assetTables(tx)
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where('account_id', '=', accountId)
      .where('id', '=', anyOf(ids))
      .where('purged_at', 'is', null)
      .orderBy('id')
      .forNoKeyUpdate()
      .execute();
    return rows.map(assetOf);
  }

  async update(tx: Tx, id: string, change: { title?: string | null; favourite?: boolean }): Promise<void> {
    await assetTables(tx).updateTable('assets').set(change).where('id', '=', id).execute();
  }

  async setDeleted(tx: Tx, ids: readonly string[], deletedAt: Date | null): Promise<void> {
    await assetTables(tx)
      .updateTable('assets')
      .set({ deleted_at: deletedAt })
      .where('id', '=', anyOf(ids))
      // Deleting it once more does not keep it for longer.
      .where('deleted_at', deletedAt === null ? 'is not' : 'is', null)
      .execute();
  }

  /** The tags of each asset that has any, in alphabetical order. */
  async tags(db: Db | Tx, accountId: string, assetIds: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await assetTables(db)
      .selectFrom('asset_tags')
      .select(['asset_id', 'tag'])
      .where('account_id', '=', accountId)
      .where('asset_id', '=', anyOf(assetIds))
      .orderBy('tag')
      .execute();
    const byAsset = Map.groupBy(rows, (row) => row.asset_id);
    return new Map([...byAsset].map(([id, found]) => [id, found.map(({ tag }) => tag)]));
  }

  /**
   * Every tag of the account with the number of assets in the library that have it, the most used first. Deleted ones are few:
   * they are counted apart and taken off, so that the rows of all others need not be looked at.
   */
  async tagCounts(db: Db, accountId: string, limit: number): Promise<{ tag: string; assets: number }[]> {
    const { rows } = await sql<{ tag: string; assets: bigint }>`
      with recursive known (tag) as (
        (select tag from asset_tags where account_id = ${accountId} order by tag limit 1)
        union all
        select (select tag from asset_tags where account_id = ${accountId} and tag > known.tag order by tag limit 1)
        from known where known.tag is not null
      ), used as materialized (
        select tag, assets from known cross join lateral (
          select count(*) as assets from asset_tags where account_id = ${accountId} and tag = known.tag offset 0
        ) counted where tag is not null
      ), deleted as materialized (
        select tag, count(*) as assets from (
          select id from assets
          where account_id = ${accountId} and deleted_at is not null and purged_at is null offset 0
        ) a cross join lateral (select tag from asset_tags where asset_id = a.id offset 0) tagged group by tag
      )
      select tag, used.assets - coalesce(deleted.assets, 0) as assets from used left join deleted using (tag)
      where used.assets > coalesce(deleted.assets, 0) order by 2 desc, tag limit ${limit}`.execute(db);
    return rows.map(({ tag, assets }) => ({ tag, assets: Number(assets) }));
  }

  async addTags(tx: Tx, accountId: string, assetIds: readonly string[], tags: readonly string[]): Promise<void> {
    await sql`
      insert into asset_tags (account_id, tag, asset_id, created_at)
      select ${accountId}, tag, assets.id, assets.created_at
      from unnest(${tags}::text[]) as tag cross join assets where assets.id = any(${assetIds}::text[])
      on conflict do nothing`.execute(tx);
  }

  async removeTags(tx: Tx, accountId: string, assetIds: readonly string[], tags: readonly string[]): Promise<void> {
    await assetTables(tx)
      .deleteFrom('asset_tags')
      .where('account_id', '=', accountId)
      .where('asset_id', '=', anyOf(assetIds))
      .where('tag', '=', anyOf(tags))
      .execute();
  }
}
