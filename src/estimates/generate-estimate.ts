import { MODELS } from '../catalog/models.ts';
import { QUALITIES, qualityRank } from '../catalog/operations.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import { formatSize } from '../catalog/sizes.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { formatCredits, unitPrice } from '../pricing/prices.ts';
import { namedModel, type PlannedRoute, planRoutes, type RoutingFacts } from '../routing/planner.ts';
import { tierRefusals } from '../tiers/preflight.ts';
import type { Allowed } from '../tiers/tier.ts';
import { type Allowance, allowanceFor } from './allowances.ts';
import type { Alternative, EstimateLine } from './estimate.ts';

/** The price of a generate request with its routes: everything about it that does not depend on the balance. */
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

export function priceGenerate(request: GenerateRequest, facts: PricingFacts): PricedGenerate {
  const { book, allowed, routing } = facts;
  const plan = planRoutes(request, routing);
  const named = namedModel(request);
  const price = named.refusal
    ? null
    : unitPrice(book, { kind: 'generate', quality: request.quality, model: named.model, size: request.size });
  const refusals = [
    ...(price?.credits === null ? [price.refusal] : plan.refusal ? [plan.refusal] : []),
    ...tierRefusals(book, allowed, { module: 'generate', quality: request.quality, images: request.count }),
  ];
  if (!price || price.credits === null) {
    return {
      unitCredits: null,
      credits: null,
      lines: [],
      allowance: null,
      freeImages: 0,
      routes: plan.routes,
      refusals,
    };
  }
  const allowance = allowanceFor(request, facts.allowances);
  const freeImages = facts.freeImages ?? Math.min(request.count, allowance?.left ?? 0);
  const lines = [
    priceLine(price.label, request.count, price.credits),
    ...(allowance && freeImages > 0 ? [allowanceLine(allowance, freeImages, price.credits)] : []),
    ...(plan.routes[0] ? preparationLines(request, plan.routes[0]) : []),
  ];
  return {
    unitCredits: price.credits,
    credits: lines.reduce((sum, line) => sum + line.credits, 0n),
    lines,
    allowance,
    freeImages,
    routes: plan.routes,
    refusals,
  };
}

function priceLine(label: string, quantity: number, unitCredits: bigint): EstimateLine {
  return { kind: 'PRICE', label, quantity, unitCredits, credits: unitCredits * BigInt(quantity) };
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
function preparationLines(request: GenerateRequest, { route, render, enlargement }: PlannedRoute): EstimateLine[] {
  if (render.width === request.size.width && render.height === request.size.height) return [];
  const enlarged = enlargement > 1 ? `enlarged ${enlargement.toFixed(2)} times a side and ` : '';
  return [
    {
      kind: 'PREPARATION',
      label: `Drawn at ${formatSize(render)} by ${route.id}, ${enlarged}cut to exactly ${formatSize(request.size)} by us`,
      quantity: request.count,
      unitCredits: 0n,
      credits: 0n,
    },
  ];
}

/** What the routes do to the request that the customer should know. */
export function notesOf(request: GenerateRequest, routes: readonly PlannedRoute[]): string[] {
  const withoutField = routes.filter(({ route }) => !route.model.stylePresetField);
  if (request.stylePreset === null || withoutField.length === 0) return [];
  const where =
    withoutField.length === routes.length ? 'No route here' : `${withoutField.map(({ route }) => route.id).join(', ')}`;
  return [
    withoutField.length === routes.length
      ? `${where} has a field for style presets: the words of "${request.stylePreset}" are put behind the prompt.`
      : `At ${where} the words of the style preset "${request.stylePreset}" are put behind the prompt, because the vendor has no field for it.`,
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
    ...MODELS.filter((model) => !model.retired).map((model) => ({
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
