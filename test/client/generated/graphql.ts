/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** Which assets to list; what is left out does not matter. */
export type AssetFilterInput = {
  /** In the collection of this id. */
  collection?: string | null | undefined;
  /** For which so many credits were captured. */
  cost?: CreditsRangeInput | null | undefined;
  /** Stored at this time. */
  created?: DateRangeInput | null | undefined;
  /** Marked as a favourite, or not. */
  favourite?: boolean | null | undefined;
  /** Made by a job, or brought in from outside. */
  kind?: AssetKind | null | undefined;
  /** Drawn by this model, by its full id. */
  model?: string | null | undefined;
  /** Made by this operation. */
  operation?: Operation | null | undefined;
  /** Made from the asset of this id. */
  parent?: string | null | undefined;
  /** Drawn by this vendor. */
  provider?: ProviderName | null | undefined;
  /** Generated in this quality class. */
  quality?: Quality | null | undefined;
  /** Words of the title or the prompt, as in a search box: all of them must be there in some form, "or" between two asks for either, a minus in front excludes one, quotes keep words together. 1 to 200 characters. */
  search?: string | null | undefined;
  /** In the library, or deleted and still to be had back. */
  status?: AssetStatus;
  /** With these tags. */
  tags?: TagFilterInput | null | undefined;
};

/** Where a picture of the library is from. */
export type AssetKind =
  /** It was uploaded or imported. */
  | 'INPUT'
  /** A job made it. */
  | 'OUTPUT';

/** Whether an asset is in the library. */
export type AssetStatus =
  /** It was deleted and can still be had back. */
  | 'DELETED'
  /** It is in the library. */
  | 'KEPT';

/** Where credits of an account are. The buckets of an account always add up to zero. */
export type Bucket =
  | 'captured'
  | 'expired'
  | 'held'
  | 'issued'
  | 'monthly'
  | 'owed'
  | 'topup';

/** When a budget begins anew. */
export type BudgetPeriod =
  /** With each period of the account. */
  | 'MONTHLY'
  /** Never: what is spent stays spent. */
  | 'ONCE';

/** Which limit on spending was met. */
export type Cap =
  /** The cap of the budget that was named. */
  | 'BUDGET'
  /** The caller's own maxCredits. */
  | 'MAX_CREDITS'
  /** The account's spend cap of this period. */
  | 'SPEND_CAP';

/** A new budget. */
export type CreateBudgetInput = {
  /** The most that its operations may hold and capture. */
  cap: number;
  /** What to call it, 1 to 200 characters. */
  name: string;
  /** When it begins anew. */
  period?: BudgetPeriod;
};

/** A range of credits; both ends belong to it, and either can be left out. */
export type CreditsRangeInput = {
  /** At most so many credits. */
  max?: number | null | undefined;
  /** At least so many credits. */
  min?: number | null | undefined;
};

/** A stretch of time; both ends belong to it, and either can be left out. */
export type DateRangeInput = {
  /** Not before this moment. */
  from?: string | null | undefined;
  /** Not after this moment. */
  to?: string | null | undefined;
};

/** One kind of edit: give exactly one of these. */
export type EditInput =
  {   /** Take things away. */
  erase: EraseInput; general?: never; inpaint?: never; outpaint?: never; relight?: never; removeBackground?: never; searchRecolor?: never; searchReplace?: never; }
  |  { erase?: never;   /** Any change that words can say. */
  general: GeneralEditInput; inpaint?: never; outpaint?: never; relight?: never; removeBackground?: never; searchRecolor?: never; searchReplace?: never; }
  |  { erase?: never; general?: never;   /** Draw a part anew. */
  inpaint: InpaintInput; outpaint?: never; relight?: never; removeBackground?: never; searchRecolor?: never; searchReplace?: never; }
  |  { erase?: never; general?: never; inpaint?: never;   /** Extend the canvas. */
  outpaint: OutpaintInput; relight?: never; removeBackground?: never; searchRecolor?: never; searchReplace?: never; }
  |  { erase?: never; general?: never; inpaint?: never; outpaint?: never;   /** New background and light. */
  relight: RelightInput; removeBackground?: never; searchRecolor?: never; searchReplace?: never; }
  |  { erase?: never; general?: never; inpaint?: never; outpaint?: never; relight?: never;   /** Take the background away. */
  removeBackground: RemoveBackgroundInput; searchRecolor?: never; searchReplace?: never; }
  |  { erase?: never; general?: never; inpaint?: never; outpaint?: never; relight?: never; removeBackground?: never;   /** Find and recolour. */
  searchRecolor: SearchRecolorInput; searchReplace?: never; }
  |  { erase?: never; general?: never; inpaint?: never; outpaint?: never; relight?: never; removeBackground?: never; searchRecolor?: never;   /** Find and replace. */
  searchReplace: SearchReplaceInput; };

/** Takes things away and fills in what was behind them. */
export type EraseInput = {
  /** How many pixels what is selected is grown by, 0 to 20; 5 when left out. */
  growMask?: number | null | undefined;
  /** The asset that says where, of the picture's size: white is edited, black is kept; where a mask is transparent somewhere, that is edited instead. Left out: where the picture itself is transparent. */
  mask?: string | null | undefined;
  /** The file format of the result. */
  outputFormat?: OutputFormat | null | undefined;
  /** Makes the picture repeatable, 0 to 2147483647. Only models that take seeds are used. */
  seed?: number | null | undefined;
};

