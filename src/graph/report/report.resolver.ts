import { GraphQLJSONObject } from 'graphql-scalars';
import { Arg, Ctx, Int, Query, Resolver } from 'type-graphql';
import type { PriceBooks } from '../../pricing/price-books.service.ts';
import type { PriceChange } from '../../pricing/price-diff.ts';
import { type MarginReports, REPORT_DAYS_MAX } from '../../usage/margin-report.service.ts';
import type { MarginReport } from '../../usage/margin-report.ts';
import type { PricePreviews } from '../../usage/price-preview.service.ts';
import type { PricePreview } from '../../usage/price-preview.ts';
import { type GraphContext, operatorOf } from '../context.ts';
import { DateTimeScalar } from '../scalars.ts';
import { MarginReportInfo, PriceChangeInfo, PricePreviewInfo } from './report.type.ts';

@Resolver()
export class ReportResolver {
  constructor(
    private readonly priceBooks: PriceBooks,
    private readonly previews: PricePreviews,
    private readonly margins: MarginReports,
  ) {}

  @Query(() => PricePreviewInfo, {
    description:
      'What the images delivered for jobs of the last 30 days would have cost under a draft of the price book. Refuses what could not be published; publishes nothing. For operators.',
  })
  previewPriceBook(
    @Ctx() context: GraphContext,
    @Arg('document', () => GraphQLJSONObject, { description: 'The whole draft, as publishPriceBook takes it.' })
    document: object,
  ): Promise<PricePreview> {
    operatorOf(context);
    return this.previews.preview(document);
  }

  @Query(() => [PriceChangeInfo], {
    description:
      'Every value that differs between two versions of the price book, tiers and vendor costs included; a few hundred at most. For operators.',
  })
  priceDiff(
    @Ctx() context: GraphContext,
    @Arg('from', () => Int, { description: 'The version to begin with.' }) from: number,
    @Arg('to', () => Int, { description: 'The version to compare it with.' }) to: number,
  ): Promise<PriceChange[]> {
    operatorOf(context);
    return this.priceBooks.diff(from, to);
  }

  @Query(() => MarginReportInfo, {
    description: 'What vendors cost us against what customers paid, by model, loss makers first. For operators.',
  })
  marginReport(
    @Ctx() context: GraphContext,
    @Arg('from', () => DateTimeScalar, {
      nullable: true,
      description: 'From when on; 30 days before `to` when left out.',
    })
    from: Date | null,
    @Arg('to', () => DateTimeScalar, {
      nullable: true,
      description: `Until when; now when left out. At most ${REPORT_DAYS_MAX} days after \`from\`.`,
    })
    to: Date | null,
  ): Promise<MarginReport> {
    operatorOf(context);
    return this.margins.report(from ?? null, to ?? null);
  }
}
