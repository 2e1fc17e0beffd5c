import type { FailureCode } from '../../src/jobs/job.ts';
import type { CallEnd } from '../../src/jobs/vendor-call.ts';
import type { RejectionReason, RejectionScope } from '../../src/providers/provider.ts';
import type { Bought, Outcome } from '../../src/sandbox/journal.ts';

/** Every adapter at every kind of address that it speaks to, with the route that stands for it in the contract. */
export const ADAPTERS = {
  stability: 'stability/core',
  wavespeed: 'wavespeed/qwen-image',
  'hf-inference': 'huggingface/flux-schnell@hf-inference',
  'fal-ai': 'huggingface/flux-dev',
  gemini: 'gemini/nano-banana',
  'gemini/vertex': 'gemini/imagen-4',
} as const;
export type Adapter = keyof typeof ADAPTERS;
export const ADAPTER_NAMES = Object.keys(ADAPTERS) as readonly Adapter[];

/** Those whose answer to an order is a job; the others answer with the picture. */
export const QUEUED: ReadonlySet<Adapter> = new Set<Adapter>(['wavespeed', 'fal-ai']);

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

/** One value for all, for those with or without a queue, or for one adapter; the narrower one holds. */
type For<T> = { readonly [name in Adapter | 'all' | 'answering' | 'queued']?: T };

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
    const value = values[name] ?? values[QUEUED.has(name) ? 'queued' : 'answering'] ?? values.all;
    if (value === undefined) throw new Error(`"${what}" says nothing of ${name}`);
    return [name, value];
  };
  return Object.fromEntries(ADAPTER_NAMES.map(entryOf)) as Record<Adapter, T>;
}

/** A prompt that nobody else has, and that asks the sandbox for faults, at one vendor alone where it is named. */
export function promptOf(word: string, faults: string, vendor: string | null = null): string {
  const directives = faults
    .split(';')
    .filter((fault) => fault.trim() !== '')
    .map((fault) => `[sandbox:${fault.trim()}${vendor === null ? '' : ` at=${vendor}`}]`);
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
