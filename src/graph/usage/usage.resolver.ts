import {
  Arg,
  Ctx,
  FieldResolver,
  ID,
  Query,
  Resolver,
  Root,
  type SubscribeResolverData,
  Subscription,
} from 'type-graphql';
import type { Viewer } from '../../accounts/account.ts';
import type { Asset as AssetRecord } from '../../assets/asset.ts';
import { allowancesOf } from '../../estimates/allowances.ts';
import type { Job as JobRecord } from '../../jobs/job.ts';
import type { Tiers } from '../../tiers/tiers.service.ts';
import type { CostExplanations } from '../../usage/cost-explanations.service.ts';
import type { InsightsService } from '../../usage/insights.service.ts';
import type { Evidence as EvidenceRecord } from '../../usage/insights.ts';
import type { Usage } from '../../usage/usage.service.ts';
import { changePercent, type UsageGrouping, type UsagePeriod, type UsageTotal } from '../../usage/usage.ts';
import type { UsageLevel } from '../../usage/usage-level.ts';
import { Asset } from '../asset/asset.type.ts';
import { type GraphContext, SPENDING, viewerOf } from '../context.ts';
import { Job } from '../job/job.type.ts';
import { type LiveContext, openStates } from '../live.ts';
import {
  CostExplanation,
  Evidence,
  InsightReport,
  UsageAlert,
  UsageGroupingEnum,
  UsagePeriodInput,
  UsageReport,
} from './usage.type.ts';
import { currentUsage, watchUsage } from './watch-usage.ts';

const PERIOD = "Which time; the account's credit period of now when left out.";
const SPENT = 'Needs the scope RUN or LIBRARY.';

/** What tells how credits were spent. */
export interface UsageSources {
  readonly tiers: Tiers;
  readonly usage: Usage;
  readonly insights: InsightsService;
  readonly costExplanations: CostExplanations;
}

@Resolver()
export class UsageResolver {
  constructor(private readonly sources: UsageSources) {}

  @Query(() => UsageReport, {
    name: 'usage',
    description: `What this account spent, on what, and where that leads. ${SPENT}`,
  })
  async usageReport(
    @Ctx() context: GraphContext,
    @Arg('period', () => UsagePeriodInput, { nullable: true, description: PERIOD }) period: UsagePeriodInput | null,
    @Arg('groupBy', () => UsageGroupingEnum, { defaultValue: 'OPERATION', description: 'What to tell apart.' })
    groupBy: UsageGrouping,
  ): Promise<UsageReport> {
    const viewer = viewerOf(context, SPENDING);
    const report = await this.sources.usage.report(viewer.id, period ?? (await this.#periodOf(viewer)), groupBy);
    return {
      ...report,
      groups: report.groups.map((group) => ({ ...group, averageCredits: averageOf(group) })),
      changePercent: changePercent(report.total.credits, report.previous.credits),
    };
  }

  @Query(() => UsageAlert, {
    description: `How much of what may be spent in the period of now is spent or held, and which threshold that reaches. ${SPENT}`,
  })
  usageLevel(@Ctx() context: GraphContext): Promise<UsageLevel> {
    return currentUsage(this.sources.tiers, viewerOf(context, SPENDING));
  }

  @Query(() => InsightReport, {
    description: `What this account could have had for less, computed from what it did. ${SPENT}`,
  })
  async insights(
    @Ctx() context: GraphContext,
    @Arg('period', () => UsagePeriodInput, { nullable: true, description: PERIOD }) period: UsagePeriodInput | null,
  ): Promise<InsightReport> {
    const { insights, tiers } = this.sources;
    const viewer = viewerOf(context, SPENDING);
    if (period) return insights.of(viewer.id, period, []);
    const balance = await tiers.balance(viewer);
    return insights.of(viewer.id, periodOf(balance), allowancesOf(tiers.allowed(viewer), balance));
  }

  @Query(() => CostExplanation, {
    description: 'Why a job cost what it did, and what would have cost less. Needs the scope RUN.',
  })
  explainCost(
    @Ctx() context: GraphContext,
    @Arg('job', () => ID, { description: 'The id of the job.' }) job: string,
  ): Promise<CostExplanation> {
    return this.sources.costExplanations.of(viewerOf(context, 'RUN').id, job);
  }

  @Subscription(() => UsageAlert, {
    name: 'usageAlert',
    description:
      'How much of what may be spent in the period is spent or held: as it is now, then again whenever 80, 90 or 100 percent are reached, and when a new period begins. Does not end by itself. Needs the scope RUN or LIBRARY.',
    subscribe: ({ context }: SubscribeResolverData<unknown, object, LiveContext>) =>
      openStates(context, SPENDING, ({ tiers, events }, viewer, signal) => watchUsage(tiers, events, viewer, signal)),
  })
  liveUsage(@Root() level: UsageLevel): UsageLevel {
    return level;
  }

  async #periodOf(viewer: Viewer): Promise<UsagePeriod> {
    return periodOf(await this.sources.tiers.balance(viewer));
  }
}

@Resolver(() => Evidence)
export class EvidenceResolver {
  @FieldResolver(() => Job, { nullable: true, description: 'The job that made it. Needs the scope RUN.' })
  job(@Root() { jobId }: EvidenceRecord, @Ctx() context: GraphContext): Promise<JobRecord | null> {
    viewerOf(context, 'RUN');
    return context.loaders.jobById.load(jobId);
  }

  @FieldResolver(() => Asset, { nullable: true, description: 'The picture; null for one that was deleted.' })
  asset(@Root() { assetId }: EvidenceRecord, @Ctx() { loaders }: GraphContext): Promise<AssetRecord | null> {
    return loaders.assetById.load(assetId);
  }
}

function periodOf({ periodStartsAt, periodEndsAt }: { periodStartsAt: Date; periodEndsAt: Date }): UsagePeriod {
  return { from: periodStartsAt, to: periodEndsAt };
}

function averageOf({ credits, images }: UsageTotal): bigint {
  return images === 0 ? 0n : credits / BigInt(images);
}
