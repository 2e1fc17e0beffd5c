import type { FinishedPicture } from '../assets/asset.ts';
import type { AssetsService } from '../assets/assets.service.ts';
import type { Clock } from '../platform/clock.ts';
import { crashPoint } from '../platform/crash-points.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import { whileDatabaseReturns } from '../platform/database-errors.ts';
import type { Log } from '../platform/log.ts';
import type { OptimizeRequest } from '../social/optimize-request.ts';
import { optimizePicture } from '../social/optimizer.ts';
import { findSocialFormat, type SocialFormat } from '../social/social-formats.ts';
import { type ImageWork, isPictureAtFault, SOURCE_UNREADABLE } from './image-work.ts';
import { type FailureCode, isTooOld, TOO_LATE } from './job.ts';
import type { JobsStore } from './jobs.store.ts';
import { lineageOf } from './lineage.ts';

export interface OptimizeWork extends ImageWork {
  readonly request: OptimizeRequest;
}

export interface OptimizeRunParts {
  readonly db: Db;
  readonly store: JobsStore;
  readonly assets: AssetsService;
  readonly clock: Clock;
  readonly log: Log;
}

/** Cuts one picture to all the formats that a job wants of it, decoded once. No vendor is asked. */
export class OptimizeRun {
  constructor(
    private readonly parts: OptimizeRunParts,
    /** Images of one step that work on the same picture. */
    private readonly works: readonly OptimizeWork[],
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const [first] = this.works;
    if (!first || this.signal.aborted) return;
    if (isTooOld(first.job, this.parts.clock.now())) {
      for (const work of this.works) await this.#fail(work, 'DEADLINE_PASSED', TOO_LATE);
      return;
    }
    const formats = [...new Set(this.works.map(({ image }) => image.format))].map(knownFormat);
    const made = await this.#made(first, formats);
    for (const work of this.works) {
      if (this.signal.aborted) return;
      const picture = made?.find(({ format }) => format.id === work.image.format);
      if (!picture) await this.#fail(work, 'SOURCE_UNUSABLE', UNREADABLE);
      else if (picture.failure) await this.#fail(work, 'UNUSABLE_PICTURE', picture.failure.message);
      else await this.#deliver(work, picture.picture);
    }
  }

  /** Null where the picture cannot be read. */
  async #made({ source, request, job }: OptimizeWork, formats: readonly SocialFormat[]) {
    const { assets, log } = this.parts;
    if (source === null) throw new Error(`job ${job.id} cuts no picture`);
    try {
      return await optimizePicture(() => assets.read(source), formats, request);
    } catch (error) {
      if (!isPictureAtFault(error)) throw error;
      log.warn({ err: error, jobId: job.id, assetId: source.id }, 'a picture could not be cut');
      return null;
    }
  }

  /** Bytes first, then asset and image in one transaction: a picture is either in the library or it is not. */
  async #deliver(work: ImageWork, picture: FinishedPicture): Promise<void> {
    const { assets, store, clock, db, log } = this.parts;
    const stored = await assets.storeBytes(picture).catch((error: unknown) => {
      log.error({ err: error, jobId: work.job.id }, 'a picture could not be stored');
      return null;
    });
    if (stored === null) return this.#fail(work, 'NOT_STORABLE', `It was made but could not be stored. ${FREE}`);
    crashPoint('picture-stored');
    const write = () =>
      inTransaction(db, async (tx) => {
        if (await store.deliverImage(tx, work.image.id, stored.id, clock.now()))
          await assets.insertOutput(tx, { ...stored, ...lineageOf(work, null) });
        crashPoint('delivery-written');
      });
    await whileDatabaseReturns(write);
    crashPoint('delivery-committed');
  }

  async #fail({ image }: ImageWork, code: FailureCode, message: string): Promise<void> {
    const { store, clock } = this.parts;
    await whileDatabaseReturns(() => store.failImage(image.id, { code, message }, clock.now()));
  }
}

const FREE = 'It costs nothing either way.';
const UNREADABLE = `${SOURCE_UNREADABLE}. ${FREE} Use another picture.`;

function knownFormat(id: string | null): SocialFormat {
  const format = id === null ? undefined : findSocialFormat(id);
  if (!format) throw new Error(`there is no social format ${id}`);
  return format;
}
