import { type Attempt, isOpen, type Job, type JobImage } from './job.ts';

/** How a job stands, with everything about it that changes under the eyes of its client. */
export interface JobState {
  readonly job: Job;
  readonly images: readonly JobImage[];
  /** The attempts of each image, in the order of `images`. */
  readonly attempts: readonly (readonly Attempt[])[];
  /** Its place among the waiting jobs of its account, 1 being next; null unless it is QUEUED. */
  readonly position: number | null;
}

/** The same text for two states that a client cannot tell apart. */
export function fingerprint({ job, images, attempts, position }: JobState): string {
  return JSON.stringify([
    [job.status, job.startedAt, job.finishedAt, position],
    images.map((image) => [image.status, image.assetId, image.failureCode, image.failureMessage, image.finishedAt]),
    attempts.map((calls) => calls.map(({ id, outcome, finishedAt }) => [id, outcome, finishedAt])),
  ]);
}

export function isLast({ job }: JobState): boolean {
  return !isOpen(job.status);
}
