/** Where credits of an account are. Amounts are milli-credits; the seven of an account always add up to zero. */
export const BUCKETS = ['monthly', 'topup', 'owed', 'held', 'captured', 'expired', 'issued'] as const;
export type Bucket = (typeof BUCKETS)[number];

/** How an account stands. */
export interface Balance {
  readonly accountId: string;
  readonly monthly: bigint;
  readonly topup: bigint;
  /** Zero or negative: what a postpaid account owes. */
  readonly owed: bigint;
  readonly held: bigint;
  readonly captured: bigint;
  readonly postpaid: boolean;
  readonly periodStartsAt: Date;
  readonly periodEndsAt: Date;
  readonly anchorAt: Date;
  /** Held or captured since the period began, and the most that may be; a null cap is none. */
  readonly spent: bigint;
  readonly spendCap: bigint | null;
  /** Jobs that are not settled yet. */
  readonly openHolds: number;
  /** Images of this period that a provider's free allowance paid or is holding. */
  readonly allowancesUsed: Readonly<Record<string, number>>;
}

/** What can be spent now; null for a postpaid account, which spends without a balance. */
export function availableOf(balance: Balance): bigint | null {
  return balance.postpaid ? null : balance.monthly + balance.topup;
}

export interface HoldRequest {
  readonly holdId: string;
  readonly accountId: string;
  readonly jobId: string;
  readonly amount: bigint;
  readonly priceVersion: number;
  /** The most jobs that may be open at once, this one included. */
  readonly openHoldsMax: number;
  /** Images to take from providers' free allowances, and the monthly limit of each. */
  readonly allowances: readonly { readonly provider: string; readonly images: number; readonly limit: number }[];
  /** The budget that it counts in, or null. */
  readonly budgetId: string | null;
}

/** Why nothing was held; the balance is as it was. */
export type HoldRefusal =
  | 'PERIOD_OVER'
  | 'ALLOWANCE_USED'
  | 'INSUFFICIENT'
  | 'SPEND_CAP'
  | 'TOO_MANY_OPEN'
  | 'BUDGET_SPENT';

/** One delivered image and what is captured for it (zero when the free allowance paid). */
export interface Capture {
  readonly imageId: string;
  readonly amount: bigint;
  /** The provider whose free allowance pays; null where credits do. */
  readonly allowance: string | null;
}

export interface Settlement {
  readonly captured: bigint;
  readonly released: bigint;
}

/** The holds that have not ended, of all accounts. */
export interface OpenHolds {
  readonly count: number;
  /** Milli-credits. */
  readonly amount: bigint;
  /** Null without any. */
  readonly oldestAt: Date | null;
}

/** A hold as a receipt shows it. */
export interface Hold {
  readonly id: string;
  readonly accountId: string;
  readonly jobId: string;
  readonly amount: bigint;
  readonly captured: bigint | null;
  readonly released: bigint | null;
  /** Free images that were set aside, by provider. */
  readonly freeImages: Readonly<Record<string, number>>;
  readonly budgetId: string | null;
  readonly priceVersion: number;
  readonly settledAt: Date | null;
}

export type LedgerKind = 'GRANT' | 'HOLD' | 'CAPTURE' | 'RELEASE' | 'EXPIRE';

export interface LedgerEntry {
  readonly transactionId: string;
  readonly sequence: number;
  readonly kind: LedgerKind;
  readonly reason: string;
  readonly bucket: Bucket;
  readonly amount: bigint;
  readonly balanceAfter: bigint;
  readonly jobId: string | null;
  readonly imageId: string | null;
  readonly priceVersion: number | null;
  readonly createdAt: Date;
}
