import { closeSync, openSync, writeSync } from 'node:fs';
import type { Vendor } from './faults.menu.ts';

/**
 * What became of a request for a picture.
 * - `refused`: turned down, nothing was bought. `moderated`: turned down by the vendor's moderation.
 * - `errored`: an answer of the 500s, or an error page: the client cannot know whether it bought something.
 * - `accepted`: taken on and not yet known to have ended. `completed`, `failed`, `cancelled`: how it ended.
 * - `delivered`: drawn and sent. `withheld`: drawn, and kept back by the vendor's moderation.
 * - `damaged`: drawn, but what was sent is not the picture. `unanswered`: drawn, but the client did not get the answer.
 */
export type Outcome =
  | 'refused'
  | 'moderated'
  | 'errored'
  | 'accepted'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'delivered'
  | 'withheld'
  | 'damaged'
  | 'unanswered';

/** `unknown` goes with `errored`: a careful client must treat it like `yes`. */
export type Bought = 'yes' | 'no' | 'refunded' | 'unknown';

/** One request for a picture, refused or not. Polls, downloads and balances are not in the journal. */
export interface JournalEntry {
  /** Counts up from 1; in the file, the last line of a number is the one that holds. */
  readonly number: number;
  readonly at: string;
  readonly vendor: Vendor;
  readonly model: string | null;
  /** The vendor's id of the prediction or response. */
  readonly vendorId: string | null;
  readonly prompt: string | null;
  readonly seed: number | null;
  readonly width: number | null;
  readonly height: number | null;
  /** How many pictures were ordered in one request; null where it is not known. */
  readonly pictures: number | null;
  readonly outcome: Outcome;
  readonly bought: Bought;
  /** The fault that was asked for, as it was written. */
  readonly fault: string | null;
}

/** An entry before it has its number and its time. */
export type NewEntry = Omit<JournalEntry, 'number' | 'at'>;

/** An entry that can still change its end. */
export interface Line {
  readonly entry: JournalEntry;
  amend(changes: Partial<Pick<JournalEntry, 'outcome' | 'bought' | 'vendorId'>>): void;
}

/** Entries kept in memory; the oldest are forgotten beyond that, and stay in the file. */
const ENTRIES_MAX = 100_000;

/**
 * The sandbox's own record of what was bought, kept apart from everything a gateway believes, so that a test can prove
 * that nothing was bought twice.
 */
export class Journal {
  readonly #entries = new Map<number, JournalEntry>();
  readonly #file: number | null;
  #last = 0;
  #closed = false;

  constructor(file: string | undefined) {
    this.#file = file === undefined ? null : openSync(file, 'a');
  }

  write(entry: NewEntry): Line {
    this.#last += 1;
    const number = this.#last;
    let current: JournalEntry = { number, at: new Date().toISOString(), ...entry };
    this.#keep(current);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > ENTRIES_MAX && !oldest.done) this.#entries.delete(oldest.value);
    return {
      get entry() {
        return current;
      },
      amend: (changes) => {
        current = { ...current, ...changes };
        this.#keep(current);
      },
    };
  }

  entries(): readonly JournalEntry[] {
    return [...this.#entries.values()];
  }

  close(): void {
    if (this.#file !== null && !this.#closed) closeSync(this.#file);
    this.#closed = true;
  }

  #keep(entry: JournalEntry): void {
    this.#entries.set(entry.number, entry);
    // Written synchronously, so that the file is right even when the process is killed in the next instant.
    if (this.#file !== null && !this.#closed) writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}
