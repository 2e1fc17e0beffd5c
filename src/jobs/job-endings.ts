import { promptsIn } from '../estimates/job-request.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { requestIdIn } from '../platform/tracing.ts';
import { formatCredits } from '../pricing/prices.ts';
import type { AttemptsStore } from './attempts.store.ts';
import type { JobEnd } from './end-job.ts';
import type { Attempt, Job, JobImage } from './job.ts';

/** Counts jobs that have ended and tells the story of each in one line of the log. */
export class JobEndings {
  constructor(
    private readonly attempts: AttemptsStore,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** Once a job's end is committed. Never fails: the job has ended, whatever becomes of this. */
  async tell(end: JobEnd): Promise<void> {
    const { operation, status, createdAt, finishedAt } = end.job;
    this.metrics.jobSeconds.observe({ operation, status }, msBetween(createdAt, finishedAt) / 1_000);
    const level = end.images.some(isTrouble) ? 'warn' : 'info';
    if (!this.log.isLevelEnabled(level)) return;
    const attempts = await this.attempts.ofImages(end.images.map(({ id }) => id)).catch(() => null);
    this.log[level](storyOf(end, attempts), 'job ended');
  }
}

/** Failed for a reason of the vendors' or our own; what the customer asked for or took back is no trouble. */
function isTrouble({ status, failureCode }: JobImage): boolean {
  return status === 'FAILED' && failureCode !== 'CONTENT_REFUSED';
}

/** `attempts` is null where they could not be looked up. Credits are decimal, times in milliseconds. */
function storyOf({ job, images, captured, released }: JobEnd, attempts: readonly Attempt[] | null) {
  const byImage = Map.groupBy(attempts ?? [], ({ imageId }) => imageId);
  return {
    jobId: job.id,
    requestId: job.traceParent === null ? null : requestIdIn(job.traceParent),
    accountId: job.accountId,
    operation: job.operation,
    status: job.status,
    priceVersion: job.priceVersion,
    quoted: formatCredits(job.credits),
    captured: formatCredits(captured),
    released: formatCredits(released),
    ...timesOf(job),
    images: images.map(({ id, index, status, failureCode }) => ({
      index,
      status,
      ...(failureCode !== null && { failure: failureCode }),
      ...(attempts !== null && { attempts: (byImage.get(id) ?? []).map(callOf) }),
    })),
    prompt: promptsIn(job.request),
  };
}

function timesOf({ createdAt, startedAt, finishedAt }: Job) {
  const begun = startedAt ?? finishedAt;
  return { waitedMs: msBetween(createdAt, begun), ranMs: startedAt === null ? 0 : msBetween(startedAt, finishedAt) };
}

/** A call that is still out when its job has ended has no outcome yet. */
function callOf({ routeId, outcome, reason, vendorId, startedAt, finishedAt }: Attempt) {
  return {
    route: routeId,
    outcome,
    ...(reason !== null && { reason }),
    ...(finishedAt !== null && { ms: msBetween(startedAt, finishedAt) }),
    ...(vendorId !== null && { vendorId }),
  };
}

function msBetween(from: Date, to: Date | null): number {
  return to === null ? 0 : to.getTime() - from.getTime();
}
