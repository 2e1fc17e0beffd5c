import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { ApiKeyInfo, Viewer } from '../account/account.type.ts';
import { connectionOf } from '../connection.ts';
import { RoleEnum, TierEnum } from '../enums.ts';
import { CreditsScalar } from '../scalars.ts';

@InputType({ description: "Limits for one account in place of its tier's. What is left out comes from the tier." })
export class LimitOverridesInput {
  @Field(() => Int, { nullable: true, description: 'Submissions a minute, 1 to 1,000,000.' })
  submissionsPerMinute?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Jobs that run at once, 1 to 10,000; twenty times as many may be open.',
  })
  runningJobs?: number | null;

  @Field(() => Int, { nullable: true, description: 'Images in one operation, 1 to 10.' })
  imagesPerOperation?: number | null;
}

@InputType({ description: 'A new account.' })
export class CreateAccountInput {
  @Field(() => String, { description: 'What to call it, 1 to 200 characters.' })
  name!: string;

  @Field(() => TierEnum, { description: 'Its tier.' })
  tier!: string;

  @Field(() => RoleEnum, { nullable: true, defaultValue: 'CUSTOMER', description: 'Customer or operator.' })
  role?: string | null;

  @Field(() => LimitOverridesInput, { nullable: true, description: "Limits in place of the tier's." })
  limits?: LimitOverridesInput | null;

  @Field(() => CreditsScalar, { nullable: true, description: 'The most it may spend a period; no cap when left out.' })
  spendCap?: bigint | null;
}

@ObjectType({ description: 'A key that has just been issued. Its secret is shown this once.', simpleResolvers: true })
export class IssuedApiKey {
  @Field(() => ApiKeyInfo, { description: 'The key, as it can be shown later.' })
  key!: ApiKeyInfo;

  @Field(() => String, { description: 'What to send as "Authorization: Bearer …". It cannot be shown again.' })
  secret!: string;
}

@ObjectType({ description: 'A new account with its first key.', simpleResolvers: true })
export class CreatedAccount {
  @Field(() => Viewer, { description: 'The account.' })
  account!: Viewer;

  @Field(() => IssuedApiKey, { description: 'Its first key.' })
  issued!: IssuedApiKey;
}

export const AccountConnection = connectionOf(Viewer, 'Account', 'accounts');
