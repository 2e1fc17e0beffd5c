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
import { formatSize } from '../../catalog/sizes.ts';
import { notFound } from '../../errors.ts';
import type { Attempt, JobImage as ImageRecord, Job as JobRecord, JobStatus } from '../../jobs/job.ts';
import type { JobState } from '../../jobs/job-state.ts';
import { JOBS_LIST, type Jobs } from '../../jobs/jobs.service.ts';
import { type Submissions, type SubmitResult, WAIT_SECONDS_MAX } from '../../jobs/submissions.service.ts';
import { writeCursor } from '../../platform/cursor.ts';
import { Asset } from '../asset/asset.type.ts';
import { toConnection } from '../connection.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { JobStatusEnum } from '../enums.ts';
import { GenerateInput, toGenerateInput } from '../estimate/estimate.input.ts';
import { type LiveContext, openStates } from '../live.ts';
import { AttemptInfo, ImageFailure, Job, JobConnection, JobImage, Receipt, SubmissionResult } from './job.type.ts';

const QUOTE =
  'The quote of an estimate for exactly this input: pays at most that, even if prices changed. Without one, the price of now.';
const IDEMPOTENCY_KEY =
  'Any 1 to 255 printable characters, unique to this wish. The same key and input within 24 hours answers the first job again and runs nothing.';
const WAIT_SECONDS = `How long to wait for the job to end before answering, 0 to ${WAIT_SECONDS_MAX}.`;

@Resolver(() => Job)
export class JobResolver {
  constructor(
    private readonly jobs: Jobs,
    private readonly submissions: Submissions,
  ) {}

  @Mutation(() => SubmissionResult, {
    description: 'Draws pictures from words. Charges for delivered images only, once, and never more than was quoted.',
  })
  async generate(
    @Ctx() context: GraphContext,
    @Arg('input', () => GenerateInput, { description: 'What to draw: the same input as the estimate.' })
    input: GenerateInput,
    @Arg('quote', () => String, { nullable: true, description: QUOTE }) quote: string | null,
    @Arg('idempotencyKey', () => String, { nullable: true, description: IDEMPOTENCY_KEY }) idempotencyKey:
      | string
      | null,
    @Arg('waitSeconds', () => Int, { defaultValue: 0, description: WAIT_SECONDS }) waitSeconds: number,
  ) {
    const { requestId } = context;
    const options = { quote: quote ?? undefined, idempotencyKey: idempotencyKey ?? undefined, waitSeconds, requestId };
    return answer(context, await this.submissions.generate(viewerOf(context), toGenerateInput(input), options));
  }

  @Mutation(() => Job, {
    description:
      'Ends a job now. What was delivered stays and is charged; everything else is released. Harmless for a job that has ended.',
  })
  cancelJob(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the job.' }) id: string,
  ): Promise<JobRecord> {
    return this.jobs.cancel(viewerOf(context).id, id);
  }

  @Query(() => Job, { description: 'One job of this account.' })
  async job(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'The id of the job.' }) id: string,
  ): Promise<JobRecord> {
    viewerOf(context);
    const job = await context.loaders.jobById.load(id);
    if (!job) throw notFound('job', id);
    return job;
  }

  @Query(() => JobConnection, { name: 'jobs', description: 'The jobs of this account, newest first.' })
  async jobsPage(
    @Ctx() context: GraphContext,
    @Arg('status', () => JobStatusEnum, { nullable: true, description: 'Only jobs that stand like this.' })
    status: JobStatus | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Only those after this cursor.' }) after: string | null,
  ) {
    const page = await this.jobs.list(viewerOf(context).id, { first, after: after ?? null, status: status ?? null });
    return toConnection(page, after, (job) => writeCursor(JOBS_LIST, job.id));
  }

  @Subscription(() => Job, {
    name: 'job',
    description:
      'A job of this account as it stands now, then again whenever that changes: its place in the queue, its begin, each call to a vendor, each image, its end. Completes once the job has ended, at once for one that has.',
    subscribe: ({ args, context }: SubscribeResolverData<unknown, { id: string }, LiveContext>) =>
      openStates(context, ({ jobs }, viewer, signal) => jobs.watch(viewer.id, args.id, signal)),
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

  @FieldResolver(() => String, { description: 'The words that were asked for.' })
  prompt(@Root() job: JobRecord): string {
    return job.request.prompt;
  }

  @FieldResolver(() => String, { description: 'The exact size of its pictures, such as 1080x1350.' })
  size(@Root() job: JobRecord): string {
    return formatSize(job.request.size);
  }

  @FieldResolver(() => [JobImage], { description: 'Its images, by their place in the batch.' })
  images(@Root() job: JobRecord, @Ctx() context: GraphContext): Promise<readonly ImageRecord[]> {
    return context.loaders.imagesByJobId.load(job.id);
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
      freeAllowance:
        hold.allowanceProvider === null ? null : { provider: hold.allowanceProvider, images: hold.allowanceImages },
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

  @FieldResolver(() => ImageFailure, { nullable: true, description: 'Why it was not delivered, if it was not.' })
  failure(@Root() image: ImageRecord): ImageFailure | null {
    return image.failureCode === null ? null : { code: image.failureCode, message: image.failureMessage ?? '' };
  }

  @FieldResolver(() => [AttemptInfo], { description: 'The calls that asked vendors for it, first to last.' })
  attempts(@Root() image: ImageRecord, @Ctx() context: GraphContext): Promise<readonly Attempt[]> {
    return context.loaders.attemptsByImageId.load(image.id);
  }
}

/** The union's member, and the state of the limits for `extensions.billing`. */
function answer(context: GraphContext, result: SubmitResult) {
  context.rate = result.rate;
  return result.kind === 'accepted'
    ? { job: result.job, replayed: result.replayed }
    : { refusals: result.refusals, estimate: { ...result.estimate, refusals: result.refusals } };
}
