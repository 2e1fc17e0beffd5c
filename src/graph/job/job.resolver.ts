import {
  Arg,
  Ctx,
  FieldResolver,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  type SubscribeResolverData,
  Subscription,
} from 'type-graphql';
import type { Asset as AssetRecord } from '../../assets/asset.ts';
import type { Budget as BudgetRecord } from '../../credits/budget.ts';
import { notFound } from '../../errors.ts';
import { promptsIn, stepsOf } from '../../estimates/job-request.ts';
import type { Attempt, JobImage as ImageRecord, Job as JobRecord, JobStatus } from '../../jobs/job.ts';
import type { JobState } from '../../jobs/job-state.ts';
import { JOBS_LIST, type Jobs } from '../../jobs/jobs.service.ts';
import { writeCursor } from '../../platform/cursor.ts';
import { findSocialFormat } from '../../social/social-formats.ts';
import { Asset } from '../asset/asset.type.ts';
import { Budget } from '../budget/budget.type.ts';
import { toConnection } from '../connection.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { JobStatusEnum } from '../enums.ts';
import { type LiveContext, openStates } from '../live.ts';
import { SocialFormat, toSocialFormat } from '../social/social.type.ts';
import { AttemptInfo, ImageFailure, Job, JobConnection, JobImage, JobStep, Receipt, toJobStep } from './job.type.ts';

@Resolver(() => Job)
export class JobResolver {
  constructor(private readonly jobs: Jobs) {}

  @Mutation(() => Job, {
    description:
      'Ends a job now. What was delivered stays and is charged; everything else is released. Harmless for a job that has ended. Needs the scope RUN.',
  })
  cancelJob(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the job.' }) id: string,
  ): Promise<JobRecord> {
    return this.jobs.cancel(viewerOf(context, 'RUN').id, id);
  }

  @Query(() => Job, { description: 'One job of this account. Needs the scope RUN, which shows its pictures too.' })
  async job(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the job.' }) id: string,
  ): Promise<JobRecord> {
    viewerOf(context, 'RUN');
    const job = await context.loaders.jobById.load(id);
    if (!job) throw notFound('job', id);
    return job;
  }

  @Query(() => JobConnection, {
    name: 'jobs',
    description: 'The jobs of this account, newest first. Needs the scope RUN.',
  })
  async jobsPage(
    @Ctx() context: GraphContext,
    @Arg('status', () => JobStatusEnum, { nullable: true, description: 'Only jobs that stand like this.' })
    status: JobStatus | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Only those after this cursor.' }) after: string | null,
  ) {
    const page = await this.jobs.list(viewerOf(context, 'RUN').id, {
      first,
      after: after ?? null,
      status: status ?? null,
    });
    return toConnection(page, after, (job) => writeCursor(JOBS_LIST, job.id));
  }

