import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import type { Account } from '../../accounts/account.ts';
import { ACCOUNTS_LIST, type Accounts, SEARCH_LENGTH_MAX } from '../../accounts/accounts.service.ts';
import { writeCursor } from '../../platform/cursor.ts';
import type { Tier } from '../../pricing/price-book.ts';
import { Viewer } from '../account/account.type.ts';
import { toConnection } from '../connection.ts';
import { type GraphContext, operatorOf } from '../context.ts';
import { TierEnum } from '../enums.ts';
import { AccountConnection } from './operator.type.ts';

@Resolver()
export class AccountListResolver {
  constructor(private readonly directory: Accounts) {}

  @Query(() => AccountConnection, { name: 'accounts', description: 'All accounts, newest first. For operators.' })
  async accountsPage(
    @Ctx() context: GraphContext,
    @Arg('search', () => String, {
      nullable: true,
      description: `Only accounts with these words in their name, or with this id. At most ${SEARCH_LENGTH_MAX} characters; capitals do not matter.`,
    })
    search: string | null,
    @Arg('tier', () => TierEnum, { nullable: true, description: 'Only accounts of this tier.' }) tier: string | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Only those after this cursor.' }) after: string | null,
  ) {
    operatorOf(context);
    const wanted = { search: search ?? null, tier: (tier ?? null) as Tier | null };
    const page = await this.directory.list({ first, after: after ?? null, ...wanted });
    return toConnection(page, after, ({ id }) => writeCursor(ACCOUNTS_LIST, id));
  }

  @Query(() => Viewer, { description: 'Any account: its balance, tier, limits and keys. For operators.' })
  account(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the account.' }) id: string,
  ): Promise<Account> {
    operatorOf(context);
    return this.directory.get(id);
  }
}
