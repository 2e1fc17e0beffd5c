import DataLoader from 'dataloader';
import type { Viewer } from '../accounts/account.ts';
import type { Ancestry, Asset } from '../assets/asset.ts';
import type { AssetLists } from '../assets/asset-lists.service.ts';
import type { AssetsService } from '../assets/assets.service.ts';
import type { Collection, CollectionContents } from '../assets/collection.ts';
import type { Collections } from '../assets/collections.service.ts';
import type { Curation } from '../assets/curation.service.ts';
import type { Family } from '../assets/family.service.ts';
import type { Hold, LedgerEntry } from '../credits/balance.ts';
import type { Budget } from '../credits/budget.ts';
import type { Budgets } from '../credits/budgets.service.ts';
import type { Credits } from '../credits/credits.service.ts';
import type { Attempt, Job, JobImage } from '../jobs/job.ts';
import type { Jobs } from '../jobs/jobs.service.ts';
import { PAGE_SIZE_MAX } from '../platform/cursor.ts';

/** Batched look-ups of one request, named by the question they answer. All of them stay inside the viewer's account. */
export interface Loaders {
  readonly jobById: DataLoader<string, Job | null>;
  readonly positionByJobId: DataLoader<string, number | null>;
  readonly imagesByJobId: DataLoader<string, readonly JobImage[]>;
  readonly attemptsByImageId: DataLoader<string, readonly Attempt[]>;
  readonly holdByJobId: DataLoader<string, Hold | null>;
  readonly budgetById: DataLoader<string, Budget | null>;
  readonly entriesByJobId: DataLoader<string, LedgerEntry[]>;
  readonly assetById: DataLoader<string, Asset | null>;
  readonly identicalAssetsByPictureHash: DataLoader<string, Asset[]>;
  readonly tagsByAssetId: DataLoader<string, string[]>;
  readonly collectionsByAssetId: DataLoader<string, Collection[]>;
  readonly ancestryByAssetId: DataLoader<string, Ancestry>;
  /** The newest, as many as may be asked for. */
  readonly childrenByAssetId: DataLoader<string, Asset[]>;
  readonly collectionById: DataLoader<string, Collection | null>;
  readonly contentsByCollectionId: DataLoader<string, CollectionContents>;
  /** The newest, as many as may be asked for. */
  readonly newestByCollectionId: DataLoader<string, Asset[]>;
}

export interface LoaderServices {
  readonly jobs: Jobs;
  readonly credits: Credits;
  readonly budgets: Budgets;
  readonly library: {
    readonly assets: AssetsService;
    readonly lists: AssetLists;
    readonly curation: Curation;
    readonly collections: Collections;
    readonly family: Family;
  };
}

const BATCH_MAX = 500;

/** A fresh set for each request and each state of a subscription, so that nothing read for one account can reach another. */
export function createLoaders({ jobs, credits, budgets, library }: LoaderServices, viewer: Viewer | null): Loaders {
  const loader = <T>(load: (accountId: string, keys: readonly string[]) => Promise<T[]>) =>
    new DataLoader<string, T>(
      (keys) => (viewer ? load(viewer.id, keys) : Promise.reject(new Error('a loader was used without a viewer'))),
      {
        maxBatchSize: BATCH_MAX,
      },
    );
  const { assets, lists, curation, collections, family } = library;
  return {
    jobById: loader((accountId, ids) => jobs.byIds(accountId, ids)),
    positionByJobId: loader((accountId, ids) => jobs.positionsOf(accountId, ids)),
    imagesByJobId: loader((_, jobIds) => jobs.imagesOf(jobIds)),
    attemptsByImageId: loader((_, imageIds) => jobs.attemptsOf(imageIds)),
    holdByJobId: loader(async (_, jobIds) => {
      const found = new Map((await credits.holdsOfJobs(jobIds)).map((hold) => [hold.jobId, hold]));
      return jobIds.map((id) => found.get(id) ?? null);
    }),
    entriesByJobId: loader(async (_, jobIds) => {
      const found = Map.groupBy(await credits.entriesOfJobs(jobIds), (entry) => entry.jobId);
      return jobIds.map((id) => found.get(id) ?? []);
    }),
    budgetById: loader((accountId, ids) => Promise.all(ids.map((id) => budgets.find(accountId, id)))),
    assetById: loader((accountId, ids) => assets.byIds(accountId, ids)),
    identicalAssetsByPictureHash: loader((accountId, hashes) => assets.identical(accountId, hashes)),
    tagsByAssetId: loader((accountId, ids) => curation.tagsOf(accountId, ids)),
    collectionsByAssetId: loader((accountId, ids) => collections.ofAssets(accountId, ids)),
    ancestryByAssetId: loader((accountId, ids) => family.ancestriesOf(accountId, ids)),
    childrenByAssetId: loader((accountId, ids) => family.childrenOf(accountId, ids, PAGE_SIZE_MAX)),
    collectionById: loader((accountId, ids) => collections.byIds(accountId, ids)),
    contentsByCollectionId: loader((_, ids) => collections.contentsOf(ids)),
    newestByCollectionId: loader((accountId, ids) => lists.newestIn(accountId, ids, PAGE_SIZE_MAX)),
  };
}
