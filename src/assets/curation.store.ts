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

  /** Every tag of the account with the number of assets in the library that have it, the most used first. */
  async tagCounts(db: Db, accountId: string, limit: number): Promise<{ tag: string; assets: number }[]> {
    const { rows } = await sql<{ tag: string; assets: bigint }>`
      select tag, count(*) as assets from asset_tags t join assets a on a.id = t.asset_id
      where t.account_id = ${accountId} and a.deleted_at is null
      group by tag order by count(*) desc, tag limit ${limit}`.execute(db);
    return rows.map(({ tag, assets }) => ({ tag, assets: Number(assets) }));
  }

  async addTags(tx: Tx, accountId: string, assetIds: readonly string[], tags: readonly string[]): Promise<void> {
    await sql`
      insert into asset_tags (account_id, tag, asset_id)
      select ${accountId}, tag, asset_id
      from unnest(${tags}::text[]) as tag cross join unnest(${assetIds}::text[]) as asset_id
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
