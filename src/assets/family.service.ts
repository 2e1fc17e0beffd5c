import type { Db } from '../platform/database.ts';
import type { Ancestry, Asset } from './asset.ts';
import type { FamilyStore } from './family.store.ts';

/** Assets of one chain that are looked at. */
export const LINEAGE_MAX = 100;

/** Tells what was made from what. */
export class Family {
  constructor(
    private readonly db: Db,
    private readonly store: FamilyStore,
  ) {}

  /** In the order of `assetIds`, what each was made from and what all of that cost. */
  async ancestriesOf(accountId: string, assetIds: readonly string[]): Promise<Ancestry[]> {
    const found = await this.store.ancestries(this.db, accountId, assetIds, LINEAGE_MAX);
    return assetIds.map((id) => found.get(id) ?? { ids: [], credits: 0n });
  }

  /** In the order of `parentIds`, the newest assets that were made from each, newest first. */
  async childrenOf(accountId: string, parentIds: readonly string[], limit: number): Promise<Asset[][]> {
    const children = await this.store.children(this.db, accountId, parentIds, limit);
    const byParent = Map.groupBy(children, ({ parentId }) => parentId);
    return parentIds.map((id) => byParent.get(id) ?? []);
  }
}
