import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { anyOf, assetTables } from './assets.tables.ts';

/** The SQL of the end of deleted assets. */
export class RetentionStore {
  /** Assets whose deletion is older than `before`, the oldest first, with their accounts. */
  async due(db: Db, before: Date, limit: number): Promise<{ id: string; account_id: string }[]> {
    return assetTables(db)
      .selectFrom('assets')
      .select(['id', 'account_id'])
      .where('deleted_at', '<=', before)
      .where('purged_at', 'is', null)
      .orderBy('deleted_at')
      .limit(limit)
      .execute();
  }

  /**
   * Forgets everything about deleted assets but what they cost and where they came from, and answers where their bytes are.
   * Waits for whoever has one in hand. What has been restored meanwhile, or purged by somebody else, is left out.
   */
  async purge(tx: Tx, ids: readonly string[], now: Date): Promise<{ id: string; storageKey: string }[]> {
    const { rows } = await sql<{ id: string; storageKey: string }>`
      update assets set purged_at = ${now}, title = null, prompt = null, negative_prompt = null, favourite = false
      where id in (
        select id from assets
        where id = any(${ids}::text[]) and deleted_at is not null and purged_at is null
        order by id for no key update
      )
      returning id, storage_key as "storageKey"`.execute(tx);
    const purged = rows.map(({ id }) => id);
    await assetTables(tx).deleteFrom('asset_tags').where('asset_id', '=', anyOf(purged)).execute();
    await sql`delete from collection_assets where asset_id = any(${purged}::text[])`.execute(tx);
    return rows;
  }
}
