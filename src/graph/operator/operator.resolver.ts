import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql';
import type { Account, Role } from '../../accounts/account.ts';
import type { Tier } from '../../pricing/price-book.ts';
import type { Tiers } from '../../tiers/tiers.service.ts';
import { Viewer } from '../account/account.type.ts';
import { authorOf, type GraphContext, operatorOf } from '../context.ts';
import { TierEnum } from '../enums.ts';
import { given } from '../given.ts';
import { CreditsScalar } from '../scalars.ts';
import { CreateAccountInput, CreatedAccount, LimitOverridesInput } from './operator.type.ts';

@Resolver()
export class OperatorResolver {
  constructor(private readonly tiers: Tiers) {}

  @Mutation(() => CreatedAccount, {
    description: 'Opens an account with its books, its first monthly credits and its first key. For operators.',
  })
  createAccount(
    @Ctx() context: GraphContext,
    @Arg('input', () => CreateAccountInput, { description: 'The account.' }) input: CreateAccountInput,
  ) {
    const author = authorOf(context, operatorOf(context));
    const wish = {
      name: input.name,
      role: (input.role ?? 'CUSTOMER') as Role,
      tier: input.tier as Tier,
      limits: given(input.limits ?? {}),
      spendCap: input.spendCap ?? null,
    };
    return this.tiers.open(wish, 'first key', author);
  }

  @Mutation(() => Viewer, {
    description:
      'Moves an account to a tier: up at once, with the difference in credits; down with the next period. For operators.',
  })
  setTier(
    @Ctx() context: GraphContext,
    @Arg('account', () => ID, { description: 'The account.' }) account: string,
    @Arg('tier', () => TierEnum, { description: 'The tier.' }) tier: string,
    @Arg('limits', () => LimitOverridesInput, {
      nullable: true,
      description: "Limits in place of the tier's; unchanged when left out, the tier's own when empty.",
    })
    limits: LimitOverridesInput | null,
    @Arg('spendCap', () => CreditsScalar, {
      nullable: true,
      description: 'The most it may spend a period; unchanged when left out, no cap when null.',
    })
    spendCap: bigint | null | undefined,
  ): Promise<Account> {
    const author = authorOf(context, operatorOf(context));
    return this.tiers.setTier(account, tier as Tier, limits ? given(limits) : null, spendCap, author);
  }

  @Mutation(() => Viewer, { description: 'Gives an account credits that do not expire. For operators.' })
  grantCredits(
    @Ctx() context: GraphContext,
    @Arg('account', () => ID, { description: 'The account.' }) account: string,
    @Arg('credits', () => CreditsScalar, { description: 'How many, above 0.' }) credits: bigint,
    @Arg('reason', () => String, { defaultValue: 'Top-up', description: 'Why, for the ledger.' }) reason: string,
  ): Promise<Account> {
    const author = authorOf(context, operatorOf(context));
    return this.tiers.topUp(account, credits, reason, author);
  }
}
