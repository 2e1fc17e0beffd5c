import { whileDatabaseReturns } from '../platform/database-errors.ts';
import { inSpan } from '../platform/tracing.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { ImageRun, type ImageRunParts } from './image-run.ts';
import { type ImageWork, imageWork, type NoSource } from './image-work.ts';
import { type FailureCode, type Job, type JobImage, requestOf } from './job.ts';
import { OptimizeRun, type OptimizeWork } from './optimize-run.ts';
import { failureOf } from './settlement-policy.ts';

/** Why an image cannot be made, and what its customer is told. */
const WITHOUT_SOURCE: Readonly<Record<Exclude<NoSource, 'SOURCE_OPEN'>, { code: FailureCode; message: string }>> = {
  SOURCE_FAILED: {
    code: failureOf('SOURCE_FAILED'),
    message:
      'The picture that it builds on was not delivered. It was not charged. Run the workflow again for what is missing.',
  },
  SOURCE_GONE: {
    code: failureOf('SOURCE_UNUSABLE'),
    message: 'The picture to work on is not in the library any more. It was not charged. Use another picture.',
  },
};

/**
 * Runs the open images of one job: those that work on nothing, or on a picture that is there, side by side; the others as
 * soon as what they work on has ended. An image that fails stops only what builds on it.
 */
export class ImageRuns {
  /** The end of each image's run, for the images that build on it. */
  readonly #ends = new Map<string, Promise<void>>();

  constructor(
    private readonly parts: ImageRunParts,
    private readonly job: Job,
    private readonly book: PriceBook,
    private readonly signal: AbortSignal,
    /** Called whenever something about the images has changed. */
    private readonly progress: () => void,
  ) {}

  /** `images` come in the order of their places, so that each comes after what it builds on. */
  run(images: readonly JobImage[]): Promise<PromiseSettledResult<void>[]> {
    for (const alike of this.#together(images)) {
      const end = this.#runTogether(alike).finally(this.progress);
      for (const { id } of alike) this.#ends.set(id, end);
    }
    return Promise.allSettled(new Set(this.#ends.values()));
  }

  /** Pictures that are cut from the same one are made together; every other image by itself. */
  #together(images: readonly JobImage[]): Iterable<JobImage[]> {
    return Map.groupBy(images, (image) =>
      requestOf(this.job, image).operation === 'OPTIMIZE'
        ? `${image.step} ${image.sourceAssetId ?? image.sourceImageId}`
        : image.id,
    ).values();
  }

  async #runTogether(images: readonly JobImage[]): Promise<void> {
    const [first] = images;
    if (!first) return;
    // How that ended is read from the store: what went wrong there is told there.
    if (first.sourceImageId !== null) await this.#ends.get(first.sourceImageId)?.catch(() => undefined);
    if (this.signal.aborted) return;
    const works = await Promise.all(images.map((image) => imageWork(this.parts, this.job, image)));
    const ready = works.filter((work) => typeof work === 'object');
    // Whoever takes the job up next goes on with what is open now.
    if (works.includes('SOURCE_OPEN')) return;
    if (ready.length < works.length)
      return this.#fail(images, works[0] === 'SOURCE_FAILED' ? 'SOURCE_FAILED' : 'SOURCE_GONE');
    const attributes = { 'image.id': first.id, 'image.index': first.index };
    await inSpan('image', attributes, () => this.#runReady(ready));
  }

  #runReady(works: readonly ImageWork[]): Promise<void> {
    const cuts = works.filter(isOptimizeWork);
    if (cuts.length > 0) return new OptimizeRun(this.parts, cuts, this.signal).run();
    const [work] = works;
    if (!work) throw new Error('there is no image to run');
    return new ImageRun(this.parts, work, this.book, this.signal).run();
  }

  async #fail(images: readonly JobImage[], why: keyof typeof WITHOUT_SOURCE): Promise<void> {
    const { store, clock } = this.parts;
    for (const { id } of images)
      await whileDatabaseReturns(() => store.failImage(id, WITHOUT_SOURCE[why], clock.now()));
  }
}

function isOptimizeWork(work: ImageWork): work is OptimizeWork {
  return work.request.operation === 'OPTIMIZE';
}
