import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { Estimates } from '../../estimates/estimates.service.ts';
import type {
  StepEstimate as StepRecord,
  WorkflowEstimate as WorkflowRecord,
} from '../../estimates/workflow-estimate.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { Preflight } from '../estimate/estimate.type.ts';
import { toWorkflowInput, WorkflowInput } from './workflow.input.ts';
import { StepEstimate, WorkflowEstimate } from './workflow.type.ts';

@Resolver(() => WorkflowEstimate)
export class WorkflowResolver {
  constructor(private readonly estimates: Estimates) {}

  @Query(() => WorkflowEstimate, {
    description: 'What a list of operations would cost, per step and in total. Costs nothing, changes nothing.',
  })
  estimateWorkflow(
    @Ctx() context: GraphContext,
    @Arg('input', () => WorkflowInput, { description: 'The operations.' }) input: WorkflowInput,
  ): Promise<WorkflowRecord> {
    return this.estimates.workflow(viewerOf(context), toWorkflowInput(input));
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
}
