import { ArgsType, Field, ID, Int } from 'type-graphql';
import type { Reused } from '../../jobs/reuse.ts';
import type { SubmitResult } from '../../jobs/submissions.service.ts';
import { type SubmitOptions, WAIT_SECONDS_MAX } from '../../jobs/submit-options.ts';
import type { GraphContext } from '../context.ts';
import { given } from '../given.ts';

@ArgsType()
export class SubmissionArgs {
  @Field(() => String, {
    nullable: true,
    description:
      'The quote of an estimate for exactly this input: pays at most that, even if prices changed. Without one, the price of now.',
  })
  quote?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Any 1 to 255 printable characters, unique to this wish. The same key and input within 24 hours answers the first job again and runs nothing.',
  })
  idempotencyKey?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The id of the budget that it counts in; none when left out. Part of what a key stands for.',
  })
  budget?: string | null;

  @Field(() => Int, {
    defaultValue: 0,
    description: `How long to wait for the job to end before answering, 0 to ${WAIT_SECONDS_MAX}.`,
  })
  waitSeconds!: number;
}

export function toSubmitOptions(
  { requestId }: GraphContext,
  { quote, idempotencyKey, budget, waitSeconds }: SubmissionArgs,
): SubmitOptions {
  return { ...given({ quote, idempotencyKey, budget, waitSeconds }), requestId };
}

/** The union's member, and the state of the limits for `extensions.billing`. */
export function answered(context: GraphContext, result: SubmitResult | Reused) {
  context.rate = result.rate;
  switch (result.kind) {
    case 'accepted':
      return { job: result.job, replayed: result.replayed };
    case 'refused':
      return { refusals: result.refusals, estimate: { ...result.estimate, refusals: result.refusals } };
    case 'reused':
      return { assets: result.assets, credits: 0n, saved: result.estimate.credits, estimate: result.estimate };
  }
}
