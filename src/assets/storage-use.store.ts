import type { Db, Tx } from '../platform/database.ts';
import { anyOf } from './assets.tables.ts';

/** What an account keeps, deleted assets included until they are destroyed. */
export interface StorageUse {
  readonly assets: number;
  readonly bytes: number;
}

type StorageTables = { storage_use: { account_id: string; assets: bigint; bytes: bigint } };

/** Reads what the database counts as assets come and go. */
export class StorageUseStore {
  async of(db: Db | Tx, accountIds: readonly string[]): Promise<Map<string, StorageUse>> {
    const rows = await db
      .withTables<StorageTables>()
      .selectFrom('storage_use')
      .selectAll()
      .where('account_id', '=', anyOf(accountIds))
      .execute();
    return new Map(rows.map((row) => [row.account_id, { assets: Number(row.assets), bytes: Number(row.bytes) }]));
  }
}
