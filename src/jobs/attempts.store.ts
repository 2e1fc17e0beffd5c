import { type SqlBool, sql } from 'kysely';
import type { Size } from '../catalog/sizes.ts';
import type { Db, Tx } from '../platform/database.ts';
import type { Attempt } from './job.ts';
import type { AttemptRow, JobTables } from './jobs.tables.ts';

export interface LeftBehind {
  readonly id: string;
  readonly routeId: string;
  readonly priceVersion: number;
  /** Of the image that it was for. */
  readonly size: Size;
}

/** What vendors were asked and what they answered, written down before and after each call. */
export class AttemptsStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<JobTables>();
  }

  /**
   * Notes that a vendor is about to be called, if `owner` still has the job and it has not ended. False when it
   * may not be called. Committed before the call, so that a crash leaves the trace.
   */
  async start(attempt: Pick<Attempt, 'id' | 'imageId' | 'routeId'>, owner: string, now: Date): Promise<boolean> {
    const result = await sql`
      with image as (
        update job_images set status = 'RUNNING'
        where id = ${attempt.imageId} and status in ('WAITING', 'RUNNING')
          and exists (
            select 1 from jobs where jobs.id = job_images.job_id
              and lease_owner = ${owner} and status = 'RUNNING')
        returning id
      )
      insert into job_attempts (id, image_id, route_id, started_at)
      select ${attempt.id}, image.id, ${attempt.routeId}, ${now}::timestamptz from image
      returning id`.execute(this.#db);
    return result.rows.length === 1;
  }

  /** The id of the vendor's job, by its own answer to the order: a report for another id has proved to be a repeated one. */
  async accept(attemptId: string, vendorId: string): Promise<void> {
    await this.#db.updateTable('job_attempts').set({ vendor_id: vendorId }).where('id', '=', attemptId).execute();
  }

  /**
   * Keeps what `provider` reported of an attempt that is still out, with the id of the vendor's job, for whoever works on
   * it. False for any other attempt: it has ended, has been reported, or is of another vendor's job.
   */
  async keepReport(attemptId: string, provider: string, vendorId: string, report: unknown): Promise<boolean> {
    const result = await this.#db
      .updateTable('job_attempts')
      .set({ report: JSON.stringify({ vendorId, report }), vendor_id: sql`coalesce(vendor_id, ${vendorId})` })
      .where('id', '=', attemptId)
      .where('outcome', 'is', null)
      .where(sql<SqlBool>`(report is null or report->>'vendorId' <> vendor_id)`)
      .where(sql`split_part(route_id, '/', 1)`, '=', provider)
      // The report can be quicker than our note of the id that the order was answered with.
      .where((eb) => eb.or([eb('vendor_id', 'is', null), eb('vendor_id', '=', vendorId)]))
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  }

  /** What the vendor has reported of its job for an attempt; null for nothing so far. */
  async report(attemptId: string, vendorId: string): Promise<unknown> {
    const row = await this.#db
      .selectFrom('job_attempts')
      .select(sql<unknown>`report->'report'`.as('report'))
      .where('id', '=', attemptId)
      .where(sql`report->>'vendorId'`, '=', vendorId)
      .executeTakeFirst();
    return row?.report ?? null;
  }

  /** Attempts begun before `before` that are still open although their job has ended. */
  async leftBehind(before: Date, limit: number): Promise<LeftBehind[]> {
    const rows = await this.#db
      .selectFrom('job_attempts as a')
      .innerJoin('job_images as i', 'i.id', 'a.image_id')
      .innerJoin('jobs as j', 'j.id', 'i.job_id')
      .select(['a.id', 'a.route_id', 'i.width', 'i.height', 'j.price_version'])
      .where('a.outcome', 'is', null)
      .where('a.started_at', '<', before)
      .where('j.status', 'not in', ['QUEUED', 'RUNNING'])
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      id: row.id,
      routeId: row.route_id,
      priceVersion: row.price_version,
      size: { width: row.width, height: row.height },
    }));
  }

  /**
   * Ends an attempt that is open. A picture that came after all also ends one that was given up as unknown meanwhile, as by
   * another worker that took this one for dead.
   */
  async end(
    attemptId: string,
    end: Pick<Attempt, 'outcome' | 'reason' | 'message' | 'vendorCostMicros'>,
    now: Date,
    tx?: Tx,
  ): Promise<void> {
    await (tx?.withTables<JobTables>() ?? this.#db)
      .updateTable('job_attempts')
      .set({
        outcome: end.outcome,
        reason: end.reason,
        message: end.message,
        vendor_cost_micros: end.vendorCostMicros,
        report: null,
        finished_at: now,
      })
      .where('id', '=', attemptId)
      .where((eb) => {
        const isOpen = eb('outcome', 'is', null);
        return end.outcome === 'delivered' ? eb.or([isOpen, eb('outcome', '=', 'unknown')]) : isOpen;
      })
      .execute();
  }

  async ofImages(imageIds: readonly string[]): Promise<Attempt[]> {
    const rows = await this.#db
      .selectFrom('job_attempts')
      .selectAll()
      .where('image_id', 'in', [...imageIds])
      .orderBy('id')
      .execute();
    return rows.map(toAttempt);
  }
}

function toAttempt(row: AttemptRow): Attempt {
  return {
    id: row.id,
    imageId: row.image_id,
    routeId: row.route_id,
    vendorId: row.vendor_id,
    outcome: row.outcome,
    reason: row.reason,
    message: row.message,
    vendorCostMicros: row.vendor_cost_micros,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
