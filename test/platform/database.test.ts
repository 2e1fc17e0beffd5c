import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Database,
  inTransaction,
  lockUntilCommit,
  migrate,
  openPostgres,
  pingDatabase,
} from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { createPostgresDatabase, ENGINES, freshDatabase, hasPostgres } from '../support/databases.ts';

describe.each(ENGINES)('the database on %s', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    await sql`create table things (id int primary key, amount bigint not null, at timestamptz)`.execute(database.db);
    await sql`insert into things values (1, 0, null), (2, 0, null)`.execute(database.db);
  });
  afterAll(() => database.close());

  const value = async <T>(query: RawBuilder<{ value: T }>) => (await query.execute(database.db)).rows[0]?.value;
  const amountOf = (id: number) => value(sql<{ value: bigint }>`select amount as value from things where id = ${id}`);
  const setAmount = (amount: bigint, id: number) => sql`update things set amount = ${amount} where id = ${id}`;

  test('answers', () => pingDatabase(database.db));

  test.each([9_007_199_254_740_993n, -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n, 0n])(
    'the bigint %d goes in and comes out as it is',
    async (amount) => {
      await setAmount(amount, 1).execute(database.db);
      expect(await amountOf(1)).toBe(amount);
      expect(await value(sql`select ${amount}::bigint as value`)).toBe(amount);
    },
  );

  test('counts are bigints, integers are numbers, no value is null', async () => {
    expect(await value(sql`select count(*) as value from things`)).toBe(2n);
    expect(await value(sql`select 5::int as value`)).toBe(5);
    expect(await value(sql`select null::bigint as value`)).toBeNull();
  });

  test('a moment keeps its milliseconds', async () => {
    const at = new Date('2026-03-15T12:00:00.123Z');
    await sql`update things set at = ${at} where id = 1`.execute(database.db);
    expect(await value(sql`select at as value from things where id = 1`)).toEqual(at);
    expect(await value(sql`select count(*) as value from things where at = ${at}`)).toBe(1n);
  });

  test('migrating again changes nothing', () => migrate(database.db));

  describe('a transaction', () => {
    test('keeps everything or nothing', async () => {
      await inTransaction(database.db, (tx) => setAmount(5n, 1).execute(tx));
      expect(await amountOf(1)).toBe(5n);
      const failed = inTransaction(database.db, async (tx) => {
        await setAmount(6n, 1).execute(tx);
        throw new Error('changed my mind');
      });
      await expect(failed).rejects.toThrow('changed my mind');
      expect(await amountOf(1)).toBe(5n);
    });

    test.each(['40001', '40P01'])('is run again when the database gave it up as %s, and counts once', async (state) => {
      await setAmount(0n, 1).execute(database.db);
      let runs = 0;
      const result = await inTransaction(database.db, async (tx) => {
        runs += 1;
        await sql`update things set amount = amount + 1 where id = 1`.execute(tx);
        if (runs < 4) await raise(state).execute(tx);
        return `run ${runs}`;
      });
      expect(result).toBe('run 4');
      expect(await amountOf(1)).toBe(1n);
    });

    test('is given up after four runs, and nothing is kept', async () => {
      await setAmount(0n, 1).execute(database.db);
      let runs = 0;
      const hopeless = inTransaction(database.db, async (tx) => {
        runs += 1;
        await setAmount(9n, 1).execute(tx);
        await raise('40001').execute(tx);
      });
      await expect(hopeless).rejects.toMatchObject({ code: '40001' });
      expect(runs).toBe(4);
      expect(await amountOf(1)).toBe(0n);
    });

    test('that broke a rule is not run again', async () => {
      let runs = 0;
      const wrong = inTransaction(database.db, async (tx) => {
        runs += 1;
        await sql`insert into things values (1, 0)`.execute(tx);
      });
      await expect(wrong).rejects.toMatchObject({ code: '23505' });
      expect(runs).toBe(1);
    });

    test('many at once, with other statements between them, lose no update and do not wait for ever', async () => {
      await setAmount(0n, 1).execute(database.db);
      await Promise.all([
        ...Array.from({ length: 20 }, () =>
          inTransaction(database.db, async (tx) => {
            await sql`select amount from things where id = 1 for update`.execute(tx);
            await sql`update things set amount = amount + 1 where id = 1`.execute(tx);
          }),
        ),
        ...Array.from({ length: 20 }, () => pingDatabase(database.db)),
      ]);
      expect(await amountOf(1)).toBe(20n);
    });

    test('a statement outside of it neither sees nor joins it', async () => {
      await setAmount(0n, 1).execute(database.db);
      const outside: Promise<unknown>[] = [];
      const failed = inTransaction(database.db, async (tx) => {
        await setAmount(7n, 1).execute(tx);
        outside.push(setAmount(3n, 2).execute(database.db));
        throw new Error('undone');
      });
      await expect(failed).rejects.toThrow('undone');
      await Promise.all(outside);
      expect([await amountOf(1), await amountOf(2)]).toEqual([0n, 3n]);
    });

    test('holds a lock of words until it ends', async () => {
      const order: string[] = [];
      const first = Promise.withResolvers<void>();
      const holding = inTransaction(database.db, async (tx) => {
        await lockUntilCommit(tx, 'the same words');
        first.resolve();
        await sql`select pg_sleep(0.05)`.execute(tx);
        order.push('first');
      });
      await first.promise;
      await inTransaction(database.db, async (tx) => {
        await lockUntilCommit(tx, 'the same words');
        order.push('second');
      });
      await holding;
      expect(order).toEqual(['first', 'second']);
    });
  });
});

describe.skipIf(!hasPostgres)('several processes on one PostgreSQL', () => {
  const open = (url: string) => openPostgres({ url, poolMax: 4, log: createLog('silent') });

  test('start at once on an empty database: it is migrated once, and all go on', async () => {
    const { url, drop } = await createPostgresDatabase();
    const processes = Array.from({ length: 4 }, () => open(url));
    await Promise.all(processes.map(({ db }) => migrate(db)));
    for (const { db } of processes) {
      const { rows } = await sql`select * from credit_balances`.execute(db);
      expect(rows).toEqual([]);
    }
    for (const { close } of processes) await close();
    await drop();
  });

  test('two transactions that wait for one another both end, each having counted once', async () => {
    const { url, drop } = await createPostgresDatabase();
    const { db, close } = open(url);
    await sql`create table pots (id int primary key, n int not null)`.execute(db);
    await sql`insert into pots values (1, 0), (2, 0)`.execute(db);
    const bothHold = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    let runs = 0;
    const cross = (mine: 0 | 1) =>
      inTransaction(db, async (tx) => {
        runs += 1;
        await sql`update pots set n = n + 1 where id = ${mine + 1}`.execute(tx);
        bothHold[mine].resolve();
        await bothHold[mine === 0 ? 1 : 0].promise;
        await sql`update pots set n = n + 1 where id = ${2 - mine}`.execute(tx);
      });
    await Promise.all([cross(0), cross(1)]);
    const { rows } = await sql`select id, n from pots order by id`.execute(db);
    expect(rows).toEqual([
      { id: 1, n: 2 },
      { id: 2, n: 2 },
    ]);
    expect(runs).toBeGreaterThan(2);
    await close();
    await drop();
  });
});

function raise(state: string) {
  return sql.raw(`do $$ begin raise exception 'given up' using errcode = '${state}'; end $$`);
}
