import type { ProviderName } from '../catalog/models.ts';
import type { Operation, Quality } from '../catalog/operations.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import type { Size } from '../catalog/sizes.ts';
import type { PlannedRoute } from '../routing/planned-route.ts';

/** One line of a price; the lines add up to the total. Amounts are milli-credits. */
export interface EstimateLine {
  readonly kind: 'PRICE' | 'FREE_ALLOWANCE' | 'PREPARATION';
  readonly label: string;
  readonly quantity: number;
  readonly unitCredits: bigint;
  readonly credits: bigint;
}

/** The same pictures for less. */
export interface Alternative {
  readonly description: string;
  readonly quality: Quality;
  /** The model to name, or null for naming the quality alone. */
  readonly model: string | null;
  readonly credits: bigint;
  readonly saves: bigint;
  readonly expectedSeconds: number;
}

/** Everything that is known about an operation before it is run. */
export interface Estimate {
  readonly operation: Operation;
  readonly size: Size;
  /** Milli-credits; null where no price can be given, and then there is no quote. */
  readonly credits: bigint | null;
  readonly lines: readonly EstimateLine[];
  readonly quote: string | null;
  readonly quoteExpiresAt: Date | null;
  readonly priceVersion: number;
  /** Null: the account is unlimited. */
  readonly balanceBefore: bigint | null;
  /** Null: the account is unlimited, or cannot pay this. */
  readonly balanceAfter: bigint | null;
  /** Images of this kind that the account could pay for now; null where nothing but limits bounds it. */
  readonly affordableCount: number | null;
  readonly expectedSeconds: number | null;
  readonly routes: readonly PlannedRoute[];
  readonly refusals: readonly Refusal[];
  readonly notes: readonly string[];
  /** Same for every input that means the same pictures, however many of them. */
  readonly pictureHash: string;
  /** Worked out only when asked for. */
  alternatives(): readonly Alternative[];
}

/** What a job needs to know to run what was estimated. */
export interface GeneratePlan {
  readonly request: GenerateRequest;
  /** Milli-credits in all, and for one image that no allowance pays. */
  readonly credits: bigint;
  readonly unitCredits: bigint;
  readonly freeImages: number;
  readonly allowance: { readonly provider: ProviderName; readonly limit: number } | null;
  readonly openJobsMax: number;
  readonly priority: number;
}

/** `plan` is null when the estimate has a refusal that no waiting or paying can lift. */
export interface GenerateEstimate {
  readonly estimate: Estimate;
  /** Same for every input that means the same pictures and the same number of them. */
  readonly inputHash: string;
  readonly plan: GeneratePlan | null;
}
