import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Asset as AssetRecord } from '../../assets/asset.ts';
import type { Collection as CollectionRecord } from '../../assets/collection.ts';
import { COLLECTIONS_LIST, COLLECTIONS_MAX, type Collections } from '../../assets/collections.service.ts';
import { BULK_MAX } from '../../assets/curation.service.ts';
import { checkPageSize, PAGE_SIZE_MAX, writeCursor } from '../../platform/cursor.ts';
import { Asset } from '../asset/asset.type.ts';
import { toConnection } from '../connection.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { Collection, CollectionConnection } from './collection.type.ts';

const ID_OF_COLLECTION = 'The id of the collection.';
const ASSETS = `The ids of the assets, 1 to ${BULK_MAX}. If one of them is unknown, nothing is changed.`;
const FIRST = `How many, 1 to ${PAGE_SIZE_MAX}.`;

@Resolver(() => Collection)
export class CollectionResolver {
  constructor(private readonly collections: Collections) {}

  @Query(() => CollectionConnection, {
    name: 'collections',
    description: 'The collections of this account, newest first. Needs the scope LIBRARY.',
  })
  async collectionsPage(
    @Ctx() context: GraphContext,
    @Arg('first', () => Int, { defaultValue: 20, description: FIRST }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Only those after this cursor.' }) after: string | null,
  ) {
    const page = await this.collections.list(viewerOf(context, 'LIBRARY').id, { first, after: after ?? null });
    return toConnection(page, after, ({ id }) => writeCursor(COLLECTIONS_LIST, id));
  }

  @Query(() => Collection, { description: 'One collection of this account. Needs the scope LIBRARY.' })
  collection(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: ID_OF_COLLECTION }) id: string,
  ): Promise<CollectionRecord> {
    return this.collections.get(viewerOf(context, 'LIBRARY').id, id);
  }

  @Mutation(() => Collection, {
    description: `Makes a collection, empty at first. An account may have ${COLLECTIONS_MAX}. Needs the scope LIBRARY.`,
  })
  createCollection(
    @Ctx() context: GraphContext,
    @Arg('name', () => String, { description: 'What to call it, 1 to 200 characters.' }) name: string,
  ): Promise<CollectionRecord> {
    return this.collections.create(viewerOf(context, 'LIBRARY').id, name);
  }

  @Mutation(() => Collection, {
    description: 'Changes the name or the cover of a collection. Needs the scope LIBRARY.',
  })
  updateCollection(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: ID_OF_COLLECTION }) id: string,
    @Arg('name', () => String, { nullable: true, description: 'The new name; the old one stays when left out.' })
    name: string | null | undefined,
    @Arg('cover', () => ID, {
      nullable: true,
      description: 'The asset in it that stands for it; null for whatever was added last, unchanged when left out.',
    })
    cover: string | null | undefined,
  ): Promise<CollectionRecord> {
    return this.collections.update(viewerOf(context, 'LIBRARY').id, id, { name: name ?? undefined, cover });
  }

  @Mutation(() => Boolean, {
    description: 'Deletes a collection. Its assets stay in the library. Needs the scope LIBRARY.',
  })
  async deleteCollection(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: ID_OF_COLLECTION }) id: string,
  ): Promise<boolean> {
    await this.collections.delete(viewerOf(context, 'LIBRARY').id, id);
    return true;
  }

  @Mutation(() => Collection, {
    description: 'Puts assets into a collection. Those that are in it already stay. Needs the scope LIBRARY.',
  })
  addToCollection(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: ID_OF_COLLECTION }) id: string,
    @Arg('assets', () => [ID], { description: ASSETS }) assets: string[],
  ): Promise<CollectionRecord> {
    return this.collections.add(viewerOf(context, 'LIBRARY').id, id, assets);
  }

  @Mutation(() => Collection, {
    description: 'Takes assets out of a collection. They stay in the library. Needs the scope LIBRARY.',
  })
  removeFromCollection(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: ID_OF_COLLECTION }) id: string,
    @Arg('assets', () => [ID], { description: ASSETS }) assets: string[],
  ): Promise<CollectionRecord> {
    return this.collections.remove(viewerOf(context, 'LIBRARY').id, id, assets);
  }

  @Mutation(() => Collection, {
    description:
      'Takes assets out of one collection and puts them into another, which it answers. Needs the scope LIBRARY.',
  })
  moveAssets(
    @Ctx() context: GraphContext,
    @Arg('from', () => ID, { description: 'The id of the collection that they leave.' }) from: string,
    @Arg('to', () => ID, { description: 'The id of the collection that they come into.' }) to: string,
    @Arg('assets', () => [ID], { description: ASSETS }) assets: string[],
  ): Promise<CollectionRecord> {
    return this.collections.move(viewerOf(context, 'LIBRARY').id, from, to, assets);
  }

  @FieldResolver(() => Int, { description: 'Assets in it, deleted ones left out.' })
  async count(@Root() { id }: CollectionRecord, @Ctx() context: GraphContext): Promise<number> {
    return (await context.loaders.contentsByCollectionId.load(id)).assets;
  }

  @FieldResolver(() => Asset, {
    nullable: true,
    description: 'The asset that stands for it: the chosen one, else the one added last; null for an empty collection.',
  })
  async cover(@Root() { id }: CollectionRecord, @Ctx() { loaders }: GraphContext): Promise<AssetRecord | null> {
    const { coverId } = await loaders.contentsByCollectionId.load(id);
    return coverId === null ? null : loaders.assetById.load(coverId);
  }

  @FieldResolver(() => [Asset], {
    description:
      'What was stored last of what is in it. All of it is in `assets(filter: { collection: … })`, filtered and sorted as wished.',
  })
  async assets(
    @Root() { id }: CollectionRecord,
    @Ctx() { loaders }: GraphContext,
    @Arg('first', () => Int, { defaultValue: 20, description: FIRST }) first: number,
  ): Promise<AssetRecord[]> {
    checkPageSize(first);
    return (await loaders.newestByCollectionId.load(id)).slice(0, first);
  }
}
