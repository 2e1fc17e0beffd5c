import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Database, openPostgres } from '../../src/platform/database.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { createLog } from '../../src/platform/log.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import type { PriceBooks } from '../../src/pricing/price-books.service.ts';
import { TestClock } from '../support/clock.ts';
import { ENGINES, freshDatabase, hasPostgres } from '../support/databases.ts';
import { forgetAll, type Parts, priced, priceIn, startBooks } from './price-books.process.ts';

const NOON = '2026-03-15T12:00:00Z';
const FRIDAY = new Date('2026-03-20T00:00:00Z');

describe.each(ENGINES)('price books on %s', (engine) => {
  let database: Database;
  let clock: TestClock;
  let events: LocalEventBus;
  const started: PriceBooks[] = [];
  beforeAll(async () => {
    database = await freshDatabase(engine);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await forgetAll(database.db);
    clock = new TestClock(NOON);
    events = new LocalEventBus();
  });
  afterEach(() => {
    for (const books of started.splice(0)) books.stop();
  });

  const start = async (parts: Parts = {}, itsClock = clock) => {
    const books = await startBooks(database.db, itsClock, { events, ...parts });
    started.push(books);
    return books;
  };
  const versionsKept = async () => {
    const { rows } = await sql<{ version: number }>`select version from price_books order by version`.execute(
      database.db,
    );
    return rows.map(({ version }) => version);
  };

  test('version 1 is made once, however many processes start, and stays what it was when a later start has other prices', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => start()));
    const later = await start({ first: priced(9) });
    for (const books of [...all, later]) {
      expect(books.current()).toMatchObject({ version: 1, effectiveAt: new Date(0), document: GUIDE_PRICE_BOOK });
      expect(priceIn(books)).toBe(4_000n);
    }
    expect(await versionsKept()).toEqual([1]);
  });

  describe('publishing', () => {
    test('a version is in force at once here and in every process that hears of it', async () => {
      const [here, there] = [await start(), await start()];
      const published = await here.publish(priced(7), null, 'account_op');
      expect(published).toMatchObject({ version: 2, effectiveAt: clock.now(), document: priced(7) });
      expect(priceIn(here)).toBe(7_000n);
      await expect.poll(() => priceIn(there), { interval: 1 }).toBe(7_000n);
      expect(there.current()).toEqual(published);
    });

    test('who did not hear of it finds it at the next look', async () => {
      const [here, deaf] = [await start(), await start({ events: new LocalEventBus() })];
      await here.publish(priced(7), null, 'account_op');
      expect(priceIn(deaf)).toBe(4_000n);
      await deaf.refresh();
      expect(priceIn(deaf)).toBe(7_000n);
    });

    test('who is never told looks by itself', async () => {
      const [here, deaf] = [await start(), await start({ events: new LocalEventBus(), revalidateMs: 10 })];
      await here.publish(priced(7), null, 'account_op');
      await expect.poll(() => priceIn(deaf), { interval: 5 }).toBe(7_000n);
    });

    test('at once from many processes gives distinct versions, all of which everybody finds', async () => {
      const all = await Promise.all(Array.from({ length: 4 }, () => start()));
      const published = await Promise.all(
        all.flatMap((books, index) =>
          [0, 1].map((second) => books.publish(priced(10 + index * 2 + second), null, 'op')),
        ),
      );
      const versions = published.map(({ version }) => version).sort((a, b) => a - b);
      expect(versions).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
      expect(await versionsKept()).toEqual([1, ...versions]);
      for (const books of all) {
        await books.refresh();
        expect(books.current().version).toBe(9);
        for (const { version, document } of published) expect((await books.find(version))?.document).toEqual(document);
      }
    });

    test('who publishes and when is kept, and told newest first', async () => {
      const books = await start();
      await books.publish(priced(7), FRIDAY, 'account_op');
      expect(await books.history(1)).toEqual([
        { version: 2, effectiveAt: FRIDAY, document: priced(7), publishedBy: 'account_op', publishedAt: clock.now() },
      ]);
      expect((await books.history(100)).map(({ version }) => version)).toEqual([2, 1]);
    });

    test.each([0, 101, 1.5, Number.NaN])('a history of %d is refused, naming field and limit', async (first) => {
      const books = await start();
      await expect((async () => books.history(first))()).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field: 'first', limit: 'a whole number from 1 to 100' },
      });
    });

    const { tiers, generateByQuality } = GUIDE_PRICE_BOOK;
    test.each<[string, string, unknown]>([
      ['nothing at all', 'document', null],
      ['a text', 'document', 'free for all'],
      ['an unknown table', 'document', { ...GUIDE_PRICE_BOOK, discounts: {} }],
      ['a missing table', 'document.edit', { ...GUIDE_PRICE_BOOK, edit: undefined }],
      ['an unknown edit', 'document.edit', { ...GUIDE_PRICE_BOOK, edit: { makeBetter: { S: 1 } } }],
      [
        'an unknown size',
        'document.generateByQuality.DRAFT',
        { ...GUIDE_PRICE_BOOK, generateByQuality: { ...generateByQuality, DRAFT: { XL: 1 } } },
      ],
      [
        'a negative price',
        'document.generateByQuality.DRAFT.S',
        { ...GUIDE_PRICE_BOOK, generateByQuality: { ...generateByQuality, DRAFT: { S: -1 } } },
      ],
      [
        'a fourth decimal',
        'document.generateByQuality.DRAFT.S',
        { ...GUIDE_PRICE_BOOK, generateByQuality: { ...generateByQuality, DRAFT: { S: 1.0001 } } },
      ],
      ['a price in words', 'document.optimize', { ...GUIDE_PRICE_BOOK, optimize: 'nothing' }],
      ['a price of NaN', 'document.optimize', { ...GUIDE_PRICE_BOOK, optimize: Number.NaN }],
      ['a missing tier', 'document.tiers.PRO', { ...GUIDE_PRICE_BOOK, tiers: { ...tiers, PRO: undefined } }],
      [
        'a tier that may run nothing',
        'document.tiers.FREE.runningJobs',
        { ...GUIDE_PRICE_BOOK, tiers: { ...tiers, FREE: { ...tiers.FREE, runningJobs: 0 } } },
      ],
    ])('%s is refused naming %s, and nothing is published', async (_, field, document) => {
      const books = await start();
      const told: string[] = [];
      events.subscribe('price-book', (payload) => told.push(payload));
      await expect(books.publish(document, null, 'op')).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        message: expect.stringMatching(new RegExp(`^${field}: .+ Nothing was published\\.$`)),
        details: { field },
      });
      expect(await versionsKept()).toEqual([1]);
      expect(told).toEqual([]);
    });

    test('a time in the past is refused, and nothing is published', async () => {
      const books = await start();
      const past = new Date(clock.now().getTime() - 1);
      await expect(books.publish(priced(7), past, 'op')).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field: 'effectiveAt', value: past.toISOString(), limit: 'now or later, or left out for now' },
      });
      expect(await versionsKept()).toEqual([1]);
    });
  });

  describe('scheduled versions', () => {
    test('come into force by the clock of every process, to the millisecond, without a call', async () => {
      const slow = new TestClock(NOON);
      const [here, there] = [await start(), await start({}, slow)];
      await here.publish(priced(7), FRIDAY, 'op');
      await there.refresh();

      clock.set(new Date(FRIDAY.getTime() - 1));
      expect(priceIn(here)).toBe(4_000n);
      clock.set(FRIDAY);
      expect(priceIn(here)).toBe(7_000n);
      expect(priceIn(there)).toBe(4_000n);
      slow.set(FRIDAY);
      expect(priceIn(there)).toBe(7_000n);
    });

    test('one published now comes into force before one that waits, and gives way to it', async () => {
      const books = await start();
      await books.publish(priced(7), FRIDAY, 'op');
      await books.publish(priced(5), null, 'op');
      expect(priceIn(books)).toBe(5_000n);
      clock.set(FRIDAY);
      expect(priceIn(books)).toBe(7_000n);
      expect(priceIn(await start())).toBe(7_000n);
    });

    test('of two for the same moment the later published counts', async () => {
      const books = await start();
      await books.publish(priced(7), FRIDAY, 'op');
      await books.publish(priced(8), FRIDAY, 'op');
      clock.set(FRIDAY);
      expect(priceIn(books)).toBe(8_000n);
      expect(priceIn(await start())).toBe(8_000n);
    });

    test('sixty of them are as good as one', async () => {
      const books = await start();
      for (let day = 1; day <= 60; day++)
        await books.publish(priced(100 + day), new Date(FRIDAY.getTime() + day * 86_400_000), 'op');
      const other = await start();
      expect(priceIn(other)).toBe(4_000n);
      clock.set(new Date(FRIDAY.getTime() + 60 * 86_400_000));
      expect(priceIn(other)).toBe(160_000n);
      expect(priceIn(books)).toBe(160_000n);
    });

    test('a clock that is set back never leaves a process without prices', async () => {
      const books = await start();
      await books.publish(priced(7), FRIDAY, 'op');
      clock.set(FRIDAY);
      await books.refresh();
      clock.set(new Date(FRIDAY.getTime() - 1_000));
      expect([4_000n, 7_000n]).toContain(priceIn(books));
      expect((await books.find(1))?.version).toBe(1);
    });
  });

  test('an older version is found as it was; an unknown one is null', async () => {
    const books = await start();
    await books.publish(priced(7), null, 'op');
    await books.publish(priced(8), null, 'op');
    const fresh = await start();
    expect(await fresh.find(2)).toMatchObject({ version: 2, document: priced(7) });
    expect((await fresh.find(1))?.document).toEqual(GUIDE_PRICE_BOOK);
    expect(await fresh.find(99)).toBeNull();
    expect(await fresh.find(-1)).toBeNull();
  });

  test('a warm process sends no statement, whatever is asked of it', async () => {
    let statements = 0;
    const counted = database.db.withPlugin({
      transformQuery: ({ node }) => {
        statements += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const books = await startBooks(counted, clock, { events });
    started.push(books);
    await books.publish(priced(7), null, 'op');
    await books.publish(priced(8), FRIDAY, 'op');
    await books.find(1);
    statements = 0;
    for (let round = 0; round < 100; round++) {
      books.current();
      for (const version of [1, 2, 3]) await books.find(version);
    }
    clock.set(FRIDAY);
    expect(books.current().version).toBe(3);
    expect(await books.find(2)).toMatchObject({ version: 2 });
    expect(statements).toBe(0);
  });
});

test.skipIf(!hasPostgres)('a process whose database has gone keeps its prices', async () => {
  const database = await freshDatabase('postgres');
  const own = openPostgres({ url: database.url ?? '', poolMax: 2, log: createLog('silent') });
  const clock = new TestClock(NOON);
  const books = await startBooks(own.db, clock, { revalidateMs: 5 });
  await books.publish(priced(7), FRIDAY, 'op');
  await own.close();

  await expect(books.refresh()).rejects.toThrow();
  expect(priceIn(books)).toBe(4_000n);
  clock.set(FRIDAY);
  expect(priceIn(books)).toBe(7_000n);
  books.stop();
  await database.close();
});
