import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { badInput } from '../../errors.ts';
import { idKind } from '../../platform/ids.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { Node } from './node.type.ts';

const NODES_MAX = 100;

@Resolver()
export class NodeResolver {
  @Query(() => Node, {
    nullable: true,
    description: 'Anything of this account by its id; null for what does not exist or belongs to somebody else.',
  })
  node(@Ctx() context: GraphContext, @Arg('id', () => ID, { description: 'The id of it.' }) id: string) {
    return find(context, id);
  }

  @Query(() => [Node], {
    nullable: 'items',
    description: 'Several things of this account by their ids, in the order asked for.',
  })
  nodes(
    @Ctx() context: GraphContext,
    @Arg('ids', () => [ID], { description: `The ids, at most ${NODES_MAX}.` }) ids: string[],
  ) {
    if (ids.length > NODES_MAX) throw badInput('ids', ids.length, `a list of at most ${NODES_MAX} ids`);
    return ids.map((id) => find(context, id));
  }
}

function find(context: GraphContext, id: string) {
  const viewer = viewerOf(context);
  switch (idKind(id)) {
    case 'account':
      return id === viewer.id ? viewer : null;
    case 'job':
      return context.loaders.jobById.load(id);
    case 'budget':
      return context.loaders.budgetById.load(id);
    case 'collection':
      return context.loaders.collectionById.load(id);
    case 'asset':
      return context.loaders.assetById.load(id);
    default:
      return null;
  }
}