/** Why an image was not delivered. It was not charged, whichever it is. */
export type FailureCode =
  /** A vendor's moderation withheld it. Change the prompt. */
  | 'CONTENT_REFUSED'
  /** It took longer than an image may take. */
  | 'DEADLINE_PASSED'
  /** It was drawn but could not be stored. */
  | 'NOT_STORABLE'
  /** A vendor did not say whether it drew it, and no other could. */
  | 'OUTCOME_UNKNOWN'
  /** Every vendor that could draw it turned it down. */
  | 'PROVIDERS_REFUSED'
  /** No vendor that could draw it was answering as it should. */
  | 'PROVIDERS_UNAVAILABLE'
  /** The picture that it builds on was not delivered. */
  | 'SOURCE_FAILED'
  /** The picture to work on could not be read, or not be made into what the vendors take. */
  | 'SOURCE_UNUSABLE'
  /** What the vendor sent was not a usable picture. */
  | 'UNUSABLE_PICTURE';

/** Any change that words can say. The model draws the whole picture anew. */
export type GeneralEditInput = {
  /** The file format of the result. */
  outputFormat?: OutputFormat | null | undefined;
  /** What to change, 1 to 10000 characters. */
  prompt: string;
  /** Makes the picture repeatable, 0 to 2147483647. Only models that take seeds are used. */
  seed?: number | null | undefined;
};

/** Pictures to draw from words. */
export type GenerateInput = {
  /** Width to height, such as "16:9" or "1.91:1". Alone: about one megapixel. Not beside both sides. */
  aspectRatio?: string | null | undefined;
  /** How many images, 1 to 10; the tier may allow fewer. */
  count?: number | null | undefined;
  /** Exact height in pixels, 64 to 4096. With a width, or with an aspectRatio. */
  height?: number | null | undefined;
  /** A model to draw it, such as "stability/core" or "core", at its own price. */
  model?: string | null | undefined;
  /** What to leave out. Only models that know negative prompts are used. */
  negativePrompt?: string | null | undefined;
  /** What to draw, 1 to 10000 characters. */
  prompt: string;
  /** A vendor to draw it: its default model for the quality, at that model's price. Left out: any vendor, at the flat price of the quality. */
  provider?: ProviderName | null | undefined;
  /** The quality class. Plays no part when a model is named: a model has its own. */
  quality?: Quality | null | undefined;
  /** Makes the picture repeatable, 0 to 2147483647; image i of a batch uses seed + i. Only models that take seeds are used. */
  seed?: number | null | undefined;
  /** A style, such as "photographic" or "line-art". Where a vendor has no field for it, its words are put behind the prompt. */
  stylePreset?: string | null | undefined;
  /** A template that sets size and style; the templates query lists them. An explicit size or style wins. Never changes quality or price class on its own. */
  template?: string | null | undefined;
  /** Exact width in pixels, 64 to 4096. With a height, or with an aspectRatio. */
  width?: number | null | undefined;
};

/** How one image of a job stands. */
export type ImageStatus =
  | 'CANCELLED'
  | 'DELIVERED'
  | 'FAILED'
  | 'RUNNING'
  | 'WAITING';

/** Draws anew what a mask covers. */
export type InpaintInput = {
  /** How many pixels what is selected is grown by, 0 to 100; 5 when left out. */
  growMask?: number | null | undefined;
  /** The asset that says where, of the picture's size: white is edited, black is kept; where a mask is transparent somewhere, that is edited instead. Left out: where the picture itself is transparent. */
  mask?: string | null | undefined;
  /** What to leave out. Only models that know negative prompts are used. */
  negativePrompt?: string | null | undefined;
  /** The file format of the result. */
  outputFormat?: OutputFormat | null | undefined;
  /** What to draw there, 1 to 10000 characters. */
  prompt: string;
  /** Makes the picture repeatable, 0 to 2147483647. Only models that take seeds are used. */
  seed?: number | null | undefined;
  /** A style, such as "photographic" or "line-art". Where a vendor has no field for it, its words are put behind the prompt. */
  stylePreset?: string | null | undefined;
};

/** How a job stands. */
export type JobStatus =
  /** Stopped before any image was delivered; everything was released. */
  | 'CANCELLED'
  /** No image was delivered; everything was released. */
  | 'FAILED'
  /** Some images were delivered; the others were released. */
  | 'PARTIAL'
  /** Accepted and paid aside; waiting for its turn. */
  | 'QUEUED'
  /** Its images are out at the vendors. */
  | 'RUNNING'
  /** Every image was delivered. */
  | 'SUCCEEDED';

/** Why credits moved. */
export type LedgerEntryKind =
  | 'CAPTURE'
  | 'EXPIRE'
  | 'GRANT'
  | 'HOLD'
  | 'RELEASE';

/** Where light comes from. */
export type LightDirection =
  | 'ABOVE'
  | 'BELOW'
  | 'LEFT'
  | 'RIGHT';

/** What can be done with pictures. */
export type Operation =
  | 'EDIT'
  | 'GENERATE'
  | 'OPTIMIZE'
  | 'UPSCALE';

/** Extends the canvas. At least one margin is needed. */
export type OutpaintInput = {
  /** How inventive to be, 0 to 1; 0.5 when left out. */
  creativity?: number | null | undefined;
  /** Pixels to add below, 0 to 2000. */
  down?: number | null | undefined;
  /** Pixels to add on the left, 0 to 2000. */
  left?: number | null | undefined;
  /** The file format of the result. */
  outputFormat?: OutputFormat | null | undefined;
  /** What to draw there; left out: what fits. */
  prompt?: string | null | undefined;
  /** Pixels to add on the right, 0 to 2000. */
  right?: number | null | undefined;
  /** Makes the picture repeatable, 0 to 2147483647. Only models that take seeds are used. */
  seed?: number | null | undefined;
  /** A style, such as "photographic" or "line-art". Where a vendor has no field for it, its words are put behind the prompt. */
  stylePreset?: string | null | undefined;
  /** Pixels to add above, 0 to 2000. */
  up?: number | null | undefined;
};

