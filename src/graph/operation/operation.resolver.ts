import { Arg, Args, Ctx, ID, Mutation, Resolver } from 'type-graphql';
import { canonicalEdit } from '../../catalog/edit-requests.ts';
import { canonicalGenerate } from '../../catalog/requests.ts';
import { canonicalUpscale } from '../../catalog/upscale-requests.ts';
import type { OperationRequest } from '../../estimates/job-request.ts';
import type { Submissions } from '../../jobs/submissions.service.ts';
import { canonicalOptimize } from '../../social/optimize-request.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { SubmissionResult } from '../job/job.type.ts';
import { EditInput, toEditInput } from './edit.input.ts';
import { GenerateInput, toGenerateInput } from './generate.input.ts';
import { OptimizeInput, toOptimizeInput } from './optimize.input.ts';
import { answered, SubmissionArgs, toSubmitOptions } from './submission.args.ts';
import { toUpscaleInput, UpscaleInput } from './upscale.input.ts';

const PAYS = 'Charges for delivered images only, once, and never more than was quoted. Needs the scope RUN.';
const REUSE =
  'Whether pictures that the library already holds of exactly this input will do. Where it holds as many as are asked for, they are answered as Reused: nothing is run or charged, no submission of the minute is used up, and the idempotency key stays free. A key that a job has already is answered with that job. Plays no part in what counts as the same input.';
const IMAGE = 'The id of the asset to work on; it stays as it is, and the result is a new one.';

@Resolver()
export class OperationResolver {
  constructor(private readonly submissions: Submissions) {}

  @Mutation(() => SubmissionResult, { description: `Draws pictures from words. ${PAYS}` })
  async generate(
    @Ctx() context: GraphContext,
    @Arg('input', () => GenerateInput, { description: 'What to draw: the same input as the estimate.' })
    input: GenerateInput,
    @Arg('reuse', () => Boolean, { defaultValue: false, description: REUSE }) reuse: boolean,
    @Args(() => SubmissionArgs) args: SubmissionArgs,
  ) {
    if (!reuse) return this.#run(context, args, () => canonicalGenerate(toGenerateInput(input)));
    const viewer = viewerOf(context, 'RUN');
    const request = canonicalGenerate(toGenerateInput(input));
    return answered(context, await this.submissions.reuseOrRun(viewer, request, toSubmitOptions(context, args)));
  }

  @Mutation(() => SubmissionResult, { description: `Edits a picture. ${PAYS}` })
  editImage(
    @Ctx() context: GraphContext,
    @Arg('image', () => ID, { description: IMAGE }) image: string,
    @Arg('edit', () => EditInput, { description: 'How to edit it: the same input as the estimate.' }) edit: EditInput,
    @Args(() => SubmissionArgs) args: SubmissionArgs,
  ) {
    return this.#run(context, args, () => canonicalEdit(image, toEditInput(edit)));
  }

  @Mutation(() => SubmissionResult, { description: `Enlarges a picture. ${PAYS}` })
  upscaleImage(
    @Ctx() context: GraphContext,
    @Arg('image', () => ID, { description: IMAGE }) image: string,
    @Arg('upscale', () => UpscaleInput, { description: 'How to enlarge it: the same input as the estimate.' })
    upscale: UpscaleInput,
    @Args(() => SubmissionArgs) args: SubmissionArgs,
  ) {
    return this.#run(context, args, () => canonicalUpscale(image, toUpscaleInput(upscale)));
  }

  @Mutation(() => SubmissionResult, {
    description:
      'Cuts a picture to the sizes of social networks, one result for each format. Costs nothing. Needs the scope RUN.',
  })
  optimizeForSocial(
    @Ctx() context: GraphContext,
    @Arg('image', () => ID, { description: IMAGE }) image: string,
    @Arg('optimize', () => OptimizeInput, { description: 'What to make of it: the same input as the estimate.' })
    optimize: OptimizeInput,
    @Args(() => SubmissionArgs) args: SubmissionArgs,
  ) {
    return this.#run(context, args, () => canonicalOptimize(image, toOptimizeInput(optimize)));
  }

  async #run(context: GraphContext, args: SubmissionArgs, read: () => OperationRequest) {
    const viewer = viewerOf(context, 'RUN');
    const result = await this.submissions.operation(viewer, read(), toSubmitOptions(context, args));
    return answered(context, result);
  }
}
