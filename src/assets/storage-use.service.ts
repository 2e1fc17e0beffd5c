import DataLoader from 'dataloader';
import { DomainError } from '../errors.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { StorageUse, StorageUseStore } from './storage-use.store.ts';

const NOTHING: StorageUse = { assets: 0, bytes: 0 };

/** Tells how much each account keeps. */
export class StorageUses {
  /** Lookups of all requests that are in flight together become one statement; nothing is remembered between. */
  readonly #uses: DataLoader<string, StorageUse>;

  constructor(
    private readonly db: Db,
    private readonly store: StorageUseStore,
  ) {
    this.#uses = new DataLoader(
      async (ids) => {
        const found = await store.of(db, [...new Set(ids)]);
        return ids.map((id) => found.get(id) ?? NOTHING);
      },
      // Until the turn's end, so that all requests that arrived together share one statement.
      { cache: false, maxBatchSize: 500, batchScheduleFn: setImmediate },
    );
  }

  of(accountId: string): Promise<StorageUse> {
    return this.#uses.load(accountId);
  }

  /**
   * For a picture that has just been written in this transaction, which nobody of the account can come between from then on;
   * or, without a transaction, for one that is still to come.
   * @throws STORAGE_FULL when the account keeps more than it may, or has no room for another.
   */
  async check(accountId: string, bytesMax: number, tx?: Tx): Promise<void> {
    const { bytes } = (await this.store.of(tx ?? this.db, [accountId])).get(accountId) ?? NOTHING;
    if (tx ? bytes > bytesMax : bytes >= bytesMax) throw storageFull(bytes, bytesMax);
  }
}

function storageFull(used: number, limit: number): DomainError {
  return new DomainError(
    'STORAGE_FULL',
    `There is no room for another picture: the account may keep ${limit} bytes. Nothing was kept and nothing was charged. Delete assets permanently, or move to a tier with more storage.`,
    { limit, used },
  );
}