/** File formats that results can have. */
export type OutputFormat =
  | 'JPEG'
  | 'PNG'
  | 'WEBP';

/** A vendor of image models. */
export type ProviderName =
  | 'GEMINI'
  | 'HUGGINGFACE'
  | 'STABILITY'
  | 'WAVESPEED';

/** How good, and how dear. A quality has one flat price a size, whichever model serves it. */
export type Quality =
  /** Fast and cheap: for trying ideas. */
  | 'DRAFT'
  /** The best there is. */
  | 'PREMIUM'
  /** The balance for everyday use. */
  | 'STANDARD';

/** Why a quote does not hold. */
export type QuoteInvalidReason =
  /** The free images it counted on were used meanwhile. */
  | 'ALLOWANCE_USED'
  /** It is too old. */
  | 'EXPIRED'
  /** It was given for another input, or to another account. */
  | 'INPUT_CHANGED';

/** Replaces the background and lights the subject to match. A background is needed, in words or as a picture. */
export type RelightInput = {
  /** The new background, in words. */
  backgroundPrompt?: string | null | undefined;
  /** The asset to take the new background from. */
  backgroundReference?: string | null | undefined;
  /** What the subject is, in words. */
  foregroundPrompt?: string | null | undefined;
  /** Whether to keep the old background and change its light only. */
  keepOriginalBackground?: boolean | null | undefined;
  /** The asset to take the light from. */
  lightReference?: string | null | undefined;
  /** Where the light comes from. */
  lightSourceDirection?: LightDirection | null | undefined;
  /** How strong the light is, 0 to 1; 0.3 when left out. Only with a direction or a reference. */
  lightSourceStrength?: number | null | undefined;
  /** What to leave out. Only models that know negative prompts are used. */
  negativePrompt?: string | null | undefined;
  /** How far the new background follows the depth of the old one, 0 to 1; 0.5 when left out. */
  originalBackgroundDepth?: number | null | undefined;
  /** The file format of the result. */
  outputFormat?: OutputFormat | null | undefined;
  /** How much of the subject to keep as it is, 0 to 1; 0.6 when left out. */
  preserveOriginalSubject?: number | null | undefined;
  /** Makes the picture repeatable, 0 to 2147483647. Only models that take seeds are used. */
  seed?: number | null | undefined;
};

/** Takes the background away. */
export type RemoveBackgroundInput = {
  /** The file format of the result. */
  outputFormat?: TransparentFormat | null | undefined;
};

/** Finds something and gives it another colour. */
export type SearchRecolorInput = {
  /** How many pixels what is selected is grown by, 0 to 20; 3 when left out. */
  growMask?: number | null | undefined;
  /** What to leave out. Only models that know negative prompts are used. */
  negativePrompt?: string | null | undefined;
  /** The file format of the result. */
  outputFormat?: OutputFormat | null | undefined;
  /** The colour to give it, 1 to 10000 characters. */
  prompt: string;
  /** Makes the picture repeatable, 0 to 2147483647. Only models that take seeds are used. */
  seed?: number | null | undefined;
  /** What to look for, 1 to 10000 characters. */
  selectPrompt: string;
  /** A style, such as "photographic" or "line-art". Where a vendor has no field for it, its words are put behind the prompt. */
  stylePreset?: string | null | undefined;
};

/** Finds something and puts something else in its place. */
export type SearchReplaceInput = {
  /** How many pixels what is selected is grown by, 0 to 20; 3 when left out. */
  growMask?: number | null | undefined;
  /** What to leave out. Only models that know negative prompts are used. */
  negativePrompt?: string | null | undefined;
  /** The file format of the result. */
  outputFormat?: OutputFormat | null | undefined;
  /** What to put there, 1 to 10000 characters. */
  prompt: string;
  /** What to look for, 1 to 10000 characters. */
  searchPrompt: string;
  /** Makes the picture repeatable, 0 to 2147483647. Only models that take seeds are used. */
  seed?: number | null | undefined;
  /** A style, such as "photographic" or "line-art". Where a vendor has no field for it, its words are put behind the prompt. */
  stylePreset?: string | null | undefined;
};

/** Which tags an asset must have. */
export type TagFilterInput = {
  /** Every one of these. At most 20 tags of 1 to 50 characters, capitals or not. */
  all?: Array<string> | null | undefined;
  /** At least one of these. At most 20 tags of 1 to 50 characters, capitals or not. */
  any?: Array<string> | null | undefined;
};

/** What an account may do, from FREE to ENTERPRISE. */
export type Tier =
  | 'BASIC'
  | 'ENTERPRISE'
  | 'FREE'
  | 'PRO';

/** File formats that can be transparent. */
export type TransparentFormat =
  | 'PNG'
  | 'WEBP';

type RefusalParts_CapExceeded_Fragment = { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string };

type RefusalParts_InsufficientCredits_Fragment = { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string };

type RefusalParts_ModelRetired_Fragment = { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string };

type RefusalParts_ProviderUnavailable_Fragment = { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string };

type RefusalParts_QuoteInvalid_Fragment = { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string };

type RefusalParts_RateLimited_Fragment = { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string };

type RefusalParts_StorageFull_Fragment = { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string };

type RefusalParts_TierTooLow_Fragment = { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string };

type RefusalParts_TooManyImages_Fragment = { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string };

type RefusalParts_TooManyJobs_Fragment = { __typename: 'TooManyJobs', open: number, limit: number, message: string };

type RefusalParts_Unpriced_Fragment = { __typename: 'Unpriced', operation: string, priceVersion: number, message: string };

type RefusalParts_UnsupportedOption_Fragment = { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string };

type RefusalParts_UnsupportedSize_Fragment = { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } };

