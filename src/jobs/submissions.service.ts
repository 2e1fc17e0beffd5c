import type { Viewer } from '../accounts/account.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import { DomainError } from '../errors.ts';
import type { Estimate, Estimated, JobPlan, WorkflowEstimate } from '../estimates/estimate.ts';
import { allowanceUsed } from '../estimates/estimate-refusals.ts';
import type { Estimates } from '../estimates/estimates.service.ts';
import type { JobOperation, JobRequest, OperationRequest, WorkflowRequest } from '../estimates/job-request.ts';
import { checkRunnable } from '../estimates/workflow-request.ts';
import { canonicalHash } from '../platform/canonical-hash.ts';
import type { Clock } from '../platform/clock.ts';
import type { EventBus } from '../platform/events.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { RateLimitState } from '../platform/rate-limiter.ts';
import { inSpan, traceParentOf } from '../platform/tracing.ts';
import { rateLimited } from '../tiers/preflight.ts';
import { BALANCE_CHANNEL, type Tiers } from '../tiers/tiers.service.ts';
import type { Acceptance, Acceptances } from './acceptances.ts';
import { type IdempotencyStore, KEY_LIFETIME_MS, type KeyHolder } from './idempotency.store.ts';
import type { Job } from './job.ts';
import type { Jobs } from './jobs.service.ts';
import { newImages, newJob } from './new-job.ts';
import { type ReusableAssets, type Reused, reusablePictures } from './reuse.ts';
import { checkedKey, checkedWait, type SubmitOptions } from './submit-options.ts';

/** A hold that was refused although the estimate was good is estimated anew this often before the refusal stands. */
const SUBMIT_TRIES_MAX = 3;

export type SubmitResult<E = Estimate | WorkflowEstimate> =
  | { readonly kind: 'accepted'; readonly job: Job; readonly replayed: boolean; readonly rate: RateLimitState }
  | {
      readonly kind: 'refused';
      readonly refusals: readonly Refusal[];
      readonly estimate: E;
      readonly rate: RateLimitState;
    };

export interface SubmissionsParts {
  readonly acceptances: Acceptances;
  readonly keys: IdempotencyStore;
  readonly jobs: Jobs;
  readonly estimates: Estimates;
  readonly assets: ReusableAssets;
  readonly tiers: Tiers;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Accepts operations: the one door between an estimate and a job. */
export class Submissions {
  constructor(private readonly parts: SubmissionsParts) {}

  /**
   * Runs an operation: the very estimate that the query would answer, then key, hold, job and enqueue in one transaction.
   * @throws BAD_USER_INPUT, NOT_FOUND, IDEMPOTENCY_CONFLICT
   */
  operation(viewer: Viewer, request: OperationRequest, options: SubmitOptions): Promise<SubmitResult<Estimate>> {
    const { estimates } = this.parts;
    const { budget } = options;
    const estimate = (quote?: string) => estimates.operation(viewer, request, { quote, budget });
    const hash = keyHash(request, { budget });
    return this.#run({ viewer, operation: request.operation, hash, estimate }, options);
  }

