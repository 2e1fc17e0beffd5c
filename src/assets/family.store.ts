import { sql } from 'kysely';
import type { Db } from '../platform/database.ts';
import type { Ancestry, Asset } from './asset.ts';
import { ASSET_COLUMN_LIST, type AssetRow, assetOf } from './assets.tables.ts';

/** The SQL of what was made from what. */
export class FamilyStore {
  /** The ancestry of each asset. A chain that is longer than `depthMax` is cut off at its far end. */
  async ancestries(
    db: Db,
    accountId: string,
    assetIds: readonly string[],
    depthMax: number,
  ): Promise<Map<string, Ancestry>> {
    const { rows } = await sql<{ leaf: string; ids: string[]; credits: bigint }>`
      with recursive chain (leaf, id, parent_id, credits, depth) as (
        select id, id, parent_id, credits, 1 from assets
        where account_id = ${accountId} and id = any(${assetIds}::text[])
        union all
        select chain.leaf, a.id, a.parent_id, a.credits, chain.depth + 1
        from chain join assets a on a.id = chain.parent_id and a.account_id = ${accountId}
        where chain.depth < ${depthMax}
      )
      select leaf, array_agg(id order by depth desc) as ids, sum(credits)::bigint as credits
      from chain group by leaf`.execute(db);
    return new Map(rows.map(({ leaf, ids, credits }) => [leaf, { ids, credits }]));
  }

  /** The newest `limit` assets in the library that were made from each, newest first. */
  async children(db: Db, accountId: string, parentIds: readonly string[], limit: number): Promise<Asset[]> {
    const { rows } = await sql<AssetRow>`
      select child.* from unnest(${parentIds}::text[]) as parent (id)
      cross join lateral (
        select ${ASSET_COLUMN_LIST} from assets
        where account_id = ${accountId} and parent_id = parent.id and deleted_at is null
        order by created_at desc, id desc limit ${limit}
      ) child
      order by child.created_at desc, child.id desc`.execute(db);
    return rows.map(assetOf);
  }
}
