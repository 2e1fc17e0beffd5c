import type { Credits } from '../credits/credits.service.ts';
import { crashPoint } from '../platform/crash-points.ts';
import type { Tx } from '../platform/database.ts';
import { finalStatus, isOpen, type Job, type JobImage } from './job.ts';
import type { JobsStore } from './jobs.store.ts';
import { creditsEndOf } from './settlement-policy.ts';

export interface JobEnd {
  /** As it is now, ended. */
  readonly job: Job;
  readonly images: readonly JobImage[];
  /** Milli-credits. */
  readonly captured: bigint;
  readonly released: bigint;
}

/**
 * Ends a job whose images have all ended: captures what was delivered, releases the rest, closes the row. The only way
 * a job ends. Null, and nothing changes, when it has ended before or an image is still open. Locks the job.
 */
export async function endJob(
  tx: Tx,
  store: JobsStore,
  credits: Credits,
  jobId: string,
  now: Date,
): Promise<JobEnd | null> {
  const job = await store.lock(tx, jobId);
  const images = await store.images([jobId], tx);
  const endsWith = Map.groupBy(images, creditsEndOf);
  if (!job || !isOpen(job.status) || endsWith.has('STILL_HELD')) return null;
  const captures = (endsWith.get('CAPTURED') ?? []).map((image) => ({
    imageId: image.id,
    amount: image.credits,
    allowance: image.allowance,
  }));
  const settlement = await credits.settle(tx, job.holdId, captures, now);
  if (!settlement) throw new Error(`the hold of the open job ${jobId} was settled before the job ended`);
  crashPoint('hold-settled');
  const status = finalStatus(images);
  await store.finish(tx, jobId, status, now);
  crashPoint('settlement-written');
  return { job: { ...job, status, finishedAt: now }, images, ...settlement };
}
