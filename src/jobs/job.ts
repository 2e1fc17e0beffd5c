import type { ProviderName } from '../catalog/models.ts';
import type { Size } from '../catalog/sizes.ts';
import { type JobOperation, type JobRequest, type OperationRequest, stepsOf } from '../estimates/job-request.ts';
import type { RejectionReason } from '../providers/provider.ts';

export const JOB_STATUSES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const IMAGE_STATUSES = ['WAITING', 'RUNNING', 'DELIVERED', 'FAILED', 'CANCELLED'] as const;
export type ImageStatus = (typeof IMAGE_STATUSES)[number];

export const FAILURE_CODES = [
  'CONTENT_REFUSED',
  'PROVIDERS_REFUSED',
  'PROVIDERS_UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'DEADLINE_PASSED',
  'UNUSABLE_PICTURE',
  'NOT_STORABLE',
  'SOURCE_FAILED',
  'SOURCE_UNUSABLE',
] as const;
/** Why an image was not delivered. It was not charged, whichever it is. */
export type FailureCode = (typeof FAILURE_CODES)[number];

/** One accepted operation. Amounts are milli-credits. */
export interface Job {
  readonly id: string;
  readonly accountId: string;
  readonly operation: JobOperation;
  readonly status: JobStatus;
  readonly request: JobRequest;
  readonly holdId: string;
  readonly priceVersion: number;
  /** What was quoted, and so held: the most that can be captured. */
  readonly credits: bigint;
  readonly priority: number;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Which request asked for it, and where in its trace, in the form of W3C's `traceparent`; null for jobs older than that. */
  readonly traceParent: string | null;
}

/** One output of a job; it succeeds or fails on its own. */
export interface JobImage {
  readonly id: string;
  readonly jobId: string;
  readonly index: number;
  /** Index of its step, and its place among the images of the step. */
  readonly step: number;
  readonly run: number;
  readonly status: ImageStatus;
  /** The exact size that it comes to. */
  readonly size: Size;
  /** The social format that it is cut to, if it is. */
  readonly format: string | null;
  /** What it works on: an asset of the library, or another image of the job; at most one of them. */
  readonly sourceAssetId: string | null;
  readonly sourceImageId: string | null;
  /** What is captured if it is delivered; 0 when a free allowance pays. */
  readonly credits: bigint;
  /** The provider whose free allowance pays for it; null where credits do. */
  readonly allowance: ProviderName | null;
  readonly assetId: string | null;
  readonly failureCode: FailureCode | null;
  readonly failureMessage: string | null;
  readonly finishedAt: Date | null;
}

/** Whatever happens, no job is taken up for longer than this. */
const JOB_AGE_MAX_MS = 24 * 60 * 60_000;
export const TOO_LATE = 'It took longer than an image may take. It was not charged. You can run it again.';

export function isTooOld({ createdAt }: Pick<Job, 'createdAt'>, now: Date): boolean {
  return now.getTime() - createdAt.getTime() > JOB_AGE_MAX_MS;
}

export type AttemptOutcome = 'delivered' | 'rejected' | 'moderated' | 'broken' | 'unknown' | 'failed' | 'discarded';

/** One call that asked a vendor for an image. */
export interface Attempt {
  readonly id: string;
  readonly imageId: string;
  readonly routeId: string;
  /** The vendor's own id of a job it accepted, once known. */
  readonly vendorId: string | null;
  /** Null while the call is out. */
  readonly outcome: AttemptOutcome | null;
  /** Why the vendor turned it down; null for every other outcome. */
  readonly reason: RejectionReason | null;
  readonly message: string | null;
  /** What it costs us, in millionths of a US dollar, whoever pays; null when nothing was bought. */
  readonly vendorCostMicros: bigint | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

/** What is asked of one image. */
export function requestOf(job: Pick<Job, 'id' | 'request'>, image: Pick<JobImage, 'step'>): OperationRequest {
  const step = stepsOf(job.request)[image.step];
  if (!step) throw new Error(`job ${job.id} has no step ${image.step}`);
  return step.request;
}

export function isOpen(status: JobStatus): boolean {
  return status === 'QUEUED' || status === 'RUNNING';
}

export function isImageOpen(status: ImageStatus): boolean {
  return status === 'WAITING' || status === 'RUNNING';
}

/** How a job ends, from how its images ended. */
export function finalStatus(images: readonly Pick<JobImage, 'status'>[]): JobStatus {
  const delivered = images.filter(({ status }) => status === 'DELIVERED').length;
  if (delivered === images.length) return 'SUCCEEDED';
  if (delivered > 0) return 'PARTIAL';
  return images.some(({ status }) => status === 'CANCELLED') ? 'CANCELLED' : 'FAILED';
}
