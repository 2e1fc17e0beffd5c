import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type {
  Alternative as AlternativeRecord,
  StepEstimate as StepRecord,
  WorkflowEstimate as WorkflowRecord,
} from '../../estimates/estimate.ts';
import type { Estimates } from '../../estimates/estimates.service.ts';
import { canonicalWorkflow } from '../../estimates/workflow-request.ts';
import type { Submissions } from '../../jobs/submissions.service.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { BUDGET } from '../estimate/estimate.resolver.ts';
import { Alternative, Preflight, RouteInfo, toRouteInfo } from '../estimate/estimate.type.ts';
import { given } from '../given.ts';
import { answered, SubmissionArgs, toSubmitOptions } from '../operation/submission.args.ts';
import { toSteps, WorkflowInput } from './workflow.input.ts';
import { StepEstimate, WorkflowEstimate, WorkflowResult } from './workflow.type.ts';

@Resolver(() => WorkflowEstimate)
export class WorkflowResolver {
  constructor(
    private readonly estimates: Estimates,
    private readonly submissions: Submissions,
    private readonly metrics: Metrics,
  ) {}

  @Query(() => WorkflowEstimate, {
    description:
      'What a list of operations would cost, per step and in total. Costs nothing, changes nothing. Needs the scope ESTIMATE.',
  })
  async estimateWorkflow(
    @Ctx() context: GraphContext,
    @Arg('input', () => WorkflowInput, { description: 'The operations: the same input as the mutation.' })
    input: WorkflowInput,
    @Arg('budget', () => ID, { nullable: true, description: BUDGET }) budget: string | null,
  ): Promise<WorkflowRecord> {
    const viewer = viewerOf(context, 'ESTIMATE');
    const { estimate } = await this.estimates.workflow(
      viewer,
      canonicalWorkflow(toSteps(input)),
      input.maxCredits ?? null,
      given({ budget }),
    );
    for (const { type } of estimate.refusals)
      this.metrics.refusals.inc({ asked: 'estimate', operation: 'WORKFLOW', type });
    return estimate;
  }

  @Mutation(() => WorkflowResult, {
    description:
      'Runs operations that build on each other, as one job. Charges for delivered images only, once, and never more than was quoted; a picture that fails stops only what builds on it. Needs the scope RUN.',
  })
  async runWorkflow(
    @Ctx() context: GraphContext,
    @Arg('input', () => WorkflowInput, { description: 'The operations: the same input as the estimate.' })
    input: WorkflowInput,
    @Args(() => SubmissionArgs) args: SubmissionArgs,
  ) {
    const viewer = viewerOf(context, 'RUN');
    const request = canonicalWorkflow(toSteps(input));
    const options = toSubmitOptions(context, args);
    return answered(context, await this.submissions.workflow(viewer, request, input.maxCredits ?? null, options));
  }

  @FieldResolver(() => Preflight, { description: 'Whether the whole may run now, and if not, why.' })
  preflight(@Root() estimate: WorkflowRecord): Preflight {
    return { ok: estimate.refusals.length === 0, refusals: estimate.refusals };
  }
}

@Resolver(() => StepEstimate)
export class StepEstimateResolver {
  @FieldResolver(() => Preflight, { description: 'Whether this step may run, and if not, why.' })
  preflight(@Root() step: StepRecord): Preflight {
    return { ok: step.refusals.length === 0, refusals: step.refusals };
  }

  @FieldResolver(() => [RouteInfo], {
    description: 'Who can do it, in the order they would be asked; empty for what we do ourselves.',
  })
  routes(@Root() step: StepRecord): RouteInfo[] {
    return step.routes.map(toRouteInfo);
  }

  @FieldResolver(() => [Alternative], { description: 'Ways to run it once for less, best first.' })
  alternatives(@Root() step: StepRecord): readonly AlternativeRecord[] {
    return step.alternatives();
  }
}
