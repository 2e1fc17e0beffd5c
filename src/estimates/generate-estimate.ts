import { MODELS } from '../catalog/models.ts';
import { QUALITIES, type Quality, qualityRank } from '../catalog/operations.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import type { Source } from '../catalog/sources.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { formatCredits, unitPrice } from '../pricing/prices.ts';
import { namedModel, planGenerate } from '../routing/generate-planner.ts';
import { isServed, type RoutingFacts, shutRefusal } from '../routing/planned-route.ts';
import { tierRefusals } from '../tiers/preflight.ts';
import { type Allowance, allowanceFor } from './allowances.ts';
import type { Alternative, EstimateLine } from './estimate.ts';
import {
  creditsOf,
  type PricedRuns,
  type PricingFacts,
  preparationLines,
  priceLine,
  styleNotes,
  withoutPrice,
} from './priced-runs.ts';

/** Prices `runs` runs of the request. Limits on the number of images are those of one run. */
export function priceGenerate(request: GenerateRequest, facts: PricingFacts, runs = 1): PricedRuns {
  const { book, allowed, routing } = facts;
  const picture: Source = { ...request.size, contentType: 'image/png', byteCount: null, transparent: false };
  const outputs = Array.from({ length: request.count }, () => ({ picture, format: null }));
  const { plan, price, refusal } = plannedPrice(request, book, routing);
  const tierTooLow = tierRefusals(book, allowed, {
    module: 'generate',
    quality: request.quality,
    images: request.count,
  });
  if (refusal) return withoutPrice([refusal, ...tierTooLow], outputs);
  const shut = shutRefusal(request.provider, plan.routes);
  const images = request.count * runs;
  const allowance = allowanceFor(request, facts.allowances);
  const freeImages = Math.min(images, allowance?.left ?? 0);
  const lines = [
    priceLine(price.label, images, price.credits),
    ...(allowance && freeImages > 0 ? [allowanceLine(allowance, freeImages, price.credits)] : []),
    ...preparationLines(request.size, images, plan.routes[0]),
  ];
  return {
    unitCredits: price.credits,
    credits: creditsOf(lines),
    lines,
    allowance,
    freeImages,
    routes: plan.routes,
    refusals: [...(shut ? [shut] : []), ...tierTooLow],
    notes: styleNotes(request.stylePreset, plan.routes),
    outputs,
  };
}

/** A price with the routes that it is good for; or the one reason why there is none. */
function plannedPrice(request: GenerateRequest, book: PriceBook, routing: RoutingFacts) {
  const named = namedModel(request);
  if (named.refusal) return { plan: null, price: null, refusal: named.refusal };
  const { quality, size } = request;
  const price = unitPrice(book, { kind: 'generate', quality, model: named.model, size });
  if (price.credits === null) return { plan: null, price: null, refusal: price.refusal };
  const plan = planGenerate(request, routing);
  return plan.refusal ? { plan: null, price: null, refusal: plan.refusal } : { plan, price, refusal: null };
}

function allowanceLine(allowance: Allowance, images: number, unitCredits: bigint): EstimateLine {
  return {
    kind: 'FREE_ALLOWANCE',
    label: `Free allowance of ${allowance.provider}, ${allowance.limit} images a month`,
    quantity: images,
    unitCredits: -unitCredits,
    credits: -unitCredits * BigInt(images),
  };
}

const ALTERNATIVES_MAX = 5;

/** A quality that is lower, or a model of one. */
interface GenerateAlternative extends Alternative {
  readonly quality: Quality;
}

/**
 * The same pictures for less: models of the same class first, then lower classes, each by what it saves. Only what the
 * tier allows and some route can draw.
 */
export function cheaperGenerate(request: GenerateRequest, credits: bigint, facts: PricingFacts): GenerateAlternative[] {
  const variants: GenerateRequest[] = [
    ...QUALITIES.map((quality) => ({ ...request, quality, provider: null, model: null })),
    ...MODELS.filter((model) => isServed(model, facts.routing)).map((model) => ({
      ...request,
      quality: model.quality,
      provider: model.provider,
      model: model.id,
    })),
  ].filter((variant) => qualityRank(variant.quality) <= qualityRank(request.quality));
  return variants
    .flatMap((variant): GenerateAlternative[] => {
      const priced = priceGenerate(variant, facts);
      const [route] = priced.routes;
      if (priced.credits === null || priced.refusals.length > 0 || !route || priced.credits >= credits) return [];
      const saves = credits - priced.credits;
      const free = priced.freeImages > 0 ? `, ${priced.freeImages} of them free this month` : '';
      return [
        {
          description: `${variant.model ?? `${variant.quality} quality`}: ${formatCredits(priced.credits)} credits${free}, saves ${formatCredits(saves)}`,
          quality: variant.quality,
          model: variant.model,
          edit: null,
          mode: null,
          credits: priced.credits,
          saves,
          expectedSeconds: route.expectedSeconds,
        },
      ];
    })
    .sort((a, b) => qualityRank(b.quality) - qualityRank(a.quality) || Number(b.saves - a.saves))
    .slice(0, ALTERNATIVES_MAX);
}
