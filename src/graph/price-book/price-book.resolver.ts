import { GraphQLJSONObject } from 'graphql-scalars';
import { Arg, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql';
import { notFound } from '../../errors.ts';
import type { PriceBooks } from '../../pricing/price-books.service.ts';
import { ANY_SCOPE, authorOf, type GraphContext, operatorOf, viewerOf } from '../context.ts';
import { DateTimeScalar } from '../scalars.ts';
import { PriceBook, PublishedPriceBook, toPriceBook } from './price-book.type.ts';

@Resolver()
export class PriceBookResolver {
  constructor(private readonly priceBooks: PriceBooks) {}

  @Query(() => PriceBook, { description: 'All prices and tiers.' })
  async priceBook(
    @Ctx() context: GraphContext,
    @Arg('version', () => Int, { nullable: true, description: 'Which version; the one in force when left out.' })
    version: number | null,
  ): Promise<PriceBook> {
    viewerOf(context, ANY_SCOPE);
    const book =
      version === null || version === undefined ? this.priceBooks.current() : await this.priceBooks.find(version);
    if (!book) throw notFound('price book', String(version));
    return toPriceBook(book);
  }

  @Query(() => [PublishedPriceBook], {
    description: 'Published versions, newest first, as they were written. For operators.',
  })
  async priceHistory(
    @Ctx() context: GraphContext,
    @Arg('first', () => Int, { defaultValue: 10, description: 'How many, 1 to 100.' }) first: number,
  ): Promise<PublishedPriceBook[]> {
    operatorOf(context);
    return this.priceBooks.history(first);
  }

  @Mutation(() => PublishedPriceBook, {
    description: 'Publishes a new version of all prices and tiers. Jobs already quoted keep their own. For operators.',
  })
  publishPriceBook(
    @Ctx() context: GraphContext,
    @Arg('document', () => GraphQLJSONObject, {
      description: 'The whole document; priceHistory shows the present one.',
    })
    document: object,
    @Arg('effectiveAt', () => DateTimeScalar, {
      nullable: true,
      description: 'From when it is in force; at once when left out.',
    })
    effectiveAt: Date | null,
  ): Promise<PublishedPriceBook> {
    const viewer = operatorOf(context);
    return this.priceBooks.publish(document, effectiveAt ?? null, viewer.id, authorOf(context, viewer));
  }
}
