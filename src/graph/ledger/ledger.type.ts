import { GraphQLJSONObject } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { connectionOf } from '../connection.ts';
import { BucketEnum, EntryKindEnum } from '../enums.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';

@ObjectType('LedgerEntry', { description: 'One side of a movement of credits.', simpleResolvers: true })
export class LedgerEntryInfo {
  @Field(() => ID, { description: 'The ledger transaction it is part of; the entries of one add up to zero.' })
  transactionId!: string;

  @Field(() => EntryKindEnum, { description: 'Why credits moved.' })
  kind!: string;

  @Field(() => String, { description: 'The reason in words.' })
  reason!: string;

  @Field(() => BucketEnum, { description: 'Where they moved.' })
  bucket!: string;

  @Field(() => CreditsScalar, { description: 'What the bucket gained; negative for a loss.' })
  amount!: bigint;

  @Field(() => CreditsScalar, { description: 'What the bucket held afterwards.' })
  balanceAfter!: bigint;

  @Field(() => ID, { nullable: true, description: 'The job it was for.' })
  jobId!: string | null;

  @Field(() => ID, { nullable: true, description: 'The image it was for.' })
  imageId!: string | null;

  @Field(() => Int, { nullable: true, description: 'The version of the price book it follows.' })
  priceVersion!: number | null;

  @Field(() => DateTimeScalar, { description: 'When it was written.' })
  createdAt!: Date;
}

export const LedgerEntryConnection = connectionOf(LedgerEntryInfo, 'LedgerEntry', 'ledger entries');

@ObjectType({ description: 'Whether one law of the ledger holds of all that is written there.', simpleResolvers: true })
export class LawCheck {
  @Field(() => String, { description: 'The law, in words.' })
  law!: string;

  @Field(() => Int, { description: 'How often it is broken; 0 when it holds.' })
  violations!: number;

  @Field(() => [GraphQLJSONObject], { description: 'A few of the rows that break it.' })
  examples!: readonly unknown[];
}

@ObjectType({ description: 'How much there is in the ledger, of all accounts together.', simpleResolvers: true })
export class LedgerTotals {
  @Field(() => Int, { description: 'Accounts that were ever opened.' })
  accounts!: number;

  @Field(() => Float, { description: 'Ledger transactions of all of them.' })
  transactions!: number;

  @Field(() => Float, { description: 'Sides of these transactions.' })
  entries!: number;

  @Field(() => Float, { description: 'Jobs that were ever accepted.' })
  jobs!: number;

  @Field(() => Int, { description: 'Jobs that have not ended.' })
  openJobs!: number;

  @Field(() => CreditsScalar, { description: 'Credits that were ever granted.' })
  issued!: bigint;

  @Field(() => CreditsScalar, { description: 'What postpaid accounts owe.' })
  owed!: bigint;

  @Field(() => CreditsScalar, { description: 'What can be spent.' })
  available!: bigint;

  @Field(() => CreditsScalar, { description: 'What is set aside for open jobs.' })
  held!: bigint;

  @Field(() => CreditsScalar, { description: 'What was taken for delivered images.' })
  captured!: bigint;

  @Field(() => CreditsScalar, { description: 'What has lapsed at the end of a period.' })
  expired!: bigint;

  @Field(() => Float, {
    description: 'What vendors charge, or may charge, for images that nobody was charged for, in US dollars. Our loss.',
  })
  lossUsd!: number;
}

@ObjectType({ description: 'What a check of the whole ledger found.', simpleResolvers: true })
export class LedgerReport {
  @Field(() => DateTimeScalar, { description: 'The moment that was looked at; what went on meanwhile plays no part.' })
  checkedAt!: Date;

  @Field(() => Boolean, { description: 'Whether every law holds.' })
  ok!: boolean;

  @Field(() => LedgerTotals, { description: 'How much there is.' })
  totals!: LedgerTotals;

  @Field(() => [LawCheck], { description: 'Every law.' })
  laws!: readonly LawCheck[];
}
