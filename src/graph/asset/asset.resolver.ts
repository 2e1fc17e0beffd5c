import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import type * as assets from '../../assets/asset.ts';
import { ASSETS_LIST, type AssetsService, PAGE_SIZE_MAX } from '../../assets/assets.service.ts';
import { notFound } from '../../errors.ts';
import type { Job as JobRecord } from '../../jobs/job.ts';
import { writeCursor } from '../../platform/cursor.ts';
import { toConnection } from '../connection.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { given } from '../given.ts';
import { Job } from '../job/job.type.ts';
import { Asset, AssetConnection, AssetFilterInput } from './asset.type.ts';

@Resolver(() => Asset)
export class AssetResolver {
  constructor(private readonly assets: AssetsService) {}

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
    description: 'The library of this account, newest first. Needs the scope LIBRARY.',
  })
  async assetsPage(
    @Ctx() context: GraphContext,
    @Arg('filter', () => AssetFilterInput, { nullable: true, description: 'Which assets; all when left out.' })
    filter: AssetFilterInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: `How many, 1 to ${PAGE_SIZE_MAX}.` }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Only those after this cursor.' }) after: string | null,
  ) {
    const page = await this.assets.list(viewerOf(context, 'LIBRARY').id, {
      first,
      after,
      filter: filter && given(filter),
    });
    return toConnection(page, after, (asset) => writeCursor(ASSETS_LIST, asset.id));
  }

  @FieldResolver(() => String, {
    description:
      'Where to fetch the picture from, without a key, for the next ten minutes at least. Ask again for a fresh address.',
  })
  url(@Root() asset: assets.Asset): string {
    return this.assets.signedUrl(asset);
  }

  @FieldResolver(() => Asset, {
    nullable: true,
    description: 'The asset that it was made from; null when it was made from none, or that one was deleted.',
  })
  parent(@Root() asset: assets.Asset, @Ctx() context: GraphContext): Promise<assets.Asset | null> | null {
    return asset.parentId === null ? null : context.loaders.assetById.load(asset.parentId);
  }

  @FieldResolver(() => Job, { nullable: true, description: 'The job that made it. Needs the scope RUN.' })
  job(@Root() asset: assets.Asset, @Ctx() context: GraphContext): Promise<JobRecord | null> | null {
    viewerOf(context, 'RUN');
    return asset.jobId === null ? null : context.loaders.jobById.load(asset.jobId);
  }
}
