import type { Viewer } from '../accounts/account.ts';
import type { JobPlan } from '../estimates/estimate.ts';
import { newId } from '../platform/ids.ts';
import type { Job, JobImage } from './job.ts';

/** The job of a plan, not begun yet. */
export function newJob(viewer: Viewer, plan: JobPlan, priceVersion: number, now: Date, traceParent: string): Job {
  return {
    id: newId('job'),
    accountId: viewer.id,
    operation: plan.request.operation,
    status: 'QUEUED',
    request: plan.request,
    holdId: newId('hold'),
    priceVersion,
    credits: plan.credits,
    priority: plan.priority,
    createdAt: now,
    startedAt: null,
    finishedAt: null,
    traceParent,
  };
}

/** Its images, in the order of the plan. */
export function newImages(job: Job, plan: JobPlan): JobImage[] {
  const ids = plan.images.map(() => newId('image'));
  return plan.images.map(({ source, ...image }, index) => ({
    ...image,
    id: idAt(ids, index),
    jobId: job.id,
    index,
    status: 'WAITING',
    sourceAssetId: source && 'asset' in source ? source.asset : null,
    sourceImageId: source && 'image' in source ? idAt(ids, source.image) : null,
    assetId: null,
    failureCode: null,
    failureMessage: null,
    finishedAt: null,
  }));
}

function idAt(ids: readonly string[], index: number): string {
  const id = ids[index];
  if (id === undefined) throw new Error(`a plan names an image ${index} that it does not have`);
  return id;
}
