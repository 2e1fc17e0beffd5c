import type { FailureCode } from '../../src/jobs/job.ts';
import type { CallEnd } from '../../src/jobs/vendor-call.ts';
import type { RejectionReason, RejectionScope } from '../../src/providers/provider.ts';
import type { Bought, Outcome } from '../../src/sandbox/journal.ts';

/** Every adapter at every kind of address that it speaks to, with the route that stands for it in the contract. */
const FROM_WORDS = {
  stability: 'stability/core',
  wavespeed: 'wavespeed/qwen-image',
  'hf-inference': 'huggingface/flux-schnell@hf-inference',
  'fal-ai': 'huggingface/flux-dev',
  gemini: 'gemini/nano-banana',
  'gemini/vertex': 'gemini/imagen-4',
} as const;
const FROM_PICTURES_AT_STABILITY = {
  'stability/inpaint': 'stability/inpaint',
  'stability/relight': 'stability/replace-background-and-relight',
  'stability/fast': 'stability/upscale-fast',
  'stability/creative': 'stability/upscale-creative',
} as const;
const FROM_PICTURES_ELSEWHERE = {
  'wavespeed/edit': 'wavespeed/qwen-image-edit',
  'wavespeed/inpaint': 'wavespeed/ideogram-v3-turbo-inpaint',
  'fal-ai/edit': 'huggingface/flux-kontext-dev',
  'gemini/edit': 'gemini/nano-banana-edit',
} as const;

export const ADAPTERS = { ...FROM_WORDS, ...FROM_PICTURES_AT_STABILITY, ...FROM_PICTURES_ELSEWHERE } as const;
export type Adapter = keyof typeof ADAPTERS;

/** As many as fit beside each other. */
export const ADAPTER_GROUPS: Readonly<Record<string, readonly Adapter[]>> = {
  'from words': Object.keys(FROM_WORDS) as Adapter[],
  'from pictures, at Stability': Object.keys(FROM_PICTURES_AT_STABILITY) as Adapter[],
  'from pictures, elsewhere': Object.keys(FROM_PICTURES_ELSEWHERE) as Adapter[],
};
export const ADAPTER_NAMES = Object.keys(ADAPTERS) as readonly Adapter[];
export const GENERATING_NAMES = Object.keys(FROM_WORDS) as readonly Adapter[];

/** Those that speak as another does: what a row says of that one holds for them, unless it names them too. */
const LIKE: Readonly<Partial<Record<Adapter, Adapter>>> = {
  'stability/inpaint': 'stability',
  'stability/relight': 'stability',
  'stability/fast': 'stability',
  'stability/creative': 'stability',
  'wavespeed/edit': 'wavespeed',
  'wavespeed/inpaint': 'wavespeed',
  'fal-ai/edit': 'fal-ai',
  'gemini/edit': 'gemini',
};

/** Those whose answer to an order is a job, and the address of its picture; the others answer with the picture. */
const ADDRESSED: ReadonlySet<Adapter> = new Set<Adapter>([
  'wavespeed',
  'fal-ai',
  'wavespeed/edit',
  'wavespeed/inpaint',
  'fal-ai/edit',
]);
/** Those whose answer to an order is a job, and whose job, looked at when it is done, answers with the picture. */
const COLLECTED: ReadonlySet<Adapter> = new Set<Adapter>(['stability/relight', 'stability/creative']);
export const QUEUED: ReadonlySet<Adapter> = new Set([...ADDRESSED, ...COLLECTED]);

/** Those whose orders have no words, so that they cannot ask for what is to go wrong with them. */
export const WORDLESS: ReadonlySet<Adapter> = new Set<Adapter>(['stability/fast']);

/** How a call must end, and what the vendor's own books must say of it. */
export interface End {
  readonly kind: CallEnd['kind'];
  readonly reason?: RejectionReason;
  readonly scope?: RejectionScope;
  readonly retryAfterSeconds?: number | null;
  readonly billed?: boolean;
  readonly bought: Bought;
  /** What else the books say of the order, where that is the point of the row. */
  readonly booked?: Outcome;
  /** Where a whole gateway makes something else of it, and what the customer then gets who names the model. */
  readonly inGateway?: { readonly kind?: CallEnd['kind']; readonly failure?: FailureCode };
}
/** Why a case cannot exist at an adapter. */
export interface NotApplicable {
  readonly na: string;
}
export type Cell = End | NotApplicable;

