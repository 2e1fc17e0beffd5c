import { createUnionType, Field, ID, Int, ObjectType } from 'type-graphql';
import type { Asset as AssetRecord } from '../../assets/asset.ts';
import type { Operation } from '../../catalog/operations.ts';
import type { JobImage as ImageRecord } from '../../jobs/job.ts';
import { Asset } from '../asset/asset.type.ts';
import { connectionOf } from '../connection.ts';
import {
  FailureCodeEnum,
  ImageStatusEnum,
  JobOperationEnum,
  JobStatusEnum,
  OperationEnum,
  ProviderEnum,
} from '../enums.ts';
import { Estimate } from '../estimate/estimate.type.ts';
import { LedgerEntryInfo } from '../ledger/ledger.type.ts';
import { Node } from '../node/node.type.ts';
import { Refusal } from '../refusal/refusal.type.ts';
import { CreditsScalar, DateTimeScalar } from '../scalars.ts';
import { PixelSize } from '../size.type.ts';

@ObjectType({ implements: Node, description: 'One accepted operation.', simpleResolvers: true })
export class Job extends Node {
  @Field(() => JobOperationEnum, { description: 'What was asked for.' })
  operation!: string;

  @Field(() => JobStatusEnum, { description: 'How it stands.' })
  status!: string;

  @Field(() => CreditsScalar, { description: 'What was quoted: the most that is ever taken for it.' })
  credits!: bigint;

  @Field(() => Int, { description: 'The version of the price book it is charged by.' })
  priceVersion!: number;

  @Field(() => DateTimeScalar, { description: 'When it was accepted.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was begun.' })
  startedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended.' })
  finishedAt!: Date | null;
}

@ObjectType({ description: 'Why an image was not delivered. It was not charged.', simpleResolvers: true })
export class ImageFailure {
  @Field(() => FailureCodeEnum, { description: 'The reason, for programs.' })
  code!: string;

  @Field(() => String, { description: 'For a person: what happened, what it cost and what to do next.' })
  message!: string;
}

@ObjectType({ description: 'One output of a job. Each image succeeds or fails on its own.', simpleResolvers: true })
export class JobImage {
  @Field(() => ID, { description: 'The id of the image.' })
  id!: string;

  @Field(() => Int, { description: 'Its place in the job, from 0.' })
  index!: number;

  @Field(() => Int, { description: 'Which step it belongs to: its place in `steps`, from 0.' })
  step!: number;

  @Field(() => PixelSize, { description: 'The exact size that it comes to.' })
  size!: PixelSize;

  @Field(() => ImageStatusEnum, { description: 'How it stands.' })
  status!: string;

  @Field(() => CreditsScalar, { description: 'What is captured if it is delivered; 0 when a free allowance pays.' })
  credits!: bigint;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended.' })
  finishedAt!: Date | null;
}

@ObjectType({
  description: 'One step of a job: what it was to cost, and what it has cost so far.',
  simpleResolvers: true,
})
export class JobStep {
  @Field(() => String, { description: 'Its name in the workflow; empty for a single operation.' })
  id!: string;

  @Field(() => OperationEnum, { description: 'The operation.' })
  operation!: string;

  @Field(() => Int, { description: 'Images that it makes.' })
  images!: number;

  @Field(() => Int, { description: 'Images that are delivered.' })
  delivered!: number;

  @Field(() => Int, { description: 'Images that failed or were cancelled; they cost nothing.' })
  undelivered!: number;

  @Field(() => CreditsScalar, { description: 'What its images were quoted at.' })
  quoted!: bigint;

  @Field(() => CreditsScalar, { description: 'The price of those that are delivered; captured when the job ends.' })
  spent!: bigint;
}

export function toJobStep(id: string, operation: Operation, images: readonly ImageRecord[]): JobStep {
  const delivered = images.filter(({ status }) => status === 'DELIVERED');
  return {
    id,
    operation,
    images: images.length,
    delivered: delivered.length,
    undelivered: images.filter(({ status }) => status === 'FAILED' || status === 'CANCELLED').length,
    quoted: images.reduce((sum, { credits }) => sum + credits, 0n),
    spent: delivered.reduce((sum, { credits }) => sum + credits, 0n),
  };
}

