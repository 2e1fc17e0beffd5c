import type { Edit } from '../catalog/edits.ts';
import type { ProviderName } from '../catalog/models.ts';
import type { UpscaleMode } from '../catalog/operations.ts';
import type { Size } from '../catalog/sizes.ts';
import type { StylePreset } from '../catalog/style-presets.ts';
import type { UpscaleWords } from '../catalog/upscale-requests.ts';

/** Which address of the provider, and the vendor's own name for the model there (see the catalog's `Host`). */
interface Addressed {
  readonly host: string;
  readonly vendorModel: string;
}

/** What the vendor is asked to draw. `aspectRatio` and `imageSize` are null for models that take any size. */
export type Render = Size & { readonly aspectRatio: string | null; readonly imageSize: string | null };

/** One picture to draw from words. */
export interface GenerateOrder extends Addressed {
  readonly operation: 'GENERATE';
  readonly prompt: string;
  readonly negativePrompt: string | null;
  /** Set only for models with `stylePresetField`; otherwise it is already part of the prompt. */
  readonly stylePreset: StylePreset | null;
  readonly seed: number | null;
  readonly render: Render;
}

/** A picture that goes out with an order: decodable, upright and of a kind that every vendor takes. */
export interface SentPicture extends Size {
  readonly bytes: Buffer;
  readonly contentType: 'image/png' | 'image/jpeg' | 'image/webp';
}

/** One picture to change. */
export interface EditOrder extends Addressed {
  readonly operation: 'EDIT';
  /** The parameters of the kind; the pictures that it names by id are `pictures` here. */
  readonly edit: Edit;
  /** The words of the edit, the style preset's put behind them where the model has no field for it; null without any. */
  readonly prompt: string | null;
  /** Set only for models with `stylePresetField`. */
  readonly stylePreset: StylePreset | null;
  readonly seed: number | null;
  readonly source: SentPicture;
  /** White is edited, black is kept. Of the source's size, one channel, PNG; already grown where `growsMask` is false. */
  readonly mask: SentPicture | null;
  readonly backgroundReference: SentPicture | null;
  readonly lightReference: SentPicture | null;
  /** What the vendor is asked to draw, for models with sizes of their own; otherwise the size that comes back. */
  readonly render: Render;
}

/** One picture to enlarge. */
export interface UpscaleOrder extends Addressed {
  readonly operation: 'UPSCALE';
  readonly mode: UpscaleMode;
  /** Null for a mode that takes none. */
  readonly words: UpscaleWords | null;
  readonly source: SentPicture;
}

/** One picture to make, in our words. The adapter maps it to the vendor's; it never changes what is asked. */
export type Order = GenerateOrder | EditOrder | UpscaleOrder;

/** Where an accepted picture is being drawn. Survives our restart, so it holds all that `check` and `cancel` need. */
export interface Ticket {
  readonly host: string;
  readonly vendorModel: string;
  readonly vendorId: string;
}

/** Why a vendor would not draw; decides between the next route, a breaker and an alarm, never a second purchase. */
export type RejectionReason =
  | 'BAD_REQUEST'
  | 'AUTHENTICATION'
  | 'OUT_OF_FUNDS'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'MODEL_RETIRED'
  | 'TOO_LARGE'
  | 'RATE_LIMITED'
  | 'NOT_READY'
  | 'UNREACHABLE';

/** What else will be turned down for the same reason: this request alone, the model, or everything at its host. */
export type RejectionScope = 'REQUEST' | 'MODEL' | 'HOST';

/** The vendor's bytes. `seed` is the one the vendor says it used, or null where it does not say. */
export interface Delivered {
  readonly kind: 'delivered';
  readonly picture: Buffer;
  readonly seed: number | null;
}
/** Nothing was bought: a 4xx, a 429, or the request never left. Another route may be tried. */
export interface Rejected {
  readonly kind: 'rejected';
  readonly reason: RejectionReason;
  readonly scope: RejectionScope;
  readonly message: string;
  /** How long the vendor asks us to stay away; null where it does not say. */
  readonly retryAfterSeconds: number | null;
}
/** Withheld by the vendor's moderation, before or after drawing, whatever the HTTP status said. */
export interface Moderated {
  readonly kind: 'moderated';
  readonly message: string;
  /** Whether the vendor charges us for it. */
  readonly billed: boolean;
}
/** The vendor says it succeeded, but what came is not a usable picture. It is billed. */
export interface Broken {
  readonly kind: 'broken';
  readonly message: string;
  /** Set where the model talked instead of drawing, which is an answer to what was asked and no sign of illness. */
  readonly inWords?: true;
}
/** The request may have been accepted and bought (5xx, reset or time-out after the body was sent): never send it again. */
export interface Unknown {
  readonly kind: 'unknown';
  readonly message: string;
  /** How long the vendor asks us to stay away, where it says so. */
  readonly retryAfterSeconds?: number | null;
}
/** The vendor took the job and will draw it; ask again with `check`. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly ticket: Ticket;
  readonly pollAfterMs: number;
}
/** Still drawing, or the vendor could not say just now. */
export interface Pending {
  readonly kind: 'pending';
  readonly pollAfterMs: number;
}
/** The vendor accepted the job and then failed at it. It does not charge for that. */
export interface Failed {
  readonly kind: 'failed';
  readonly message: string;
}

export type SubmitOutcome = Accepted | Delivered | Rejected | Moderated | Broken | Unknown;
export type CheckOutcome = Pending | Delivered | Failed | Moderated | Broken | Unknown;

export interface SubmitOptions {
  /** Ends the call with `unknown`, or with `rejected` when nothing was sent yet. */
  readonly signal: AbortSignal;
  /** How long the answer may take, start to last byte. A vendor with a queue has less where it usually needs less. */
  readonly timeoutMs: number;
  /** Where the vendor shall report that it is done, if it can; null for nowhere. */
  readonly reportTo: string | null;
}

/** A report that a vendor sent by itself, as it came. Header names are in lower case. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What a delivery proved to be; `CANNOT_TELL` where what it is checked against could not be had just now. */
export type Verified =
  | { readonly kind: 'GENUINE'; readonly vendorId: string; readonly report: unknown }
  | { readonly kind: 'FORGED' | 'CANNOT_TELL' };

/** For vendors that report a finished job by themselves. */
export interface Webhooks {
  /** Whether a delivery is the vendor's own, unchanged, and not an old one repeated. */
  verify(delivery: Delivery, now: Date): Promise<Verified>;
  /** What a genuine report says: the same as `check` would. */
  read(report: unknown, signal: AbortSignal): Promise<CheckOutcome>;
}

/**
 * A vendor's protocol and nothing else: no polling, no prices, no retries, no database. No method throws for anything a
 * vendor does; a throw is our defect.
 */
export interface Provider {
  readonly name: ProviderName;
  /** The hosts of its models that it can reach as it is set up. */
  readonly hosts: ReadonlySet<string>;
  readonly webhooks: Webhooks | null;
  submit(order: Order, options: SubmitOptions): Promise<SubmitOutcome>;
  /** Asks once how an accepted job stands. `unknown` means the vendor will never be able to say (gone). */
  check(ticket: Ticket, signal: AbortSignal): Promise<CheckOutcome>;
  /** Asks the vendor to stop, where it can; best effort, says nothing. */
  cancel(ticket: Ticket, signal: AbortSignal): Promise<void>;
}
