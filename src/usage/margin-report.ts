import type { ModelTotals } from './margin-report.store.ts';

/** What a model, or all of them, brought us. Dollars are rounded to the millionth that costs are kept in. */
export interface Margin {
  readonly attempts: number;
  readonly images: number;
  readonly freeImages: number;
  /** Milli-credits. */
  readonly credits: bigint;
  readonly vendorUsd: number;
  /** Vendor cost a captured credit; null where none was captured. */
  readonly vendorUsdPerCredit: number | null;
  /** The part of the vendor cost that brought no picture to anybody. */
  readonly lossUsd: number;
  /** What the credits are worth, less the vendor cost. */
  readonly marginUsd: number;
}

export interface ModelMargin {
  readonly model: string;
  readonly margin: Margin;
}

export interface MarginReport {
  readonly from: Date;
  readonly to: Date;
  readonly creditValueUsd: number;
  readonly total: Margin;
  /** What loses most first. */
  readonly models: readonly ModelMargin[];
}

const MICROS = 1_000_000;
const MILLI = 1_000;

export function marginReport(
  totals: readonly ModelTotals[],
  from: Date,
  to: Date,
  creditValueUsd: number,
): MarginReport {
  const models = totals
    .map((each) => ({ model: each.model, margin: marginOf(each, creditValueUsd) }))
    .sort((a, b) => a.margin.marginUsd - b.margin.marginUsd || (a.model < b.model ? -1 : 1));
  return { from, to, creditValueUsd, total: marginOf(summed(totals), creditValueUsd), models };
}

type Totals = Omit<ModelTotals, 'model'>;

function summed(totals: readonly Totals[]): Totals {
  const nothing = { attempts: 0, images: 0, freeImages: 0, captured: 0n, costMicros: 0n, lossMicros: 0n };
  return totals.reduce<Totals>(
    (sum, each) => ({
      attempts: sum.attempts + each.attempts,
      images: sum.images + each.images,
      freeImages: sum.freeImages + each.freeImages,
      captured: sum.captured + each.captured,
      costMicros: sum.costMicros + each.costMicros,
      lossMicros: sum.lossMicros + each.lossMicros,
    }),
    nothing,
  );
}

function marginOf(
  { attempts, images, freeImages, captured, costMicros, lossMicros }: Totals,
  creditValueUsd: number,
): Margin {
  const credits = Number(captured) / MILLI;
  const vendorUsd = Number(costMicros) / MICROS;
  return {
    attempts,
    images,
    freeImages,
    credits: captured,
    vendorUsd,
    vendorUsdPerCredit: captured === 0n ? null : toMicros(vendorUsd / credits),
    lossUsd: Number(lossMicros) / MICROS,
    marginUsd: toMicros(credits * creditValueUsd - vendorUsd),
  };
}

function toMicros(usd: number): number {
  return Math.round(usd * MICROS) / MICROS;
}
