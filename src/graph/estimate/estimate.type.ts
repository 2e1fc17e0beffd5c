import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import type { PlannedRoute } from '../../routing/planned-route.ts';
import { EditKindEnum, LineKindEnum, OperationEnum, ProviderEnum, QualityEnum, UpscaleModeEnum } from '../enums.ts';
import { Refusal } from '../refusal/refusal.type.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';
import { PixelSize } from '../size.type.ts';

@ObjectType({ description: 'One line of a price; the lines add up to the total.', simpleResolvers: true })
export class EstimateLine {
  @Field(() => LineKindEnum, { description: 'What the line stands for.' })
  kind!: string;

  @Field(() => String, { description: 'What it is for, in words.' })
  label!: string;

  @Field(() => Int, { description: 'How many images.' })
  quantity!: number;

  @Field(() => CreditsScalar, { description: 'What one costs; negative where a free allowance pays.' })
  unitCredits!: bigint;

  @Field(() => CreditsScalar, { description: 'What the line costs.' })
  credits!: bigint;
}

@ObjectType({
  description: 'What the checks of an operation say. A mutation enforces exactly these.',
  simpleResolvers: true,
})
export class Preflight {
  @Field(() => Boolean, { description: 'Whether it may run now.' })
  ok!: boolean;

  @Field(() => [Refusal], { description: 'Every reason why not; empty when it may run.' })
  refusals!: readonly Refusal[];
}

@ObjectType('Route', { description: 'One way to serve an image.', simpleResolvers: true })
export class RouteInfo {
  @Field(() => ID, { description: 'The model, and its host where it has several.' })
  id!: string;

  @Field(() => ProviderEnum, { description: 'The vendor.' })
  provider!: string;

  @Field(() => String, { description: 'The model.' })
  model!: string;

  @Field(() => Boolean, { description: 'Whether it has been answering well.' })
  healthy!: boolean;

  @Field(() => Float, { description: 'Seconds that one picture usually takes.' })
  expectedSeconds!: number;

  @Field(() => PixelSize, { description: 'What the vendor is asked to draw; the exact size is cut from it.' })
  render!: PixelSize;

  @Field(() => Float, { description: 'How many times a side we enlarge the render; 1 for not at all.' })
  enlargement!: number;
}

export function toRouteInfo({ route, health, expectedSeconds, render, enlargement }: PlannedRoute): RouteInfo {
  return {
    id: route.id,
    provider: route.model.provider,
    model: route.model.id,
    healthy: health.healthy,
    expectedSeconds,
    render,
    enlargement,
  };
}

@ObjectType({ description: 'Much the same for less.', simpleResolvers: true })
export class Alternative {
  @Field(() => String, { description: 'In words.' })
  description!: string;

  @Field(() => QualityEnum, {
    nullable: true,
    description: 'The quality class it gives; null where quality plays no part.',
  })
  quality!: string | null;

  @Field(() => String, { nullable: true, description: 'The model to name; null for naming the quality alone.' })
  model!: string | null;

  @Field(() => EditKindEnum, { nullable: true, description: 'The kind of edit to ask for instead, if it is another.' })
  edit!: string | null;

  @Field(() => UpscaleModeEnum, { nullable: true, description: 'The mode of upscaling to ask for instead.' })
  mode!: string | null;

  @Field(() => CreditsScalar, { description: 'What it costs.' })
  credits!: bigint;

  @Field(() => CreditsScalar, { description: 'What it saves.' })
  saves!: bigint;

  @Field(() => Float, { description: 'Seconds that one picture usually takes.' })
  expectedSeconds!: number;
}

@ObjectType({
  description:
    'What an operation costs and whether it may run, before it is run. Asking costs nothing and changes nothing.',
})
export class Estimate {
  @Field(() => OperationEnum, { simple: true, description: 'The operation.' })
  operation!: string;

  @Field(() => PixelSize, {
    simple: true,
    nullable: true,
    description: 'The exact size of the pictures; null where it is not known yet, or where they have several.',
  })
  size!: PixelSize | null;

  @Field(() => CreditsScalar, {
    simple: true,
    nullable: true,
    description: 'What it costs in all; null where no price can be given.',
  })
  credits!: bigint | null;

  @Field(() => [EstimateLine], { simple: true, description: 'The price line by line.' })
  lines!: readonly EstimateLine[];

  @Field(() => String, {
    simple: true,
    nullable: true,
    description: 'Our signed word on this price. Give it to the mutation to pay at most this.',
  })
  quote!: string | null;

  @Field(() => DateTimeScalar, { simple: true, nullable: true, description: 'Until when the quote holds.' })
  quoteExpiresAt!: Date | null;

  @Field(() => Int, { simple: true, description: 'The version of the price book it is priced by.' })
  priceVersion!: number;

  @Field(() => CreditsScalar, {
    simple: true,
    nullable: true,
    description: 'What can be spent now; null when unlimited.',
  })
  balanceBefore!: bigint | null;

  @Field(() => CreditsScalar, {
    simple: true,
    nullable: true,
    description: 'What could be spent afterwards; null when unlimited or not affordable.',
  })
  balanceAfter!: bigint | null;

  @Field(() => Int, {
    simple: true,
    nullable: true,
    description: 'How many such images the account can pay for; null when nothing bounds it.',
  })
  affordableCount!: number | null;

  @Field(() => Float, {
    simple: true,
    nullable: true,
    description:
      'Seconds until its first picture is usually there; of a workflow, one picture of each step after another.',
  })
  expectedSeconds!: number | null;

  @Field(() => [String], { simple: true, description: 'What else is good to know.' })
  notes!: readonly string[];
}
