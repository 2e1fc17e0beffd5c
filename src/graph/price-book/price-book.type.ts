import { GraphQLJSONObject } from 'graphql-scalars';
import { Field, Int, ObjectType } from 'type-graphql';
import type {
  PriceBook as PriceBookRecord,
  PriceCells,
  TierTerms as TierTermsRecord,
} from '../../pricing/price-book.ts';
import { SizePrices } from '../catalog/catalog.type.ts';
import { ModuleEnum, QualityEnum, TierEnum } from '../enums.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

@ObjectType({ description: 'One row of the price book.', simpleResolvers: true })
export class PriceRow {
  @Field(() => String, { description: 'What it prices: a quality, a model, a kind of edit or a mode of upscale.' })
  name!: string;

  @Field(() => SizePrices, { description: 'What one image costs, by size.' })
  prices!: SizePrices;
}

@ObjectType({ description: 'What a tier gives and allows.', simpleResolvers: true })
export class TierTerms {
  @Field(() => TierEnum, { description: 'The tier.' })
  tier!: string;

  @Field(() => CreditsScalar, { nullable: true, description: 'Credits a month; null for unlimited.' })
  monthlyCredits!: bigint | null;

  @Field(() => Int, { description: 'Submissions a minute.' })
  submissionsPerMinute!: number;

  @Field(() => Int, { description: 'Jobs that run at once.' })
  runningJobs!: number;

  @Field(() => Number, { description: 'Storage, in bytes.' })
  storageBytes!: number;

  @Field(() => QualityEnum, { description: 'The highest quality class.' })
  qualityMax!: string;

  @Field(() => [ModuleEnum], { description: 'What may be used.' })
  modules!: readonly string[];

  @Field(() => Int, { description: 'Images in one operation.' })
  imagesPerOperation!: number;

  @Field(() => Int, { description: 'Whose jobs go first: higher before lower.' })
  queuePriority!: number;

  @Field(() => Int, { description: 'Free images a month when HuggingFace is named.' })
  freeImagesHuggingface!: number;

  @Field(() => Int, { description: 'Free images a month when Gemini is named.' })
  freeImagesGemini!: number;
}

@ObjectType({ description: 'A published version of all prices and tiers. It never changes.', simpleResolvers: true })
export class PriceBook {
  @Field(() => Int, { description: 'Its number; every charge carries the one it was quoted by.' })
  version!: number;

  @Field(() => DateTimeScalar, { description: 'From when it is in force.' })
  effectiveAt!: Date;

  @Field(() => [PriceRow], {
    description: 'Pictures by quality, when no provider or model is named: one flat price whoever draws them.',
  })
  generateByQuality!: PriceRow[];

  @Field(() => [PriceRow], { description: 'Pictures by model, when a provider or a model is named.' })
  generateByModel!: PriceRow[];

  @Field(() => [PriceRow], { description: 'Edits, by the size of the source.' })
  edit!: PriceRow[];

  @Field(() => [PriceRow], { description: 'Upscales, by the size of the source.' })
  upscale!: PriceRow[];

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'Optimizing for social networks; null where it is not offered.',
  })
  optimize!: bigint | null;

  @Field(() => [TierTerms], { description: 'The tiers.' })
  tiers!: TierTerms[];
}

@ObjectType({ description: 'A version of the price book as it was published. For operators.', simpleResolvers: true })
export class PublishedPriceBook {
  @Field(() => Int, { description: 'Its number.' })
  version!: number;

  @Field(() => DateTimeScalar, { description: 'From when it is in force.' })
  effectiveAt!: Date;

  @Field(() => GraphQLJSONObject, {
    description:
      'The whole document, with vendor costs in millionths of a US dollar: change a copy of it to publish a new version.',
  })
  document!: object;
}

export function toPriceBook({ version, effectiveAt, table }: PriceBookRecord): PriceBook {
  return {
    version,
    effectiveAt,
    generateByQuality: rows(table.generateByQuality),
    generateByModel: rows(table.generateByModel),
    edit: rows(table.edit),
    upscale: rows(table.upscale),
    optimize: table.optimize ?? null,
    tiers: Object.entries(table.tiers).map(([tier, terms]: [string, TierTermsRecord]) => ({
      tier,
      ...terms,
      freeImagesHuggingface: terms.freeImages.huggingface,
      freeImagesGemini: terms.freeImages.gemini,
    })),
  };
}

function rows(table: Readonly<Record<string, PriceCells | undefined>>): PriceRow[] {
  return Object.entries(table).map(([name, cells]) => ({ name, prices: toSizePrices(cells ?? {}) }));
}

export function toSizePrices(cells: PriceCells): SizePrices {
  return { S: cells.S ?? null, M: cells.M ?? null, L: cells.L ?? null };
}
