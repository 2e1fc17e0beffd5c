import type { Job, JobImage } from './job.ts';
import type { ImageRow, JobRow } from './jobs.tables.ts';

/** What a job row holds beyond what the outside sees. */
export interface NewJob extends Job {
  /** How many jobs of the account may run at once, as its tier was when the job was accepted. */
  readonly runningMax: number;
}

export function newJobRow(job: NewJob): Partial<JobRow> {
  return {
    id: job.id,
    account_id: job.accountId,
    operation: job.operation,
    status: job.status,
    request: job.request,
    hold_id: job.holdId,
    price_version: job.priceVersion,
    credits: job.credits,
    priority: job.priority,
    running_max: job.runningMax,
    created_at: job.createdAt,
    woken_at: job.createdAt,
    trace_parent: job.traceParent,
  };
}

export function newImageRow(image: JobImage): Partial<ImageRow> {
  return {
    id: image.id,
    job_id: image.jobId,
    index: image.index,
    step: image.step,
    run: image.run,
    status: image.status,
    width: image.size.width,
    height: image.size.height,
    format: image.format,
    source_asset_id: image.sourceAssetId,
    source_image_id: image.sourceImageId,
    credits: image.credits,
    allowance: image.allowance,
  };
}

/** JSON has no whole numbers of that size; the database reads them from text as exactly. */
export function bigintsAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    accountId: row.account_id,
    operation: row.operation,
    status: row.status,
    request: row.request,
    holdId: row.hold_id,
    priceVersion: row.price_version,
    credits: row.credits,
    priority: row.priority,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    traceParent: row.trace_parent,
  };
}

export function toImage(row: ImageRow): JobImage {
  return {
    id: row.id,
    jobId: row.job_id,
    index: row.index,
    step: row.step,
    run: row.run,
    status: row.status,
    size: { width: row.width, height: row.height },
    format: row.format,
    sourceAssetId: row.source_asset_id,
    sourceImageId: row.source_image_id,
    credits: row.credits,
    allowance: row.allowance,
    assetId: row.asset_id,
    failureCode: row.failure_code,
    failureMessage: row.failure_message,
    finishedAt: row.finished_at,
  };
}
