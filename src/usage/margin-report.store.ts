import { sql } from 'kysely';
import type { Db } from '../platform/database.ts';

/** What one model cost and brought. Costs are millionths of a US dollar, credits milli-credits. */
export interface ModelTotals {
  readonly model: string;
  /** Calls to vendors. */
  readonly attempts: number;
  /** Delivered images. */
  readonly images: number;
  /** Of these, images that a free allowance paid for. */
  readonly freeImages: number;
  readonly captured: bigint;
  readonly costMicros: bigint;
  /** The part of it that brought no picture to anybody. */
  readonly lossMicros: bigint;
}

export class MarginReportStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Of all attempts that began from `from` on and before `to`. What open jobs will capture does not count yet. */
  async totals(from: Date, to: Date): Promise<ModelTotals[]> {
    const { rows } = await sql<{
      model: string;
      attempts: bigint;
      images: bigint;
      freeImages: bigint;
      captured: bigint;
      costMicros: bigint;
      lossMicros: bigint;
    }>`
      select split_part(a.route_id, '@', 1) as model, count(*) as attempts,
        count(*) filter (where a.outcome = 'delivered') as images,
        count(*) filter (where a.outcome = 'delivered' and i.allowance is not null) as "freeImages",
        coalesce(sum(i.credits) filter (where a.outcome = 'delivered' and i.status = 'DELIVERED' and j.finished_at is not null), 0)::bigint as captured,
        coalesce(sum(a.vendor_cost_micros), 0)::bigint as "costMicros",
        coalesce(sum(a.vendor_cost_micros) filter (where a.outcome <> 'delivered'), 0)::bigint as "lossMicros"
      from job_attempts a
      join job_images i on i.id = a.image_id
      join jobs j on j.id = i.job_id
      where a.started_at >= ${from}::timestamptz and a.started_at < ${to}::timestamptz
      group by 1`.execute(this.#db);
    return rows.map((row) => ({
      ...row,
      attempts: Number(row.attempts),
      images: Number(row.images),
      freeImages: Number(row.freeImages),
    }));
  }
}
