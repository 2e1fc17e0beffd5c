import { LRUCache } from 'lru-cache';
import { badInput, DomainError, notFound } from '../errors.ts';
import { type Author, type Change, recordChange, THE_PROGRAM } from '../platform/audit-trail.ts';
import type { Clock } from '../platform/clock.ts';
import type { EventBus } from '../platform/events.ts';
import type { Log } from '../platform/log.ts';
import type { PriceBookCache } from './price-book.cache.ts';
import type { PriceBookRow, PriceBookStore, ScheduledVersion } from './price-book.store.ts';
import { type PriceBook, type PriceBookDocument, priceBookDocument } from './price-book.ts';
import { type PriceChange, priceDiff } from './price-diff.ts';

const CHANNEL = 'price-book';
/** A publish arrives by an event; this heals a lost one. */
const REVALIDATE_MS = 3_000;
const HISTORY_MAX = 100;
/** Versions are small and few; this only bounds what a stream of old quotes could make us keep. */
const OLD_VERSIONS_KEPT_MAX = 50;

/**
 * The price books as this process sees them. Everything a request needs is in memory: no call leaves the process for a
 * price. Every process switches to a new version at its effective time by its own clock.
 */
export class PriceBooks {
  /** The version in force and those to come, by their effective time. A published version never goes or changes. */
  #schedule: readonly PriceBook[] = [];
  readonly #old = new LRUCache<number, PriceBook>({ max: OLD_VERSIONS_KEPT_MAX });
  #timer: NodeJS.Timeout | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(
    private readonly store: PriceBookStore,
    private readonly cache: PriceBookCache,
    private readonly events: EventBus,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly revalidateMs = REVALIDATE_MS,
  ) {}

  /** Loads the schedule and keeps it fresh; makes version 1 from `first` when nothing was ever published. */
  async start(first: PriceBookDocument): Promise<void> {
    priceBookDocument.parse(first);
    const now = this.clock.now();
    await this.store.insertFirst({ document: first, effectiveAt: new Date(0), publishedBy: null, publishedAt: now });
    // What the event tells of may not have reached Redis yet, so the database is asked.
    this.#unsubscribe = this.events.subscribe(CHANNEL, () => this.#quietly(this.#reload()));
    await this.#reload();
    this.#timer = setInterval(() => this.#quietly(this.refresh()), this.revalidateMs).unref();
  }

  stop(): void {
    this.#unsubscribe?.();
    if (this.#timer) clearInterval(this.#timer);
  }

  /** The version in force now. */
  current(): PriceBook {
    const now = this.clock.now();
    // The first has been in force already; a clock that was set back behind it changes nothing about that.
    const book = this.#schedule.findLast(({ effectiveAt }) => effectiveAt <= now) ?? this.#schedule[0];
    if (!book)
      throw new DomainError(
        'UNAVAILABLE',
        'No price book has been loaded yet. Nothing was run and nothing was charged; try again in a moment.',
      );
    return book;
  }

  /** One version, whether it is in force or not; null when it was never published. */
  async find(version: number): Promise<PriceBook | null> {
    const known = this.#schedule.find((book) => book.version === version) ?? this.#old.get(version);
    if (known) return known;
    const book = await this.cache.find(version);
    if (book) this.#old.set(version, book);
    return book;
  }

  /** A document as it would be if it were published now. @throws BAD_USER_INPUT as publishing does */
  draft(document: unknown): PriceBook {
    return { ...checkedDocument(document), version: this.current().version, effectiveAt: this.clock.now() };
  }

  /** What differs between two versions. @throws NOT_FOUND */
  async diff(from: number, to: number): Promise<PriceChange[]> {
    const [before, after] = [await this.find(from), await this.find(to)];
    if (!before) throw notFound('price book', String(from));
    if (!after) throw notFound('price book', String(to));
    return priceDiff(before.document, after.document);
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
  async publish(
    document: unknown,
    effectiveAt: Date | null,
    publishedBy: string,
    by: Author = { ...THE_PROGRAM, accountId: publishedBy },
  ): Promise<PriceBook> {
    const now = this.clock.now();
    const checked = checkedDocument(document);
    const before = this.current();
    if (effectiveAt !== null && effectiveAt < now)
      throw badInput('effectiveAt', effectiveAt.toISOString(), 'now or later, or left out for now');
    const row = { document: checked.document, effectiveAt: effectiveAt ?? now, publishedBy, publishedAt: now };
    const version = await this.store.inTransaction(async (tx) => {
      const inserted = await this.store.insert(tx, row);
      await recordChange(tx, publication(before, { ...row, version: inserted }), by, now);
      return inserted;
    });
    const book: PriceBook = { ...checked, version, effectiveAt: row.effectiveAt };
    this.log.info({ version: book.version, effectiveAt: book.effectiveAt, publishedBy }, 'price book published');
    // It is published from here on, whatever happens to those who are told of it.
    this.#learn([book]);
    await this.cache.put(book);
    this.events.publish(CHANNEL, String(book.version));
    return book;
  }

  /** Looks for versions that were published elsewhere. */
  async refresh(): Promise<void> {
    await this.#load(await this.cache.schedule(this.clock.now()));
  }

  async #reload(): Promise<void> {
    await this.#load(await this.cache.reload(this.clock.now()));
  }

  async #load(scheduled: readonly ScheduledVersion[]): Promise<void> {
    const found = await Promise.all(scheduled.map(({ version }) => this.find(version)));
    this.#learn(found.filter((book) => book !== null));
  }

  /** Adds to what is known, for what was seen may be older than it, and drops what is over. */
  #learn(books: readonly PriceBook[]): void {
    const known = new Map([...this.#schedule, ...books].map((book) => [book.version, book]));
    const inOrder = [...known.values()].sort(
      (a, b) => a.effectiveAt.getTime() - b.effectiveAt.getTime() || a.version - b.version,
    );
    const now = this.clock.now();
    const inForce = inOrder.findLastIndex(({ effectiveAt }) => effectiveAt <= now);
    for (const book of inOrder.slice(0, Math.max(0, inForce))) this.#old.set(book.version, book);
    this.#schedule = inOrder.slice(Math.max(0, inForce));
  }

  #quietly(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.log.warn({ err: error }, 'the price book could not be revalidated; the copy in memory goes on'),
    );
  }
}

/** What was in force and what comes, row by row where they differ. */
function publication(
  before: Pick<PriceBook, 'version' | 'document'>,
  after: Pick<PriceBook, 'version' | 'document' | 'effectiveAt'>,
): Change {
  const rows = priceDiff(before.document, after.document);
  const side = (name: 'before' | 'after') => Object.fromEntries(rows.map((row) => [row.path, row[name]]));
  return {
    action: 'publishPriceBook',
    target: `price-book:${after.version}`,
    before: { version: before.version, rows: side('before') },
    after: { version: after.version, effectiveAt: after.effectiveAt, rows: side('after') },
  };
}

/** @throws BAD_USER_INPUT */
function checkedDocument(document: unknown): Pick<PriceBook, 'document' | 'table'> {
  const { success, data: table, error } = priceBookDocument.safeParse(document);
  if (success) return { document: document as PriceBookDocument, table };
  const problems = error.issues
    .slice(0, 20)
    .map(({ path, message }) => ({ path: ['document', ...path].join('.'), message }));
  const [first] = problems;
  throw new DomainError('BAD_USER_INPUT', `${first?.path}: ${first?.message}. Nothing was published.`, {
    field: first?.path,
    problems,
  });
}
