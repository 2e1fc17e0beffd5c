/** A reading, and whether it is older than it should be. */
export interface Read<T> {
  /** Null before the first one has come. */
  readonly value: T | null;
  readonly isStale: boolean;
}

const WAIT_MAX_MS = 1_000;
const EVERY_MS = 5_000;

/**
 * Something that is read from where it may take long or fail, for whoever asks often: at most once in five seconds,
 * never twice at once, and nobody waits longer than a second for it.
 */
export class BoundedReading<T> {
  #latest: T | null = null;
  #begunAt = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | null = null;
  #hasFailed = false;

  constructor(private readonly read: () => Promise<T>) {}

  /** The newest value there is. Never fails. */
  async now(): Promise<Read<T>> {
    if (this.#underWay === null && performance.now() - this.#begunAt >= EVERY_MS) this.#begin();
    if (this.#underWay) await first(this.#underWay, this.#begunAt + WAIT_MAX_MS - performance.now());
    return { value: this.#latest, isStale: this.#hasFailed || this.#underWay !== null };
  }

  #begin(): void {
    this.#begunAt = performance.now();
    this.#underWay = this.read()
      .then(
        (value) => {
          this.#latest = value;
          this.#hasFailed = false;
        },
        () => {
          this.#hasFailed = true;
        },
      )
      .finally(() => {
        this.#underWay = null;
      });
  }
}

/** Waits for `work`, and for no longer than `ms`. */
async function first(work: Promise<void>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, Math.max(0, ms));
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}
