import { z } from 'zod';
import { MODELS } from '../catalog/models.ts';
import { EDIT_KINDS, MODULES, QUALITIES, UPSCALE_MODES } from '../catalog/operations.ts';
import { ROUTES } from '../catalog/routes.ts';
import { SIZE_CLASSES, type SizeClass } from '../catalog/sizes.ts';

export const TIERS = ['FREE', 'BASIC', 'PRO', 'ENTERPRISE'] as const;
export type Tier = (typeof TIERS)[number];

const MILLI = 1000;

/** Credits as people write them, at most three decimals, become whole milli-credits here and nowhere else. */
const credits = z
  .number()
  .min(0)
  .max(1_000_000)
  .refine((amount) => Math.round(amount * MILLI) / MILLI === amount, 'must have at most three decimals')
  .transform((amount) => BigInt(Math.round(amount * MILLI)));

const micros = z.number().int().min(0);

/** A price for each size class; a class left out cannot be had. */
const cells = z.strictObject({ S: credits.optional(), M: credits.optional(), L: credits.optional() });

/** What a vendor charges us, in millionths of a US dollar, in the vendor's own terms. */
const vendorCost = z.union([
  z.strictObject({ perImage: micros }),
  z.strictObject({ perMegapixel: micros }),
  z.strictObject({ perImageSize: z.record(z.string(), micros) }),
]);

const tierTerms = z.strictObject({
  /** Null: unlimited; usage is recorded and an optional spend cap applies. */
  monthlyCredits: credits.nullable(),
  submissionsPerMinute: z.number().int().min(1),
  runningJobs: z.number().int().min(1),
  storageBytes: z.number().int().min(0),
  qualityMax: z.enum(QUALITIES),
  modules: z.array(z.enum(MODULES)),
  imagesPerOperation: z.number().int().min(1).max(10),
  queuePriority: z.number().int().min(0).max(9),
  /** Images a month that cost nothing when this provider is named. */
  freeImages: z.strictObject({ huggingface: z.number().int().min(0), gemini: z.number().int().min(0) }),
});

const modelIds = MODELS.map((model) => model.id) as [string, ...string[]];
const routeIds = ROUTES.map((route) => route.id) as [string, ...string[]];

/**
 * The whole price table and the tiers, as an operator writes it. What has no row is refused as Unpriced; nothing is
 * ever free by accident. An unknown row is an error, so that a misspelt one cannot be lost.
 */
export const priceBookDocument = z.strictObject({
  generateByQuality: z.partialRecord(z.enum(QUALITIES), cells),
  generateByModel: z.partialRecord(z.enum(modelIds), cells),
  edit: z.partialRecord(z.enum(EDIT_KINDS), cells),
  upscale: z.partialRecord(z.enum(UPSCALE_MODES), cells),
  optimize: credits.optional(),
  vendorCosts: z.partialRecord(z.enum(routeIds), vendorCost),
  tiers: z.strictObject({ FREE: tierTerms, BASIC: tierTerms, PRO: tierTerms, ENTERPRISE: tierTerms }),
});

/** As it is written, stored and shown: plain JSON with credits as numbers. */
export type PriceBookDocument = z.input<typeof priceBookDocument>;
/** As it is computed with: milli-credits as bigint. */
export type PriceTable = z.output<typeof priceBookDocument>;
export type PriceCells = z.output<typeof cells>;
export type TierTerms = z.output<typeof tierTerms>;

/** One published version. Immutable: a change is a new version with its own effective time. */
export interface PriceBook {
  readonly version: number;
  readonly effectiveAt: Date;
  readonly document: PriceBookDocument;
  readonly table: PriceTable;
}

export function availableClasses(row: PriceCells): SizeClass[] {
  return SIZE_CLASSES.filter((sizeClass) => row[sizeClass] !== undefined);
}
