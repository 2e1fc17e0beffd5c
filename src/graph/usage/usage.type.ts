import { Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { COST_REASONS } from '../../usage/cost-explanation.ts';
import { INSIGHT_IMAGES_MAX } from '../../usage/insights.service.ts';
import { EVIDENCE_MAX, INSIGHT_KINDS } from '../../usage/insights.ts';
import { USAGE_DAYS_MAX, USAGE_GROUPINGS, USAGE_GROUPS_MAX } from '../../usage/usage.ts';
import { named } from '../enums.ts';
import { Job } from '../job/job.type.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

export const UsageGroupingEnum = named(USAGE_GROUPINGS);
registerEnumType(UsageGroupingEnum, {
  name: 'UsageGrouping',
  description: 'What usage is told apart by.',
  valuesConfig: {
    DAY: { description: 'The day in UTC on which the job ended.' },
    OPERATION: { description: 'The operation that made the image.' },
    PROVIDER: { description: 'The vendor that drew it.' },
    MODEL: { description: 'The model that drew it.' },
    QUALITY: { description: 'The quality class that it was generated in.' },
    TAG: { description: 'The tags that it has now; an image with several counts for each of them.' },
    BUDGET: { description: 'The budget that it was counted in.' },
  },
});

export const InsightKindEnum = named(INSIGHT_KINDS);
registerEnumType(InsightKindEnum, {
  name: 'InsightKind',
  description: 'What could be done for less.',
  valuesConfig: {
    DRAFT_FIRST: { description: 'Try words in DRAFT quality.' },
    CHEAPER_MODEL: { description: 'Leave a model unnamed, or name a cheaper one of its class.' },
    REUSE: { description: 'Take what the library has already.' },
    FAST_FIRST: { description: 'Look at an enlargement in FAST mode first.' },
    FREE_ALLOWANCE: { description: 'Use the free images of the month.' },
    SELECT_FIRST: { description: 'Choose before editing or enlarging.' },
    BATCH: { description: 'Ask for several pictures in one submission.' },
  },
});

export const CostReasonEnum = named(COST_REASONS);
registerEnumType(CostReasonEnum, {
  name: 'CostReason',
  description: 'What made a job cost what it did.',
  valuesConfig: {
    PRICE: { description: 'The row of the price book.' },
    QUALITY: { description: 'A lower quality class costs less.' },
    VARIATIONS: { description: 'Several images, each at the full price.' },
    SIZE: { description: 'A smaller size costs less.' },
    MODEL: { description: 'A model was named that costs more than its class.' },
    MODE: { description: 'Another mode of enlarging costs less.' },
    FREE_ALLOWANCE: { description: 'A free allowance paid for some images.' },
    NOT_DELIVERED: { description: 'Some images were not delivered and cost nothing.' },
    STILL_RUNNING: { description: 'The job has not ended, so nothing is taken yet.' },
    NEW_PRICES: { description: 'Prices have changed since.' },
  },
});

@InputType({
  description: `A stretch of time, at most ${USAGE_DAYS_MAX} days: from the one moment on and before the other.`,
})
export class UsagePeriodInput {
  @Field(() => DateTimeScalar, { description: 'Where it begins.' })
  from!: Date;

  @Field(() => DateTimeScalar, { description: 'Where it ends; this moment is not part of it.' })
  to!: Date;
}

@ObjectType({ description: 'Delivered images and what was captured for them.', simpleResolvers: true })
export class UsageTotal {
  @Field(() => CreditsScalar, { description: 'Captured for them.' })
  credits!: bigint;

  @Field(() => Int, { description: 'Images that were delivered.' })
  images!: number;

  @Field(() => Int, { description: 'Of these, images that a free allowance paid for.' })
  freeImages!: number;
}

@ObjectType({ description: 'Images that have something in common, and what they cost.', simpleResolvers: true })
export class UsageGroup extends UsageTotal {
  @Field(() => String, {
    nullable: true,
    description: 'The day, operation, provider, model, quality, tag or id of a budget; null for images without one.',
  })
  key!: string | null;

  @Field(() => String, { description: 'The same as people say it, such as the name of a budget.' })
  label!: string;

  @Field(() => CreditsScalar, { description: 'What one image cost on average, rounded down.' })
  averageCredits!: bigint;
}

@ObjectType({
  description:
    'What an account spent on delivered images of jobs that ended in a period. Its credits are what the ledger captured then.',
  simpleResolvers: true,
})
export class UsageReport {
  @Field(() => DateTimeScalar, { description: 'Where the period begins.' })
  from!: Date;

  @Field(() => DateTimeScalar, { description: 'Where it ends.' })
  to!: Date;

  @Field(() => UsageTotal, { description: 'Everything together.' })
  total!: UsageTotal;

  @Field(() => [UsageGroup], {
    description: `Day by day, or those with the most credits first; at most ${USAGE_GROUPS_MAX}.`,
  })
  groups!: readonly UsageGroup[];

  @Field(() => UsageTotal, { description: 'The same length of time just before.' })
  previous!: UsageTotal;

  @Field(() => Number, {
    nullable: true,
    description: 'By how many percent the credits changed since then; null where none were spent then.',
  })
  changePercent!: number | null;

  @Field(() => CreditsScalar, {
    description:
      'What it comes to at the end of the period, if it goes on as so far; what it came to where it is over.',
  })
  forecast!: bigint;
}

@ObjectType('UsageAlert', {
  description: 'How much of what may be spent in the period is spent or held.',
  simpleResolvers: true,
})
export class UsageAlert {
  @Field(() => Int, { description: 'The highest of 80, 90 and 100 percent that is reached; 0 below all of them.' })
  threshold!: number;

  @Field(() => Int, { nullable: true, description: 'Percent, rounded down; null where nothing bounds the spending.' })
  percent!: number | null;

  @Field(() => CreditsScalar, { description: 'Spent or held in the period.' })
  spent!: bigint;

  @Field(() => CreditsScalar, {
    name: 'creditsLimit',
    nullable: true,
    simple: false,
    description: 'The monthly credits of the tier or the spend cap, whichever is less; null for neither.',
  })
  limit!: bigint | null;

  @Field(() => DateTimeScalar, { description: 'When the count begins anew.' })
  periodEndsAt!: Date;
}

@ObjectType({ description: 'One image that shows what could have been had for less.', simpleResolvers: true })
export class Evidence {
  @Field(() => CreditsScalar, { description: 'What was captured for it.' })
  cost!: bigint;

  @Field(() => CreditsScalar, { description: 'What it would have cost.' })
  wouldCost!: bigint;
}

@ObjectType({ description: 'Advice from what the account really did.', simpleResolvers: true })
export class Insight {
  @Field(() => InsightKindEnum, { description: 'What could be done for less, for programs.' })
  kind!: string;

  @Field(() => String, { description: 'The same for people: what happened, what it cost and what to do.' })
  advice!: string;

  @Field(() => CreditsScalar, {
    description:
      'What it would have saved at the prices in force. Pieces of advice overlap, so their savings do not add up.',
  })
  saves!: bigint;

  @Field(() => Int, { description: 'Images that it is about.' })
  images!: number;

  @Field(() => [Evidence], { description: `Those of them that it is most about, at most ${EVIDENCE_MAX}.` })
  evidence!: readonly Evidence[];
}

@ObjectType({ description: 'Advice from the images of a period, the most useful first.', simpleResolvers: true })
export class InsightReport {
  @Field(() => DateTimeScalar, { description: 'Where the period begins.' })
  from!: Date;

  @Field(() => DateTimeScalar, { description: 'Where it ends.' })
  to!: Date;

  @Field(() => [Insight], { description: 'The advice; empty where nothing could have been had for less.' })
  insights!: readonly Insight[];

  @Field(() => Int, { description: 'Images that were looked at.' })
  images!: number;

  @Field(() => Boolean, {
    description: `Whether these are all of the period; of more than ${INSIGHT_IMAGES_MAX}, the newest are looked at.`,
  })
  complete!: boolean;
}

@ObjectType({ description: 'Images of one step of a job that cost the same.', simpleResolvers: true })
export class CostLine {
  @Field(() => Int, { description: 'The step: its place in the workflow, from 0.' })
  step!: number;

  @Field(() => String, { description: 'The row of the price book, in words.' })
  label!: string;

  @Field(() => Int, { description: 'Images that were asked for.' })
  images!: number;

  @Field(() => CreditsScalar, { description: 'What one of them costs; 0 where a free allowance paid.' })
  unitCredits!: bigint;

  @Field(() => CreditsScalar, { description: 'What they were quoted at.' })
  quoted!: bigint;

  @Field(() => Int, { description: 'Images that were delivered.' })
  delivered!: number;

  @Field(() => CreditsScalar, { description: 'The price of those; taken when the job ends.' })
  captured!: bigint;

  @Field(() => Int, { description: 'Images that a free allowance paid for.' })
  freeImages!: number;
}

@ObjectType({ description: 'One thing that made a job cost what it did.', simpleResolvers: true })
export class CostCause {
  @Field(() => CostReasonEnum, { description: 'What it is, for programs.' })
  reason!: string;

  @Field(() => Int, { nullable: true, description: 'The step that it is about; null for the whole job.' })
  step!: number | null;

  @Field(() => String, { description: 'The same for people.' })
  explanation!: string;

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'What these images, or the job, would have cost otherwise; null where there is no otherwise.',
  })
  wouldCost!: bigint | null;
}

@ObjectType({ description: 'Why a job cost what it did, at the prices that it was charged by.', simpleResolvers: true })
export class CostExplanation {
  @Field(() => Job, { description: 'The job, with its receipt.' })
  job!: Job;

  @Field(() => CreditsScalar, { description: 'What the estimate said.' })
  quoted!: bigint;

  @Field(() => CreditsScalar, { description: 'What was taken; 0 until the job ends.' })
  captured!: bigint;

  @Field(() => CreditsScalar, { description: 'What was given back; 0 until the job ends.' })
  released!: bigint;

  @Field(() => [CostLine], { description: 'Every line of its price; their quoted credits add up.' })
  lines!: readonly CostLine[];

  @Field(() => [CostCause], { description: 'What made it so, and what would have been otherwise.' })
  causes!: readonly CostCause[];
}