  @Subscription(() => Job, {
    name: 'job',
    description:
      'A job of this account as it stands now, then again whenever that changes: its place in the queue, its begin, each call to a vendor, each image, its end. Completes once the job has ended, at once for one that has. Needs the scope RUN.',
    subscribe: ({ args, context }: SubscribeResolverData<unknown, { id: string }, LiveContext>) =>
      openStates(context, 'RUN', ({ jobs }, viewer, signal) => jobs.watch(viewer.id, args.id, signal)),
  })
  liveJob(
    @Root() { job, images, attempts, position }: JobState,
    @Ctx() { loaders }: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the job.' }) _id: string,
  ): JobRecord {
    // What was compared with the state before is what is shown, so that no two equal ones follow each other.
    loaders.positionByJobId.prime(job.id, position);
    loaders.imagesByJobId.prime(job.id, images);
    images.forEach((image, index) => void loaders.attemptsByImageId.prime(image.id, attempts[index] ?? []));
    return job;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Its place among the waiting jobs of this account, 1 being next; null unless it is QUEUED.',
  })
  position(@Root() job: JobRecord, @Ctx() context: GraphContext): Promise<number | null> | null {
    return job.status === 'QUEUED' ? context.loaders.positionByJobId.load(job.id) : null;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The words that were asked for, those of all steps together; null without any.',
  })
  prompt(@Root() job: JobRecord): string | null {
    return promptsIn(job.request);
  }

  @FieldResolver(() => [JobStep], {
    description: 'Its steps in their order, with what each has cost so far; one without a name for a single operation.',
  })
  async steps(@Root() job: JobRecord, @Ctx() context: GraphContext): Promise<JobStep[]> {
    const images = await context.loaders.imagesByJobId.load(job.id);
    return stepsOf(job.request).map(({ id, request }, index) =>
      toJobStep(
        id,
        request.operation,
        images.filter(({ step }) => step === index),
      ),
    );
  }

  @FieldResolver(() => [JobImage], { description: 'Its images, by their place in the batch.' })
  images(@Root() job: JobRecord, @Ctx() context: GraphContext): Promise<readonly ImageRecord[]> {
    return context.loaders.imagesByJobId.load(job.id);
  }

  @FieldResolver(() => Budget, { nullable: true, description: 'The budget that it counts in; null for none.' })
  async budget(@Root() job: JobRecord, @Ctx() { loaders }: GraphContext): Promise<BudgetRecord | null> {
    const hold = await loaders.holdByJobId.load(job.id);
    return hold?.budgetId ? loaders.budgetById.load(hold.budgetId) : null;
  }

  @FieldResolver(() => Receipt, { description: 'What it cost and why.' })
  async receipt(@Root() job: JobRecord, @Ctx() context: GraphContext): Promise<Receipt> {
    const [hold, entries] = await Promise.all([
      context.loaders.holdByJobId.load(job.id),
      context.loaders.entriesByJobId.load(job.id),
    ]);
    if (!hold) throw new Error(`job ${job.id} has no hold`);
    return {
      quoted: job.credits,
      held: hold.amount,
      captured: hold.captured ?? 0n,
      released: hold.released ?? 0n,
      settled: hold.settledAt !== null,
      freeAllowances: Object.entries(hold.freeImages).map(([provider, images]) => ({ provider, images })),
      entries,
    };
  }
}

@Resolver(() => JobImage)
export class JobImageResolver {
  @FieldResolver(() => Asset, { nullable: true, description: 'The picture, once it is delivered.' })
  asset(@Root() image: ImageRecord, @Ctx() context: GraphContext): Promise<AssetRecord | null> | null {
    return image.assetId === null ? null : context.loaders.assetById.load(image.assetId);
  }

  @FieldResolver(() => SocialFormat, {
    nullable: true,
    description: 'The format of a social network that it is cut to, with its safe zone; null for every other image.',
  })
  format(@Root() image: ImageRecord): SocialFormat | null {
    const format = image.format === null ? undefined : findSocialFormat(image.format);
    return format ? toSocialFormat(format) : null;
  }

  @FieldResolver(() => Boolean, { description: 'Whether a free allowance pays for it.' })
  fromAllowance(@Root() image: ImageRecord): boolean {
    return image.allowance !== null;
  }

  @FieldResolver(() => Asset, {
    nullable: true,
    description: 'The picture that it works on, if it is in the library yet.',
  })
  async source(@Root() image: ImageRecord, @Ctx() { loaders }: GraphContext): Promise<AssetRecord | null> {
    if (image.sourceAssetId !== null) return loaders.assetById.load(image.sourceAssetId);
    const images = image.sourceImageId === null ? [] : await loaders.imagesByJobId.load(image.jobId);
    const assetId = images.find(({ id }) => id === image.sourceImageId)?.assetId ?? null;
    return assetId === null ? null : loaders.assetById.load(assetId);
  }

  @FieldResolver(() => ImageFailure, { nullable: true, description: 'Why it was not delivered, if it was not.' })
  failure(@Root() image: ImageRecord): ImageFailure | null {
    return image.failureCode === null ? null : { code: image.failureCode, message: image.failureMessage ?? '' };
  }

  @FieldResolver(() => [AttemptInfo], { description: 'The calls that asked vendors for it, first to last.' })
  attempts(@Root() image: ImageRecord, @Ctx() context: GraphContext): Promise<readonly Attempt[]> {
    return context.loaders.attemptsByImageId.load(image.id);
  }
}
