import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { Viewer } from '../../accounts/account.ts';
import { badInput } from '../../errors.ts';
import { idKind } from '../../platform/ids.ts';
import { ANY_SCOPE, type GraphContext, SPENDING, viewerOf } from '../context.ts';
import { Node } from './node.type.ts';

const NODES_MAX = 100;

@Resolver()
export class NodeResolver {
  @Query(() => Node, {
    nullable: true,
    description:
      'Anything of this account by its id; null for what does not exist or belongs to somebody else. A job needs the scope RUN, an asset or a collection LIBRARY, a budget one of them.',
  })
  node(@Ctx() context: GraphContext, @Arg('id', () => ID, { description: 'The id of it.' }) id: string) {
    return find(context, viewerOf(context, ANY_SCOPE), id);
  }

  @Query(() => [Node], {
    nullable: 'items',
    description:
      'Several things of this account by their ids, in the order asked for. A job needs the scope RUN, an asset or a collection LIBRARY, a budget one of them.',
  })
  nodes(
    @Ctx() context: GraphContext,
    @Arg('ids', () => [ID], { description: `The ids, at most ${NODES_MAX}.` }) ids: string[],
  ) {
    if (ids.length > NODES_MAX) throw badInput('ids', ids.length, `a list of at most ${NODES_MAX} ids`);
    const viewer = viewerOf(context, ANY_SCOPE);
    return ids.map((id) => find(context, viewer, id));
  }
}

/** Of several, one that may not be read is an error of its own. */
async function find(context: GraphContext, viewer: Viewer, id: string) {
  switch (idKind(id)) {
    case 'account':
      return id === viewer.id ? viewer : null;
    case 'job':
      viewerOf(context, 'RUN');
      return context.loaders.jobById.load(id);
    case 'budget':
      viewerOf(context, SPENDING);
      return context.loaders.budgetById.load(id);
    case 'collection':
      viewerOf(context, 'LIBRARY');
      return context.loaders.collectionById.load(id);
    case 'asset':
      viewerOf(context, 'LIBRARY');
      return context.loaders.assetById.load(id);
    default:
      return null;
  }
}
