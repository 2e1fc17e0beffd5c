import { DomainError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { type Db, inSnapshot } from '../platform/database.ts';
import { isDatabaseAway } from '../platform/database-errors.ts';
import { checkAll, type LawResult, type Laws } from '../platform/laws.ts';
import type { LedgerTotals, LedgerTotalsStore } from './ledger-totals.store.ts';

export interface LedgerReport {
  readonly checkedAt: Date;
  /** Whether every law holds. */
  readonly ok: boolean;
  readonly totals: LedgerTotals;
  readonly laws: readonly LawResult[];
}

/** Whether every law of the ledger and of the jobs holds of what is written there. */
export class LedgerCheck {
  constructor(
    private readonly db: Db,
    private readonly store: LedgerTotalsStore,
    private readonly laws: readonly Laws[],
    private readonly clock: Clock,
  ) {}

  /**
   * Checks all laws on everything as it is at this moment; what goes on meanwhile plays no part. Reads everything, so it
   * takes long where there is much.
   */
  async run(): Promise<LedgerReport> {
    const checkedAt = this.clock.now();
    return inSnapshot(this.db, async (tx) => {
      const totals = await this.store.totals(tx);
      const laws = await checkAll(tx, this.laws);
      return { checkedAt, ok: laws.every(({ violations }) => violations === 0), totals, laws };
    });
  }

  /** The same within the time that a request has. @throws UNAVAILABLE for a ledger that is too large for that. */
  async runInRequest(): Promise<LedgerReport> {
    try {
      return await this.run();
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      throw new DomainError(
        'UNAVAILABLE',
        'The ledger could not be read within the time of a request. Nothing was changed. "npm run ledger:check" has all the time it needs.',
        {},
        { cause: error },
      );
    }
  }
}
