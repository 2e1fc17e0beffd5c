import type { Clock } from '../platform/clock.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import type { RenditionsStore } from './renditions.store.ts';
import type { RetentionStore } from './retention.store.ts';
import type { Storage } from './storage.ts';

const DAY_MS = 24 * 60 * 60_000;
const BATCH = 200;

/** Destroys what was deleted, once it can no longer be had back. */
export class Retention {
  constructor(
    private readonly db: Db,
    private readonly store: RetentionStore,
    private readonly renditions: Pick<RenditionsStore, 'deleteOf'>,
    private readonly storage: Pick<Storage, 'delete'>,
    private readonly clock: Clock,
    /** How long deleted assets can be had back. */
    private readonly days: number,
  ) {}

  /** Until when an asset deleted at that time can be had back. */
  endOf(deletedAt: Date): Date {
    return new Date(deletedAt.getTime() + this.days * DAY_MS);
  }

  /** Destroys everything whose time is over. */
  async purgeDue(): Promise<void> {
    for (;;) {
      const before = new Date(this.clock.now().getTime() - this.days * DAY_MS);
      const due = await this.store.due(this.db, before, BATCH);
      let purged = 0;
      // One account in a transaction: what it keeps is counted in a row of its own, and nobody waits for two of them.
      for (const ids of Map.groupBy(due, ({ account_id }) => account_id).values())
        purged += await this.purge(ids.map(({ id }) => id));
      // Somebody else may be at the rest of them; whoever comes next sees to what is left.
      if (due.length < BATCH || purged === 0) return;
    }
  }

  /**
   * Destroys deleted assets of one account now, and answers how many. Written down first: bytes that a crash leaves behind
   * belong to nobody then, and are swept like all such.
   */
  async purge(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const { purged, keys } = await inTransaction(this.db, async (tx) => {
      const purged = await this.store.purge(tx, ids, this.clock.now());
      const renditions = await this.renditions.deleteOf(
        tx,
        purged.map(({ id }) => id),
      );
      return { purged, keys: [...purged.map(({ storageKey }) => storageKey), ...renditions] };
    });
    for (const key of keys) await this.storage.delete(key);
    return purged.length;
  }
}