  /**
   * Answers what the library already holds of exactly this request, if it holds all of it: whatever stands against running
   * it, because nothing is run, held or counted, and no key is claimed. A key that a job has is answered with that job.
   * Otherwise runs it.
   * @throws BAD_USER_INPUT, IDEMPOTENCY_CONFLICT
   */
  async reuseOrRun(
    viewer: Viewer,
    request: GenerateRequest,
    options: SubmitOptions,
  ): Promise<SubmitResult<Estimate> | Reused> {
    checkedWait(options);
    const key = checkedKey(options);
    if (!(await this.#holder(viewer, key))) {
      const reused = await this.#reused(viewer, request, options);
      // The pictures found may be those of the job that this call repeats.
      if (reused && !(await this.#holder(viewer, key))) {
        this.parts.metrics.submissions.inc({ operation: request.operation, outcome: 'reused' });
        return reused;
      }
    }
    return this.operation(viewer, request, options);
  }

  async #reused(viewer: Viewer, request: GenerateRequest, { quote, budget }: SubmitOptions): Promise<Reused | null> {
    const { assets: library, estimates, tiers } = this.parts;
    const assets = await reusablePictures(library, viewer.id, request);
    if (assets === null) return null;
    const { estimate } = await estimates.operation(viewer, request, { quote, budget });
    return { kind: 'reused', assets, estimate, rate: await tiers.rate(viewer, tiers.allowed(viewer)) };
  }

  /**
   * Runs operations that build on each other, which are one job. `maxCredits` is the most that they may cost.
   * @throws BAD_USER_INPUT, NOT_FOUND, IDEMPOTENCY_CONFLICT
   */
  workflow(
    viewer: Viewer,
    request: WorkflowRequest,
    maxCredits: bigint | null,
    options: SubmitOptions,
  ): Promise<SubmitResult<WorkflowEstimate>> {
    checkRunnable(request);
    const { estimates } = this.parts;
    const { budget } = options;
    const estimate = (quote?: string) => estimates.workflow(viewer, request, maxCredits, { quote, budget });
    const hash = keyHash(request, { budget, maxCredits: maxCredits?.toString() });
    return this.#run({ viewer, operation: 'WORKFLOW', hash, estimate }, options);
  }

  async #run<E extends AnyEstimate>(asked: Asked<E>, options: SubmitOptions): Promise<SubmitResult<E>> {
    const waitSeconds = checkedWait(options);
    const key = checkedKey(options);
    const result = await this.#submit(asked, options, key);
    this.#note(asked, options.requestId, result);
    const { viewer } = asked;
    if (result.kind === 'refused' || waitSeconds === 0) return result;
    return { ...result, job: await this.parts.jobs.waitForEnd(viewer.id, result.job.id, waitSeconds) };
  }

  #note({ viewer, operation }: Asked<AnyEstimate>, requestId: string, result: SubmitResult): void {
    const { metrics, log } = this.parts;
    if (result.kind === 'accepted') {
      metrics.submissions.inc({ operation, outcome: result.replayed ? 'replayed' : 'accepted' });
      return;
    }
    const types = result.refusals.map(({ type }) => type);
    metrics.submissions.inc({ operation, outcome: types[0] ?? 'refused' });
    if (types.includes('RateLimited')) metrics.rateLimited.inc({ limit: 'submissions' });
    for (const type of types) metrics.refusals.inc({ asked: 'submission', operation, type });
    log.debug({ requestId, accountId: viewer.id, operation, refusals: types }, 'submission refused');
  }

