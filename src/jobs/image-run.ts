import type { FinishedPicture, StoredPicture } from '../assets/asset.ts';
import type { AssetsService } from '../assets/assets.service.ts';
import { finishPicture, PictureError } from '../assets/pictures.ts';
import { findRoute, type ProviderName, type Route } from '../catalog/models.ts';
import type { Clock } from '../platform/clock.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import { whileDatabaseReturns } from '../platform/database-errors.ts';
import { newId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { vendorCostMicros } from '../pricing/prices.ts';
import type { Delivered, Provider, RejectionReason, Ticket } from '../providers/provider.ts';
import type { RouteHealth } from '../routing/health.ts';
import { type PlannedRoute, planRoutes } from '../routing/planner.ts';
import { planRender, type RenderPlan } from '../routing/render-plan.ts';
import type { AttemptsStore } from './attempts.store.ts';
import {
  type Attempt,
  type AttemptOutcome,
  type FailureCode,
  failureAfter,
  forbidden,
  type Job,
  type JobImage,
} from './job.ts';
import type { JobsStore } from './jobs.store.ts';
import { renderRequest, seedOf } from './render-request.ts';
import { type Ended, pollVendor } from './vendor-poll.ts';

/** Why a run was told to stop: the job was cancelled, or this process is going away and another takes over. */
export type StopReason = 'CANCELLED' | 'SHUTDOWN';

export interface ImageRunParts {
  readonly db: Db;
  readonly store: JobsStore;
  readonly attempts: AttemptsStore;
  readonly assets: AssetsService;
  readonly providers: Readonly<Partial<Record<ProviderName, Provider>>>;
  readonly health: RouteHealth;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Waits between polls are this many times what the vendor asks for: 1, or less in tests whose vendor is instant. */
  readonly pollPace: number;
  /** Who holds the lease of the jobs that are run here. */
  readonly owner: string;
}

/** After this no further route is tried. */
const IMAGE_DEADLINE_MS = 5 * 60_000;
/** Whatever happens, no job is taken up for longer than this. */
const JOB_AGE_MAX_MS = 24 * 60 * 60_000;
/**
 * Takes one image from route to route until it is delivered or none is left. Whatever happens is written down before
 * the next step, so that another process can go on from any point.
 */
export class ImageRun {
  readonly #parts: ImageRunParts;
  readonly #job: Job;
  readonly #image: JobImage;
  readonly #book: PriceBook;
  readonly #signal: AbortSignal;
  /** When this process took the image up: time that nobody worked on it does not count against it. */
  readonly #began: Date;

  constructor(parts: ImageRunParts, job: Job, image: JobImage, book: PriceBook, signal: AbortSignal) {
    this.#parts = parts;
    this.#job = job;
    this.#image = image;
    this.#book = book;
    this.#signal = signal;
    this.#began = parts.clock.now();
  }

  async run(): Promise<void> {
    const { attempts } = this.#parts;
    const earlier = await attempts.ofImages([this.#image.id]);
    for (const attempt of earlier.filter(({ outcome }) => outcome === null)) {
      if (await this.#resume(attempt)) return;
    }
    while (!this.#signal.aborted) {
      const past = await attempts.ofImages([this.#image.id]);
      if (this.#isLate())
        return this.#fail(
          'DEADLINE_PASSED',
          'It took longer than an image may take. It was not charged. You can run it again.',
        );
      const next = this.#nextRoute(past);
      if (next === null) {
        const { code, message } = failureAfter(past);
        return this.#fail(code, message);
      }
      if (await this.#attempt(next)) return;
    }
  }

  /** Goes on with a call that an earlier process had out. True when the image has ended. */
  async #resume(attempt: Attempt): Promise<boolean> {
    const route = findRoute(attempt.routeId);
    const provider = route && this.#parts.providers[route.model.provider];
    if (route && provider && attempt.vendorId !== null) {
      const ticket: Ticket = { host: route.host.name, vendorModel: route.host.vendorModel, vendorId: attempt.vendorId };
      const ended = await this.#poll(provider, route, ticket, 0, attempt.startedAt);
      return ended === null || this.#settle(attempt.id, route, ended);
    }
    await this.#endAttempt(attempt.id, route ?? null, 'unknown', 'the gateway stopped while this call was out');
    return false;
  }

  #isLate(): boolean {
    const now = this.#parts.clock.now().getTime();
    return now - this.#began.getTime() > IMAGE_DEADLINE_MS || now - this.#job.createdAt.getTime() > JOB_AGE_MAX_MS;
  }

  #nextRoute(past: readonly Attempt[]): PlannedRoute | null {
    const { health, providers } = this.#parts;
    const plan = planRoutes(this.#job.request, {
      enabled: (provider) => providers[provider] !== undefined,
      health: (routeId) => health.of(routeId),
      vendorCostMicros: (route, render) => vendorCostMicros(this.#book, route, render),
    });
    const never = forbidden(past);
    return (
      plan.routes.find(({ route }) => !never.routes.has(route.id) && !never.vendors.has(route.model.provider)) ?? null
    );
  }

  /** One call to one route. True when the image has ended. */
  async #attempt(planned: PlannedRoute): Promise<boolean> {
    const { attempts, providers, clock } = this.#parts;
    const { route } = planned;
    const provider = providers[route.model.provider];
    if (!provider) throw new Error(`${route.id} was planned although its provider is off`);
    const attemptId = newId('attempt');
    const started = await attempts.start(
      { id: attemptId, imageId: this.#image.id, routeId: route.id },
      this.#parts.owner,
      clock.now(),
    );
    if (!started) return true;
    const began = performance.now();
    const outcome = await provider.submit(renderRequest(this.#job.request, this.#image.index, planned), this.#signal);
    if (outcome.kind !== 'accepted') return this.#settle(attemptId, route, outcome, began);
    await attempts.accept(attemptId, outcome.ticket.vendorId);
    const ended = await this.#poll(provider, route, outcome.ticket, outcome.pollAfterMs);
    return ended === null || this.#settle(attemptId, route, ended, began);
  }

  #poll(provider: Provider, route: Route, ticket: Ticket, firstAfterMs: number, since = this.#parts.clock.now()) {
    const { clock, pollPace } = this.#parts;
    return pollVendor({ provider, route, ticket, firstAfterMs, since, clock, pollPace, signal: this.#signal });
  }

  /** Writes down how a call ended and what follows. True when the image has ended. */
  async #settle(attemptId: string, route: Route, ended: Ended, began?: number): Promise<boolean> {
    const { health } = this.#parts;
    if (this.#signal.aborted && ended.kind !== 'delivered') {
      // A synchronous call that we cut off ourselves says nothing about the vendor; after a shutdown the next process decides.
      if (this.#signal.reason === 'CANCELLED')
        await this.#endAttempt(attemptId, route, ended.kind === 'rejected' ? 'rejected' : 'discarded', 'cancelled');
      return true;
    }
    const seconds = began === undefined ? null : (performance.now() - began) / 1000;
    switch (ended.kind) {
      case 'delivered':
        health.note(route.id, { ok: true, seconds });
        return this.#deliver(attemptId, route, ended);
      case 'moderated':
        health.note(route.id, { ok: true, seconds: null });
        return this.#withheld(attemptId, route, ended.message, ended.billed);
      case 'late':
        health.note(route.id, { ok: false, seconds: null });
        await this.#endAttempt(attemptId, route, 'unknown', ended.message);
        return false;
      default:
        if (ended.kind === 'rejected' && NEEDS_OPERATOR.has(ended.reason)) {
          this.#parts.log.error(
            { route: route.id, reason: ended.reason },
            'a vendor turns us down: an operator must act',
          );
        }
        health.note(route.id, { ok: ended.kind === 'rejected' && ended.reason === 'BAD_REQUEST', seconds: null });
        await this.#endAttempt(attemptId, route, ended.kind, ended.message);
        return false;
    }
  }

  /** Nobody else is asked: what one vendor's moderation withholds is not shopped around. */
  async #withheld(attemptId: string, route: Route, message: string, billed: boolean): Promise<true> {
    await this.#endAttempt(attemptId, route, 'moderated', message, billed);
    await this.#fail(
      'CONTENT_REFUSED',
      `${route.model.title} withheld this image: ${message} It was not charged. Change the prompt and run it again.`,
    );
    return true;
  }

  async #deliver(attemptId: string, route: Route, delivered: Delivered): Promise<boolean> {
    let picture: FinishedPicture;
    try {
      picture = await finishPicture(delivered.picture, this.#job.request.size, this.#render(route));
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      if (error.reason === 'BLACK') return this.#withheld(attemptId, route, 'It came black all over.', true);
      await this.#endAttempt(attemptId, route, 'broken', error.message);
      return false;
    }
    await this.#keep(attemptId, route, picture, delivered.seed);
    return true;
  }

  /** Bytes first, then asset, image and attempt in one transaction: a picture is either in the library or it is not. */
  async #keep(attemptId: string, route: Route, picture: FinishedPicture, vendorSeed: number | null): Promise<void> {
    const { assets, store, attempts, clock, db, log } = this.#parts;
    const { request } = this.#job;
    let stored: StoredPicture;
    try {
      stored = await assets.storeBytes(picture);
    } catch (error) {
      log.error({ err: error, jobId: this.#job.id }, 'a picture could not be stored');
      await this.#endAttempt(attemptId, route, 'broken', 'it was drawn but could not be stored');
      await this.#fail(
        'NOT_STORABLE',
        'The image was drawn but could not be stored. It was not charged. Try again later.',
      );
      return;
    }
    const write = () =>
      inTransaction(db, async (tx) => {
        const now = clock.now();
        const delivered = await store.deliverImage(tx, this.#image.id, stored.id, now);
        await attempts.end(
          attemptId,
          { outcome: delivered ? 'delivered' : 'discarded', message: null, vendorCostMicros: this.#cost(route) },
          now,
          tx,
        );
        if (!delivered) return false;
        await assets.insertOutput(tx, {
          ...stored,
          accountId: this.#job.accountId,
          operation: this.#job.operation,
          provider: route.model.provider,
          model: route.model.id,
          prompt: request.prompt,
          negativePrompt: request.negativePrompt,
          seed: vendorSeed ?? seedOf(request, this.#image.index),
          inputHash: this.#job.pictureHash,
          jobId: this.#job.id,
          imageId: this.#image.id,
          parentId: null,
          credits: this.#image.credits,
          priceVersion: this.#job.priceVersion,
        });
        return true;
      });
    const kept = await whileDatabaseReturns(write);
    this.#parts.metrics.attempts.inc({ route: route.id, outcome: kept ? 'delivered' : 'discarded' });
  }

  async #endAttempt(
    attemptId: string,
    route: Route | null,
    outcome: AttemptOutcome,
    message: string,
    billed = MAY_BE_BILLED.has(outcome),
  ): Promise<void> {
    const { attempts, clock, metrics, log } = this.#parts;
    const cost = billed && route ? this.#cost(route) : null;
    await attempts.end(attemptId, { outcome, message, vendorCostMicros: cost }, clock.now());
    metrics.attempts.inc({ route: route?.id ?? 'gone', outcome });
    log.info(
      { jobId: this.#job.id, imageId: this.#image.id, route: route?.id, outcome, message },
      'a vendor did not deliver',
    );
  }

  #render(route: Route): RenderPlan['render'] | null {
    return planRender(route.model.renders, this.#job.request.size)?.render ?? null;
  }

  #cost(route: Route): bigint | null {
    const render = this.#render(route);
    const micros = render && vendorCostMicros(this.#book, route, render);
    return micros === null ? null : BigInt(micros);
  }

  async #fail(code: FailureCode, message: string): Promise<void> {
    await this.#parts.store.failImage(this.#image.id, { code, message }, this.#parts.clock.now());
  }
}

/** Not about what was asked but about us: our key or our money at the vendor. */
const NEEDS_OPERATOR: ReadonlySet<RejectionReason> = new Set(['AUTHENTICATION', 'OUT_OF_FUNDS', 'FORBIDDEN']);

/** Outcomes after which the vendor may have charged us; what it costs is booked as ours, never the customer's. */
const MAY_BE_BILLED: ReadonlySet<AttemptOutcome> = new Set(['delivered', 'broken', 'unknown', 'discarded']);
