/** The vendors whose protocols are spoken here. */
export const VENDORS = ['stability', 'wavespeed', 'huggingface', 'gemini'] as const;
export type Vendor = (typeof VENDORS)[number];

/**
 * Which request a fault strikes: the one that asks for a picture, a look at how it stands, the fetching of a queued
 * result (HuggingFace's fal route, and Stability's look that finds the result there), or the download of an output.
 */
export const STAGES = ['submit', 'poll', 'result', 'download'] as const;
export type Stage = (typeof STAGES)[number];

/**
 * What a fault acts on: `refusal` answers instead of drawing; `connection` changes how the answer travels; `answer`
 * changes what it says; `addition` adds to it what a careful client passes over; `picture` spoils the picture wherever
 * it is delivered; `address` changes where it can be fetched; `job` decides how an accepted job ends, or what looks at
 * it show; `webhook` changes what is sent when a job has ended.
 */
export type Effect = 'refusal' | 'connection' | 'answer' | 'addition' | 'picture' | 'address' | 'job' | 'webhook';

/** One thing that can go wrong. */
export interface FaultKind {
  readonly effect: Effect;
  readonly about: string;
  /** What `name=value` means, with the value that a bare name has; absent where a fault takes none. */
  readonly value?: {
    readonly unit: string;
    readonly bare: number | null;
    readonly max: number;
    readonly allowed?: readonly number[];
  };
}

const STATUSES = [400, 401, 402, 403, 404, 410, 413, 422, 429, 500, 502, 503, 504] as const;

const aWhile = { unit: 'milliseconds', bare: 30_000, max: 600_000 } as const;

/** Every fault that can be asked for. */
export const FAULTS = {
  status: {
    effect: 'refusal',
    about: 'the HTTP status with the body that the vendor sends with it; add retry-after=… for the header or detail',
    value: { unit: 'HTTP status', bare: null, max: 599, allowed: STATUSES },
  },
  html: {
    effect: 'refusal',
    about: 'an error page in HTML, as a proxy sends it',
    value: { unit: 'HTTP status', bare: 502, max: 599, allowed: STATUSES },
  },
  moderated: { effect: 'refusal', about: 'refused by the vendor before drawing' },
  'no-funds': { effect: 'refusal', about: 'the account is empty, in the words that this vendor has for it' },
  'daily-quota': { effect: 'refusal', about: 'the quota of the day is used up: waiting a little does not help' },
  loading: {
    effect: 'refusal',
    about: 'the model is not in memory yet (HuggingFace); 503 elsewhere',
    value: { unit: 'seconds', bare: 20, max: 3_600 },
  },
  'reset-before': { effect: 'refusal', about: 'the connection is reset before anything is bought' },
  'reset-after': { effect: 'connection', about: 'bought, then the connection is reset instead of an answer' },
  'reset-midway': { effect: 'connection', about: 'bought; the connection is lost after half of the body' },
  never: { effect: 'connection', about: 'bought, and never answered' },
  endless: { effect: 'connection', about: 'bought; headers at once, then a body that trickles and never ends' },
  'slow-headers': { effect: 'connection', about: 'nothing is sent for a while', value: aWhile },
  'slow-body': { effect: 'connection', about: 'headers at once, then the body in drops', value: aWhile },
  'picture-as-html': { effect: 'connection', about: 'the right bytes, declared as text/html' },
  'html-as-picture': { effect: 'answer', about: '200 with a page of HTML, declared as image/png' },
  empty: { effect: 'answer', about: '200 without a body' },
  'truncated-json': { effect: 'answer', about: '200 with JSON that ends in the middle' },
  'wrong-type': { effect: 'answer', about: '200 with a page of HTML' },
  prose: { effect: 'answer', about: 'words instead of a picture' },
  drafts: { effect: 'addition', about: 'thoughts with a draft of the picture before it, whatever the model (Gemini)' },
  withheld: { effect: 'picture', about: 'drawn, and kept back by the vendor: blurred, blackened, flagged or left out' },
  flagged: { effect: 'picture', about: 'flagged as unfit like a withheld picture, but sent whole' },
  blurred: { effect: 'picture', about: 'blurred beyond recognition, and nothing says so' },
  black: { effect: 'picture', about: 'black all over, and nothing says so' },
  'truncated-picture': { effect: 'picture', about: 'the first half of the bytes of the picture' },
  'wrong-size': { effect: 'picture', about: 'half of the asked width and height' },
  bomb: { effect: 'picture', about: 'a few bytes of PNG that declare 30000x30000 pixels' },
  huge: {
    effect: 'picture',
    about: 'a picture with padding behind it',
    value: { unit: 'megabytes', bare: 100, max: 300 },
  },
  'result-elsewhere': { effect: 'address', about: 'the address of the picture names another host' },
  'result-redirected': { effect: 'address', about: 'the address of the picture redirects to another host' },
  'result-private': {
    effect: 'address',
    about: 'the address of the picture lies in a private network; with result-redirected it is where that leads',
    value: { unit: 'first number of the address', bare: 169, max: 192, allowed: [10, 169, 192] },
  },
  'result-gone': { effect: 'address', about: 'the picture is not found at its address' },
  'poll-failed': { effect: 'job', about: 'the job ends as failed' },
  'poll-gone': { effect: 'job', about: 'whoever looks at the job is told that there is none' },
  'poll-forever': { effect: 'job', about: 'the job is never seen done' },
  'poll-unknown-status': { effect: 'job', about: 'the job is seen in a status that nobody has heard of' },
  'webhook-none': { effect: 'webhook', about: 'the webhook is never sent' },
  'webhook-twice': { effect: 'webhook', about: 'the webhook is sent again after it was taken' },
  'webhook-late': { effect: 'webhook', about: 'the webhook is sent after a while', value: aWhile },
  'webhook-forged': { effect: 'webhook', about: 'the webhook is signed with another secret' },
  'webhook-stale': { effect: 'webhook', about: 'the webhook is rightly signed, ten minutes ago' },
  'webhook-tampered': { effect: 'webhook', about: 'the body of the webhook was changed after it was signed' },
} as const satisfies Record<string, FaultKind>;

/** The name of a fault. */
export type FaultName = keyof typeof FAULTS;

/** Refusals that only say something about an order, never about a later request. */
const OF_ORDERS: ReadonlySet<FaultName> = new Set(['moderated', 'no-funds', 'daily-quota', 'loading']);

const AT_ANY_STAGE: ReadonlySet<Effect> = new Set(['refusal', 'connection', 'answer']);

/** Faults that only the request for a picture can suffer: they decide what is bought, drawn, or how a job ends. */
export function strikesOnlySubmit(name: FaultName): boolean {
  return OF_ORDERS.has(name) || !AT_ANY_STAGE.has(FAULTS[name].effect);
}
