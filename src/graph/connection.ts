import { type ClassType, Field, ObjectType } from 'type-graphql';

@ObjectType({ description: 'Where a page of a list begins and ends.', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether there are more items after this page.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description: 'Whether this page was asked for with `after`, so that there are items before it.',
  })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'The cursor of the first item; null for an empty page.' })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The cursor of the last item; give it as `after` to get the next page.',
  })
  endCursor!: string | null;
}

/** The edge and connection types of one kind of item, named as Relay does. */
export function connectionOf<T extends object>(Item: ClassType<T>, name: string, what: string) {
  @ObjectType(`${name}Edge`, { description: `One of a page of ${what}.`, simpleResolvers: true })
  class Edge {
    @Field(() => String, { description: 'Where this item stands in the list.' })
    cursor!: string;

    @Field(() => Item, { description: 'The item.' })
    node!: T;
  }

  @ObjectType(`${name}Connection`, { description: `A page of ${what}.`, simpleResolvers: true })
  class Connection {
    @Field(() => [Edge], { description: 'The items with their cursors.' })
    edges!: Edge[];

    @Field(() => [Item], { description: 'The items alone.' })
    nodes!: T[];

    @Field(() => PageInfo, { description: 'Where the page begins and ends.' })
    pageInfo!: PageInfo;
  }
  return Connection;
}

/** A page in the shape of {@link connectionOf}. */
export function toConnection<T>(
  page: { readonly items: readonly T[]; readonly hasNextPage: boolean },
  after: string | null | undefined,
  cursorOf: (item: T) => string,
) {
  const edges = page.items.map((node) => ({ node, cursor: cursorOf(node) }));
  return {
    edges,
    nodes: page.items,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: after !== null && after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
