import type { FinishedPicture, StoredPicture } from '../assets/asset.ts';
import type { AssetsService } from '../assets/assets.service.ts';
import type { Route } from '../catalog/models.ts';
import type { Clock } from '../platform/clock.ts';
import { crashPoint } from '../platform/crash-points.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import { whileDatabaseReturns } from '../platform/database-errors.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { inSpan } from '../platform/tracing.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import type { Rejected, RejectionReason } from '../providers/provider.ts';
import type { AttemptsStore } from './attempts.store.ts';
import { ABOUT_US } from './attempts-so-far.ts';
import { callCostMicros } from './call-cost.ts';
import type { ImageWork } from './image-work.ts';
import type { AttemptOutcome, FailureCode } from './job.ts';
import type { JobsStore } from './jobs.store.ts';
import { lineageOf } from './lineage.ts';
import { failureOf, isBooked, ruleOf } from './settlement-policy.ts';
import type { CallEnd } from './vendor-call.ts';

export interface ImageEndParts {
  readonly db: Db;
  readonly store: JobsStore;
  readonly attempts: AttemptsStore;
  readonly assets: AssetsService;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How an attempt that brought no picture ended. */
interface AttemptEnd {
  readonly kind: Exclude<AttemptOutcome, 'delivered'>;
  readonly message: string;
  readonly reason?: RejectionReason;
  /** Whether the vendor says that it charges us, where it says so. */
  readonly billed?: boolean;
}

/** Writes down how the attempts of one image end, and how the image does. */
export class ImageEnd {
  constructor(
    private readonly parts: ImageEndParts,
    private readonly work: ImageWork,
    private readonly book: PriceBook,
    private readonly signal: AbortSignal,
  ) {}

  /** Writes down how a call ended and what follows. True when the image has ended. */
  async settle(attemptId: string, route: Route, ended: CallEnd): Promise<boolean> {
    switch (ended.kind) {
      case 'delivered':
        await this.#deliver(attemptId, route, ended.picture, ended.seed);
        return true;
      case 'cut':
        // After a shutdown the next process decides.
        if (this.signal.reason === 'CANCELLED')
          await this.attempt(attemptId, route, { kind: 'discarded', message: 'cancelled' });
        return true;
      default:
        if (ended.kind === 'rejected') this.#alarm(route, ended);
        await this.attempt(attemptId, route, ended);
        return (await this.#endedBy(route, ended)) || this.signal.aborted;
    }
  }

  /** Ends the image where the settlement policy asks nobody else after such an end of a call. */
  async #endedBy(route: Route, { kind, message }: AttemptEnd): Promise<boolean> {
    const { next, failureCode } = ruleOf(kind);
    if (next !== 'END' || failureCode === null) return false;
    const [what, advice] =
      kind === 'moderated' ? ['withheld', 'Change the prompt and run'] : ['did not deliver', 'Run'];
    await this.fail(
      failureCode,
      `${route.model.title} ${what} this image: ${message} It was not charged. ${advice} it again.`,
    );
    return true;
  }

  /** Ends an attempt that brought no picture. */
  async attempt(attemptId: string, route: Route | null, end: AttemptEnd): Promise<void> {
    const { attempts, clock, metrics } = this.parts;
    const { kind: outcome, message, reason = null, billed = false } = end;
    const cost = isBooked(ruleOf(outcome), billed) && route ? this.#cost(route) : null;
    const ended = { outcome, reason, message, vendorCostMicros: cost };
    await whileDatabaseReturns(() => attempts.end(attemptId, ended, clock.now()));
    crashPoint('attempt-ended');
    const label = route?.id ?? 'gone';
    metrics.attempts.inc({ route: label, outcome });
    if (reason !== null) metrics.rejections.inc({ route: label, reason });
  }

  /** Ends the image without a picture, and without a charge. */
  async fail(code: FailureCode, message: string): Promise<void> {
    const { store, clock } = this.parts;
    await whileDatabaseReturns(() => store.failImage(this.work.image.id, { code, message }, clock.now()));
    crashPoint('image-failed');
  }

  /** Bytes first, then asset, image and attempt in one transaction: a picture is either in the library or it is not. */
  async #deliver(attemptId: string, route: Route, picture: FinishedPicture, vendorSeed: number | null): Promise<void> {
    const { assets, store, attempts, clock, db, log, metrics } = this.parts;
    crashPoint('picture-received');
    let stored: StoredPicture;
    try {
      stored = await inSpan('store picture', {}, () => assets.storeBytes(picture));
    } catch (error) {
      log.error({ err: error, jobId: this.work.job.id }, 'a picture could not be stored');
      await this.attempt(attemptId, route, { kind: 'broken', message: 'it was drawn but could not be stored' });
      await this.fail(
        failureOf('NOT_STORABLE'),
        'The image was drawn but could not be stored. It was not charged. Try again later.',
      );
      return;
    }
    crashPoint('picture-stored');
    const write = () =>
      inTransaction(db, async (tx) => {
        const now = clock.now();
        const delivered = await store.deliverImage(tx, this.work.image.id, stored.id, now);
        const outcome = delivered ? 'delivered' : 'discarded';
        const end = { outcome, reason: null, message: null, vendorCostMicros: this.#cost(route) } as const;
        await attempts.end(attemptId, end, now, tx);
        if (!delivered) return outcome;
        await assets.insertOutput(tx, { ...stored, ...lineageOf(this.work, route.model, vendorSeed) });
        crashPoint('delivery-written');
        return outcome;
      });
    metrics.attempts.inc({ route: route.id, outcome: await whileDatabaseReturns(write) });
    crashPoint('delivery-committed');
  }

  #alarm(route: Route, { reason, message }: Rejected): void {
    if (!ABOUT_US.has(reason)) return;
    this.parts.log.error({ route: route.id, reason, message }, 'a vendor turns us down: an operator must act');
  }

  #cost(route: Route): bigint | null {
    return callCostMicros(this.book, route, this.work.image.size);
  }
}
