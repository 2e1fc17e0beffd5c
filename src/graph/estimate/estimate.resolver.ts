import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { Asset as AssetRecord } from '../../assets/asset.ts';
import type { Alternative as AlternativeRecord, Estimate as EstimateRecord } from '../../estimates/estimate.ts';
import type { Estimates } from '../../estimates/estimates.service.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { Asset } from '../asset/asset.type.ts';
import { type GraphContext, viewerOf } from '../context.ts';
import { GenerateInput, toGenerateInput } from './estimate.input.ts';
import { Alternative, Estimate, Preflight, RouteInfo } from './estimate.type.ts';

@Resolver(() => Estimate)
export class EstimateResolver {
  constructor(
    private readonly estimates: Estimates,
    private readonly metrics: Metrics,
  ) {}

  @Query(() => Estimate, {
    description:
      'What generating these pictures would cost, line by line, and whether it may run. Costs nothing, changes nothing.',
  })
  async estimateGenerate(
    @Ctx() context: GraphContext,
    @Arg('input', () => GenerateInput, { description: 'What to draw: the same input as the mutation.' })
    input: GenerateInput,
  ): Promise<EstimateRecord> {
    const { estimate } = await this.estimates.generate(viewerOf(context), toGenerateInput(input));
    for (const { type } of estimate.refusals)
      this.metrics.refusals.inc({ asked: 'estimate', operation: 'GENERATE', type });
    return estimate;
  }

  @FieldResolver(() => Preflight, { description: 'Whether it may run now, and if not, why.' })
  preflight(@Root() estimate: EstimateRecord): Preflight {
    return { ok: estimate.refusals.length === 0, refusals: estimate.refusals };
  }

  @FieldResolver(() => [RouteInfo], { description: 'Who can draw it, in the order they would be asked.' })
  routes(@Root() estimate: EstimateRecord): RouteInfo[] {
    return estimate.routes.map(({ route, health, expectedSeconds, render, enlargement }) => ({
      id: route.id,
      provider: route.model.provider,
      model: route.model.id,
      healthy: health.healthy,
      expectedSeconds,
      render,
      enlargement,
    }));
  }

  @FieldResolver(() => [Alternative], {
    description: 'The same pictures for less: the same class first, then lower ones, each by what it saves.',
  })
  alternatives(@Root() estimate: EstimateRecord): readonly AlternativeRecord[] {
    return estimate.alternatives();
  }

  @FieldResolver(() => [Asset], {
    description: 'Pictures of the same input that are in the library already, newest first, at most five.',
  })
  identicalAssets(@Root() estimate: EstimateRecord, @Ctx() context: GraphContext): Promise<AssetRecord[]> {
    return context.loaders.identicalAssetsByPictureHash.load(estimate.pictureHash);
  }
}
