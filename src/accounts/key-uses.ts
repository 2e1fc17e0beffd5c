import { LRUCache } from 'lru-cache';
import type { Clock } from '../platform/clock.ts';

/** A key's use is written no oftener than this by one process. */
export const USE_PACE_MS = 60_000;
/** Uses of this long are written together, so that busy keys cost a statement a second at most. */
const GATHER_MS = 1_000;
const KEYS_KNOWN_MAX = 50_000;

/** When keys were last used, written beside the requests that use them: none waits for it, and none fails with it. */
export class KeyUses {
  /** What has been noted of late. */
  readonly #noted: LRUCache<string, true>;
  #unwritten = new Map<string, Date>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly write: (uses: ReadonlyMap<string, Date>) => Promise<void>,
    private readonly clock: Clock,
  ) {
    this.#noted = new LRUCache({
      max: KEYS_KNOWN_MAX,
      ttl: USE_PACE_MS,
      ttlResolution: 0,
      perf: { now: () => clock.now().getTime() },
    });
  }

  note(keyId: string): void {
    if (this.#noted.has(keyId)) return;
    this.#noted.set(keyId, true);
    this.#unwritten.set(keyId, this.clock.now());
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS).unref();
  }

  /** Writes what is left. */
  stop(): Promise<void> {
    this.#flush();
    return this.#writing;
  }

  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#unwritten.size === 0) return;
    const uses = this.#unwritten;
    this.#unwritten = new Map();
    // What could not be written is no loss: the next use after a minute is.
    this.#writing = this.#writing.then(() => this.write(uses)).catch(() => undefined);
  }
}
