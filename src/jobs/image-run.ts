import type { AssetsService } from '../assets/assets.service.ts';
import { PictureError } from '../assets/pictures.ts';
import type { Route } from '../catalog/models.ts';
import { MEDIA_TYPES } from '../catalog/output-formats.ts';
import { findRoute } from '../catalog/routes.ts';
import { pixelsOf, type Size } from '../catalog/sizes.ts';
import { type OperationRequest, wordsIn } from '../estimates/job-request.ts';
import { crashPoint } from '../platform/crash-points.ts';
import type { Db } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import type { Order } from '../providers/provider.ts';
import type { Dispatcher } from '../routing/dispatcher.ts';
import type { RouteHealth } from '../routing/health.ts';
import type { PlannedRoute } from '../routing/planned-route.ts';
import { NOTHING_SEEN } from '../routing/verdict.ts';
import { failureAfter, forbidden } from './attempts-so-far.ts';
import { ImageEnd } from './image-end.ts';
import { type ImageWork, isPictureAtFault, picturesFor, planImage, SOURCE_UNREADABLE } from './image-work.ts';
import { type Attempt, type FailureCode, isTooOld, type Job, type JobImage, TOO_LATE } from './job.ts';
import { JOB_CHANNEL, PROGRESS } from './jobs.service.ts';
import type { JobsStore } from './jobs.store.ts';
import { observed } from './observed-call.ts';
import { orderFor } from './orders.ts';
import { imagePatienceMs } from './patience.ts';
import { failureOf } from './settlement-policy.ts';
import { awaitPicture, type CallEnd, orderPicture, type VendorCall, type VendorCallParts } from './vendor-call.ts';

/** Why a run was told to stop: the job was cancelled, or this process is going away and another takes over. */
export type StopReason = 'CANCELLED' | 'SHUTDOWN';

export interface ImageRunParts extends VendorCallParts {
  readonly db: Db;
  readonly store: JobsStore;
  readonly assets: AssetsService;
  readonly health: RouteHealth;
  readonly dispatcher: Dispatcher;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Who holds the lease of the jobs that are run here. */
  readonly owner: string;
}

/** Why nothing was sent after all: the time is over, the job has ended or is another worker's, or there was no order. */
type NotSent = 'LATE' | 'NOT_OURS' | Unprepared;
/** An order that could not be made ready. */
class Unprepared {
  constructor(readonly cause: unknown) {}
}
/** Longest wait for routes that are shut; whoever waits longer is better told so. */
const SHUT_WAIT_MAX_MS = 20_000;

/**
 * Takes one image from route to route until it is delivered or none is left. Whatever happens is written down before
 * the next step, so that another process can go on from any point.
 */
export class ImageRun {
  private readonly job: Job;
  private readonly image: JobImage;
  readonly #end: ImageEnd;
  /** When the time of this image is over; counted from its first call on, and without the waits for our own turn. */
  #deadlineMs: number | null = null;
  /** Routes whose order could not be made of the pictures, and why. */
  readonly #unprepared = new Map<string, string>();

  constructor(
    private readonly parts: ImageRunParts,
    private readonly work: ImageWork,
    private readonly book: PriceBook,
    private readonly signal: AbortSignal,
  ) {
    this.job = work.job;
    this.image = work.image;
    this.#end = new ImageEnd(parts, work, book, signal);
  }

  async run(): Promise<void> {
    let past = await this.#attempts();
    for (const attempt of past.filter(({ outcome }) => outcome === null)) {
      if (await this.#resume(attempt)) return;
      past = await this.#attempts();
    }
    for (; !this.signal.aborted; past = await this.#attempts()) {
      if (this.#isLate()) return this.#end.fail(failureOf('DEADLINE_PASSED'), TOO_LATE);
      const left = this.#routesLeft(past);
      const next = left.find(({ route }) => this.parts.health.takes(route));
      if (next) {
        if (await this.#attempt(next, left)) return;
      } else if (!(await this.#waitFor(left))) {
        const { code, message } = this.#failure(past);
        return this.#end.fail(code, message);
      }
    }
  }

  #attempts(): Promise<Attempt[]> {
    return this.parts.attempts.ofImages([this.image.id]);
  }

  /** Goes on with a call that an earlier process had out when it died. True when the image has ended. */
  async #resume(attempt: Attempt): Promise<boolean> {
    const { id, vendorId, startedAt } = attempt;
    const route = findRoute(attempt.routeId);
    // `DIED_AFTER_ACCEPTANCE` of the settlement policy; anything else is `DIED_DURING_CALL`, which is as unknown.
    if (route && vendorId !== null && this.parts.serves(route)) {
      const call = { ...this.#call(id, route), vendorId, startedAt };
      const observable = { attemptId: id, route, isResumed: true };
      const { result } = await observed(this.parts.metrics, observable, () => awaitPicture(this.parts, call));
      return this.#end.settle(id, route, result);
    }
    await this.#end.attempt(id, route ?? null, {
      kind: 'unknown',
      message: 'the gateway stopped while this call was out',
    });
    return false;
  }

  #isLate(): boolean {
    const { clock } = this.parts;
    return isTooOld(this.job, clock.now()) || (this.#deadlineMs !== null && performance.now() > this.#deadlineMs);
  }

  #routes(): readonly PlannedRoute[] {
    return planImage(this.work, this.book, this.parts);
  }

