/** The vendors whose protocols are spoken here. */
export const VENDORS = ['stability', 'wavespeed', 'huggingface', 'gemini'] as const;
export type Vendor = (typeof VENDORS)[number];

/**
 * Which request a fault strikes: the one that asks for a picture, a look at how it stands, the fetching of a queued
 * result (HuggingFace's fal route), or the download of an output.
 */
export const STAGES = ['submit', 'poll', 'result', 'download'] as const;
export type Stage = (typeof STAGES)[number];

/**
 * What a fault acts on: `refusal` answers instead of drawing; `connection` changes how the answer travels; `answer`
 * changes what it says; `picture` spoils the picture wherever it is delivered; `job` decides how an accepted job ends.
 */
type Effect = 'refusal' | 'connection' | 'answer' | 'picture' | 'job';

interface FaultKind {
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

/** Every fault that can be asked for. */
export const FAULTS = {
  status: {
    effect: 'refusal',
    about: 'the HTTP status with the body that the vendor sends with it; add retry-after=… for the header or detail',
    value: { unit: 'HTTP status', bare: null, max: 599, allowed: STATUSES },
  },
  html: { effect: 'refusal', about: 'an error page in HTML with status 502' },
  moderated: { effect: 'refusal', about: 'refused by the vendor before drawing' },
  'reset-before': { effect: 'refusal', about: 'the connection is reset before anything is bought' },
  'reset-after': { effect: 'connection', about: 'bought, then the connection is reset instead of an answer' },
  'reset-midway': { effect: 'connection', about: 'bought; the connection is lost after half of the body' },
  never: { effect: 'connection', about: 'bought, and never answered' },
  'slow-headers': {
    effect: 'connection',
    about: 'nothing is sent for a while',
    value: { unit: 'milliseconds', bare: 30_000, max: 600_000 },
  },
  'slow-body': {
    effect: 'connection',
    about: 'headers at once, then the body in drops',
    value: { unit: 'milliseconds', bare: 30_000, max: 600_000 },
  },
  empty: { effect: 'answer', about: '200 without a body' },
  'truncated-json': { effect: 'answer', about: '200 with JSON that ends in the middle' },
  'wrong-type': { effect: 'answer', about: '200 with a page of HTML' },
  prose: { effect: 'answer', about: 'words instead of a picture' },
  withheld: { effect: 'picture', about: 'drawn, and kept back by the vendor: blurred, blackened, flagged or left out' },
  'truncated-picture': { effect: 'picture', about: 'the first half of the bytes of the picture' },
  'wrong-size': { effect: 'picture', about: 'half of the asked width and height' },
  bomb: { effect: 'picture', about: 'a few bytes of PNG that declare 30000x30000 pixels' },
  huge: {
    effect: 'picture',
    about: 'a picture with padding behind it',
    value: { unit: 'megabytes', bare: 100, max: 300 },
  },
  'poll-failed': { effect: 'job', about: 'the job ends as failed' },
  'poll-gone': { effect: 'job', about: 'the vendor no longer knows the job' },
  'poll-forever': { effect: 'job', about: 'the job is never done' },
  'poll-unknown-status': { effect: 'job', about: 'the job has a status that nobody has heard of' },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof FAULTS;

/** One fault as it was asked for. */
export interface Fault {
  readonly name: FaultName;
  readonly effect: Effect;
  readonly value: number | null;
  readonly retryAfter: string | null;
  readonly on: Stage;
  /** How often it strikes; null is always. */
  readonly times: number | null;
  /** The only vendor it is meant for; null is every vendor. */
  readonly at: Vendor | null;
  readonly spec: string;
}

/** The text that asks for a fault cannot be understood. The message says what can. */
export class FaultSyntaxError extends Error {
  override readonly name = 'FaultSyntaxError';
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}

const TIMES_MAX = 1_000_000;

function wholeNumber(key: string, text: string, max: number): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) throw new FaultSyntaxError(`${key} must be a whole number up to ${max}, not "${text}"`);
  return value;
}

function valueFor(name: FaultName, text: string | undefined): number | null {
  const { value }: FaultKind = FAULTS[name];
  if (value === undefined) {
    if (text !== undefined) throw new FaultSyntaxError(`${name} takes no value`);
    return null;
  }
  const number = text === undefined ? value.bare : wholeNumber(value.unit, text, value.max);
  if (number === null || value.allowed?.includes(number) === false) {
    throw new FaultSyntaxError(`${name} needs a ${value.unit}: ${value.allowed?.join(', ')}`);
  }
  return number;
}

