import type { Credits } from '../credits/credits.service.ts';
import { notFound } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { crashPoint } from '../platform/crash-points.ts';
import { checkPageSize, readCursor } from '../platform/cursor.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import type { EventBus } from '../platform/events.ts';
import { watch } from '../platform/watch.ts';
import { BALANCE_CHANNEL } from '../tiers/tiers.service.ts';
import type { AttemptsStore } from './attempts.store.ts';
import { endJob } from './end-job.ts';
import { type Attempt, isOpen, type Job, type JobImage, type JobStatus } from './job.ts';
import type { JobEndings } from './job-endings.ts';
import { fingerprint, isLast, type JobState } from './job-state.ts';
import type { JobsStore } from './jobs.store.ts';

export const JOB_CHANNEL = (jobId: string) => `job:${jobId}`;
/** The payload of a job's event after which the job is still open: whoever waits for its end need not look. */
export const PROGRESS = 'progress';
/** Tells that a job of the account has left its place among those that wait. */
export const QUEUE_CHANNEL = (accountId: string) => `queue:${accountId}`;
/** Tells whichever process works on the job to stop. */
export const CANCEL_CHANNEL = 'job-cancelled';

/** How long a lost event can keep somebody waiting for a job that has ended. */
const LOST_EVENT_MS = 2_000;
/** The name of the list, which its cursors carry. */
export const JOBS_LIST = 'jobs';

/** Tells how jobs stand, and ends them. */
export class Jobs {
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly db: Db,
    private readonly store: JobsStore,
    private readonly attempts: AttemptsStore,
    private readonly credits: Credits,
    private readonly endings: JobEndings,
    private readonly events: EventBus,
    private readonly clock: Clock,
  ) {}

  /**
   * Ends a job now: what was delivered is captured, everything else is released and a later result is discarded.
   * Cancelling a job that has ended changes nothing and answers how it ended.
   * @throws NOT_FOUND
   */
  async cancel(accountId: string, jobId: string): Promise<Job> {
    await this.get(accountId, jobId);
    const now = this.clock.now();
    const end = await inTransaction(this.db, async (tx) => {
      const job = await this.store.lock(tx, jobId);
      if (!job || !isOpen(job.status)) return null;
      await this.store.cancelOpenImages(tx, jobId, now);
      crashPoint('images-cancelled');
      return endJob(tx, this.store, this.credits, jobId, now);
    });
    if (end) {
      this.events.publish(CANCEL_CHANNEL, jobId);
      this.events.publish(JOB_CHANNEL(jobId), '');
      this.events.publish(QUEUE_CHANNEL(accountId), '');
      this.events.publish(BALANCE_CHANNEL(accountId), '');
      await this.endings.tell(end);
    }
    return this.get(accountId, jobId);
  }

  /** @throws NOT_FOUND */
  async get(accountId: string, jobId: string): Promise<Job> {
    const [job] = await this.byIds(accountId, [jobId]);
    if (!job) throw notFound('job', jobId);
    return job;
  }

  /** In the order of `ids`; null for what does not exist or belongs to another account. */
  async byIds(accountId: string, ids: readonly string[]): Promise<(Job | null)[]> {
    const found = new Map((await this.store.byIds(accountId, ids)).map((job) => [job.id, job]));
    return ids.map((id) => found.get(id) ?? null);
  }

  /**
   * A page of the account's jobs, newest first.
   * @throws BAD_USER_INPUT for a page size out of range or a cursor that this list did not give out.
   */
  async list(
    accountId: string,
    page: { first: number; after: string | null; status: JobStatus | null },
  ): Promise<{ items: Job[]; hasNextPage: boolean }> {
    checkPageSize(page.first);
    const afterId = page.after === null ? null : readCursor(JOBS_LIST, 'job', page.after);
    const found = await this.store.page(accountId, page.first + 1, afterId, page.status);
    return { items: found.slice(0, page.first), hasNextPage: found.length > page.first };
  }

  /** The images of each job, in the order of `jobIds`, by index. */
  async imagesOf(jobIds: readonly string[]): Promise<JobImage[][]> {
    const images = Map.groupBy(await this.store.images(jobIds), (image) => image.jobId);
    return jobIds.map((id) => images.get(id) ?? []);
  }

  /** The attempts of each image, in the order of `imageIds`, first to last. */
  async attemptsOf(imageIds: readonly string[]): Promise<Attempt[][]> {
    const attempts = Map.groupBy(await this.attempts.ofImages(imageIds), (attempt) => attempt.imageId);
    return imageIds.map((id) => attempts.get(id) ?? []);
  }

  /** The place of each job among the waiting jobs of the account, 1 being next; null for one that does not wait. */
  async positionsOf(accountId: string, jobIds: readonly string[]): Promise<(number | null)[]> {
    const positions = await this.store.positions(accountId, jobIds);
    return jobIds.map((id) => positions.get(id) ?? null);
  }

  /**
   * The job as it stands now, then anew whenever something has changed that its client can see, until it has ended or
   * `signal` is aborted. Nothing is listened to before the first state is asked for.
   * @throws NOT_FOUND from the first state that is asked for.
   */
  watch(accountId: string, jobId: string, signal: AbortSignal): AsyncGenerator<JobState, void, undefined> {
    let isQueued = true;
    const look = async () => {
      const state = await this.#state(accountId, jobId);
      isQueued = state.job.status === 'QUEUED';
      return state;
    };
    const listen = (changed: () => void) => {
      // What happens to other jobs of the account concerns a job only while it waits among them.
      const moved = () => isQueued && changed();
      const endings = [
        this.events.subscribe(JOB_CHANNEL(jobId), changed),
        this.events.subscribe(QUEUE_CHANNEL(accountId), moved),
      ];
      return () => endings.forEach((end) => void end());
    };
    return watch({ look, listen, fingerprint, isLast }, signal);
  }

  async #state(accountId: string, jobId: string): Promise<JobState> {
    const job = await this.get(accountId, jobId);
    const [images = []] = await this.imagesOf([jobId]);
    if (job.status !== 'QUEUED')
      return { job, images, attempts: await this.attemptsOf(images.map(({ id }) => id)), position: null };
    const [position = null] = await this.positionsOf(accountId, [jobId]);
    // It was begun between these statements, so what they say does not fit together; it never waits again.
    if (position === null) return this.#state(accountId, jobId);
    return { job, images, attempts: images.map(() => []), position };
  }

  /** Answers everybody who waits, how things stand now; for a process that is going away. */
  stopWaiting(): void {
    for (const answer of this.#waiting) answer();
  }

  /** Waits for a job to end, for so many seconds at most, and answers how it stands. @throws NOT_FOUND */
  async waitForEnd(accountId: string, jobId: string, seconds: number): Promise<Job> {
    const giveUp = new AbortController();
    const stop = () => giveUp.abort();
    const timer = setTimeout(stop, seconds * 1000);
    this.#waiting.add(stop);
    const watched = {
      look: () => this.get(accountId, jobId),
      listen: (changed: () => void) =>
        this.events.subscribe(JOB_CHANNEL(jobId), (payload) => payload !== PROGRESS && changed()),
      fingerprint: ({ status }: Job) => status,
      isLast: ({ status }: Job) => !isOpen(status),
      lookAgainMs: LOST_EVENT_MS,
    };
    try {
      for await (const job of watch(watched, giveUp.signal)) if (!isOpen(job.status)) return job;
      return await this.get(accountId, jobId);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(stop);
    }
  }
}
