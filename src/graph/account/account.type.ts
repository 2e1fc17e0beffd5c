import { Field, ID, Int, ObjectType } from 'type-graphql';
import { ApiKeyScopeEnum, ModuleEnum, ProviderEnum, QualityEnum, RoleEnum, TierEnum } from '../enums.ts';
import { Node } from '../node/node.type.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

@ObjectType({ description: 'Images a month that cost nothing when their provider is named.', simpleResolvers: true })
export class FreeAllowance {
  @Field(() => ProviderEnum, { description: 'The provider to name.' })
  provider!: string;

  @Field(() => Int, { description: 'Free images a period.' })
  limit!: number;

  @Field(() => Int, { description: 'Free images left in this period.' })
  left!: number;
}

@ObjectType({
  description: 'What the account may do: its tier, with what an operator changed for it.',
  simpleResolvers: true,
})
export class AccountLimits {
  @Field(() => Int, { description: 'Submissions a minute. Estimates and reads do not count.' })
  submissionsPerMinute!: number;

  @Field(() => Int, { description: 'Jobs that run at once; more wait their turn.' })
  runningJobs!: number;

  @Field(() => Int, { description: 'Jobs that may be running or waiting at once.' })
  openJobs!: number;

  @Field(() => Int, { description: 'Images in one operation.' })
  imagesPerOperation!: number;

  @Field(() => QualityEnum, { description: 'The highest quality class.' })
  qualityMax!: string;

  @Field(() => [ModuleEnum], { description: 'What may be used.' })
  modules!: readonly string[];

  @Field(() => Number, { description: 'Storage, in bytes.' })
  storageBytes!: number;

  @Field(() => Int, { description: 'Whose jobs go first: higher before lower.' })
  queuePriority!: number;
}

@ObjectType({ description: 'How many submissions are left this minute.', simpleResolvers: true })
export class RateLimit {
  @Field(() => Int, { description: 'Submissions a minute.' })
  limit!: number;

  @Field(() => Int, { description: 'Submissions left.' })
  remaining!: number;

  @Field(() => DateTimeScalar, { description: 'When there are new ones.' })
  resetsAt!: Date;
}

@ObjectType({
  description: 'How much an account keeps. Deleted assets count until they can no longer be had back.',
  simpleResolvers: true,
})
export class Storage {
  @Field(() => Int, { description: 'Assets, deleted ones included.' })
  assets!: number;

  @Field(() => Number, { description: 'Bytes of all of them.' })
  bytes!: number;

  @Field(() => Number, { description: 'Bytes that it may keep; beyond them nothing new is accepted.' })
  bytesMax!: number;
}

@ObjectType({ implements: Node, description: 'An account: the one that is asking or, for operators, any.' })
export class Viewer extends Node {
  @Field(() => String, { description: 'What the account is called.' })
  name!: string;

  @Field(() => RoleEnum, { description: 'Customer or operator.' })
  role!: string;

  @Field(() => TierEnum, { description: 'The tier.' })
  tier!: string;

  @Field(() => TierEnum, {
    nullable: true,
    description: 'The lower tier that begins with the next period, if one is waiting.',
  })
  nextTier!: string | null;

  @Field(() => DateTimeScalar, { description: 'When the account was opened.' })
  createdAt!: Date;
}

@ObjectType('Balance', {
  description: 'How the credits of an account stand. balance = available + held.',
  simpleResolvers: true,
})
export class BalanceInfo {
  @Field(() => Boolean, {
    description: 'Whether the account spends without a balance; usage is recorded, and a spend cap may apply.',
  })
  unlimited!: boolean;

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'Everything the account has, held credits included; null when unlimited.',
  })
  balance!: bigint | null;

  @Field(() => CreditsScalar, { nullable: true, description: 'What can be spent now; null when unlimited.' })
  available!: bigint | null;

  @Field(() => CreditsScalar, { description: 'Set aside for jobs that have not ended.' })
  held!: bigint;

  @Field(() => CreditsScalar, { description: 'Monthly credits left; they expire with the period and are spent first.' })
  monthly!: bigint;

  @Field(() => CreditsScalar, { description: 'Top-ups left; they do not expire.' })
  topup!: bigint;

  @Field(() => CreditsScalar, { description: 'What an unlimited account owes, held credits included.' })
  owed!: bigint;

  @Field(() => CreditsScalar, { description: 'Spent or held since the period began.' })
  spent!: bigint;

  @Field(() => CreditsScalar, { nullable: true, description: 'The most that may be spent a period; null for no cap.' })
  spendCap!: bigint | null;

  @Field(() => DateTimeScalar, { description: 'When the period began.' })
  periodStartsAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When the period ends and new monthly credits come.' })
  periodEndsAt!: Date;

  @Field(() => Int, { description: 'Jobs that are running or waiting.' })
  openJobs!: number;
}

@ObjectType('ApiKey', { description: 'An API key, without its secret.', simpleResolvers: true })
export class ApiKeyInfo {
  @Field(() => ID, { description: 'The id of the key, not the secret.' })
  id!: string;

  @Field(() => ID, { description: 'The account it belongs to.' })
  accountId!: string;

  @Field(() => String, { description: 'What it is called.' })
  label!: string;

  @Field(() => [ApiKeyScopeEnum], { description: 'What it may be used for.' })
  scopes!: readonly string[];

  @Field(() => DateTimeScalar, { description: 'When it was issued.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'From when on it does not work; null for a key that does not expire.',
  })
  expiresAt!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When it was last used, to a minute or so; null for a key that was never used.',
  })
  lastUsedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was revoked, if it was.' })
  revokedAt!: Date | null;

  @Field(() => ID, { nullable: true, description: 'The key that was issued in its place, if one was.' })
  replacedBy!: string | null;
}
