import {
  type Effect,
  FAULTS,
  type FaultKind,
  type FaultName,
  STAGES,
  type Stage,
  strikesOnlySubmit,
  VENDORS,
  type Vendor,
} from './faults.menu.ts';

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