@ObjectType('Attempt', { description: 'One call that asked a vendor for an image.', simpleResolvers: true })
export class AttemptInfo {
  @Field(() => String, { name: 'route', simple: false, description: 'The model that was asked, and at which host.' })
  routeId!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'How it ended: delivered, rejected, moderated, broken, unknown, failed or discarded; null while it is out.',
  })
  outcome!: string | null;

  @Field(() => DateTimeScalar, { description: 'When the vendor was called.' })
  startedAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the call ended.' })
  finishedAt!: Date | null;
}

@ObjectType({ description: 'Free images that a job took.', simpleResolvers: true })
export class ReceiptAllowance {
  @Field(() => ProviderEnum, { description: 'Whose allowance.' })
  provider!: string;

  @Field(() => Int, { description: 'Free images set aside for the job; those not delivered were given back.' })
  images!: number;
}

@ObjectType({
  description: 'What a job cost and why. quoted = held, and once settled held = captured + released.',
  simpleResolvers: true,
})
export class Receipt {
  @Field(() => CreditsScalar, { description: 'What the estimate said.' })
  quoted!: bigint;

  @Field(() => CreditsScalar, { description: 'What was set aside when the job was accepted.' })
  held!: bigint;

  @Field(() => CreditsScalar, { description: 'What was taken, for delivered images only; 0 until the job ends.' })
  captured!: bigint;

  @Field(() => CreditsScalar, { description: 'What was given back; 0 until the job ends.' })
  released!: bigint;

  @Field(() => Boolean, { description: 'Whether the job has ended and nothing is held any more.' })
  settled!: boolean;

  @Field(() => [ReceiptAllowance], { description: 'Free images it took, if any.' })
  freeAllowances!: readonly ReceiptAllowance[];

  @Field(() => [LedgerEntryInfo], { description: 'Every ledger entry of the job, in the order they were written.' })
  entries!: readonly LedgerEntryInfo[];
}

@ObjectType({ description: 'The operation was accepted.', simpleResolvers: true })
export class Submission {
  @Field(() => Job, { description: 'The job that runs it.' })
  job!: Job;

  @Field(() => Boolean, {
    description:
      'Whether this answer is that of an earlier call with the same idempotency key; then nothing new was run.',
  })
  replayed!: boolean;
}

@ObjectType({
  description: 'The operation may not run now. Nothing was run and nothing was charged.',
  simpleResolvers: true,
})
export class Refused {
  @Field(() => [Refusal], { description: 'Every reason, at least one.' })
  refusals!: readonly Refusal[];

  @Field(() => Estimate, { description: 'The estimate as it stands now, with a new quote where there is a price.' })
  estimate!: Estimate;
}

@ObjectType({
  description:
    'The library already holds what was asked for, and the caller allowed its use. Nothing was run and nothing was charged.',
  simpleResolvers: true,
})
export class Reused {
  @Field(() => [Asset], {
    description: 'As many pictures as were asked for: in the order of their seeds, newest first without a seed.',
  })
  assets!: readonly AssetRecord[];

  @Field(() => CreditsScalar, { description: 'What it cost: nothing.' })
  credits!: bigint;

  @Field(() => CreditsScalar, {
    nullable: true,
    description: 'What drawing them would have cost now; null where it has no price now.',
  })
  saved!: bigint | null;

  @Field(() => Estimate, { description: 'The estimate of drawing them, as it stands now.' })
  estimate!: Estimate;
}

export const SubmissionResult = createUnionType({
  name: 'SubmissionResult',
  description: 'What became of a submission. Only generate with reuse answers Reused.',
  types: () => [Submission, Refused, Reused] as const,
  resolveType: (value) => ('job' in value ? 'Submission' : 'assets' in value ? 'Reused' : 'Refused'),
});

export const JobConnection = connectionOf(Job, 'Job', 'jobs');
