import { findRoute } from '../catalog/routes.ts';
import type { Credits } from '../credits/credits.service.ts';
import { promptsIn } from '../estimates/job-request.ts';
import type { Clock } from '../platform/clock.ts';
import { crashPoint } from '../platform/crash-points.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import type { EventBus } from '../platform/events.ts';
import type { Log } from '../platform/log.ts';
import type { WorkQueue } from '../platform/queue.ts';
import { inSpan, type Tracing } from '../platform/tracing.ts';
import type { PriceBooks } from '../pricing/price-books.service.ts';
import { BALANCE_CHANNEL } from '../tiers/tiers.service.ts';
import { callCostMicros } from './call-cost.ts';
import { endJob } from './end-job.ts';
import type { ImageRunParts, StopReason } from './image-run.ts';
import { ImageRuns } from './image-runs.ts';
import { isImageOpen, isOpen, type Job, type JobImage } from './job.ts';
import type { JobEndings } from './job-endings.ts';
import { CANCEL_CHANNEL, JOB_CHANNEL, PROGRESS, QUEUE_CHANNEL } from './jobs.service.ts';
import type { LeasesStore } from './leases.store.ts';

/** How soon it is noticed that somebody else has gone, in milliseconds. */
export interface RunnerTimes {
  /** A worker that stops renewing its lease is taken to be gone after this; renewed several times meanwhile. */
  readonly lease: number;
  readonly leaseRenew: number;
  /** How often jobs are looked for that nobody was woken for, and how old a wake must be to count as lost. */
  readonly sweep: number;
  readonly wakeLost: number;
  /** How often attempts without a job are looked for, and how old they must be: longer than any call is out. */
  readonly leftBehind: number;
  readonly leftBehindAge: number;
}
export const RUNNER_TIMES: RunnerTimes = {
  lease: 30_000,
  leaseRenew: 8_000,
  sweep: 5_000,
  wakeLost: 10_000,
  leftBehind: 60_000,
  leftBehindAge: 10 * 60_000,
};
const SWEEP_LIMIT = 200;
/**
 * Jobs of one process that may be in hand at once: far more than one account may run, because most of them only wait for
 * vendors. What costs memory, pictures on their way, is bounded by the places that vendors have and by the turns of decoding.
 */
const IN_HAND_MAX = 1_000;

export interface RunnerParts extends ImageRunParts {
  readonly leases: LeasesStore;
  readonly credits: Credits;
  readonly priceBooks: PriceBooks;
  readonly queue: WorkQueue;
  readonly events: EventBus;
  readonly endings: JobEndings;
  readonly tracing: Tracing;
  /** True when no other process can be using the store, so that what runs there has been left behind. */
  readonly alone: boolean;
  readonly times: RunnerTimes;
}

/** Runs accepted jobs: claims one, sends its images out side by side, and settles its hold when all have ended. */
export class JobsRunner {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #running = new Map<string, { stop: AbortController; ended: Promise<void> }>();
  /** Jobs that are being claimed: a second wake-up must not claim beside the first and find its lease lapsed. */
  readonly #claiming = new Set<string>();
  readonly #endings: (() => void)[] = [];
  /** What goes on until the jobs in hand have ended too. */
  readonly #untilDrained: (() => void)[] = [];
  #stopping = false;

