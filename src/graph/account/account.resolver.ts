import { Ctx, FieldResolver, Query, Resolver, Root, type SubscribeResolverData, Subscription } from 'type-graphql';
import type { Account } from '../../accounts/account.ts';
import type { ApiKey } from '../../accounts/api-key.ts';
import type { ApiKeys } from '../../accounts/api-keys.service.ts';
import type { StorageUses } from '../../assets/storage-use.service.ts';
import { availableOf, type Balance } from '../../credits/balance.ts';
import { allowancesOf } from '../../estimates/allowances.ts';
import type { Tiers } from '../../tiers/tiers.service.ts';
import { ANY_SCOPE, type GraphContext, type Need, SPENDING, viewerOf } from '../context.ts';
import { type LiveContext, openStates } from '../live.ts';
import { CreditsScalar } from '../scalars.ts';
import { AccountLimits, ApiKeyInfo, BalanceInfo, FreeAllowance, RateLimit, Storage, Viewer } from './account.type.ts';
import { toBalanceInfo } from './balance-info.ts';
import { watchBalance } from './watch-balance.ts';

const KEEPING_KEYS: Need = ['RUN', 'LIBRARY', 'OPERATOR'];

@Resolver(() => Viewer)
export class AccountResolver {
  constructor(
    private readonly tiers: Tiers,
    private readonly storageUses: StorageUses,
    private readonly keys: ApiKeys,
  ) {}

  @Query(() => Viewer, {
    description:
      'The account that is asking: its tier, balance, limits and allowances. For any key that works; an estimate tells the balance too.',
  })
  viewer(@Ctx() context: GraphContext): Account {
    return viewerOf(context, ANY_SCOPE);
  }

  @Subscription(() => BalanceInfo, {
    name: 'balance',
    description:
      'How the credits of this account stand now, then again whenever that changes: holds, captures, releases, grants, a new period. Does not end by itself. Needs the scope RUN or LIBRARY.',
    subscribe: ({ context }: SubscribeResolverData<unknown, object, LiveContext>) =>
      openStates(context, SPENDING, ({ tiers, events }, viewer, signal) => watchBalance(tiers, events, viewer, signal)),
  })
  liveBalance(@Root() balance: Balance): BalanceInfo {
    return toBalanceInfo(balance);
  }

  @FieldResolver(() => CreditsScalar, {
    nullable: true,
    description: 'Everything the account has, held credits included; null when unlimited.',
  })
  async balance(@Root() account: Account): Promise<bigint | null> {
    return toBalanceInfo(await this.tiers.balance(account)).balance;
  }

  @FieldResolver(() => CreditsScalar, { description: 'Set aside for jobs that have not ended.' })
  async held(@Root() account: Account): Promise<bigint> {
    return (await this.tiers.balance(account)).held;
  }

  @FieldResolver(() => CreditsScalar, { nullable: true, description: 'What can be spent now; null when unlimited.' })
  async available(@Root() account: Account): Promise<bigint | null> {
    return availableOf(await this.tiers.balance(account));
  }

  @FieldResolver(() => Boolean, { description: 'Whether the account spends without a balance.' })
  async unlimited(@Root() account: Account): Promise<boolean> {
    return (await this.tiers.balance(account)).postpaid;
  }

  @FieldResolver(() => BalanceInfo, { description: 'How its credits stand, in detail.' })
  async credits(@Root() account: Account): Promise<BalanceInfo> {
    return toBalanceInfo(await this.tiers.balance(account));
  }

  @FieldResolver(() => AccountLimits, { description: 'What it may do.' })
  limits(@Root() account: Account): AccountLimits {
    return this.tiers.allowed(account);
  }

  @FieldResolver(() => [FreeAllowance], { description: 'Free images of this period.' })
  async allowances(@Root() account: Account): Promise<FreeAllowance[]> {
    return allowancesOf(this.tiers.allowed(account), await this.tiers.balance(account));
  }

  @FieldResolver(() => Storage, { description: 'How much it keeps, and may keep.' })
  async storage(@Root() account: Account): Promise<Storage> {
    const { assets, bytes } = await this.storageUses.of(account.id);
    return { assets, bytes, bytesMax: this.tiers.allowed(account).storageBytes };
  }

  @FieldResolver(() => [ApiKeyInfo], {
    description:
      'Its keys without their secrets, at most 100: those that work first, the newest first among these. Needs the scope RUN, LIBRARY or OPERATOR: a key for estimates alone may stand in a page that anybody reads.',
  })
  apiKeys(@Root() account: Account, @Ctx() context: GraphContext): Promise<readonly ApiKey[]> {
    viewerOf(context, KEEPING_KEYS);
    return this.keys.ofAccount(account.id);
  }

  @FieldResolver(() => RateLimit, { description: 'How many submissions are left this minute.' })
  rateLimit(@Root() account: Account): Promise<RateLimit> {
    return this.tiers.rate(account, this.tiers.allowed(account));
  }
}
