import type { Budget } from '../credits/budget.ts';
import type { Quote } from '../pricing/quotes.ts';
import type { Allowed } from '../tiers/tier.ts';
import type { Allowance } from './allowances.ts';
import type { JobPlan } from './estimate.ts';
import type { JobRequest } from './job-request.ts';
import type { PricedStep, PricedSteps } from './priced-steps.ts';

/** A quote fixes how many images are free, however many there are by now. */
export function fixedBy(quote: Quote, allowances: readonly Allowance[]): Allowance[] {
  return allowances.map((allowance) => ({ ...allowance, left: quote.freeImages[allowance.provider] ?? 0 }));
}

/** The free images that steps use up, by allowance. */
export function freeImagesIn(steps: readonly PricedStep[]): JobPlan['allowances'] {
  const used = steps.flatMap(({ allowance, freeImages }) =>
    allowance && freeImages > 0 ? [{ provider: allowance.provider, limit: allowance.limit, images: freeImages }] : [],
  );
  return [...Map.groupBy(used, ({ provider }) => provider).values()].flatMap(([first, ...more]) =>
    first ? [{ ...first, images: more.reduce((sum, { images }) => sum + images, first.images) }] : [],
  );
}

/** What a job runs; null where something of it is not known yet, or has no price. */
export function planOf(
  request: JobRequest,
  { steps, credits, images }: PricedSteps,
  allowed: Allowed,
  budget: Budget | null,
): JobPlan | null {
  if (credits === null || images === null) return null;
  return {
    request,
    credits,
    images,
    allowances: freeImagesIn(steps),
    budgetId: budget?.id ?? null,
    openJobsMax: allowed.openJobs,
    priority: allowed.queuePriority,
  };
}
