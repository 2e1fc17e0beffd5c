import { Field, Int, InterfaceType, ObjectType } from 'type-graphql';
import type * as domain from '../../catalog/refusals.ts';
import { CapEnum, ProviderEnum, QuoteReasonEnum, TierEnum } from '../enums.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';
import { PixelSize } from '../size.type.ts';

// Clients select several of these side by side, so fields of one name have one type in all of them.
@InterfaceType({
  description: 'One reason why an operation may not run now. Nothing was run and nothing was charged.',
  resolveType: (value: domain.Refusal) => value.type,
})
export abstract class Refusal {
  @Field(() => String, { description: 'For a person: what is in the way and what to do about it.' })
  message!: string;
}

@ObjectType({ implements: Refusal, simpleResolvers: true, description: 'The account cannot pay for it.' })
export class InsufficientCredits extends Refusal {
  @Field(() => CreditsScalar, { description: 'What it costs.' })
  required!: bigint;
  @Field(() => CreditsScalar, { description: 'What can be spent now.' })
  available!: bigint;
  @Field(() => CreditsScalar, { description: 'What is missing.' })
  short!: bigint;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the next monthly credits come.' })
  resetsAt!: Date | null;
}

@ObjectType({ implements: Refusal, simpleResolvers: true, description: 'It would go over a limit on spending.' })
export class CapExceeded extends Refusal {
  @Field(() => CapEnum, { description: 'Which limit.' })
  cap!: domain.CapExceeded['cap'];
  @Field(() => CreditsScalar, { description: 'What it costs.' })
  required!: bigint;
  @Field(() => CreditsScalar, { description: 'What is spent or held already.' })
  spent!: bigint;
  @Field(() => CreditsScalar, { name: 'creditsLimit', simple: false, description: 'The most that may be spent.' })
  limit!: bigint;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the count begins anew; null where it does not.' })
  resetsAt!: Date | null;
}

@ObjectType({ implements: Refusal, simpleResolvers: true, description: 'The library has no room for another picture.' })
export class StorageFull extends Refusal {
  @Field(() => Number, { name: 'usedBytes', simple: false, description: 'Bytes that the account keeps.' })
  used!: number;
  @Field(() => Number, { name: 'bytesLimit', simple: false, description: 'Bytes that it may keep.' })
  limit!: number;
  @Field(() => TierEnum, { nullable: true, description: 'The lowest tier with room enough; null when there is none.' })
  requiredTier!: string | null;
}

@ObjectType({ implements: Refusal, simpleResolvers: true, description: 'The tier does not include it.' })
export class TierTooLow extends Refusal {
  @Field(() => TierEnum, { description: "The account's tier." })
  tier!: string;
  @Field(() => TierEnum, { nullable: true, description: 'The lowest tier that includes it; null when none does.' })
  requiredTier!: string | null;
  @Field(() => String, { description: 'What the tier lacks.' })
  feature!: string;
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'More images than the tier allows an operation.',
})
export class TooManyImages extends Refusal {
  @Field(() => Int, { description: 'Images asked for.' })
  requested!: number;
  @Field(() => Int, { description: 'Images allowed.' })
  limit!: number;
  @Field(() => TierEnum, { nullable: true, description: 'The lowest tier that allows them; null when none does.' })
  requiredTier!: string | null;
}

@ObjectType({ implements: Refusal, simpleResolvers: true, description: "This minute's submissions are used up." })
export class RateLimited extends Refusal {
  @Field(() => Int, { description: 'Submissions a minute.' })
  limit!: number;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When there are new ones.' })
  resetsAt!: Date | null;
}

@ObjectType({ implements: Refusal, simpleResolvers: true, description: 'Too many jobs are running or waiting.' })
export class TooManyJobs extends Refusal {
  @Field(() => Int, { description: 'Jobs that are open now.' })
  open!: number;
  @Field(() => Int, { description: 'Jobs that may be.' })
  limit!: number;
}

@ObjectType({ implements: Refusal, simpleResolvers: true, description: 'No route can make a picture of this size.' })
export class UnsupportedSize extends Refusal {
  @Field(() => PixelSize, { name: 'requestedSize', simple: false, description: 'The size asked for.' })
  requested!: PixelSize;
  @Field(() => String, { name: 'allowed', simple: false, description: 'What is allowed, in words.' })
  limit!: string;
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'No route takes a picture of this size to work on.',
})
export class UnsupportedSource extends Refusal {
  @Field(() => PixelSize, { nullable: true, description: 'The size of the picture, where it is known.' })
  source!: PixelSize | null;
  @Field(() => String, { name: 'allowed', simple: false, description: 'What is allowed, in words.' })
  limit!: string;
  @Field(() => PixelSize, { nullable: true, description: 'The size of a copy that would do, where there is one.' })
  fits!: PixelSize | null;
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'What was named cannot do what was asked of it.',
})
export class UnsupportedOption extends Refusal {
  @Field(() => String, { description: 'The field that cannot be honoured.' })
  option!: string;
  @Field(() => String, { description: 'Its value.' })
  value!: string;
  @Field(() => [String], { description: 'What can be had instead.' })
  supported!: readonly string[];
}

@ObjectType({ implements: Refusal, simpleResolvers: true, description: 'The vendor has shut the model down.' })
export class ModelRetired extends Refusal {
  @Field(() => String, { description: 'The model asked for.' })
  model!: string;
  @Field(() => String, { description: 'The day it was shut down.' })
  since!: string;
  @Field(() => String, { description: 'The model to use instead.' })
  replacedBy!: string;
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'The provider is not switched on in this gateway.',
})
export class ProviderUnavailable extends Refusal {
  @Field(() => ProviderEnum, { nullable: true, description: 'The provider asked for; null when none was named.' })
  provider!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When one that could draw it is tried again; null when waiting does not help.',
  })
  retryAt!: Date | null;
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'The price book has no price for it, so it cannot be run.',
})
export class Unpriced extends Refusal {
  @Field(() => String, { description: 'What has no price.' })
  operation!: string;
  @Field(() => Int, { description: 'The version of the price book that was looked into.' })
  priceVersion!: number;
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description: 'The quote does not hold; the estimate beside it has a new one.',
})
export class QuoteInvalid extends Refusal {
  @Field(() => QuoteReasonEnum, { description: 'Why it does not hold.' })
  reason!: domain.QuoteInvalid['reason'];
}

/** Every implementation, because nothing else in the schema names them all. */
export const REFUSAL_TYPES = [
  InsufficientCredits,
  CapExceeded,
  TierTooLow,
  TooManyImages,
  RateLimited,
  TooManyJobs,
  StorageFull,
  UnsupportedSize,
  UnsupportedSource,
  UnsupportedOption,
  ModelRetired,
  ProviderUnavailable,
  Unpriced,
  QuoteInvalid,
] as const;
