import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../src/platform/database.ts';
import { type EventBus, LocalEventBus } from '../../src/platform/events.ts';
import { createLog } from '../../src/platform/log.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { openRedis, type RedisConnections } from '../../src/platform/redis.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import type { PriceBooks } from '../../src/pricing/price-books.service.ts';
import { hasOwnRedis, launchOwnRedis } from '../platform/own-redis.ts';
import { TestClock } from '../support/clock.ts';
import { freshDatabase } from '../support/databases.ts';
import { freePort } from '../support/server-process.ts';
import { forgetAll, type Parts, priced, priceIn, startBooks } from './price-books.process.ts';

const NOON = '2026-03-15T12:00:00Z';
const FRIDAY = new Date('2026-03-20T00:00:00Z');
const SOON = { interval: 5, timeout: 5_000 };

// A Redis of its own: it is emptied, counted and killed here.
describe.skipIf(!hasOwnRedis)('price books through Redis', () => {
  let database: Database;
  let clock: TestClock;
  let port: number;
  let server: Awaited<ReturnType<typeof launchOwnRedis>>;
  let admin: Redis;
  const closers: (() => void)[] = [];
  beforeAll(async () => {
    database = await freshDatabase('pglite');
    port = await freePort();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await forgetAll(database.db);
    server = await launch();
    admin = new Redis(server.url);
    admin.on('error', () => undefined);
    clock = new TestClock(NOON);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) close();
    admin.disconnect();
    await server.stop();
  });

  const launch = () => launchOwnRedis(port);
  interface Process {
    readonly books: PriceBooks;
    readonly redis: RedisConnections;
    readonly metrics: Metrics;
  }
  /** One process with its own connections and metrics, started, and hearing events if Redis is there. */
  const start = async (parts: Parts & { readonly from?: Database } = {}): Promise<Process> => {
    const metrics = new Metrics();
    const redis = await openRedis(server.url, createLog('silent'), metrics);
    closers.push(() => redis.close());
    const { from = database, ...rest } = parts;
    const events = parts.events ?? heardBy(redis.events);
    const books = await startBooks(from.db, clock, { redis: redis.commands, metrics, ...rest, events });
    closers.push(() => books.stop());
    // Told once that events may have been missed before it listened; whatever comes after that, it hears.
    if (!parts.events && redis.commands.status === 'ready') await expect.poll(() => heard, SOON).toContain('');
    heard.length = 0;
    return { books, redis, metrics };
  };
  const heard: string[] = [];
  const heardBy = (bus: EventBus): EventBus => ({
    publish: (channel, payload) => bus.publish(channel, payload),
    subscribe: (channel, listener) =>
      bus.subscribe(channel, (payload) => {
        heard.push(payload);
        listener(payload);
      }),
  });
  const loads = async ({ metrics }: Pick<Process, 'metrics'>) => {
    const { values } = await metrics.priceBookReads.get();
    const from = (source: string) => values.find(({ labels }) => labels.source === source)?.value ?? 0;
    return { redis: from('redis'), database: from('database') };
  };
  const redisUp = async ({ metrics }: Pick<Process, 'metrics'>) => (await metrics.redisUp.get()).values[0]?.value;
  const keys = async () => (await admin.keys('*')).map((key) => key.replace(/[0-9a-f-]{36}/, 'SERIES')).sort();
  const key = async (name: string) => {
    const { rows } = await sql<{ id: string }>`select id from price_book_series`.execute(database.db);
    return `isg:price-book:${rows[0]?.id}:${name}`;
  };

  test('each version is a hash and the schedule a pointer beside them, all of which expire', async () => {
    const { books } = await start();
    await books.publish(priced(7), FRIDAY, 'op');
    await expect
      .poll(keys, SOON)
      .toEqual(['isg:price-book:SERIES:1', 'isg:price-book:SERIES:2', 'isg:price-book:SERIES:schedule']);
    expect(await admin.hgetall(await key('2'))).toEqual({
      document: JSON.stringify(priced(7)),
      effectiveAt: FRIDAY.toISOString(),
    });
    await expect
      .poll(async () => JSON.parse((await admin.get(await key('schedule'))) ?? 'null'), SOON)
      .toEqual([
        [1, '1970-01-01T00:00:00.000Z'],
        [2, FRIDAY.toISOString()],
      ]);
    for (const [name, seconds] of [
      ['1', 86_400],
      ['2', 86_400],
      ['schedule', 5],
    ] as const) {
      const left = await admin.ttl(await key(name));
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(seconds);
    }
  });

  test('what one process publishes is in force in another at once, which never looks by itself', async () => {
    const [here, there] = [await start(), await start()];
    await here.books.publish(priced(7), null, 'op');
    await expect.poll(() => priceIn(there.books), SOON).toBe(7_000n);
  });

  test('a new process takes the versions from Redis and not from the database', async () => {
    const alone = () => start({ events: new LocalEventBus() });
    expect(await loads(await alone())).toEqual({ redis: 0, database: 2 });
    const second = await alone();
    // The schedule of a start comes from the database, whatever Redis may say.
    expect(await loads(second)).toEqual({ redis: 1, database: 1 });
    await second.books.refresh();
    expect(await loads(second)).toEqual({ redis: 2, database: 1 });
  });

  test('a lost event is healed by looking again, through Redis', async () => {
    const here = await start();
    const deaf = await start({ events: new LocalEventBus(), revalidateMs: 20 });
    await here.books.publish(priced(7), null, 'op');
    await expect.poll(() => priceIn(deaf.books), SOON).toBe(7_000n);
  });

  test('a warm process sends nothing to Redis and nothing to the database', async () => {
    let statements = 0;
    const counted = database.db.withPlugin({
      transformQuery: ({ node }) => {
        statements += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const { books } = await start({ from: { ...database, db: counted } });
    await books.publish(priced(7), FRIDAY, 'op');
    await expect.poll(async () => admin.exists(await key('schedule')), SOON).toBe(1);
    const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))?.[1]);
    const before = await commands();
    statements = 0;
    for (let round = 0; round < 100; round++) {
      books.current();
      for (const version of [1, 2]) expect((await books.find(version))?.version).toBe(version);
    }
    // Asking how many commands there were is one itself.
    expect((await commands()) - before).toBe(1);
    expect(statements).toBe(0);
  });

  test('a stale schedule in Redis cannot take back what is known', async () => {
    const [here, there] = [await start(), await start()];
    const stale = (await admin.get(await key('schedule'))) ?? '';
    await here.books.publish(priced(7), null, 'op');
    await expect.poll(() => priceIn(there.books), SOON).toBe(7_000n);
    // As a slow process does that read the database before the new version was there.
    await admin.set(await key('schedule'), stale, 'EX', 60);
    for (const { books } of [here, there]) {
      await books.refresh();
      expect(priceIn(books)).toBe(7_000n);
    }
    expect(priceIn((await start()).books)).toBe(7_000n);
  });

  test('a stale schedule in Redis does not keep an event from being heard', async () => {
    const [here, there] = [await start(), await start()];
    await admin.set(await key('schedule'), '[[1,"1970-01-01T00:00:00.000Z"]]', 'EX', 60);
    await here.books.publish(priced(7), null, 'op');
    await expect.poll(() => priceIn(there.books), SOON).toBe(7_000n);
  });

  test('a schedule written by a process whose clock is ahead hides nothing that is in force here', async () => {
    const here = await start();
    const deaf = await start({ events: new LocalEventBus() });
    await here.books.publish(priced(7), null, 'op');
    await here.books.publish(priced(8), FRIDAY, 'op');
    await expect.poll(async () => admin.get(await key('schedule')), SOON).toContain('[3,');
    // Where it is Friday already, the version in force here is over.
    await admin.set(await key('schedule'), JSON.stringify([[3, FRIDAY.toISOString()]]), 'EX', 60);
    await deaf.books.refresh();
    expect(priceIn(deaf.books)).toBe(7_000n);
    clock.set(FRIDAY);
    expect(priceIn(deaf.books)).toBe(8_000n);
  });

  test.each([
    ['no JSON', 'rubbish', { document: 'rubbish', effectiveAt: 'rubbish' }],
    ['JSON of another kind', '5', { document: '{}', effectiveAt: NOON }],
    ['no moment', '[[1,"soon"]]', { document: JSON.stringify(priced(1)), effectiveAt: 'soon' }],
    ['half of it', '', { document: JSON.stringify(priced(1)) }],
  ])('what cannot be read in Redis, %s, comes from the database', async (_, schedule, version) => {
    const { books } = await start();
    await books.publish(priced(7), null, 'op');
    await admin.flushall();
    await admin.set(await key('schedule'), schedule, 'EX', 60);
    for (const name of ['1', '2']) await admin.hset(await key(name), version);
    const other = await start({ events: new LocalEventBus() });
    expect(priceIn(other.books)).toBe(7_000n);
    await other.books.find(1);
    expect((await other.books.find(1))?.document).toEqual(GUIDE_PRICE_BOOK);
    expect(await loads(other)).toEqual({ redis: 0, database: 3 });
    await admin.set(await key('schedule'), schedule, 'EX', 60);
    await other.books.refresh();
    expect(await loads(other)).toEqual({ redis: 0, database: 4 });
  });

  test('keys of another kind in our place are as good as none', async () => {
    for (const name of ['schedule', '1']) await admin.lpush(await key(name), 'a list');
    expect(priceIn((await start()).books)).toBe(4_000n);
  });

  test('two databases on one Redis never see each other’s prices', async () => {
    const other = await freshDatabase('pglite');
    const here = await start();
    const there = await start({ from: other, first: priced(9) });
    expect([priceIn(here.books), priceIn(there.books)]).toEqual([4_000n, 9_000n]);
    await here.books.publish(priced(7), null, 'op');
    await there.books.refresh();
    expect(priceIn(there.books)).toBe(9_000n);
    expect(await there.books.find(2)).toBeNull();
    await other.close();
  });

  describe('when Redis is away', () => {
    test('from the start: prices come from the database, publishing works, and gauge and counter say so', async () => {
      await server.stop();
      const down = await start();
      expect(await redisUp(down)).toBe(0);
      expect(priceIn(down.books)).toBe(4_000n);
      await down.books.publish(priced(7), null, 'op');
      expect(priceIn(down.books)).toBe(7_000n);
      expect((await loads(down)).redis).toBe(0);
      expect((await loads(down)).database).toBeGreaterThan(0);
    });

    test('in between: everything goes on, others find new versions by looking, and all is as before when it returns', async () => {
      const [here, there] = [await start(), await start()];
      expect(await redisUp(here)).toBe(1);
      await server.stop();
      await expect.poll(async () => [await redisUp(here), await redisUp(there)], SOON).toEqual([0, 0]);
      expect(priceIn(here.books)).toBe(4_000n);

      const before = await loads(there);
      await here.books.publish(priced(7), null, 'op');
      expect(priceIn(here.books)).toBe(7_000n);
      await there.books.refresh();
      expect(priceIn(there.books)).toBe(7_000n);
      expect((await loads(there)).database).toBeGreaterThanOrEqual(before.database + 2);
      expect((await loads(there)).redis).toBe(before.redis);

      server = await launch();
      await expect.poll(() => redisUp(here), SOON).toBe(1);
      await here.books.publish(priced(8), null, 'op');
      await expect.poll(() => priceIn(there.books), SOON).toBe(8_000n);
    });

    test('an event that was lost meanwhile is made good as soon as Redis returns', async () => {
      const [here, there] = [await start(), await start()];
      await server.stop();
      await expect.poll(() => redisUp(there), SOON).toBe(0);
      await here.books.publish(priced(7), null, 'op');
      expect(priceIn(there.books)).toBe(4_000n);
      server = await launch();
      await expect.poll(() => priceIn(there.books), SOON).toBe(7_000n);
    });

    test('emptied: what is in memory stays, what is asked again comes from the database and is put back', async () => {
      const here = await start();
      await here.books.publish(priced(7), null, 'op');
      await admin.flushall();
      expect(priceIn(here.books)).toBe(7_000n);
      await here.books.refresh();
      expect(priceIn(here.books)).toBe(7_000n);
      expect(priceIn((await start()).books)).toBe(7_000n);
      expect(await keys()).toEqual(['isg:price-book:SERIES:2', 'isg:price-book:SERIES:schedule']);
    });
  });
});
