import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { BUDGET_PERIODS, type BudgetPeriod } from '../../credits/budget.ts';
import { connectionOf } from '../connection.ts';
import { named } from '../enums.ts';
import { Node } from '../node/node.type.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

export const BudgetPeriodEnum = named(BUDGET_PERIODS);
registerEnumType(BudgetPeriodEnum, {
  name: 'BudgetPeriod',
  description: 'When a budget begins anew.',
  valuesConfig: {
    MONTHLY: { description: 'With each period of the account.' },
    ONCE: { description: 'Never: what is spent stays spent.' },
  },
});

@ObjectType({
  implements: Node,
  description: 'Credits set apart for something, such as a campaign. Operations that name it stop at its cap.',
  simpleResolvers: true,
})
export class Budget extends Node {
  @Field(() => String, { description: 'What it is called; no other budget of the account has that name.' })
  name!: string;

  @Field(() => CreditsScalar, { description: 'The most that its operations may hold and capture.' })
  cap!: bigint;

  @Field(() => BudgetPeriodEnum, { description: 'When it begins anew.' })
  period!: BudgetPeriod;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Since when no operation may name it; null while open.' })
  closedAt!: Date | null;
}

@InputType({ description: 'A new budget.' })
export class CreateBudgetInput {
  @Field(() => String, { description: 'What to call it, 1 to 200 characters.' })
  name!: string;

  @Field(() => CreditsScalar, { description: 'The most that its operations may hold and capture.' })
  cap!: bigint;

  @Field(() => BudgetPeriodEnum, { defaultValue: 'ONCE', description: 'When it begins anew.' })
  period!: BudgetPeriod;
}

@InputType({ description: 'What to change of a budget; what is left out stays.' })
export class BudgetChangeInput {
  @Field(() => String, { nullable: true, description: 'The new name, 1 to 200 characters.' })
  name?: string | null;

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'The new cap. One below what is spent stops new operations and takes nothing back.',
  })
  cap?: bigint | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether operations may name it.' })
  open?: boolean | null;
}

export const BudgetConnection = connectionOf(Budget, 'Budget', 'budgets');
