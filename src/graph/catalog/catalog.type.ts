import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import {
  CircuitStateEnum,
  ProviderEnum,
  ProviderModeEnum,
  QualityEnum,
  TemplateCategoryEnum,
  TemplatePlatformEnum,
} from '../enums.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

@ObjectType('RouteHealth', {
  description: 'How one way of reaching a model has been doing, as this process saw it.',
  simpleResolvers: true,
})
export class RouteHealthInfo {
  @Field(() => ID, { description: 'The model, and its host where it has several.' })
  id!: string;

  @Field(() => Boolean, { description: 'Whether it would be given an image now.' })
  healthy!: boolean;

  @Field(() => CircuitStateEnum, { description: 'Whether calls go through to it.' })
  circuit!: string;

  @Field(() => String, { nullable: true, description: 'Why its circuit is not closed; null when it is.' })
  reason!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When an open circuit lets one image through again.',
  })
  retryAt!: Date | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of recent calls after which the vendor was well, 0 to 1; null without any.',
  })
  successRate!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Seconds that delivered pictures took lately, order to picture; null without any.',
  })
  seconds!: number | null;

  @Field(() => Float, { description: 'Seconds that one picture usually takes: measured, or else expected.' })
  expectedSeconds!: number;
}

@ObjectType('Provider', { description: 'A vendor of image models.', simpleResolvers: true })
export class ProviderInfo {
  @Field(() => ProviderEnum, { description: 'Its name, as inputs take it.' })
  name!: string;

  @Field(() => String, { description: 'Its name, as people know it.' })
  title!: string;

  @Field(() => ProviderModeEnum, { description: 'How it is reached.' })
  mode!: string;

  @Field(() => [RouteHealthInfo], { description: 'How its models have been doing.' })
  routes!: readonly RouteHealthInfo[];
}

@ObjectType({ description: 'What one image costs by size; null where it is not offered.', simpleResolvers: true })
export class SizePrices {
  @Field(() => CreditsScalar, { nullable: true, description: 'Up to 524,288 pixels.' })
  S!: bigint | null;

  @Field(() => CreditsScalar, { nullable: true, description: 'Up to 1,572,864 pixels.' })
  M!: bigint | null;

  @Field(() => CreditsScalar, { nullable: true, description: 'Above 1,572,864 pixels.' })
  L!: bigint | null;
}

@ObjectType('Model', { description: 'A model that can be named to draw pictures.', simpleResolvers: true })
export class ModelInfo {
  @Field(() => ID, { description: 'What to give as `model`, such as "stability/core".' })
  id!: string;

  @Field(() => ProviderEnum, { description: 'The vendor.' })
  provider!: string;

  @Field(() => String, { description: 'Its name, as people know it.' })
  title!: string;

  @Field(() => QualityEnum, { description: 'The quality class it belongs to.' })
  quality!: string;

  @Field(() => SizePrices, { description: 'What one image costs when this model is named.' })
  prices!: SizePrices;

  @Field(() => Boolean, { description: 'Whether it takes a seed.' })
  seed!: boolean;

  @Field(() => Boolean, { description: 'Whether it takes a negative prompt.' })
  negativePrompt!: boolean;

  @Field(() => Boolean, {
    description: 'Whether it knows style presets itself; otherwise their words are put behind the prompt.',
  })
  stylePresetField!: boolean;

  @Field(() => [String], { description: 'Where it is reached, in no order.' })
  hosts!: readonly string[];

  @Field(() => Float, { description: 'Seconds that one picture usually takes at the quickest host.' })
  expectedSeconds!: number;

  @Field(() => String, { nullable: true, description: 'The day its vendor shut it down; null while it lives.' })
  retiredSince!: string | null;

  @Field(() => String, { nullable: true, description: 'The model to use instead of a retired one.' })
  replacedBy!: string | null;
}

@InputType({ description: 'Which models to list; what is left out does not matter.' })
export class ModelFilterInput {
  @Field(() => ProviderEnum, { nullable: true, description: 'Of this vendor.' })
  provider?: string | null;

  @Field(() => QualityEnum, { nullable: true, description: 'Of this quality class.' })
  quality?: string | null;

  @Field(() => Boolean, { nullable: true, defaultValue: false, description: 'Retired ones too.' })
  includeRetired?: boolean | null;
}

@ObjectType('Template', {
  description: 'A size and a style for one purpose. It never raises quality.',
  simpleResolvers: true,
})
export class TemplateInfo {
  @Field(() => ID, { description: 'What to give as `template`.' })
  id!: string;

  @Field(() => String, { description: 'Its name, as people know it.' })
  name!: string;

  @Field(() => TemplateCategoryEnum, { description: 'What it is for.' })
  category!: string;

  @Field(() => TemplatePlatformEnum, { description: 'Where it is shown.' })
  platform!: string;

  @Field(() => Int, { description: 'Exact width of its pictures, in pixels.' })
  width!: number;

  @Field(() => Int, { description: 'Exact height of its pictures, in pixels.' })
  height!: number;

  @Field(() => String, { description: 'The style it sets, unless another is given.' })
  stylePreset!: string;

  @Field(() => QualityEnum, { description: 'The quality that suits it. Advice only: nothing is raised by itself.' })
  suggestedQuality!: string;

  @Field(() => [String], { description: 'What people use it for.' })
  useCases!: readonly string[];
}

@InputType({ description: 'Which templates to list; what is left out does not matter, what is given must all match.' })
export class TemplateFilterInput {
  @Field(() => TemplateCategoryEnum, { nullable: true, description: 'For this purpose.' })
  category?: string | null;

  @Field(() => TemplatePlatformEnum, { nullable: true, description: 'For this platform.' })
  platform?: string | null;

  @Field(() => String, { nullable: true, description: 'Words that its name or its uses contain.' })
  search?: string | null;
}
