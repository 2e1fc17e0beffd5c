import { sql } from 'kysely';
import type { Tx } from '../platform/database.ts';

/** How much there is in the ledger. Amounts are milli-credits. */
export interface LedgerTotals {
  readonly accounts: number;
  readonly transactions: number;
  readonly entries: number;
  readonly jobs: number;
  readonly openJobs: number;
  /** Given to customers so far, and where that is now; `issued` + `owed` is the sum of the others. */
  readonly issued: bigint;
  readonly owed: bigint;
  readonly available: bigint;
  readonly held: bigint;
  readonly captured: bigint;
  readonly expired: bigint;
  /** What vendors cost us for images that nobody was charged for, in millionths of a US dollar. */
  readonly lossMicros: bigint;
}

export class LedgerTotalsStore {
  async totals(tx: Tx): Promise<LedgerTotals> {
    const { rows } = await sql<Record<keyof LedgerTotals, bigint>>`
      select
        (select count(*) from credit_balances) as accounts,
        (select count(*) from ledger_transactions) as transactions,
        (select count(*) from ledger_entries) as entries,
        (select count(*) from jobs) as jobs,
        (select count(*) from jobs where status in ('QUEUED', 'RUNNING')) as "openJobs",
        b.*,
        (select coalesce(sum(vendor_cost_micros), 0)::bigint from job_attempts where outcome <> 'delivered') as "lossMicros"
      from (
        select coalesce(-sum(issued), 0)::bigint as issued, coalesce(-sum(owed), 0)::bigint as owed,
          coalesce(sum(monthly + topup), 0)::bigint as available, coalesce(sum(held), 0)::bigint as held,
          coalesce(sum(captured), 0)::bigint as captured, coalesce(sum(expired), 0)::bigint as expired
        from credit_balances) as b`.execute(tx);
    const [row] = rows;
    if (!row) throw new Error('the ledger could not be counted');
    const { accounts, transactions, entries, jobs, openJobs, ...amounts } = row;
    const counts = { accounts, transactions, entries, jobs, openJobs };
    return {
      ...(Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count)])) as Record<
        keyof typeof counts,
        number
      >),
      ...amounts,
    };
  }
}
