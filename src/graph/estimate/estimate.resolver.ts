import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { Asset as AssetRecord } from '../../assets/asset.ts';
import { canonicalEdit } from '../../catalog/edit-requests.ts';
import { canonicalGenerate } from '../../catalog/requests.ts';
import { canonicalUpscale } from '../../catalog/upscale-requests.ts';
import type { Alternative as AlternativeRecord, Estimate as EstimateRecord } from '../../estimates/estimate.ts';
import type { Estimates } from '../../estimates/estimates.service.ts';
import type { OperationRequest } from '../../estimates/job-request.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { canonicalOptimize } from '../../social/optimize-request.ts';
import { Asset } from '../asset/asset.type.ts';
import { type GraphContext, PICTURES, viewerOf } from '../context.ts';
import { given } from '../given.ts';
import { EditInput, toEditInput } from '../operation/edit.input.ts';
import { GenerateInput, toGenerateInput } from '../operation/generate.input.ts';
import { OptimizeInput, toOptimizeInput } from '../operation/optimize.input.ts';
import { toUpscaleInput, UpscaleInput } from '../operation/upscale.input.ts';
import { Alternative, Estimate, Preflight, RouteInfo, toRouteInfo } from './estimate.type.ts';

const ASKING = 'line by line, and whether it may run. Costs nothing, changes nothing. Needs the scope ESTIMATE.';
export const BUDGET = 'The id of the budget that it would count in.';
const IMAGE = 'The id of the asset to work on. Without it size M is assumed, and there is no quote.';

@Resolver(() => Estimate)
export class EstimateResolver {
  constructor(
    private readonly estimates: Estimates,
    private readonly metrics: Metrics,
  ) {}

  @Query(() => Estimate, { description: `What generating these pictures would cost, ${ASKING}` })
  estimateGenerate(
    @Ctx() context: GraphContext,
    @Arg('input', () => GenerateInput, { description: 'What to draw: the same input as the mutation.' })
    input: GenerateInput,
    @Arg('budget', () => ID, { nullable: true, description: BUDGET }) budget: string | null,
  ): Promise<EstimateRecord> {
    return this.#estimate(context, budget, () => canonicalGenerate(toGenerateInput(input)));
  }

  @Query(() => Estimate, { description: `What editing this picture would cost, ${ASKING}` })
  estimateEdit(
    @Ctx() context: GraphContext,
    @Arg('image', () => ID, { nullable: true, description: IMAGE }) image: string | null,
    @Arg('edit', () => EditInput, { description: 'How to edit it: the same input as the mutation.' }) edit: EditInput,
    @Arg('budget', () => ID, { nullable: true, description: BUDGET }) budget: string | null,
  ): Promise<EstimateRecord> {
    return this.#estimate(context, budget, () => canonicalEdit(image ?? null, toEditInput(edit)));
  }

  @Query(() => Estimate, { description: `What enlarging this picture would cost, ${ASKING}` })
  estimateUpscale(
    @Ctx() context: GraphContext,
    @Arg('image', () => ID, { nullable: true, description: IMAGE }) image: string | null,
    @Arg('upscale', () => UpscaleInput, { description: 'How to enlarge it: the same input as the mutation.' })
    upscale: UpscaleInput,
    @Arg('budget', () => ID, { nullable: true, description: BUDGET }) budget: string | null,
  ): Promise<EstimateRecord> {
    return this.#estimate(context, budget, () => canonicalUpscale(image ?? null, toUpscaleInput(upscale)));
  }

  @Query(() => Estimate, { description: `What cutting this picture for social networks would cost, ${ASKING}` })
  estimateOptimize(
    @Ctx() context: GraphContext,
    @Arg('image', () => ID, { nullable: true, description: IMAGE }) image: string | null,
    @Arg('optimize', () => OptimizeInput, { description: 'What to make of it: the same input as the mutation.' })
    optimize: OptimizeInput,
    @Arg('budget', () => ID, { nullable: true, description: BUDGET }) budget: string | null,
  ): Promise<EstimateRecord> {
    return this.#estimate(context, budget, () => canonicalOptimize(image ?? null, toOptimizeInput(optimize)));
  }

  async #estimate(context: GraphContext, budget: string | null, read: () => OperationRequest): Promise<EstimateRecord> {
    const viewer = viewerOf(context, 'ESTIMATE');
    const { estimate } = await this.estimates.operation(viewer, read(), given({ budget }));
    const { operation } = estimate;
    for (const { type } of estimate.refusals) this.metrics.refusals.inc({ asked: 'estimate', operation, type });
    return estimate;
  }

  @FieldResolver(() => Preflight, { description: 'Whether it may run now, and if not, why.' })
  preflight(@Root() estimate: EstimateRecord): Preflight {
    return { ok: estimate.refusals.length === 0, refusals: estimate.refusals };
  }

  @FieldResolver(() => [RouteInfo], {
    description: 'Who can do it, in the order they would be asked; empty for what we do ourselves.',
  })
  routes(@Root() estimate: EstimateRecord): RouteInfo[] {
    return estimate.routes.map(toRouteInfo);
  }

  @FieldResolver(() => [Alternative], {
    description: 'Much the same for less: the same class first, then lower ones, each by what it saves.',
  })
  alternatives(@Root() estimate: EstimateRecord): readonly AlternativeRecord[] {
    return estimate.alternatives();
  }

  @FieldResolver(() => [Asset], {
    description:
      'Pictures of the same input that are in the library already, newest first, at most five of each. Needs the scope LIBRARY or RUN.',
  })
  async identicalAssets(@Root() estimate: EstimateRecord, @Ctx() context: GraphContext): Promise<AssetRecord[]> {
    viewerOf(context, PICTURES);
    const found = await context.loaders.identicalAssetsByPictureHash.loadMany(estimate.pictureHashes);
    return found.flatMap((assets) => {
      if (assets instanceof Error) throw assets;
      return assets;
    });
  }
}
