import type { ProviderName } from '../catalog/models.ts';
import type { EditKind, Operation, Quality, UpscaleMode } from '../catalog/operations.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { Size } from '../catalog/sizes.ts';
import type { PlannedRoute } from '../routing/planned-route.ts';
import type { JobRequest } from './job-request.ts';

/** One line of a price; the lines add up to the total. Amounts are milli-credits. */
export interface EstimateLine {
  readonly kind: 'PRICE' | 'FREE_ALLOWANCE' | 'PREPARATION';
  readonly label: string;
  readonly quantity: number;
  readonly unitCredits: bigint;
  readonly credits: bigint;
}

/** Much the same for less. */
export interface Alternative {
  readonly description: string;
  /** The quality to name, with the model or by itself; null where quality plays no part. */
  readonly quality: Quality | null;
  readonly model: string | null;
  /** The kind of edit, or the mode of upscaling, to ask for instead. */
  readonly edit: EditKind | null;
  readonly mode: UpscaleMode | null;
  readonly credits: bigint;
  readonly saves: bigint;
  readonly expectedSeconds: number;
}

/** Our word on a price, and what it leaves. */
interface Promised {
  /** Milli-credits; null where no price can be given, and then there is no quote. */
  readonly credits: bigint | null;
  readonly quote: string | null;
  readonly quoteExpiresAt: Date | null;
  readonly priceVersion: number;
  /** Null: the account is unlimited. */
  readonly balanceBefore: bigint | null;
  /** Null: the account is unlimited, or cannot pay this. */
  readonly balanceAfter: bigint | null;
  /** How many of these the account could pay for now: images, or whole workflows; null where nothing but limits bounds it. */
  readonly affordableCount: number | null;
  readonly expectedSeconds: number | null;
  readonly refusals: readonly Refusal[];
}

/** Everything that is known about an operation before it is run. */
export interface Estimate extends Promised {
  readonly operation: Operation;
  /** The exact size of the pictures; null where it is not known yet, or there are several. */
  readonly size: Size | null;
  readonly lines: readonly EstimateLine[];
  readonly routes: readonly PlannedRoute[];
  readonly notes: readonly string[];
  /** Same for every input that means the same pictures, however many of them. */
  readonly pictureHashes: readonly string[];
  /** Worked out only when asked for. */
  alternatives(): readonly Alternative[];
}

/** What is known about one step of a workflow. */
export interface StepEstimate {
  readonly id: string;
  readonly operation: Operation;
  readonly times: number;
  /** Images that the step makes. */
  readonly images: number;
  readonly credits: bigint | null;
  readonly lines: readonly EstimateLine[];
  readonly routes: readonly PlannedRoute[];
  readonly expectedSeconds: number | null;
  readonly notes: readonly string[];
  readonly refusals: readonly Refusal[];
  alternatives(): readonly Alternative[];
}

export interface WorkflowEstimate extends Promised {
  readonly steps: readonly StepEstimate[];
}

/** What an image of a job works on: an asset of the library, or an image of the same job by its place in the plan. */
export type PlannedSource = { readonly asset: string } | { readonly image: number };

/** One image of a job before it is run. */
export interface PlannedImage {
  /** Index of its step, and its place among the images of the step. */
  readonly step: number;
  readonly run: number;
  readonly source: PlannedSource | null;
  /** The exact size that it comes to. */
  readonly size: Size;
  /** The social format that it is cut to, if it is. */
  readonly format: string | null;
  /** Milli-credits; 0 when a free allowance pays. */
  readonly credits: bigint;
  readonly allowance: ProviderName | null;
}

/** What a job needs to know to run what was estimated. */
export interface JobPlan {
  readonly request: JobRequest;
  /** Milli-credits in all. */
  readonly credits: bigint;
  readonly images: readonly PlannedImage[];
  /** Free images that it takes, with the monthly limit of each allowance. */
  readonly allowances: readonly { readonly provider: ProviderName; readonly limit: number; readonly images: number }[];
  /** The budget that it counts in, or null. */
  readonly budgetId: string | null;
  readonly openJobsMax: number;
  readonly priority: number;
}

/** `plan` is null when the estimate has a refusal that no waiting or paying can lift. */
export interface Estimated<E extends Promised> {
  readonly estimate: E;
  /** Same for every input that means the same pictures and the same number of them. */
  readonly inputHash: string;
  readonly plan: JobPlan | null;
}

/** What was estimated, whichever it was. */
export type AnyEstimated = Estimated<Estimate> | Estimated<WorkflowEstimate>;
