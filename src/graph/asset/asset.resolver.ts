import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import type * as assets from '../../assets/asset.ts';
import { NEWEST_FIRST } from '../../assets/asset-filter.ts';
import { type AssetLists, assetCursor } from '../../assets/asset-lists.service.ts';
import type { Collection as CollectionRecord } from '../../assets/collection.ts';
import { COLLECTIONS_OF_ASSET_MAX } from '../../assets/collections.service.ts';
import { type Curation, TAG_COUNTS_MAX } from '../../assets/curation.service.ts';
import { LINEAGE_MAX } from '../../assets/family.service.ts';
import type { Renditions } from '../../assets/renditions.service.ts';
import type { Retention } from '../../assets/retention.service.ts';
import { notFound } from '../../errors.ts';
import type { Job as JobRecord } from '../../jobs/job.ts';
import { checkPageSize, PAGE_SIZE_MAX } from '../../platform/cursor.ts';
import { Collection } from '../collection/collection.type.ts';
import { toConnection } from '../connection.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { Job } from '../job/job.type.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';
import { AssetFilterInput, AssetOrderInput, toAssetFilter } from './asset.input.ts';
import { Asset, AssetConnection, TagCount } from './asset.type.ts';
import { RenditionArgs } from './rendition.args.ts';

/** The parts of the library that answer questions about assets. */
export interface AssetSources {
  readonly renditions: Renditions;
  readonly lists: AssetLists;
  readonly curation: Curation;
  readonly retention: Retention;
}

@Resolver(() => Asset)
export class AssetResolver {
  constructor(private readonly sources: AssetSources) {}

  @Query(() => Asset, { description: 'One asset of this account. Needs the scope LIBRARY.' })
  async asset(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the asset.' }) id: string,
  ): Promise<assets.Asset> {
    viewerOf(context, 'LIBRARY');
    const asset = await context.loaders.assetById.load(id);
    if (!asset) throw notFound('asset', id);
    return asset;
  }

  @Query(() => AssetConnection, {
    name: 'assets',
    description: 'The library of this account. Needs the scope LIBRARY.',
  })
  async assetsPage(
    @Ctx() context: GraphContext,
    @Arg('filter', () => AssetFilterInput, {
      nullable: true,
      description: 'Which assets; all that are in the library when left out.',
    })
    filter: AssetFilterInput | null,
    @Arg('orderBy', () => AssetOrderInput, {
      nullable: true,
      description: 'How to sort them; newest first when left out.',
    })
    orderBy: AssetOrderInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: `How many, 1 to ${PAGE_SIZE_MAX}.` }) first: number,
    @Arg('after', () => String, {
      nullable: true,
      description: 'Only those after this cursor, which must be of a list in the same order.',
    })
    after: string | null,
  ) {
    const order = orderBy ?? NEWEST_FIRST;
    const { lists } = this.sources;
    const { id } = viewerOf(context, 'LIBRARY');
    const wanted = filter ? toAssetFilter(filter) : {};
    const page = await lists.page(id, { first, after, order, filter: wanted });
    const connection = toConnection(page, after, (asset) => assetCursor(asset, order));
    return { ...connection, totalCount: () => lists.count(id, wanted) };
  }

  @Query(() => [TagCount], {
    name: 'tags',
    description: `The tags of this account, the most used first; at most ${TAG_COUNTS_MAX}. Needs the scope LIBRARY.`,
  })
  tagCounts(@Ctx() context: GraphContext): Promise<TagCount[]> {
    return this.sources.curation.tagCounts(viewerOf(context, 'LIBRARY').id);
  }

  @FieldResolver(() => String, {
    description:
      'Where to fetch the picture from, without a key, for the next ten minutes at least. Ask again for a fresh address. With arguments, the picture in another size or format, free of charge: drawn when it is first fetched, without metadata, never enlarged.',
  })
  url(@Root() asset: assets.Asset, @Args(() => RenditionArgs) wish: RenditionArgs): string {
    return this.sources.renditions.signedUrl(asset, wish);
  }

  @FieldResolver(() => [String], { description: 'Its tags, in alphabetical order.' })
  tags(@Root() asset: assets.Asset, @Ctx() context: GraphContext): Promise<string[]> {
    return context.loaders.tagsByAssetId.load(asset.id);
  }

  @FieldResolver(() => [Collection], {
    description: `The collections that it is in, at most ${COLLECTIONS_OF_ASSET_MAX}. Needs the scope LIBRARY.`,
  })
  collections(@Root() asset: assets.Asset, @Ctx() context: GraphContext): Promise<CollectionRecord[]> {
    viewerOf(context, 'LIBRARY');
    return context.loaders.collectionsByAssetId.load(asset.id);
  }

  @FieldResolver(() => Asset, {
    nullable: true,
    description: 'The asset that it was made from; null when it was made from none, or that one was deleted.',
  })
  parent(@Root() asset: assets.Asset, @Ctx() context: GraphContext): Promise<assets.Asset | null> | null {
    return asset.parentId === null ? null : context.loaders.assetById.load(asset.parentId);
  }

  @FieldResolver(() => [Asset], {
    description: 'The newest assets that were made from it. All of them are in `assets(filter: { parent: … })`.',
  })
  async children(
    @Root() asset: assets.Asset,
    @Ctx() context: GraphContext,
    @Arg('first', () => Int, { defaultValue: 20, description: `How many, 1 to ${PAGE_SIZE_MAX}.` }) first: number,
  ): Promise<assets.Asset[]> {
    checkPageSize(first);
    return (await context.loaders.childrenByAssetId.load(asset.id)).slice(0, first);
  }

  @FieldResolver(() => [Asset], {
    description: `Everything that it was made from, from the first picture to this one itself, at most ${LINEAGE_MAX}; deleted ones are left out.`,
  })
  async lineage(@Root() asset: assets.Asset, @Ctx() { loaders }: GraphContext): Promise<assets.Asset[]> {
    const { ids } = await loaders.ancestryByAssetId.load(asset.id);
    const found = await Promise.all(ids.map((id) => (id === asset.id ? asset : loaders.assetById.load(id))));
    return found.filter((each) => each !== null);
  }

  @FieldResolver(() => CreditsScalar, {
    description: 'What was captured for it and for everything that it was made from, deleted or not.',
  })
  async lineageCost(@Root() asset: assets.Asset, @Ctx() context: GraphContext): Promise<bigint> {
    return (await context.loaders.ancestryByAssetId.load(asset.id)).credits;
  }

  @FieldResolver(() => Job, {
    nullable: true,
    description: 'The job that made it, with its receipt. Needs the scope RUN.',
  })
  job(@Root() asset: assets.Asset, @Ctx() context: GraphContext): Promise<JobRecord | null> | null {
    viewerOf(context, 'RUN');
    return asset.jobId === null ? null : context.loaders.jobById.load(asset.jobId);
  }

  @FieldResolver(() => DateTimeScalar, {
    nullable: true,
    description: 'Until when a deleted asset can be had back; null while it is in the library.',
  })
  restorableUntil(@Root() { deletedAt }: assets.Asset): Date | null {
    return deletedAt && this.sources.retention.endOf(deletedAt);
  }
}