type RefusalParts_UnsupportedSource_Fragment = { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null };

export type RefusalPartsFragment =
  | RefusalParts_CapExceeded_Fragment
  | RefusalParts_InsufficientCredits_Fragment
  | RefusalParts_ModelRetired_Fragment
  | RefusalParts_ProviderUnavailable_Fragment
  | RefusalParts_QuoteInvalid_Fragment
  | RefusalParts_RateLimited_Fragment
  | RefusalParts_StorageFull_Fragment
  | RefusalParts_TierTooLow_Fragment
  | RefusalParts_TooManyImages_Fragment
  | RefusalParts_TooManyJobs_Fragment
  | RefusalParts_Unpriced_Fragment
  | RefusalParts_UnsupportedOption_Fragment
  | RefusalParts_UnsupportedSize_Fragment
  | RefusalParts_UnsupportedSource_Fragment
;

export type PricePartsFragment = { credits: number | null, quote: string | null, quoteExpiresAt: string | null, balanceAfter: number | null, affordableCount: number | null, lines: Array<{ label: string, quantity: number, unitCredits: number, credits: number }>, preflight: { ok: boolean, refusals: Array<
      | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
      | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
      | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
      | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
      | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
      | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
      | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
      | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
      | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
      | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
      | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
      | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
      | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
      | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
    > } };

export type PicturePartsFragment = { id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> };

export type JobPartsFragment = { id: string, status: JobStatus, images: Array<{ id: string, status: ImageStatus, failure: { code: FailureCode, message: string } | null, asset: { id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> } | null }>, budget: { id: string, left: number } | null, receipt: { quoted: number, held: number, captured: number, released: number, settled: boolean, entries: Array<{ kind: LedgerEntryKind, bucket: Bucket, amount: number }> } };

type ResultParts_Refused_Fragment = { __typename: 'Refused', refusals: Array<
    | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
    | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
    | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
    | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
    | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
    | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
    | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
    | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
    | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
    | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
    | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
    | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
    | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
    | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
  >, estimate: { credits: number | null, quote: string | null, quoteExpiresAt: string | null, balanceAfter: number | null, affordableCount: number | null, lines: Array<{ label: string, quantity: number, unitCredits: number, credits: number }>, preflight: { ok: boolean, refusals: Array<
        | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
        | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
        | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
        | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
        | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
        | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
        | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
        | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
        | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
        | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
        | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
        | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
      > } } };

type ResultParts_Reused_Fragment = { __typename: 'Reused', saved: number | null, assets: Array<{ id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> }> };

type ResultParts_Submission_Fragment = { __typename: 'Submission', replayed: boolean, job: { id: string, status: JobStatus, images: Array<{ id: string, status: ImageStatus, failure: { code: FailureCode, message: string } | null, asset: { id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> } | null }>, budget: { id: string, left: number } | null, receipt: { quoted: number, held: number, captured: number, released: number, settled: boolean, entries: Array<{ kind: LedgerEntryKind, bucket: Bucket, amount: number }> } } };

export type ResultPartsFragment =
  | ResultParts_Refused_Fragment
  | ResultParts_Reused_Fragment
  | ResultParts_Submission_Fragment
;

export type EstimateQueryVariables = Exact<{
  input: GenerateInput;
}>;


export type EstimateQuery = { estimateGenerate: { credits: number | null, quote: string | null, quoteExpiresAt: string | null, balanceAfter: number | null, affordableCount: number | null, lines: Array<{ label: string, quantity: number, unitCredits: number, credits: number }>, preflight: { ok: boolean, refusals: Array<
        | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
        | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
        | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
        | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
        | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
        | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
        | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
        | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
        | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
        | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
        | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
        | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
      > } } };

export type EstimateEditQueryVariables = Exact<{
  image: string;
  edit: EditInput;
}>;


export type EstimateEditQuery = { estimateEdit: { credits: number | null, quote: string | null, quoteExpiresAt: string | null, balanceAfter: number | null, affordableCount: number | null, lines: Array<{ label: string, quantity: number, unitCredits: number, credits: number }>, preflight: { ok: boolean, refusals: Array<
        | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
        | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
        | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
        | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
        | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
        | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
        | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
        | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
        | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
        | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
        | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
        | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
      > } } };

export type GenerateMutationVariables = Exact<{
  input: GenerateInput;
  quote?: string | null | undefined;
  key: string;
  budget?: string | null | undefined;
}>;


export type GenerateMutation = { generate:
    | { __typename: 'Refused', refusals: Array<
        | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
        | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
        | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
        | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
        | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
        | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
        | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
        | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
        | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
        | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
        | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
        | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
      >, estimate: { credits: number | null, quote: string | null, quoteExpiresAt: string | null, balanceAfter: number | null, affordableCount: number | null, lines: Array<{ label: string, quantity: number, unitCredits: number, credits: number }>, preflight: { ok: boolean, refusals: Array<
            | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
            | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
            | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
            | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
            | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
            | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
            | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
            | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
            | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
            | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
            | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
            | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
            | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
            | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
          > } } }
    | { __typename: 'Reused', saved: number | null, assets: Array<{ id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> }> }
    | { __typename: 'Submission', replayed: boolean, job: { id: string, status: JobStatus, images: Array<{ id: string, status: ImageStatus, failure: { code: FailureCode, message: string } | null, asset: { id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> } | null }>, budget: { id: string, left: number } | null, receipt: { quoted: number, held: number, captured: number, released: number, settled: boolean, entries: Array<{ kind: LedgerEntryKind, bucket: Bucket, amount: number }> } } }
   };

export type EditMutationVariables = Exact<{
  image: string;
  edit: EditInput;
  quote?: string | null | undefined;
  key: string;
}>;


