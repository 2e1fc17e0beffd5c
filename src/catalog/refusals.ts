import type { Size } from './sizes.ts';

interface Because {
  /** One or two sentences for a person: what is in the way and what to do about it. */
  readonly message: string;
}

/** Amounts are milli-credits. */
export interface InsufficientCredits extends Because {
  readonly type: 'InsufficientCredits';
  readonly required: bigint;
  readonly available: bigint;
  readonly short: bigint;
  /** When the next monthly credits come, or null where none do. */
  readonly resetsAt: Date | null;
}
export interface CapExceeded extends Because {
  readonly type: 'CapExceeded';
  /** Which cap: the account's spend cap of this period, a budget's, or the caller's own `maxCredits`. */
  readonly cap: 'SPEND_CAP' | 'BUDGET' | 'MAX_CREDITS';
  readonly required: bigint;
  readonly spent: bigint;
  readonly limit: bigint;
  readonly resetsAt: Date | null;
}
export interface TierTooLow extends Because {
  readonly type: 'TierTooLow';
  readonly tier: string;
  readonly requiredTier: string | null;
  /** What needs the higher tier, such as `PREMIUM quality` or `upscale`. */
  readonly feature: string;
}
export interface TooManyImages extends Because {
  readonly type: 'TooManyImages';
  readonly requested: number;
  readonly limit: number;
  readonly requiredTier: string | null;
}
export interface RateLimited extends Because {
  readonly type: 'RateLimited';
  /** Submissions a minute. */
  readonly limit: number;
  readonly resetsAt: Date;
}
export interface TooManyJobs extends Because {
  readonly type: 'TooManyJobs';
  readonly open: number;
  readonly limit: number;
}
export interface StorageFull extends Because {
  readonly type: 'StorageFull';
  /** Bytes that the account keeps, and may keep. */
  readonly used: number;
  readonly limit: number;
  readonly requiredTier: string | null;
}
export interface UnsupportedSize extends Because {
  readonly type: 'UnsupportedSize';
  readonly requested: Size;
  /** The limit that was broken, in words. */
  readonly limit: string;
}
export interface UnsupportedSource extends Because {
  readonly type: 'UnsupportedSource';
  readonly source: Size | null;
  readonly limit: string;
  /** The size of a copy that would do, where there is one. */
  readonly fits: Size | null;
}
export interface UnsupportedOption extends Because {
  readonly type: 'UnsupportedOption';
  readonly option: string;
  readonly value: string;
  /** What can be had instead. */
  readonly supported: readonly string[];
}
export interface ModelRetired extends Because {
  readonly type: 'ModelRetired';
  readonly model: string;
  readonly since: string;
  readonly replacedBy: string;
}
export interface ProviderUnavailable extends Because {
  readonly type: 'ProviderUnavailable';
  readonly provider: string | null;
  /** When one of them is tried again; null when waiting does not help. */
  readonly retryAt: Date | null;
}
export interface Unpriced extends Because {
  readonly type: 'Unpriced';
  readonly operation: string;
  readonly priceVersion: number;
}
export interface QuoteInvalid extends Because {
  readonly type: 'QuoteInvalid';
  readonly reason: 'EXPIRED' | 'INPUT_CHANGED' | 'ALLOWANCE_USED';
}

/** One reason why an operation may not run: valid for another tier, size, time or balance, unlike a BAD_USER_INPUT. */
export type Refusal =
  | InsufficientCredits
  | CapExceeded
  | TierTooLow
  | TooManyImages
  | RateLimited
  | TooManyJobs
  | StorageFull
  | UnsupportedSize
  | UnsupportedSource
  | UnsupportedOption
  | ModelRetired
  | ProviderUnavailable
  | Unpriced
  | QuoteInvalid;
