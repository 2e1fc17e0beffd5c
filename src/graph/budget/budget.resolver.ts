import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Budget as BudgetRecord, spentOf } from '../../credits/budget.ts';
import { BUDGETS_LIST, BUDGETS_MAX, type Budgets } from '../../credits/budgets.service.ts';
import { PAGE_SIZE_MAX, writeCursor } from '../../platform/cursor.ts';
import type { Tiers } from '../../tiers/tiers.service.ts';
import { toConnection } from '../connection.ts';
import { ANY_SCOPE, type GraphContext, SPENDING, viewerOf } from '../context.ts';
import { given } from '../given.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';
import { Budget, BudgetChangeInput, BudgetConnection, CreateBudgetInput } from './budget.type.ts';

@Resolver(() => Budget)
export class BudgetResolver {
  constructor(
    private readonly budgets: Budgets,
    private readonly tiers: Tiers,
  ) {}

  @Query(() => BudgetConnection, {
    name: 'budgets',
    description: 'The budgets of this account, newest first. Needs the scope RUN or LIBRARY.',
  })
  async budgetsPage(
    @Ctx() context: GraphContext,
    @Arg('first', () => Int, { defaultValue: 20, description: `How many, 1 to ${PAGE_SIZE_MAX}.` }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Only those after this cursor.' }) after: string | null,
  ) {
    const page = await this.budgets.list(viewerOf(context, SPENDING).id, { first, after: after ?? null });
    return toConnection(page, after, ({ id }) => writeCursor(BUDGETS_LIST, id));
  }

  @Query(() => Budget, { description: 'One budget of this account. Needs the scope RUN or LIBRARY.' })
  budget(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the budget.' }) id: string,
  ): Promise<BudgetRecord> {
    return this.budgets.get(viewerOf(context, SPENDING).id, id);
  }

  @Mutation(() => Budget, {
    description: `Sets credits apart for something. An account may have ${BUDGETS_MAX} budgets. Needs the scope RUN.`,
  })
  createBudget(
    @Ctx() context: GraphContext,
    @Arg('input', () => CreateBudgetInput, { description: 'The budget.' }) input: CreateBudgetInput,
  ): Promise<BudgetRecord> {
    return this.budgets.create(viewerOf(context, 'RUN').id, input);
  }

  @Mutation(() => Budget, {
    description: 'Changes a budget, closes it or opens it again. What is spent stays spent. Needs the scope RUN.',
  })
  updateBudget(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the budget.' }) id: string,
    @Arg('change', () => BudgetChangeInput, { description: 'What to change.' }) change: BudgetChangeInput,
  ): Promise<BudgetRecord> {
    return this.budgets.update(viewerOf(context, 'RUN').id, id, given(change));
  }

  @FieldResolver(() => CreditsScalar, {
    description: 'Held or captured by its operations so far, in the period of now where it begins anew.',
  })
  spent(@Root() budget: BudgetRecord, @Ctx() context: GraphContext): Promise<bigint> {
    return this.#spent(budget, context);
  }

  @FieldResolver(() => CreditsScalar, {
    description: 'What its operations may still hold; 0 where the cap is reached.',
  })
  async left(@Root() budget: BudgetRecord, @Ctx() context: GraphContext): Promise<bigint> {
    const spent = await this.#spent(budget, context);
    return spent > budget.cap ? 0n : budget.cap - spent;
  }

  @FieldResolver(() => DateTimeScalar, { nullable: true, description: 'When it begins anew; null where it does not.' })
  async resetsAt(@Root() { period }: BudgetRecord, @Ctx() context: GraphContext): Promise<Date | null> {
    return period === 'ONCE' ? null : (await this.tiers.balance(viewerOf(context, ANY_SCOPE))).periodEndsAt;
  }

  async #spent(budget: BudgetRecord, context: GraphContext): Promise<bigint> {
    return spentOf(budget, await this.tiers.balance(viewerOf(context, ANY_SCOPE)));
  }
}