  /** The routes that may still be tried, best first. */
  #routesLeft(past: readonly Attempt[]): PlannedRoute[] {
    const never = forbidden(past);
    return this.#routes().filter(
      ({ route: { id, model } }) =>
        !never.routes.has(id) && !never.vendors.has(model.provider) && !this.#unprepared.has(id),
    );
  }

  #failure(past: readonly Attempt[]): { code: FailureCode; message: string } {
    const [why] = this.#unprepared.values();
    if (past.length > 0 || why === undefined) return failureAfter(past);
    return { code: failureOf('SOURCE_UNUSABLE'), message: `${why}. It was not charged. Use another picture.` };
  }

  /** Waits until a route that is shut may be tried again. False when there is none, or none soon enough. */
  async #waitFor(shut: readonly PlannedRoute[]): Promise<boolean> {
    const now = this.parts.clock.now().getTime();
    const waits = shut.map(({ route }) => {
      const { retryAt } = this.parts.health.of(route);
      // Without a time somebody else's probe is out, and its end is told.
      return retryAt === null ? SHUT_WAIT_MAX_MS : retryAt.getTime() - now;
    });
    const soonest = Math.min(...waits);
    if (!(soonest <= SHUT_WAIT_MAX_MS)) return false;
    this.#startClock(shut);
    await this.parts.health.change(Math.max(1, Math.min(soonest, this.#msLeft())), this.signal);
    return true;
  }

  /** One call to one route, when there is a place for it. True when the image has ended. */
  async #attempt(planned: PlannedRoute, left: readonly PlannedRoute[]): Promise<boolean> {
    const { dispatcher, attempts, clock, owner, events, metrics } = this.parts;
    const { route } = planned;
    const askedAt = performance.now();
    const id = newId('attempt');
    const ended = await dispatcher.run<CallEnd | NotSent>(route, this.signal, async () => {
      const waitedMs = performance.now() - askedAt;
      metrics.imageWaits.observe({ provider: route.model.provider }, waitedMs / 1_000);
      this.#allow(waitedMs);
      // What cannot be finished in time must not be bought.
      if (this.#isLate() || this.#msLeft() < route.host.expectedSeconds * 1_000 * this.parts.patience)
        return { result: 'LATE', verdict: NOTHING_SEEN };
      // Before anything is written down: what fails here has asked nobody for anything.
      const order = await this.#order(planned);
      if (order instanceof Unprepared) return { result: order, verdict: NOTHING_SEEN };
      const started = await attempts.start({ id, imageId: this.image.id, routeId: route.id }, owner, clock.now());
      if (!started) return { result: 'NOT_OURS', verdict: NOTHING_SEEN };
      crashPoint('attempt-written');
      events.publish(JOB_CHANNEL(this.job.id), PROGRESS);
      this.#startClock(left);
      const call = { ...this.#call(id, route), order, msMax: this.#msLeft() };
      return observed(metrics, { attemptId: id, route, isResumed: false }, () => orderPicture(this.parts, call));
    });
    if (ended === 'NOT_OURS') return true;
    if (ended instanceof Unprepared) {
      this.#passOver(route, ended.cause);
      return false;
    }
    if (ended === null) {
      // Shut or stopped before its turn came.
      this.#allow(performance.now() - askedAt);
      return false;
    }
    if (ended !== 'LATE') return this.#end.settle(id, route, ended);
    await this.#end.fail(failureOf('DEADLINE_PASSED'), TOO_LATE);
    return true;
  }

  /** What goes out to a route. Never throws, so that nothing that goes wrong here is held against the vendor. */
  #order(planned: PlannedRoute): Promise<Order | Unprepared> {
    const pictures = picturesFor(this.work, this.parts.assets);
    return orderFor(this.work.request, this.image.run, planned, pictures).catch((cause) => new Unprepared(cause));
  }

  /** Goes on without a route that takes less than the pictures are. @throws what is not the pictures' fault. */
  #passOver({ id }: Route, cause: unknown): void {
    if (!isPictureAtFault(cause)) throw cause;
    const { log } = this.parts;
    log.warn({ err: cause, jobId: this.job.id, imageId: this.image.id, route: id }, 'a picture could not be prepared');
    this.#unprepared.set(id, cause instanceof PictureError ? cause.message : SOURCE_UNREADABLE);
  }

  #call(attemptId: string, route: Route): VendorCall {
    const { request, image } = this.work;
    const planned = this.#routes().find((each) => each.route.id === route.id);
    return {
      attemptId,
      route,
      ordered: planned ? orderedSize(request, planned) : null,
      size: image.size,
      frame: request.operation === 'GENERATE' ? null : (planned?.preparation?.canvas ?? image.size),
      contentType: request.operation === 'GENERATE' ? 'image/png' : MEDIA_TYPES[request.outputFormat],
      mayBeBlack: request.operation === 'UPSCALE',
      words: wordsIn(request),
      signal: this.signal,
    };
  }

  #msLeft(): number {
    return this.#deadlineMs === null ? Number.POSITIVE_INFINITY : Math.max(1, this.#deadlineMs - performance.now());
  }

  /** Waiting for our own turn is not the image's fault. */
  #allow(ms: number): void {
    if (this.#deadlineMs !== null) this.#deadlineMs += ms;
  }

  #startClock(routes: readonly PlannedRoute[]): void {
    const patienceMs = imagePatienceMs(routes.map(({ route }) => route)) * this.parts.patience;
    this.#deadlineMs ??= performance.now() + patienceMs;
  }
}

/** Stability's reference has it that edits come back with four megapixels, which nobody has seen; more is not counted on. */
const EDITED_PIXELS = 4_194_304;

/** The least that a vendor should answer with. */
function orderedSize({ operation }: OperationRequest, { render }: PlannedRoute): Size {
  const scale = operation === 'EDIT' ? Math.min(1, Math.sqrt(EDITED_PIXELS / pixelsOf(render))) : 1;
  return { width: Math.floor(render.width * scale), height: Math.floor(render.height * scale) };
}
