import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql';
import type { Asset as AssetRecord } from '../../assets/asset.ts';
import { BULK_MAX, type Curation } from '../../assets/curation.service.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { AssetChangeInput } from './asset.input.ts';
import { Asset } from './asset.type.ts';

const WHICH = `The ids of the assets, 1 to ${BULK_MAX}. If one of them is unknown, nothing is changed.`;

@Resolver()
export class CurationResolver {
  constructor(private readonly curation: Curation) {}

  @Mutation(() => Asset, {
    description: 'Changes the title, the tags or the mark of a favourite of an asset. Needs the scope LIBRARY.',
  })
  updateAsset(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the asset.' }) id: string,
    @Arg('change', () => AssetChangeInput, { description: 'What to change.' })
    { title, favourite, tags }: AssetChangeInput,
  ): Promise<AssetRecord> {
    const change = { title, favourite: favourite ?? undefined, tags: tags ?? undefined };
    return this.curation.update(viewerOf(context, 'LIBRARY').id, id, change);
  }

  @Mutation(() => [Asset], {
    description: 'Gives tags to assets and takes tags from them; taken first, then given. Needs the scope LIBRARY.',
  })
  tagAssets(
    @Ctx() context: GraphContext,
    @Arg('assets', () => [ID], { description: WHICH }) assets: string[],
    @Arg('add', () => [String], { defaultValue: [], description: 'Tags that all of them have from now on.' })
    add: string[],
    @Arg('remove', () => [String], { defaultValue: [], description: 'Tags that none of them has from now on.' })
    remove: string[],
  ): Promise<AssetRecord[]> {
    return this.curation.tag(viewerOf(context, 'LIBRARY').id, assets, { add, remove });
  }

  @Mutation(() => [Asset], {
    description:
      'Takes assets out of the library. They can be had back with restoreAssets until `restorableUntil`, and count as storage until then. What they cost stays written down. Needs the scope LIBRARY.',
  })
  deleteAssets(
    @Ctx() context: GraphContext,
    @Arg('assets', () => [ID], { description: WHICH }) assets: string[],
    @Arg('permanently', () => Boolean, {
      defaultValue: false,
      description: 'Whether to destroy their bytes and words now, so that they cannot be had back.',
    })
    permanently: boolean,
  ): Promise<AssetRecord[]> {
    return this.curation.delete(viewerOf(context, 'LIBRARY').id, assets, permanently);
  }

  @Mutation(() => [Asset], {
    description:
      'Brings deleted assets back into the library, with their tags and collections. Needs the scope LIBRARY.',
  })
  restoreAssets(
    @Ctx() context: GraphContext,
    @Arg('assets', () => [ID], { description: WHICH }) assets: string[],
  ): Promise<AssetRecord[]> {
    return this.curation.restore(viewerOf(context, 'LIBRARY').id, assets);
  }
}