export type EditMutation = { editImage:
    | { __typename: 'Refused', refusals: Array<
        | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
        | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
        | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
        | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
        | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
        | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
        | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
        | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
        | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
        | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
        | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
        | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
        | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
      >, estimate: { credits: number | null, quote: string | null, quoteExpiresAt: string | null, balanceAfter: number | null, affordableCount: number | null, lines: Array<{ label: string, quantity: number, unitCredits: number, credits: number }>, preflight: { ok: boolean, refusals: Array<
            | { __typename: 'CapExceeded', cap: Cap, creditsLimit: number, spent: number, required: number, resetsAt: string | null, message: string }
            | { __typename: 'InsufficientCredits', required: number, available: number, short: number, resetsAt: string | null, message: string }
            | { __typename: 'ModelRetired', model: string, replacedBy: string, since: string, message: string }
            | { __typename: 'ProviderUnavailable', provider: ProviderName | null, retryAt: string | null, message: string }
            | { __typename: 'QuoteInvalid', reason: QuoteInvalidReason, message: string }
            | { __typename: 'RateLimited', limit: number, resetsAt: string | null, message: string }
            | { __typename: 'StorageFull', usedBytes: number, bytesLimit: number, requiredTier: Tier | null, message: string }
            | { __typename: 'TierTooLow', tier: Tier, requiredTier: Tier | null, feature: string, message: string }
            | { __typename: 'TooManyImages', requested: number, limit: number, requiredTier: Tier | null, message: string }
            | { __typename: 'TooManyJobs', open: number, limit: number, message: string }
            | { __typename: 'Unpriced', operation: string, priceVersion: number, message: string }
            | { __typename: 'UnsupportedOption', option: string, value: string, supported: Array<string>, message: string }
            | { __typename: 'UnsupportedSize', allowed: string, message: string, requestedSize: { width: number, height: number } }
            | { __typename: 'UnsupportedSource', allowed: string, message: string, source: { width: number, height: number } | null, fits: { width: number, height: number } | null }
          > } } }
    | { __typename: 'Reused', saved: number | null, assets: Array<{ id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> }> }
    | { __typename: 'Submission', replayed: boolean, job: { id: string, status: JobStatus, images: Array<{ id: string, status: ImageStatus, failure: { code: FailureCode, message: string } | null, asset: { id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> } | null }>, budget: { id: string, left: number } | null, receipt: { quoted: number, held: number, captured: number, released: number, settled: boolean, entries: Array<{ kind: LedgerEntryKind, bucket: Bucket, amount: number }> } } }
   };

export type WatchJobSubscriptionVariables = Exact<{
  id: string;
}>;


export type WatchJobSubscription = { job: { id: string, status: JobStatus, images: Array<{ id: string, status: ImageStatus, failure: { code: FailureCode, message: string } | null, asset: { id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> } | null }>, budget: { id: string, left: number } | null, receipt: { quoted: number, held: number, captured: number, released: number, settled: boolean, entries: Array<{ kind: LedgerEntryKind, bucket: Bucket, amount: number }> } } };

export type TagMutationVariables = Exact<{
  assets: Array<string> | string;
  add: Array<string> | string;
}>;


export type TagMutation = { tagAssets: Array<{ id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> }> };

export type FindQueryVariables = Exact<{
  filter: AssetFilterInput;
  first: number;
}>;


