import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../platform/database.ts';
import type { UsageGroup, UsageGrouping, UsagePeriod, UsageTotal } from './usage.ts';

/** What tells the groups apart, and what it is called. */
const KEYS: Record<Exclude<UsageGrouping, 'TAG'>, { key: RawBuilder<unknown>; label: RawBuilder<unknown> }> = {
  DAY: column(sql`to_char(at at time zone 'UTC', 'YYYY-MM-DD')`),
  OPERATION: column(sql`operation`),
  PROVIDER: column(sql`provider`),
  MODEL: column(sql`model`),
  QUALITY: column(sql`quality`),
  BUDGET: { key: sql`budget_id`, label: sql`(select name from budgets where budgets.id = budget_id)` },
};

function column(key: RawBuilder<unknown>) {
  return { key, label: key };
}

type Row = { key: string | null; label: string | null; credits: bigint; images: bigint; free: bigint };

/** Adds up what delivered images cost. Charged is what was captured when their job ended; see the ledger for each of them. */
export class UsageStore {
  constructor(private readonly db: Db) {}

  async total(accountId: string, period: UsagePeriod): Promise<UsageTotal> {
    const { rows } = await sql<Row>`${SUMS(sql`null`, sql`null`)} from (${used(accountId, period)}) as used`.execute(
      this.db,
    );
    return totalOf(rows[0]);
  }

  /** At most `limit` groups: the first days, or those with the most credits. */
  async groups(accountId: string, period: UsagePeriod, by: UsageGrouping, limit: number): Promise<UsageGroup[]> {
    const { key, label } = by === 'TAG' ? column(sql`tag`) : KEYS[by];
    const tagged =
      by === 'TAG' ? sql`left join asset_tags t on t.account_id = ${accountId} and t.asset_id = used.asset_id` : sql``;
    const order = by === 'DAY' ? sql`key` : sql`credits desc, images desc, key`;
    const { rows } = await sql<Row>`
      select * from (${SUMS(key, label)} from (${used(accountId, period)}) as used ${tagged} group by 1, 2) as grouped
      order by ${order} limit ${limit}`.execute(this.db);
    return rows.map((row) => ({ key: row.key, label: row.label ?? NOTHING[by], ...totalOf(row) }));
  }
}

const NOTHING: Record<UsageGrouping, string> = {
  DAY: '',
  OPERATION: 'unknown',
  PROVIDER: 'made by us',
  MODEL: 'made by us',
  QUALITY: 'without a quality class',
  TAG: 'without a tag',
  BUDGET: 'without a budget',
};

const SUMS = (key: RawBuilder<unknown>, label: RawBuilder<unknown>) => sql`
  select ${key} as key, ${label} as label, coalesce(sum(credits), 0)::bigint as credits, count(*) as images,
    count(*) filter (where free) as free`;

/** The delivered images of jobs that ended in the period, with what they can be told apart by. */
function used(accountId: string, { from, to }: UsagePeriod) {
  return sql`
    select i.credits, i.allowance is not null as free, j.finished_at as at, a.id as asset_id, h.budget_id,
      a.operation, a.provider, a.model, a.quality
    from jobs j
    join job_images i on i.job_id = j.id and i.status = 'DELIVERED'
    join credit_holds h on h.id = j.hold_id
    join assets a on a.id = i.asset_id
    where j.account_id = ${accountId} and j.finished_at >= ${from}::timestamptz and j.finished_at < ${to}::timestamptz`;
}

function totalOf(row: Row | undefined): UsageTotal {
  return { credits: row?.credits ?? 0n, images: Number(row?.images ?? 0n), freeImages: Number(row?.free ?? 0n) };
}