  constructor(private readonly parts: RunnerParts) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  async start(): Promise<void> {
    const { leases, queue, events, alone, times } = this.parts;
    if (alone) await leases.endAll(this.#clock.now());
    this.#untilDrained.push(events.subscribe(CANCEL_CHANNEL, (jobId) => this.#stopJob(jobId, 'CANCELLED')));
    this.#every(times.leaseRenew, this.#untilDrained, () => this.#keepLeases());
    this.#every(times.sweep, this.#endings, () => this.sweep());
    this.#every(times.leftBehind, this.#endings, () => this.#endLeftBehind());
    await queue.work((jobIds) => this.#accept(jobIds));
    await this.sweep(this.#clock.now());
    await this.#endLeftBehind();
  }

  /**
   * Takes no more jobs, lets those in hand end for `drainMs`, then leaves the rest to others: what a vendor has accepted
   * is polled by them, what is still out is theirs to judge.
   */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const end of this.#endings.splice(0)) end();
    const timer = setTimeout(() => {
      for (const jobId of this.#running.keys()) this.#stopJob(jobId, 'SHUTDOWN');
    }, drainMs);
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended));
    clearTimeout(timer);
    for (const end of this.#untilDrained.splice(0)) end();
    await this.parts.leases.end(this.parts.owner, this.#clock.now());
  }

  /** Wakes workers for jobs whose wake was lost or whose worker has gone. */
  async sweep(wokenBefore = this.#ago(this.parts.times.wakeLost)): Promise<void> {
    for (const { id, priority } of await this.parts.store.wakeable(wokenBefore, this.#clock.now(), SWEEP_LIMIT)) {
      await this.parts.queue.enqueue(id, priority, null);
    }
  }

  /** Starts jobs without waiting for their end; waits only while as many are in hand as may be. */
  async #accept(jobIds: readonly string[]): Promise<void> {
    for (const jobId of jobIds) {
      while (this.#running.size >= IN_HAND_MAX)
        await Promise.race([...this.#running.values()].map(({ ended }) => ended));
      this.run(jobId).catch((error: unknown) =>
        this.#log.error({ err: error, jobId }, 'a job could not be run; it will be tried again'),
      );
    }
  }

  /** Runs a job to its end, if it may run now. Harmless for a job that is done, in other hands, or unknown. */
  async run(jobId: string): Promise<void> {
    if (this.#stopping || this.#running.has(jobId) || this.#claiming.has(jobId)) return;
    this.#claiming.add(jobId);
    const job = await this.#claim(jobId).finally(() => this.#claiming.delete(jobId));
    if (!job) return;
    crashPoint('job-claimed');
    const stop = new AbortController();
    const ended = this.#traced(job, () => this.#runClaimed(job, stop.signal)).finally(() =>
      this.#running.delete(jobId),
    );
    this.#running.set(jobId, { stop, ended });
    await ended;
  }

  #claim(jobId: string): Promise<Job | null> {
    const { store, owner } = this.parts;
    return inTransaction(this.#db, (tx) => store.claim(tx, jobId, owner, this.#leaseEnd(), this.#clock.now()));
  }

  /** What comes of a job belongs to the trace of the request that asked for it, whichever process it was sent to. */
  #traced(job: Job, run: () => Promise<void>): Promise<void> {
    const { id, operation, traceParent, request } = job;
    return this.parts.tracing.takenUp(
      'job',
      traceParent,
      { 'job.id': id, operation, prompt: promptsIn(request) ?? '' },
      run,
    );
  }

  async #runClaimed(job: Job, signal: AbortSignal): Promise<void> {
    const { store, events } = this.parts;
    events.publish(JOB_CHANNEL(job.id), PROGRESS);
    events.publish(QUEUE_CHANNEL(job.accountId), '');
    const images = (await store.images([job.id])).filter(({ status }) => isImageOpen(status));
    const results = await this.#runImages(job, images, signal);
    for (const result of results) {
      // Our own defect or a store that is away: the image stays open, and the job is run again once its lease has lapsed.
      if (result.status === 'rejected')
        this.#log.error({ err: result.reason, jobId: job.id }, 'an image could not be run; it will be tried again');
    }
    await this.#finish(job);
    await this.#wakeNext(job.accountId);
  }

  async #runImages(job: Job, images: readonly JobImage[], signal: AbortSignal): Promise<PromiseSettledResult<void>[]> {
    const { events, priceBooks } = this.parts;
    const book = (await priceBooks.find(job.priceVersion)) ?? priceBooks.current();
    const progress = () => events.publish(JOB_CHANNEL(job.id), PROGRESS);
    return new ImageRuns(this.parts, job, book, signal, progress).run(images);
  }

  /** Settles the hold and ends the job in one transaction, if every image has ended. */
  async #finish(job: Job): Promise<void> {
    const { store, credits, events, endings } = this.parts;
    const now = this.#clock.now();
    const settle = () => inTransaction(this.#db, (tx) => endJob(tx, store, credits, job.id, now));
    const end = await inSpan('settlement', {}, settle);
    if (!end) return;
    crashPoint('settlement-committed');
    events.publish(JOB_CHANNEL(job.id), '');
    events.publish(BALANCE_CHANNEL(job.accountId), '');
    await endings.tell(end);
  }

  /** A slot of the account has become free. */
  async #wakeNext(accountId: string): Promise<void> {
    if (this.#stopping) return;
    for (const { id, priority } of await this.parts.store.nextQueued(accountId, 1))
      await this.parts.queue.enqueue(id, priority, null);
  }

  #stopJob(jobId: string, reason: StopReason): void {
    this.#running.get(jobId)?.stop.abort(reason);
  }

  #leaseEnd(): Date {
    return this.#ago(-this.parts.times.lease);
  }

  #ago(ms: number): Date {
    return new Date(this.#clock.now().getTime() - ms);
  }

  /** Keeps the jobs in hand; what has ended or been taken over meanwhile is let go, also when nobody could tell us so. */
  async #keepLeases(): Promise<void> {
    const inHand = [...this.#running.keys()];
    const lost = await this.parts.leases.renew(this.parts.owner, inHand, this.#leaseEnd());
    for (const { id, status } of lost) this.#stopJob(id, isOpen(status) ? 'SHUTDOWN' : 'CANCELLED');
  }

  /** Ends attempts that outlived their job, as when a process died over a cancel: what they may cost is booked. */
  async #endLeftBehind(): Promise<void> {
    const { attempts, priceBooks } = this.parts;
    const before = this.#ago(this.parts.times.leftBehindAge);
    for (const { id, routeId, priceVersion, size } of await attempts.leftBehind(before, SWEEP_LIMIT)) {
      const book = (await priceBooks.find(priceVersion)) ?? priceBooks.current();
      const cost = callCostMicros(book, findRoute(routeId) ?? null, size);
      const end = { outcome: 'discarded', reason: null, message: 'its job had ended', vendorCostMicros: cost } as const;
      await attempts.end(id, end, this.#clock.now());
    }
  }

  #every(ms: number, endings: (() => void)[], work: () => Promise<void>): void {
    const timer = setInterval(() => {
      work().catch((error: unknown) =>
        this.#log.warn({ err: error }, 'a regular task of the runner failed; it is tried again'),
      );
    }, ms).unref();
    endings.push(() => clearInterval(timer));
  }
}
