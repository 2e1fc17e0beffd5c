import { Field, Int, ObjectType } from 'type-graphql';
import { OperationEnum } from '../enums.ts';
import { EstimateLine } from '../estimate/estimate.type.ts';
import { CreditsScalar } from '../scalars.ts';

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

  @Field(() => [String], { description: 'What else is good to know.' })
  notes!: readonly string[];
}

@ObjectType({ description: 'What a whole workflow costs, step by step.' })
export class WorkflowEstimate {
  @Field(() => CreditsScalar, { nullable: true, description: 'What it costs in all; null where a step has no price.' })
  credits!: bigint | null;

  @Field(() => [StepEstimate], { description: 'The steps, in their order.' })
  steps!: readonly StepEstimate[];

  @Field(() => Int, { description: 'The version of the price book it is priced by.' })
  priceVersion!: number;

  @Field(() => CreditsScalar, { nullable: true, description: 'What can be spent now; null when unlimited.' })
  balanceBefore!: bigint | null;

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'What could be spent afterwards; null when unlimited or not affordable.',
  })
  balanceAfter!: bigint | null;
}
