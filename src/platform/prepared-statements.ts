import { LRUCache } from 'lru-cache';

/** A statement is prepared when it comes for this time: what comes once would only fill the server's memory. */
const PREPARED_AFTER = 3;
/** Plans that each connection keeps, at most: some tens of kilobytes each. */
const PREPARED_MAX = 200;
/** Statements that are counted; the longest unseen are forgotten. */
const COUNTED_MAX = 2_000;

/**
 * Names for statements that come again and again, so that each connection has the server plan them once: planning is
 * half of what a short statement costs.
 */
export class PreparedStatements {
  readonly #seen = new LRUCache<string, number>({ max: COUNTED_MAX });
  /** Null for what must not be prepared again. */
  readonly #names = new Map<string, string | null>();

  /** Undefined for a statement that is not to be prepared. */
  nameOf(statement: string): string | undefined {
    const known = this.#names.get(statement);
    if (known !== undefined) return known ?? undefined;
    const times = (this.#seen.get(statement) ?? 0) + 1;
    this.#seen.set(statement, times);
    if (times < PREPARED_AFTER || this.#names.size >= PREPARED_MAX) return undefined;
    const name = `s${this.#names.size}`;
    this.#names.set(statement, name);
    return name;
  }

  /** For a statement whose plan the server does not accept any more, as when its table has got another column. */
  neverAgain(statement: string): void {
    this.#names.set(statement, null);
  }
}
