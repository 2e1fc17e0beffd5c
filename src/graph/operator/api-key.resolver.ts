import { Arg, Ctx, ID, Int, Mutation, Resolver } from 'type-graphql';
import { OVERLAP_SECONDS_MAX } from '../../accounts/api-key.ts';
import type { ApiKeys, Manager } from '../../accounts/api-keys.service.ts';
import { type ApiKeyScope, CUSTOMER_SCOPES } from '../../accounts/scopes.ts';
import { ANY_SCOPE, authorOf, type GraphContext, isOperator, operatorOf, viewerOf } from '../context.ts';
import { ApiKeyScopeEnum } from '../enums.ts';
import { DateTimeScalar } from '../scalars.ts';
import { IssuedApiKey } from './operator.type.ts';

const WHO =
  'Operators may for every key; a customer for keys of its own account, with a key that has every scope of that one.';

@Resolver()
export class ApiKeyResolver {
  constructor(private readonly apiKeys: ApiKeys) {}

  @Mutation(() => IssuedApiKey, { description: 'Issues another key for an account. For operators.' })
  createApiKey(
    @Ctx() context: GraphContext,
    @Arg('account', () => ID, { description: 'The account; at most 100 of its keys may work at once.' })
    account: string,
    @Arg('label', () => String, { description: 'What to call the key, 1 to 200 characters.' }) label: string,
    @Arg('scopes', () => [ApiKeyScopeEnum], {
      defaultValue: CUSTOMER_SCOPES,
      description: 'What it may be used for, at least one; OPERATOR only for an account of an operator.',
    })
    scopes: ApiKeyScope[],
    @Arg('expiresAt', () => DateTimeScalar, {
      nullable: true,
      description: 'From when on it does not work, later than now; it does not expire when left out.',
    })
    expiresAt: Date | null,
  ) {
    const author = authorOf(context, operatorOf(context));
    return this.apiKeys.create(account, { label, scopes, expiresAt: expiresAt ?? null }, author);
  }

  @Mutation(() => IssuedApiKey, {
    description: `Issues a key in place of another, with its label and scopes; the new one ends when the old one would have. ${WHO}`,
  })
  rotateApiKey(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the old key, not its secret.' }) id: string,
    @Arg('overlapSeconds', () => Int, {
      defaultValue: 0,
      description: `How long the old key still works, 0 to ${OVERLAP_SECONDS_MAX} (7 days).`,
    })
    overlapSeconds: number,
  ) {
    const manager = managerOf(context);
    return this.apiKeys.rotate(id, overlapSeconds, manager, authorOf(context, manager));
  }

  @Mutation(() => Boolean, { description: `Ends a key within a second, everywhere. ${WHO}` })
  async revokeApiKey(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the key, not its secret.' }) id: string,
  ): Promise<boolean> {
    const manager = managerOf(context);
    await this.apiKeys.revoke(id, manager, authorOf(context, manager));
    return true;
  }
}

function managerOf(context: GraphContext): Manager {
  const viewer = viewerOf(context, ANY_SCOPE);
  return { ...viewer, isOperator: isOperator(viewer) };
}