function among<T extends string>(key: string, names: readonly T[], text: string): T {
  if (!isOneOf(names, text)) throw new FaultSyntaxError(`${key} must be one of ${names.join(', ')}, not "${text}"`);
  return text;
}

const OPTIONS: Readonly<Record<string, (text: string) => Partial<Fault>>> = {
  'retry-after': (text) => ({ retryAfter: text }),
  on: (text) => ({ on: among('on', STAGES, text) }),
  times: (text) => ({ times: wholeNumber('times', text, TIMES_MAX) }),
  at: (text) => ({ at: among('at', VENDORS, text) }),
};

/** Faults that only the request for a picture can suffer: they decide what is bought, drawn, or how a job ends. */
function strikesOnlySubmit(name: FaultName): boolean {
  const { effect } = FAULTS[name];
  return effect === 'picture' || effect === 'job' || name === 'moderated';
}

/**
 * Reads a fault from `name[=value] [retry-after=…] [on=stage] [times=…] [at=vendor]`.
 * @throws FaultSyntaxError
 */
export function parseFault(spec: string): Fault {
  const [first = '', ...rest] = spec.trim().split(/\s+/);
  const [name = '', text] = first.split('=');
  if (!isFaultName(name)) {
    throw new FaultSyntaxError(`no fault "${name}"; there are ${Object.keys(FAULTS).join(', ')}`);
  }
  const options = rest.map((option): Partial<Fault> => {
    const [, key = option, setting = ''] = /^([^=]+)=([\x21-\x7e]+)$/.exec(option) ?? [];
    const read = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined;
    if (!read || setting === '')
      throw new FaultSyntaxError(`"${option}" is not ${Object.keys(OPTIONS).join('=…, ')}=…`);
    return read(setting);
  });
  const fault: Fault = {
    name,
    effect: FAULTS[name].effect,
    value: valueFor(name, text),
    retryAfter: null,
    on: 'submit',
    times: null,
    at: null,
    ...Object.assign({}, ...options),
    spec: spec.trim(),
  };
  if (fault.on !== 'submit' && strikesOnlySubmit(name)) throw new FaultSyntaxError(`${name} takes no on=…`);
  return fault;
}

const DIRECTIVE = /\[sandbox:([^\]]*)\]/gi;

/**
 * The faults that a prompt asks for as `[sandbox:…]`, as far as they concern this vendor.
 * @throws FaultSyntaxError
 */
export function directivesIn(prompt: string, vendor: Vendor): readonly Fault[] {
  return [...prompt.matchAll(DIRECTIVE)]
    .map((match) => {
      const fault = parseFault(match[1] ?? '');
      // A prompt has no memory, so it cannot say that only its first submission shall suffer.
      if (fault.times !== null && fault.on === 'submit') {
        throw new FaultSyntaxError('times=… in a prompt needs on=poll, on=result or on=download');
      }
      return fault;
    })
    .filter(({ at }) => at === null || at === vendor);
}

/** The prompt as a person would have written it, for the caption. */
export function withoutDirectives(prompt: string): string {
  return prompt.replace(DIRECTIVE, ' ').replace(/\s+/gu, ' ').trim();
}

interface Pending {
  readonly vendor: Vendor;
  readonly fault: Fault;
  remaining: number;
}

const PENDING_MAX = 1_000;

/** Faults that were asked for beside the prompts, waiting for the requests that they will strike. */
export class FaultQueue {
  #pending: Pending[] = [];

  /**
   * The next `times` requests to this vendor, at the stage that the fault names, suffer it.
   * @throws FaultSyntaxError
   */
  next(vendor: Vendor, spec: string, times?: number): void {
    const fault = parseFault(spec);
    const remaining = times ?? fault.times ?? 1;
    if (!Number.isInteger(remaining) || remaining < 1) throw new FaultSyntaxError('times must be at least 1');
    if (this.#pending.length >= PENDING_MAX) throw new FaultSyntaxError(`${PENDING_MAX} faults are waiting already`);
    this.#pending.push({ vendor, fault, remaining });
  }

  /** The fault that this request suffers, which is then used up by one. */
  take(vendor: Vendor, stage: Stage): Fault | null {
    const found = this.#pending.find(({ vendor: whose, fault }) => whose === vendor && fault.on === stage);
    if (!found) return null;
    found.remaining -= 1;
    if (found.remaining === 0) this.#pending = this.#pending.filter((pending) => pending !== found);
    return found.fault;
  }

  pending(): readonly { vendor: Vendor; fault: string; times: number }[] {
    return this.#pending.map(({ vendor, fault, remaining }) => ({ vendor, fault: fault.spec, times: remaining }));
  }

  clear(): void {
    this.#pending = [];
  }
}
