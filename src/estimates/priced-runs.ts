import type { Refusal } from '../catalog/refusals.ts';
import { formatSize, type Size } from '../catalog/sizes.ts';
import type { Source } from '../catalog/sources.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import type { PlannedRoute, RoutingFacts } from '../routing/planned-route.ts';
import type { Allowed } from '../tiers/tier.ts';
import type { Allowance } from './allowances.ts';
import type { EstimateLine } from './estimate.ts';

/** What prices depend on, apart from what is asked. */
export interface PricingFacts {
  readonly book: PriceBook;
  readonly allowed: Allowed;
  /** What is left of the free allowances, or what a quote has fixed of them. */
  readonly allowances: readonly Allowance[];
  readonly routing: RoutingFacts;
}

/** One picture that a run makes. */
export interface Output {
  /** As it is planned; null where that depends on a picture that is not known yet. */
  readonly picture: Source | null;
  /** The social format it is cut to, if it is. */
  readonly format: string | null;
}

/**
 * So many equal runs of one operation on equal pictures, with their price and routes: everything about them that does not
 * depend on the balance. What nobody can do has no price.
 */
export interface PricedRuns {
  /** Milli-credits of one picture, and of all. */
  readonly unitCredits: bigint | null;
  readonly credits: bigint | null;
  readonly lines: readonly EstimateLine[];
  readonly allowance: Allowance | null;
  /** Pictures that the allowance pays for. */
  readonly freeImages: number;
  readonly routes: readonly PlannedRoute[];
  readonly refusals: readonly Refusal[];
  readonly notes: readonly string[];
  /** What one run makes. */
  readonly outputs: readonly Output[];
}

export const NOT_KNOWN_YET = 'The picture is not known yet: size M is assumed.';

/** What is asked without a picture is planned as if it had this one. */
export const ASSUMED_SOURCE: Source = {
  width: 1024,
  height: 1024,
  contentType: 'image/png',
  byteCount: null,
  transparent: null,
};

export function withoutPrice(refusals: readonly Refusal[], outputs: readonly Output[]): PricedRuns {
  const nothing = {
    unitCredits: null,
    credits: null,
    lines: [],
    allowance: null,
    freeImages: 0,
    routes: [],
    notes: [],
  };
  return { ...nothing, refusals, outputs };
}

export function priceLine(label: string, quantity: number, unitCredits: bigint): EstimateLine {
  return { kind: 'PRICE', label, quantity, unitCredits, credits: unitCredits * BigInt(quantity) };
}

/** What we do ourselves, at no price: said, so that nobody is surprised by it. */
export function preparationLine(label: string, quantity: number): EstimateLine {
  return { kind: 'PREPARATION', label, quantity, unitCredits: 0n, credits: 0n };
}

export function creditsOf(lines: readonly EstimateLine[]): bigint {
  return lines.reduce((sum, line) => sum + line.credits, 0n);
}

const MIB = 1024 * 1024;

/** What happens to pictures on their way to the best route and back. */
export function preparationLines(
  size: Size,
  images: number,
  planned: PlannedRoute,
  source: Source | null = null,
): EstimateLine[] {
  const { route, preparation } = planned;
  const done: string[] = [];
  if (preparation?.canvas) done.push(`extended to ${formatSize(preparation.canvas)} (cut off again)`);
  if (preparation?.reducedTo) done.push(`reduced to ${formatSize(preparation.reducedTo)}`);
  if (preparation && source && preparation.sentAs !== source.contentType)
    done.push(`converted from ${source.contentType} to ${preparation.sentAs}`);
  if (preparation?.compressed) done.push(`compressed to at most ${preparation.bytesMax / MIB} MiB`);
  const before = done.length > 0 ? [preparationLine(`Source ${done.join(', ')} for ${route.id}`, images)] : [];
  return [...before, ...resultLines(size, images, planned)];
}

function resultLines(size: Size, images: number, { route, render, enlargement }: PlannedRoute): EstimateLine[] {
  if (render.width === size.width && render.height === size.height) return [];
  const enlarged = enlargement > 1 ? `enlarged by ${((enlargement - 1) * 100).toFixed(1)} % a side and ` : '';
  return [
    preparationLine(
      `Drawn at ${formatSize(render)} by ${route.id}, ${enlarged}cut to exactly ${formatSize(size)} by us`,
      images,
    ),
  ];
}

/** Said where a style preset becomes words, because the vendor has no field for it. */
export function styleNotes(stylePreset: string | null, routes: readonly PlannedRoute[]): string[] {
  const withoutField = routes.filter(({ route }) => !route.model.stylePresetField);
  if (stylePreset === null || withoutField.length === 0) return [];
  return [
    withoutField.length === routes.length
      ? `No route here has a field for style presets: the words of "${stylePreset}" are put behind the prompt.`
      : `At ${withoutField.map(({ route }) => route.id).join(', ')} the words of the style preset "${stylePreset}" are put behind the prompt, because the vendor has no field for it.`,
  ];
}
