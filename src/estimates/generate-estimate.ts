import { MODELS } from '../catalog/models.ts';
import { QUALITIES, qualityRank } from '../catalog/operations.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import { formatSize, type Size } from '../catalog/sizes.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { formatCredits, unitPrice } from '../pricing/prices.ts';
import { namedModel, planGenerate } from '../routing/generate-planner.ts';
import { isServed, type PlannedRoute, type RoutingFacts, shutRefusal } from '../routing/planned-route.ts';
import { tierRefusals } from '../tiers/preflight.ts';
import type { Allowed } from '../tiers/tier.ts';
import { type Allowance, allowanceFor } from './allowances.ts';
import type { Alternative, EstimateLine } from './estimate.ts';

/**
 * The price of a generate request with its routes: everything about it that does not depend on the balance. What nobody
 * can draw has no price.
 */
export interface PricedGenerate {
  readonly unitCredits: bigint | null;
  readonly credits: bigint | null;
  readonly lines: readonly EstimateLine[];
  readonly allowance: Allowance | null;
  readonly freeImages: number;
  readonly routes: readonly PlannedRoute[];
  readonly refusals: readonly Refusal[];
}

export interface PricingFacts {
  readonly book: PriceBook;
  readonly allowed: Allowed;
  readonly allowances: readonly Allowance[];
  readonly routing: RoutingFacts;
  /** Fixed by a quote; otherwise as many as the allowance has left. */
  readonly freeImages?: number;
}

/** Prices `runs` runs of the request. Limits on the number of images are those of one run. */
export function priceGenerate(request: GenerateRequest, facts: PricingFacts, runs = 1): PricedGenerate {
  const { book, allowed, routing } = facts;
  const { plan, price, refusal } = plannedPrice(request, book, routing);
  const tierTooLow = tierRefusals(book, allowed, {
    module: 'generate',
    quality: request.quality,
    images: request.count,
  });
  if (refusal) {
    return {
      unitCredits: null,
      credits: null,
      lines: [],
      allowance: null,
      freeImages: 0,
      routes: [],
      refusals: [refusal, ...tierTooLow],
    };
  }
  const shut = shutRefusal(request.provider, plan.routes);
  const images = request.count * runs;
  const allowance = allowanceFor(request, facts.allowances);
  const freeImages = facts.freeImages ?? Math.min(images, allowance?.left ?? 0);
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

export function priceLine(label: string, quantity: number, unitCredits: bigint): EstimateLine {
  return { kind: 'PRICE', label, quantity, unitCredits, credits: unitCredits * BigInt(quantity) };
}

export function creditsOf(lines: readonly EstimateLine[]): bigint {
  return lines.reduce((sum, line) => sum + line.credits, 0n);
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

/** What we do to the picture ourselves, at no price: said, so that nobody is surprised by it. */
function preparationLines(size: Size, images: number, { route, render, enlargement }: PlannedRoute): EstimateLine[] {
  if (render.width === size.width && render.height === size.height) return [];
  const enlarged = enlargement > 1 ? `enlarged by ${((enlargement - 1) * 100).toFixed(1)} % a side and ` : '';
  return [
    {
      kind: 'PREPARATION',
      label: `Drawn at ${formatSize(render)} by ${route.id}, ${enlarged}cut to exactly ${formatSize(size)} by us`,
      quantity: images,
      unitCredits: 0n,
      credits: 0n,
    },
  ];
}

/** What the routes do to the request that the customer should know. */
export function notesOf(request: GenerateRequest, routes: readonly PlannedRoute[]): string[] {
  const withoutField = routes.filter(({ route }) => !route.model.stylePresetField);
  if (request.stylePreset === null || withoutField.length === 0) return [];
  return [
    withoutField.length === routes.length
      ? `No route here has a field for style presets: the words of "${request.stylePreset}" are put behind the prompt.`
      : `At ${withoutField.map(({ route }) => route.id).join(', ')} the words of the style preset "${request.stylePreset}" are put behind the prompt, because the vendor has no field for it.`,
  ];
}

const ALTERNATIVES_MAX = 5;

/**
 * The same pictures for less: models of the same class first, then lower classes, each by what it saves. Only what the
 * tier allows and some route can draw.
 */
export function cheaperThan(request: GenerateRequest, credits: bigint, facts: PricingFacts): Alternative[] {
  const variants: GenerateRequest[] = [
    ...QUALITIES.map((quality) => ({ ...request, quality, provider: null, model: null })),
    ...MODELS.filter((model) => isServed(model, facts.routing)).map((model) => ({
      ...request,
      quality: model.quality,
      provider: model.provider,
      model: model.id,
    })),
  ].filter((variant) => qualityRank(variant.quality) <= qualityRank(request.quality));
  const { freeImages: _fixed, ...openFacts } = facts;
  return variants
    .flatMap((variant): Alternative[] => {
      const priced = priceGenerate(variant, openFacts);
      const [route] = priced.routes;
      if (priced.credits === null || priced.refusals.length > 0 || !route || priced.credits >= credits) return [];
      const saves = credits - priced.credits;
      const free = priced.freeImages > 0 ? `, ${priced.freeImages} of them free this month` : '';
      return [
        {
          description: `${variant.model ?? `${variant.quality} quality`}: ${formatCredits(priced.credits)} credits${free}, saves ${formatCredits(saves)}`,
          quality: variant.quality,
          model: variant.model,
          credits: priced.credits,
          saves,
          expectedSeconds: route.expectedSeconds,
        },
      ];
    })
    .sort((a, b) => qualityRank(b.quality) - qualityRank(a.quality) || Number(b.saves - a.saves))
    .slice(0, ALTERNATIVES_MAX);
}