  async #submit<E extends AnyEstimate>(
    asked: Asked<E>,
    options: SubmitOptions,
    key: string | null,
  ): Promise<SubmitResult<E>> {
    const { tiers } = this.parts;
    const { viewer } = asked;
    const allowed = tiers.allowed(viewer);
    // Before anything else: what was accepted once is answered, whatever has become of prices and pictures since.
    const holder = await this.#holder(viewer, key);
    if (holder) return this.#replay(asked, key, holder, await tiers.rate(viewer, allowed));
    const first = await asked.estimate(options.quote);
    if (first.estimate.refusals.length > 0 || !first.plan) {
      return this.#refuse(asked, key, first.estimate.refusals, first.estimate, await tiers.rate(viewer, allowed));
    }
    const { allowed: underLimit, ...rate } = await tiers.takeSubmission(viewer, allowed);
    if (!underLimit) return this.#refuse(asked, key, [rateLimited(rate.limit, rate.resetsAt)], first.estimate, rate);
    return this.#acceptOrRefuse(asked, options, key, first, rate);
  }

  /** Sets credits aside for what was estimated; if the account has changed meanwhile, estimates it anew and decides again. */
  async #acceptOrRefuse<E extends AnyEstimate>(
    asked: Asked<E>,
    { quote, requestId }: SubmitOptions,
    key: string | null,
    first: Estimated<E>,
    rate: RateLimitState,
  ): Promise<SubmitResult<E>> {
    const { viewer, operation } = asked;
    let estimated = first;
    for (let attempt = 1; attempt <= SUBMIT_TRIES_MAX && estimated.plan; attempt++) {
      const { plan, estimate } = estimated;
      const accept = () => this.#accept(asked, estimate.priceVersion, plan, key, requestId);
      const outcome = await inSpan('submission', { operation }, accept);
      if (outcome.kind === 'accepted') {
        this.parts.events.publish(BALANCE_CHANNEL(viewer.id), '');
        return { kind: 'accepted', job: outcome.job, replayed: false, rate };
      }
      if (outcome.kind === 'key-taken') return this.#replay(asked, key, outcome.holder, rate);
      const allowanceGone = outcome.refusal === 'ALLOWANCE_USED';
      estimated = await asked.estimate(allowanceGone ? undefined : quote);
      // This submission has taken its place in the minute already, so a full minute is nothing against it.
      const standing = estimated.estimate.refusals.filter(({ type }) => type !== 'RateLimited');
      const refusals = allowanceGone ? [allowanceUsed()] : standing;
      if (refusals.length > 0) return this.#refuse(asked, key, refusals, estimated.estimate, rate);
    }
    throw new DomainError(
      'UNAVAILABLE',
      'The account was too busy to set credits aside. Nothing was run and nothing was charged; try again.',
    );
  }

  async #accept(
    { viewer, hash }: Asked<AnyEstimate>,
    priceVersion: number,
    plan: JobPlan,
    key: string | null,
    requestId: string,
  ): Promise<Outcome> {
    const { clock, tiers } = this.parts;
    const now = clock.now();
    const job = newJob(viewer, plan, priceVersion, now, traceParentOf(requestId));
    const acceptance = await this.parts.acceptances.accept({
      job: { ...job, runningMax: tiers.allowed(viewer).runningJobs },
      images: newImages(job, plan),
      hold: {
        holdId: job.holdId,
        accountId: viewer.id,
        jobId: job.id,
        amount: job.credits,
        priceVersion,
        openHoldsMax: plan.openJobsMax,
        allowances: plan.allowances,
        budgetId: plan.budgetId,
      },
      claim:
        key === null
          ? null
          : {
              accountId: viewer.id,
              key,
              inputHash: hash,
              jobId: job.id,
              claimedAt: now,
            },
    });
    if (acceptance.kind === 'refused' && acceptance.refusal === 'PERIOD_OVER') await tiers.enterPeriod(viewer.id);
    return acceptance.kind === 'accepted' ? { kind: 'accepted', job } : acceptance;
  }

  /**
   * Refuses, unless one of many equal calls at once has been accepted meanwhile: the others are its repetitions, and what
   * stands against them is often what it has taken.
   */
  async #refuse<E extends AnyEstimate>(
    asked: Asked<E>,
    key: string | null,
    refusals: readonly Refusal[],
    estimate: E,
    rate: RateLimitState,
  ): Promise<SubmitResult<E>> {
    const holder = await this.#holder(asked.viewer, key);
    return holder ? this.#replay(asked, key, holder, rate) : { kind: 'refused', refusals, estimate, rate };
  }

  /** The job that has the key, if any. */
  async #holder(viewer: Viewer, key: string | null): Promise<KeyHolder | null> {
    return key === null ? null : this.parts.keys.holder(viewer.id, key, this.#keysSince());
  }

  async #replay(
    { viewer, hash }: Asked<AnyEstimate>,
    key: string | null,
    holder: KeyHolder,
    rate: RateLimitState,
  ): Promise<SubmitResult<never>> {
    if (holder.inputHash !== hash) {
      throw new DomainError(
        'IDEMPOTENCY_CONFLICT',
        `The idempotency key ${JSON.stringify(key)} was used for another input within the last 24 hours. Nothing was run and nothing was charged: send the same input again, or a new key.`,
        { field: 'idempotencyKey', value: key, jobId: holder.jobId },
      );
    }
    return { kind: 'accepted', job: await this.parts.jobs.get(viewer.id, holder.jobId), replayed: true, rate };
  }

  /** Forgets keys that are too old to count. */
  forgetOldKeys(): Promise<void> {
    return this.parts.keys.forget(this.#keysSince());
  }

  #keysSince(): Date {
    return new Date(this.parts.clock.now().getTime() - KEY_LIFETIME_MS);
  }
}

type AnyEstimate = Estimate | WorkflowEstimate;

/** What was asked, and how it is estimated, with a quote or without. */
interface Asked<E extends AnyEstimate> {
  readonly viewer: Viewer;
  readonly operation: JobOperation;
  /** The same for every spelling of the same thing: what an idempotency key stands for. */
  readonly hash: string;
  estimate(quote?: string): Promise<Estimated<E>>;
}

type Outcome = Exclude<Acceptance, { kind: 'accepted' }> | { readonly kind: 'accepted'; readonly job: Job };

/** What a key stands for: the request, and whatever else decides on what is run and how it is paid. */
function keyHash(request: JobRequest, also: Readonly<Record<string, string | undefined>>): string {
  const given = Object.fromEntries(Object.entries(also).filter(([, value]) => value !== undefined));
  return canonicalHash(Object.keys(given).length === 0 ? request : { request, ...given });
}
