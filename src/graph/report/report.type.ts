import { GraphQLJSON } from 'graphql-scalars';
import { Field, Float, Int, ObjectType } from 'type-graphql';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

@ObjectType('PriceChange', {
  description: 'One value of the price book that is not the same in two versions.',
  simpleResolvers: true,
})
export class PriceChangeInfo {
  @Field(() => String, {
    description: 'Where it stands, such as "generateByModel.stability/core.M" or "tiers.PRO.freeImages.gemini".',
  })
  path!: string;

  @Field(() => GraphQLJSON, { nullable: true, description: 'In the first version; null where it has none.' })
  before!: unknown;

  @Field(() => GraphQLJSON, { nullable: true, description: 'In the second version; null where it has none.' })
  after!: unknown;
}

@ObjectType('PricePreviewRow', {
  description: 'What the images of one row of the price book cost, and would have cost.',
  simpleResolvers: true,
})
export class PricePreviewRowInfo {
  @Field(() => String, { description: 'What was priced, such as "Generate, STANDARD quality, size M".' })
  label!: string;

  @Field(() => Int, { description: 'Delivered images.' })
  images!: number;

  @Field(() => Int, { description: 'Of these, images that a free allowance paid for: free then and under the draft.' })
  freeImages!: number;

  @Field(() => CreditsScalar, { description: 'What was charged for them.' })
  credits!: bigint;

  @Field(() => CreditsScalar, { nullable: true, description: 'One image under the draft; null where it has no price.' })
  unitCreditsUnderDraft!: bigint | null;

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'All of them under the draft; null where it has no price.',
  })
  creditsUnderDraft!: bigint | null;

  @Field(() => CreditsScalar, { nullable: true, description: 'How much more under the draft; negative for less.' })
  difference!: bigint | null;
}

@ObjectType('PricePreview', {
  description: 'What images delivered of late would have cost under a draft of the price book. Nothing was published.',
  simpleResolvers: true,
})
export class PricePreviewInfo {
  @Field(() => DateTimeScalar, { description: 'Jobs accepted from then on were looked at.' })
  since!: Date;

  @Field(() => Boolean, { description: 'Whether these are all of them; otherwise they are the newest 200,000 images.' })
  complete!: boolean;

  @Field(() => Int, { description: 'Delivered images that were looked at.' })
  images!: number;

  @Field(() => CreditsScalar, { description: 'What was charged for those that the draft can price.' })
  credits!: bigint;

  @Field(() => CreditsScalar, { description: 'What these would have cost under the draft.' })
  creditsUnderDraft!: bigint;

  @Field(() => CreditsScalar, { description: 'How much more that is; negative for less.' })
  difference!: bigint;

  @Field(() => [PricePreviewRowInfo], {
    description: 'By row of the price book: what has no price under the draft, then the largest difference first.',
  })
  rows!: readonly PricePreviewRowInfo[];

  @Field(() => Int, { description: 'Images that the draft has no price for: they could not have been had.' })
  unpricedImages!: number;

  @Field(() => CreditsScalar, { description: 'What was charged for these.' })
  unpricedCredits!: bigint;

  @Field(() => Int, { description: 'Accounts that would have paid another amount for an image, or not have had it.' })
  accountsAffected!: number;
}

@ObjectType('Margin', { description: 'What vendors cost us against what customers paid.', simpleResolvers: true })
export class MarginInfo {
  @Field(() => Int, { description: 'Calls to vendors, whatever became of them.' })
  attempts!: number;

  @Field(() => Int, { description: 'Delivered images.' })
  images!: number;

  @Field(() => Int, { description: 'Of these, images that a free allowance paid for.' })
  freeImages!: number;

  @Field(() => CreditsScalar, { description: 'Captured for them, by jobs that have ended.' })
  credits!: bigint;

  @Field(() => Float, { description: 'What the vendors charge for all the calls, in US dollars.' })
  vendorUsd!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'The same for each captured credit; null where none was captured.',
  })
  vendorUsdPerCredit!: number | null;

  @Field(() => Float, { description: 'The part of vendorUsd that brought nobody a picture. Our loss.' })
  lossUsd!: number;

  @Field(() => Float, { description: 'What the credits are worth, less vendorUsd; negative for a loss.' })
  marginUsd!: number;
}

@ObjectType('ModelMargin', { description: 'The margin of one model.', simpleResolvers: true })
export class ModelMarginInfo {
  @Field(() => String, { description: 'The model, such as "stability/core".' })
  model!: string;

  @Field(() => MarginInfo, { description: 'What it costs and brings.' })
  margin!: MarginInfo;
}

@ObjectType('MarginReport', { description: 'What each model costs and brings.', simpleResolvers: true })
export class MarginReportInfo {
  @Field(() => DateTimeScalar, { description: 'Calls that began from then on count.' })
  from!: Date;

  @Field(() => DateTimeScalar, { description: 'Calls that began before then count.' })
  to!: Date;

  @Field(() => Float, { description: 'What a credit is taken to be worth, in US dollars: a setting of the gateway.' })
  creditValueUsd!: number;

  @Field(() => MarginInfo, { description: 'All models together.' })
  total!: MarginInfo;

  @Field(() => [ModelMarginInfo], { description: 'Each model that was called, what loses most first.' })
  models!: readonly ModelMarginInfo[];
}
