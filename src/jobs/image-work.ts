import type { Asset } from '../assets/asset.ts';
import { type AssetsService, DamagedAsset } from '../assets/assets.service.ts';
import { PictureError } from '../assets/pictures.ts';
import type { OperationRequest } from '../estimates/job-request.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { vendorCostMicros } from '../pricing/prices.ts';
import { planGenerate } from '../routing/generate-planner.ts';
import type { RouteHealth } from '../routing/health.ts';
import type { PlannedRoute, RoutingFacts } from '../routing/planned-route.ts';
import { planEdit, planUpscale } from '../routing/source-planner.ts';
import { type Job, type JobImage, requestOf } from './job.ts';
import type { JobsStore } from './jobs.store.ts';
import type { OrderPictures } from './orders.ts';

/** What one image is, with the picture that it works on at hand. */
export interface ImageWork {
  readonly job: Job;
  readonly image: JobImage;
  readonly request: OperationRequest;
  /** Null for an image that is made from words. */
  readonly source: Asset | null;
}

export interface ImageWorkParts {
  readonly store: JobsStore;
  readonly assets: AssetsService;
  readonly health: RouteHealth;
  readonly serves: RoutingFacts['serves'];
}

/** Why there is nothing to be done with an image now: what it works on is not there, or not yet. */
export type NoSource = 'SOURCE_OPEN' | 'SOURCE_FAILED' | 'SOURCE_GONE';

/** An image with what it works on, as that stands now. */
export async function imageWork(parts: ImageWorkParts, job: Job, image: JobImage): Promise<ImageWork | NoSource> {
  const request = requestOf(job, image);
  if (image.sourceAssetId === null && image.sourceImageId === null) return { job, image, request, source: null };
  let assetId = image.sourceAssetId;
  if (image.sourceImageId !== null) {
    const earlier = await parts.store.image(image.sourceImageId);
    if (earlier.status === 'WAITING' || earlier.status === 'RUNNING') return 'SOURCE_OPEN';
    if (earlier.assetId === null) return 'SOURCE_FAILED';
    assetId = earlier.assetId;
  }
  const [source] = await parts.assets.byIds(job.accountId, assetId === null ? [] : [assetId]);
  return source ? { job, image, request, source } : 'SOURCE_GONE';
}

/** All routes that can serve an image, best first. */
export function planImage(
  { request, source }: ImageWork,
  book: PriceBook,
  parts: ImageWorkParts,
): readonly PlannedRoute[] {
  const facts: RoutingFacts = {
    serves: parts.serves,
    health: (route) => parts.health.of(route),
    vendorCostMicros: (route, render) => vendorCostMicros(book, route, render),
  };
  if (request.operation === 'GENERATE') return planGenerate(request, facts).routes;
  if (source === null) return [];
  if (request.operation === 'EDIT') return planEdit(request, source, facts).routes;
  return request.operation === 'UPSCALE' ? planUpscale(request, source, facts).routes : [];
}

export const SOURCE_UNREADABLE = 'The picture to work on could not be read';

/** Whether an error says that a picture is of no use, now and later; any other is ours, and worth another try. */
export function isPictureAtFault(error: unknown): error is PictureError | DamagedAsset {
  return error instanceof PictureError || error instanceof DamagedAsset;
}

/** The pictures that go out with an image's order. */
export function picturesFor({ job, source }: ImageWork, assets: AssetsService): OrderPictures | null {
  if (source === null) return null;
  return {
    source,
    read: (asset) => assets.read(asset),
    find: async (id) => {
      const [asset] = await assets.byIds(job.accountId, [id]);
      if (!asset) throw new PictureError('UNREADABLE', `The picture ${id} is not in the library any more`);
      return asset;
    },
  };
}