export type FindQuery = { assets: { nodes: Array<{ id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreateCollectionMutationVariables = Exact<{
  name: string;
}>;


export type CreateCollectionMutation = { createCollection: { id: string, name: string } };

export type AddToCollectionMutationVariables = Exact<{
  id: string;
  assets: Array<string> | string;
}>;


export type AddToCollectionMutation = { addToCollection: { id: string, name: string, count: number, cover: { id: string } | null, assets: Array<{ id: string, url: string, width: number, height: number, prompt: string | null, title: string | null, tags: Array<string>, cost: number, parent: { id: string } | null, collections: Array<{ id: string, name: string }> }> } };

export type CreateBudgetMutationVariables = Exact<{
  input: CreateBudgetInput;
}>;


export type CreateBudgetMutation = { createBudget: { id: string, name: string, cap: number, spent: number, left: number } };

export const PicturePartsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<PicturePartsFragment, unknown>;
export const JobPartsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Job"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"images"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"asset"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"budget"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"left"}}]}},{"kind":"Field","name":{"kind":"Name","value":"receipt"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"quoted"}},{"kind":"Field","name":{"kind":"Name","value":"held"}},{"kind":"Field","name":{"kind":"Name","value":"captured"}},{"kind":"Field","name":{"kind":"Name","value":"released"}},{"kind":"Field","name":{"kind":"Name","value":"settled"}},{"kind":"Field","name":{"kind":"Name","value":"entries"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"bucket"}},{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<JobPartsFragment, unknown>;
export const RefusalPartsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"RefusalParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refusal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"CapExceeded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cap"}},{"kind":"Field","name":{"kind":"Name","value":"creditsLimit"}},{"kind":"Field","name":{"kind":"Name","value":"spent"}},{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"InsufficientCredits"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"available"}},{"kind":"Field","name":{"kind":"Name","value":"short"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ModelRetired"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"model"}},{"kind":"Field","name":{"kind":"Name","value":"replacedBy"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ProviderUnavailable"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QuoteInvalid"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RateLimited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StorageFull"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usedBytes"}},{"kind":"Field","name":{"kind":"Name","value":"bytesLimit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TierTooLow"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tier"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}},{"kind":"Field","name":{"kind":"Name","value":"feature"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyImages"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requested"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyJobs"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"open"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Unpriced"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"priceVersion"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedOption"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"option"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"supported"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSize"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestedSize"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSource"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"source"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"fits"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}}]}}]} as unknown as DocumentNode<RefusalPartsFragment, unknown>;
export const PricePartsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PriceParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Estimate"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credits"}},{"kind":"Field","name":{"kind":"Name","value":"quote"}},{"kind":"Field","name":{"kind":"Name","value":"quoteExpiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"balanceAfter"}},{"kind":"Field","name":{"kind":"Name","value":"affordableCount"}},{"kind":"Field","name":{"kind":"Name","value":"lines"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"label"}},{"kind":"Field","name":{"kind":"Name","value":"quantity"}},{"kind":"Field","name":{"kind":"Name","value":"unitCredits"}},{"kind":"Field","name":{"kind":"Name","value":"credits"}}]}},{"kind":"Field","name":{"kind":"Name","value":"preflight"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"ok"}},{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"RefusalParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refusal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"CapExceeded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cap"}},{"kind":"Field","name":{"kind":"Name","value":"creditsLimit"}},{"kind":"Field","name":{"kind":"Name","value":"spent"}},{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"InsufficientCredits"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"available"}},{"kind":"Field","name":{"kind":"Name","value":"short"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ModelRetired"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"model"}},{"kind":"Field","name":{"kind":"Name","value":"replacedBy"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ProviderUnavailable"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QuoteInvalid"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RateLimited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StorageFull"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usedBytes"}},{"kind":"Field","name":{"kind":"Name","value":"bytesLimit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TierTooLow"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tier"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}},{"kind":"Field","name":{"kind":"Name","value":"feature"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyImages"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requested"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyJobs"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"open"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Unpriced"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"priceVersion"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedOption"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"option"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"supported"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSize"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestedSize"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSource"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"source"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"fits"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}}]}}]} as unknown as DocumentNode<PricePartsFragment, unknown>;
export const ResultPartsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ResultParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"SubmissionResult"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Submission"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"replayed"}},{"kind":"Field","name":{"kind":"Name","value":"job"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"JobParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Reused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"saved"}},{"kind":"Field","name":{"kind":"Name","value":"assets"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}},{"kind":"Field","name":{"kind":"Name","value":"estimate"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PriceParts"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"RefusalParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refusal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"CapExceeded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cap"}},{"kind":"Field","name":{"kind":"Name","value":"creditsLimit"}},{"kind":"Field","name":{"kind":"Name","value":"spent"}},{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"InsufficientCredits"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"available"}},{"kind":"Field","name":{"kind":"Name","value":"short"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ModelRetired"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"model"}},{"kind":"Field","name":{"kind":"Name","value":"replacedBy"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ProviderUnavailable"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QuoteInvalid"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RateLimited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StorageFull"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usedBytes"}},{"kind":"Field","name":{"kind":"Name","value":"bytesLimit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TierTooLow"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tier"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}},{"kind":"Field","name":{"kind":"Name","value":"feature"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyImages"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requested"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyJobs"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"open"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Unpriced"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"priceVersion"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedOption"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"option"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"supported"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSize"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestedSize"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSource"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"source"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"fits"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Job"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"images"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"asset"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"budget"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"left"}}]}},{"kind":"Field","name":{"kind":"Name","value":"receipt"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"quoted"}},{"kind":"Field","name":{"kind":"Name","value":"held"}},{"kind":"Field","name":{"kind":"Name","value":"captured"}},{"kind":"Field","name":{"kind":"Name","value":"released"}},{"kind":"Field","name":{"kind":"Name","value":"settled"}},{"kind":"Field","name":{"kind":"Name","value":"entries"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"bucket"}},{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PriceParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Estimate"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credits"}},{"kind":"Field","name":{"kind":"Name","value":"quote"}},{"kind":"Field","name":{"kind":"Name","value":"quoteExpiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"balanceAfter"}},{"kind":"Field","name":{"kind":"Name","value":"affordableCount"}},{"kind":"Field","name":{"kind":"Name","value":"lines"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"label"}},{"kind":"Field","name":{"kind":"Name","value":"quantity"}},{"kind":"Field","name":{"kind":"Name","value":"unitCredits"}},{"kind":"Field","name":{"kind":"Name","value":"credits"}}]}},{"kind":"Field","name":{"kind":"Name","value":"preflight"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"ok"}},{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}}]}}]}}]} as unknown as DocumentNode<ResultPartsFragment, unknown>;
export const EstimateDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Estimate"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"GenerateInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"estimateGenerate"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PriceParts"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"RefusalParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refusal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"CapExceeded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cap"}},{"kind":"Field","name":{"kind":"Name","value":"creditsLimit"}},{"kind":"Field","name":{"kind":"Name","value":"spent"}},{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"InsufficientCredits"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"available"}},{"kind":"Field","name":{"kind":"Name","value":"short"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ModelRetired"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"model"}},{"kind":"Field","name":{"kind":"Name","value":"replacedBy"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ProviderUnavailable"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QuoteInvalid"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RateLimited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StorageFull"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usedBytes"}},{"kind":"Field","name":{"kind":"Name","value":"bytesLimit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TierTooLow"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tier"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}},{"kind":"Field","name":{"kind":"Name","value":"feature"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyImages"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requested"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyJobs"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"open"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Unpriced"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"priceVersion"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedOption"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"option"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"supported"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSize"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestedSize"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSource"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"source"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"fits"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PriceParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Estimate"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credits"}},{"kind":"Field","name":{"kind":"Name","value":"quote"}},{"kind":"Field","name":{"kind":"Name","value":"quoteExpiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"balanceAfter"}},{"kind":"Field","name":{"kind":"Name","value":"affordableCount"}},{"kind":"Field","name":{"kind":"Name","value":"lines"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"label"}},{"kind":"Field","name":{"kind":"Name","value":"quantity"}},{"kind":"Field","name":{"kind":"Name","value":"unitCredits"}},{"kind":"Field","name":{"kind":"Name","value":"credits"}}]}},{"kind":"Field","name":{"kind":"Name","value":"preflight"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"ok"}},{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}}]}}]}}]} as unknown as DocumentNode<EstimateQuery, EstimateQueryVariables>;
export const EstimateEditDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"EstimateEdit"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"image"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"edit"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"EditInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"estimateEdit"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"image"},"value":{"kind":"Variable","name":{"kind":"Name","value":"image"}}},{"kind":"Argument","name":{"kind":"Name","value":"edit"},"value":{"kind":"Variable","name":{"kind":"Name","value":"edit"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PriceParts"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"RefusalParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refusal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"CapExceeded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cap"}},{"kind":"Field","name":{"kind":"Name","value":"creditsLimit"}},{"kind":"Field","name":{"kind":"Name","value":"spent"}},{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"InsufficientCredits"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"available"}},{"kind":"Field","name":{"kind":"Name","value":"short"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ModelRetired"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"model"}},{"kind":"Field","name":{"kind":"Name","value":"replacedBy"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ProviderUnavailable"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QuoteInvalid"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RateLimited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StorageFull"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usedBytes"}},{"kind":"Field","name":{"kind":"Name","value":"bytesLimit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TierTooLow"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tier"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}},{"kind":"Field","name":{"kind":"Name","value":"feature"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyImages"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requested"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyJobs"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"open"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Unpriced"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"priceVersion"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedOption"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"option"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"supported"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSize"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestedSize"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSource"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"source"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"fits"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PriceParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Estimate"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credits"}},{"kind":"Field","name":{"kind":"Name","value":"quote"}},{"kind":"Field","name":{"kind":"Name","value":"quoteExpiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"balanceAfter"}},{"kind":"Field","name":{"kind":"Name","value":"affordableCount"}},{"kind":"Field","name":{"kind":"Name","value":"lines"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"label"}},{"kind":"Field","name":{"kind":"Name","value":"quantity"}},{"kind":"Field","name":{"kind":"Name","value":"unitCredits"}},{"kind":"Field","name":{"kind":"Name","value":"credits"}}]}},{"kind":"Field","name":{"kind":"Name","value":"preflight"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"ok"}},{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}}]}}]}}]} as unknown as DocumentNode<EstimateEditQuery, EstimateEditQueryVariables>;
export const GenerateDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Generate"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"GenerateInput"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"quote"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"key"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"budget"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"generate"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}},{"kind":"Argument","name":{"kind":"Name","value":"quote"},"value":{"kind":"Variable","name":{"kind":"Name","value":"quote"}}},{"kind":"Argument","name":{"kind":"Name","value":"idempotencyKey"},"value":{"kind":"Variable","name":{"kind":"Name","value":"key"}}},{"kind":"Argument","name":{"kind":"Name","value":"budget"},"value":{"kind":"Variable","name":{"kind":"Name","value":"budget"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ResultParts"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Job"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"images"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"asset"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"budget"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"left"}}]}},{"kind":"Field","name":{"kind":"Name","value":"receipt"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"quoted"}},{"kind":"Field","name":{"kind":"Name","value":"held"}},{"kind":"Field","name":{"kind":"Name","value":"captured"}},{"kind":"Field","name":{"kind":"Name","value":"released"}},{"kind":"Field","name":{"kind":"Name","value":"settled"}},{"kind":"Field","name":{"kind":"Name","value":"entries"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"bucket"}},{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"RefusalParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refusal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"CapExceeded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cap"}},{"kind":"Field","name":{"kind":"Name","value":"creditsLimit"}},{"kind":"Field","name":{"kind":"Name","value":"spent"}},{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"InsufficientCredits"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"available"}},{"kind":"Field","name":{"kind":"Name","value":"short"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ModelRetired"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"model"}},{"kind":"Field","name":{"kind":"Name","value":"replacedBy"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ProviderUnavailable"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QuoteInvalid"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RateLimited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StorageFull"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usedBytes"}},{"kind":"Field","name":{"kind":"Name","value":"bytesLimit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TierTooLow"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tier"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}},{"kind":"Field","name":{"kind":"Name","value":"feature"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyImages"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requested"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyJobs"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"open"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Unpriced"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"priceVersion"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedOption"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"option"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"supported"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSize"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestedSize"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSource"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"source"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"fits"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PriceParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Estimate"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credits"}},{"kind":"Field","name":{"kind":"Name","value":"quote"}},{"kind":"Field","name":{"kind":"Name","value":"quoteExpiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"balanceAfter"}},{"kind":"Field","name":{"kind":"Name","value":"affordableCount"}},{"kind":"Field","name":{"kind":"Name","value":"lines"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"label"}},{"kind":"Field","name":{"kind":"Name","value":"quantity"}},{"kind":"Field","name":{"kind":"Name","value":"unitCredits"}},{"kind":"Field","name":{"kind":"Name","value":"credits"}}]}},{"kind":"Field","name":{"kind":"Name","value":"preflight"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"ok"}},{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ResultParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"SubmissionResult"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Submission"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"replayed"}},{"kind":"Field","name":{"kind":"Name","value":"job"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"JobParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Reused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"saved"}},{"kind":"Field","name":{"kind":"Name","value":"assets"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}},{"kind":"Field","name":{"kind":"Name","value":"estimate"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PriceParts"}}]}}]}}]}}]} as unknown as DocumentNode<GenerateMutation, GenerateMutationVariables>;
export const EditDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Edit"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"image"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"edit"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"EditInput"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"quote"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"key"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"editImage"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"image"},"value":{"kind":"Variable","name":{"kind":"Name","value":"image"}}},{"kind":"Argument","name":{"kind":"Name","value":"edit"},"value":{"kind":"Variable","name":{"kind":"Name","value":"edit"}}},{"kind":"Argument","name":{"kind":"Name","value":"quote"},"value":{"kind":"Variable","name":{"kind":"Name","value":"quote"}}},{"kind":"Argument","name":{"kind":"Name","value":"idempotencyKey"},"value":{"kind":"Variable","name":{"kind":"Name","value":"key"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ResultParts"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Job"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"images"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"asset"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"budget"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"left"}}]}},{"kind":"Field","name":{"kind":"Name","value":"receipt"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"quoted"}},{"kind":"Field","name":{"kind":"Name","value":"held"}},{"kind":"Field","name":{"kind":"Name","value":"captured"}},{"kind":"Field","name":{"kind":"Name","value":"released"}},{"kind":"Field","name":{"kind":"Name","value":"settled"}},{"kind":"Field","name":{"kind":"Name","value":"entries"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"bucket"}},{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"RefusalParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refusal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"CapExceeded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cap"}},{"kind":"Field","name":{"kind":"Name","value":"creditsLimit"}},{"kind":"Field","name":{"kind":"Name","value":"spent"}},{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"InsufficientCredits"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"required"}},{"kind":"Field","name":{"kind":"Name","value":"available"}},{"kind":"Field","name":{"kind":"Name","value":"short"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ModelRetired"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"model"}},{"kind":"Field","name":{"kind":"Name","value":"replacedBy"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ProviderUnavailable"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QuoteInvalid"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RateLimited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StorageFull"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"usedBytes"}},{"kind":"Field","name":{"kind":"Name","value":"bytesLimit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TierTooLow"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tier"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}},{"kind":"Field","name":{"kind":"Name","value":"feature"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyImages"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requested"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"requiredTier"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TooManyJobs"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"open"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Unpriced"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"priceVersion"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedOption"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"option"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"supported"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSize"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestedSize"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UnsupportedSource"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"source"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"fits"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}}]}},{"kind":"Field","name":{"kind":"Name","value":"allowed"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PriceParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Estimate"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credits"}},{"kind":"Field","name":{"kind":"Name","value":"quote"}},{"kind":"Field","name":{"kind":"Name","value":"quoteExpiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"balanceAfter"}},{"kind":"Field","name":{"kind":"Name","value":"affordableCount"}},{"kind":"Field","name":{"kind":"Name","value":"lines"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"label"}},{"kind":"Field","name":{"kind":"Name","value":"quantity"}},{"kind":"Field","name":{"kind":"Name","value":"unitCredits"}},{"kind":"Field","name":{"kind":"Name","value":"credits"}}]}},{"kind":"Field","name":{"kind":"Name","value":"preflight"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"ok"}},{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ResultParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"SubmissionResult"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Submission"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"replayed"}},{"kind":"Field","name":{"kind":"Name","value":"job"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"JobParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Reused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"saved"}},{"kind":"Field","name":{"kind":"Name","value":"assets"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"refusals"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"RefusalParts"}}]}},{"kind":"Field","name":{"kind":"Name","value":"estimate"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PriceParts"}}]}}]}}]}}]} as unknown as DocumentNode<EditMutation, EditMutationVariables>;
export const WatchJobDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"WatchJob"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"job"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"JobParts"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Job"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"images"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"asset"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"budget"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"left"}}]}},{"kind":"Field","name":{"kind":"Name","value":"receipt"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"quoted"}},{"kind":"Field","name":{"kind":"Name","value":"held"}},{"kind":"Field","name":{"kind":"Name","value":"captured"}},{"kind":"Field","name":{"kind":"Name","value":"released"}},{"kind":"Field","name":{"kind":"Name","value":"settled"}},{"kind":"Field","name":{"kind":"Name","value":"entries"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"bucket"}},{"kind":"Field","name":{"kind":"Name","value":"amount"}}]}}]}}]}}]} as unknown as DocumentNode<WatchJobSubscription, WatchJobSubscriptionVariables>;
export const TagDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Tag"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"assets"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"add"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tagAssets"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"assets"},"value":{"kind":"Variable","name":{"kind":"Name","value":"assets"}}},{"kind":"Argument","name":{"kind":"Name","value":"add"},"value":{"kind":"Variable","name":{"kind":"Name","value":"add"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<TagMutation, TagMutationVariables>;
export const FindDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Find"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"AssetFilterInput"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"assets"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<FindQuery, FindQueryVariables>;
export const CreateCollectionDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateCollection"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"name"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createCollection"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"name"},"value":{"kind":"Variable","name":{"kind":"Name","value":"name"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<CreateCollectionMutation, CreateCollectionMutationVariables>;
export const AddToCollectionDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"AddToCollection"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"assets"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"addToCollection"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"assets"},"value":{"kind":"Variable","name":{"kind":"Name","value":"assets"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"count"}},{"kind":"Field","name":{"kind":"Name","value":"cover"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"assets"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PictureParts"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PictureParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Asset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"width"}},{"kind":"Field","name":{"kind":"Name","value":"height"}},{"kind":"Field","name":{"kind":"Name","value":"prompt"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"cost"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"collections"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<AddToCollectionMutation, AddToCollectionMutationVariables>;
export const CreateBudgetDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateBudget"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"CreateBudgetInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createBudget"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"cap"}},{"kind":"Field","name":{"kind":"Name","value":"spent"}},{"kind":"Field","name":{"kind":"Name","value":"left"}}]}}]}}]} as unknown as DocumentNode<CreateBudgetMutation, CreateBudgetMutationVariables>;