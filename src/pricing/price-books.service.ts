import { LRUCache } from 'lru-cache';
import { badInput, DomainError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { EventBus } from '../platform/events.ts';
import type { Log } from '../platform/log.ts';
import type { PriceBookCache } from './price-book.cache.ts';
import type { PriceBookRow, PriceBookStore } from './price-book.store.ts';
import { type PriceBook, type PriceBookDocument, priceBookDocument } from './price-book.ts';

const CHANNEL = 'price-book';
/** A publish arrives by an event; this heals a lost one. */
const REVALIDATE_MS = 3_000;
const HISTORY_MAX = 100;
/** Processes share a schedule but not a clock: what was in force this long ago stays in it for the slow ones. */
const CLOCK_SKEW_MAX_MS = 60_000;
/** Versions are small and few; this only bounds what a stream of old quotes could make us keep. */
const OTHER_VERSIONS_KEPT_MAX = 50;

/**
 * The price books as this process sees them. Everything a request needs is in memory: no call leaves the process for a
 * price. Every process switches to a new version at its effective time by its own clock.
 */
export class PriceBooks {
  /** The version in force and those to come, by their effective time. */
  #scheduled: readonly PriceBook[] = [];
  readonly #others = new LRUCache<number, PriceBook>({ max: OTHER_VERSIONS_KEPT_MAX });
  #timer: NodeJS.Timeout | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(
    private readonly store: PriceBookStore,
    private readonly cache: PriceBookCache,
    private readonly events: EventBus,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Loads the schedule and keeps it fresh; makes version 1 from `first` when nothing was ever published. */
  async start(first: PriceBookDocument): Promise<void> {
    priceBookDocument.parse(first);
    const now = this.clock.now();
    await this.store.insertFirst({ document: first, effectiveAt: new Date(0), publishedBy: null, publishedAt: now });
    await this.refresh();
    const refreshQuietly = () => {
      this.refresh().catch((error: unknown) =>
        this.log.warn({ err: error }, 'the price book could not be revalidated; the copy in memory goes on'),
      );
    };
    this.#unsubscribe = this.events.subscribe(CHANNEL, refreshQuietly);
    this.#timer = setInterval(refreshQuietly, REVALIDATE_MS).unref();
  }

  stop(): void {
    this.#unsubscribe?.();
    if (this.#timer) clearInterval(this.#timer);
  }

  /** The version in force now. */
  current(): PriceBook {
    const now = this.clock.now();
    const book = this.#scheduled.findLast(({ effectiveAt }) => effectiveAt <= now);
    if (!book)
      throw new DomainError(
        'UNAVAILABLE',
        'No price book has been loaded yet. Nothing was run and nothing was charged; try again in a moment.',
      );
    return book;
  }

  /** One version, whether it is in force or not; null when it was never published. */
  async find(version: number): Promise<PriceBook | null> {
    const known = this.#scheduled.find((book) => book.version === version) ?? this.#others.get(version);
    if (known) return known;
    const stored = await this.cache.find(version);
    if (!stored) return null;
    const book: PriceBook = { ...stored, table: priceBookDocument.parse(stored.document) };
    this.#others.set(version, book);
    return book;
  }

  history(first: number): Promise<PriceBookRow[]> {
    if (!Number.isInteger(first) || first < 1 || first > HISTORY_MAX)
      throw badInput('first', first, `a whole number from 1 to ${HISTORY_MAX}`);
    return this.store.history(first);
  }

  /**
   * Publishes a new version. Jobs already quoted keep their own version.
   * @throws BAD_USER_INPUT when the document has an unknown row, a bad amount, or an effective time in the past.
   */
  async publish(document: unknown, effectiveAt: Date | null, publishedBy: string): Promise<PriceBook> {
    const now = this.clock.now();
    const parsed = priceBookDocument.safeParse(document);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const field = ['document', ...(issue?.path ?? [])].join('.');
      throw new DomainError('BAD_USER_INPUT', `${field}: ${issue?.message}. Nothing was published.`, {
        field,
        problems: parsed.error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join('.'), message })),
      });
    }
    if (effectiveAt !== null && effectiveAt < now)
      throw badInput('effectiveAt', effectiveAt.toISOString(), 'now or later, or left out for now');
    const version = await this.store.insert({
      document: document as PriceBookDocument,
      effectiveAt: effectiveAt ?? now,
      publishedBy,
      publishedAt: now,
    });
    await this.cache.forgetSchedule();
    await this.refresh();
    this.events.publish(CHANNEL, String(version));
    this.log.info({ version, effectiveAt: effectiveAt ?? now, publishedBy }, 'price book published');
    const book = await this.find(version);
    if (!book) throw new Error(`price book ${version} is missing right after it was published`);
    return book;
  }

  async refresh(): Promise<void> {
    const scheduled: PriceBook[] = [];
    const since = new Date(this.clock.now().getTime() - CLOCK_SKEW_MAX_MS);
    for (const { version } of await this.cache.schedule(since)) {
      const book = await this.find(version);
      if (!book) throw new Error(`price book ${version} is in the schedule but nowhere to be found`);
      scheduled.push(book);
    }
    this.#scheduled = scheduled;
  }
}