export const delivered: End = { kind: 'delivered', bought: 'yes' };
export const broken: End = { kind: 'broken', bought: 'yes' };
export const failed: End = { kind: 'failed', bought: 'refunded' };
export const na = (why: string): NotApplicable => ({ na: why });
export const unknown = (bought: Bought): End => ({ kind: 'unknown', bought });
export const cut = (booked: Outcome): End => ({ kind: 'cut', bought: 'yes', booked });
export const moderated = (billed: boolean, bought: Bought): End => ({ kind: 'moderated', billed, bought });
export const rejected = (
  reason: RejectionReason,
  scope: RejectionScope,
  retryAfterSeconds: number | null = null,
): End => ({ kind: 'rejected', reason, scope, retryAfterSeconds, bought: 'no' });

/** What ends a case: the vendor, our own patience, or the customer who cancels it while it is being drawn. */
export type EndedBy = 'VENDOR' | 'PATIENCE' | 'CUSTOMER';

export interface Row {
  readonly what: string;
  /** The sandbox's names for what goes wrong, separated by semicolons. */
  readonly faults: Readonly<Record<Adapter, string>>;
  readonly cells: Readonly<Record<Adapter, Cell>>;
  readonly endedBy: EndedBy;
}

/**
 * One value for all, for those with or without a queue, for those whose result is collected where their job is looked
 * at, or for one adapter and whatever is like it; the narrower one holds.
 */
export type For<T> = { readonly [name in Adapter | 'all' | 'answering' | 'queued' | 'collected']?: T };

/** @throws Error for a row that forgets an adapter: none is passed over in silence. */
export function row(what: string, faults: string | For<string>, cells: For<Cell>, endedBy: EndedBy = 'VENDOR'): Row {
  return {
    what,
    faults: forEach(what, typeof faults === 'string' ? { all: faults } : { all: '', ...faults }),
    cells: forEach(what, cells),
    endedBy,
  };
}

function forEach<T>(what: string, values: For<T>): Record<Adapter, T> {
  const entryOf = (name: Adapter) => {
    const { [name]: like } = LIKE;
    const value =
      values[name] ??
      (COLLECTED.has(name) ? values.collected : undefined) ??
      (like && values[like]) ??
      values[QUEUED.has(name) ? 'queued' : 'answering'] ??
      values.all;
    if (value === undefined) throw new Error(`"${what}" says nothing of ${name}`);
    return [name, value];
  };
  return Object.fromEntries(ADAPTER_NAMES.map(entryOf)) as Record<Adapter, T>;
}

/** The faults of a row, one by one. */
export function faultsIn(faults: string): readonly string[] {
  return faults
    .split(';')
    .map((fault) => fault.trim())
    .filter((fault) => fault !== '');
}

/** A prompt that nobody else has, and that asks the sandbox for faults, at one vendor alone where it is named. */
export function promptOf(word: string, faults: string, vendor: string | null = null): string {
  const directives = faultsIn(faults).map((fault) => `[sandbox:${fault}${vendor === null ? '' : ` at=${vendor}`}]`);
  return [`a lighthouse, ${word},`, ...directives].join(' ');
}

/** As much of an end as the call itself tells. */
export type CallTold = Pick<End, 'kind' | 'reason' | 'scope' | 'retryAfterSeconds' | 'billed'>;

export function endInWords({ kind, reason, scope, retryAfterSeconds, billed }: CallTold): string {
  if (kind === 'moderated') return billed ? 'moderated, billed' : 'moderated, free';
  if (kind !== 'rejected') return kind;
  const stayAway = typeof retryAfterSeconds === 'number' ? ` ${retryAfterSeconds}s` : '';
  return `${reason} ${scope?.toLowerCase()}${stayAway}`;
}
