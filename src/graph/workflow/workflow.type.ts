import { createUnionType, Field, Float, Int, ObjectType } from 'type-graphql';
import { OperationEnum } from '../enums.ts';
import { EstimateLine } from '../estimate/estimate.type.ts';
import { Submission } from '../job/job.type.ts';
import { Refusal } from '../refusal/refusal.type.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

@ObjectType({ description: 'What one step of a workflow costs.' })
export class StepEstimate {
  @Field(() => String, { description: 'The name of the step.' })
  id!: string;

  @Field(() => OperationEnum, { description: 'The operation.' })
  operation!: string;

  @Field(() => Int, { description: 'How many times it runs.' })
  times!: number;

  @Field(() => Int, { description: 'How many pictures it makes in all.' })
  images!: number;

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'What it costs in all; null where no price can be given.',
  })
  credits!: bigint | null;

  @Field(() => [EstimateLine], { description: 'The price line by line.' })
  lines!: readonly EstimateLine[];

  @Field(() => Float, { nullable: true, description: 'Seconds that one of its pictures usually takes.' })
  expectedSeconds!: number | null;

  @Field(() => [String], { description: 'What else is good to know.' })
  notes!: readonly string[];
}

@ObjectType({ description: 'What a whole workflow costs, step by step.' })
export class WorkflowEstimate {
  @Field(() => CreditsScalar, { nullable: true, description: 'What it costs in all; null where a step has no price.' })
  credits!: bigint | null;

  @Field(() => [StepEstimate], { description: 'The steps, in their order.' })
  steps!: readonly StepEstimate[];

  @Field(() => String, {
    nullable: true,
    description:
      'Our signed word on this price. Give it to runWorkflow to pay at most this. Null without a price, or while a step does not know its picture.',
  })
  quote!: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Until when the quote holds.' })
  quoteExpiresAt!: Date | null;

  @Field(() => Int, { description: 'The version of the price book it is priced by.' })
  priceVersion!: number;

  @Field(() => CreditsScalar, { nullable: true, description: 'What can be spent now; null when unlimited.' })
  balanceBefore!: bigint | null;

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'What could be spent afterwards; null when unlimited or not affordable.',
  })
  balanceAfter!: bigint | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many such workflows the account can pay for; null when nothing bounds it.',
  })
  affordableCount!: number | null;

  @Field(() => Float, { nullable: true, description: 'Seconds that the whole usually takes.' })
  expectedSeconds!: number | null;
}

@ObjectType({
  description: 'The workflow may not run now. Nothing was run and nothing was charged.',
  simpleResolvers: true,
})
export class WorkflowRefused {
  @Field(() => [Refusal], { description: 'Every reason, at least one.' })
  refusals!: readonly Refusal[];

  @Field(() => WorkflowEstimate, {
    description: 'The estimate as it stands now, with a new quote where there is a price.',
  })
  estimate!: WorkflowEstimate;
}

export const WorkflowResult = createUnionType({
  name: 'WorkflowResult',
  description: 'What became of a workflow that was to be run.',
  types: () => [Submission, WorkflowRefused] as const,
  resolveType: (value) => ('job' in value ? 'Submission' : 'WorkflowRefused'),
});
