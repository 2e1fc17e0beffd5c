import type { Asset } from '../assets/asset.ts';
import type { AssetsService } from '../assets/assets.service.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import type { Estimate } from '../estimates/estimate.ts';
import { pictureHash, seededFor } from '../estimates/job-request.ts';
import type { RateLimitState } from '../platform/rate-limiter.ts';

/** Pictures of the library that are what was asked for, so that nothing was run. */
export interface Reused {
  readonly kind: 'reused';
  readonly assets: readonly Asset[];
  readonly estimate: Estimate;
  readonly rate: RateLimitState;
}

/** The library, as far as reuse looks into it. */
export type ReusableAssets = Pick<AssetsService, 'newestOf' | 'isIntact'>;

/**
 * The pictures that an account already has of exactly this request, as many as it asks for, each another one: those of its seeds
 * in their order, or the newest ones where it names no seed. Null where there are fewer, or one of them is damaged.
 */
export async function reusablePictures(
  assets: ReusableAssets,
  accountId: string,
  request: GenerateRequest,
): Promise<readonly Asset[] | null> {
  const hashes = Array.from({ length: request.count }, (_, run) => pictureHash(seededFor(request, run), null, null));
  // With a seed every run is a picture of its own; without one they are all alike.
  const wanted = [...Map.groupBy(hashes, (hash) => hash)].map(([hash, { length }]) => ({ hash, count: length }));
  const most = Math.max(...wanted.map(({ count }) => count));
  const newest = await assets.newestOf(
    accountId,
    wanted.map(({ hash }) => hash),
    most,
  );
  const found = newest.flat();
  if (found.length < request.count) return null;
  const intact = await Promise.all(found.map((asset) => assets.isIntact(asset)));
  return intact.every(Boolean) ? found : null;
}
