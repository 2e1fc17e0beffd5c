import { createHash, randomInt } from 'node:crypto';
import { STAGES, type Stage, VENDORS, type Vendor } from './faults.menu.ts';
import { type Fault, FaultSyntaxError, parseFault } from './faults.ts';

/** Shares are whole millionths, so that a sum of 100 % is exactly that. */
const WHOLE = 1_000_000;
const PER_CENT = WHOLE / 100;

interface Rate {
  readonly share: number;
  readonly fault: Fault;
}

function parseRate(text: string): Rate {
  const [, percent = '', spec = ''] = /^(\d{1,3}(?:\.\d{1,4})?)\s*%\s+(.+)$/s.exec(text.trim()) ?? [];
  const share = Math.round(Number(percent) * PER_CENT);
  if (percent === '' || share === 0 || share > WHOLE) {
    throw new FaultSyntaxError(`"${text.trim()}" must be a share and a fault, such as "5% status=503"`);
  }
  const fault = parseFault(spec);
  if (fault.times !== null) throw new FaultSyntaxError(`"${text.trim()}": times=… says nothing beside a share`);
  return { share, fault };
}

const concerns = (vendor: Vendor, stage: Stage) => (rate: Rate) =>
  rate.fault.on === stage && (rate.fault.at === null || rate.fault.at === vendor);

function parseRates(list: string): readonly Rate[] {
  const rates = list
    .split(';')
    .filter((text) => text.trim() !== '')
    .map(parseRate);
  for (const vendor of VENDORS) {
    for (const stage of STAGES) {
      const sum = rates.filter(concerns(vendor, stage)).reduce((total, { share }) => total + share, 0);
      if (sum > WHOLE) throw new FaultSyntaxError(`faults of ${vendor} on ${stage} add up to ${sum / PER_CENT} %`);
    }
  }
  return rates;
}

const SEED_MAX = 2 ** 32;

/**
 * Faults that strike by chance, each with its own share of the requests. Chance comes from a seed, and every vendor and
 * stage has a sequence of its own: the nth of its requests always meets the same fate, whatever the others do.
 */
export class FaultRates {
  #rates: readonly Rate[] = [];
  #seed = 0;
  readonly #rolls = new Map<string, number>();

  /** @throws FaultSyntaxError */
  constructor(list: string, seed?: number) {
    this.set(list, seed);
  }

  /**
   * Replaces all rates and begins the sequences anew. The list is separated by semicolons; an empty one has no faults.
   * Without a seed chance is not repeatable, but `shown` tells which seed it was.
   * @throws FaultSyntaxError, and then nothing has changed.
   */
  set(list: string, seed: number = randomInt(SEED_MAX)): void {
    this.#rates = parseRates(list);
    this.#seed = seed;
    this.#rolls.clear();
  }

  clear(): void {
    this.set('');
  }

  /** The fault that strikes this request, if any. At most one does. */
  roll(vendor: Vendor, stage: Stage): Fault | null {
    const rates = this.#rates.filter(concerns(vendor, stage));
    if (rates.length === 0) return null;
    let left = this.#next(`${vendor} ${stage}`);
    for (const { share, fault } of rates) {
      if (left < share) return fault;
      left -= share;
    }
    return null;
  }

  shown(): { readonly seed: number; readonly rates: readonly { readonly percent: number; readonly fault: string }[] } {
    const rates = this.#rates.map(({ share, fault }) => ({ percent: share / PER_CENT, fault: fault.spec }));
    return { seed: this.#seed, rates };
  }

  /** The next number of a sequence, in millionths. */
  #next(sequence: string): number {
    const turn = (this.#rolls.get(sequence) ?? 0) + 1;
    this.#rolls.set(sequence, turn);
    const hash = createHash('sha256').update(`${this.#seed} ${sequence} ${turn}`).digest();
    return Math.floor((hash.readUInt32LE(0) / 2 ** 32) * WHOLE);
  }
}
