import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Database, inTransaction, openPostgres, pingDatabase } from '../../src/platform/database.ts';
import { isDatabaseAway, sqlState } from '../../src/platform/database-errors.ts';
import { createLog } from '../../src/platform/log.ts';
import { createPostgresDatabase, hasPostgres } from '../support/databases.ts';
import { freePort } from '../support/server-process.ts';
import { Wire } from './wire.ts';

/** What is promised to callers of a database that has fallen silent. */
const ANSWER_MAX_MS = 1_500;
const POOL = 3;

describe.skipIf(!hasPostgres)('a PostgreSQL that goes away', () => {
  let server: Awaited<ReturnType<typeof createPostgresDatabase>>;
  let wire: Wire;
  let database: Database;
  beforeAll(async () => {
    server = await createPostgresDatabase();
    wire = await Wire.open(server.url, await freePort());
  });
  afterAll(async () => {
    await wire.close();
    await server.drop();
  });
  beforeEach(async () => {
    database = openPostgres({ url: wire.url, poolMax: POOL, log: createLog('silent') });
    await pingDatabase(database.db);
  });
  afterEach(() => database.close());

  /** How `work` failed, and after how long. */
  async function failureOf(work: () => Promise<unknown>) {
    const startedAt = performance.now();
    try {
      await work();
    } catch (error) {
      return { away: isDatabaseAway(error), error, ms: performance.now() - startedAt };
    }
    throw new Error('it did not fail');
  }

  describe('frozen', () => {
    afterEach(() => wire.thaw());

    test('answers every caller that it is away within 1.5 seconds, those without a connection too', async () => {
      wire.freeze();
      const failures = await Promise.all(
        Array.from({ length: POOL * 4 }, () => failureOf(() => pingDatabase(database.db))),
      );
      for (const { away, ms } of failures) {
        expect(away).toBe(true);
        expect(ms).toBeLessThan(ANSWER_MAX_MS);
      }
      // And again, now that no connection is left at all.
      const { away, ms } = await failureOf(() => pingDatabase(database.db));
      expect(away).toBe(true);
      expect(ms).toBeLessThan(ANSWER_MAX_MS);
    });

    test('fails a transaction in its middle as fast, without waiting a second time to undo it', async () => {
      const { away, ms } = await failureOf(() =>
        inTransaction(database.db, async (tx) => {
          await sql`select 1`.execute(tx);
          wire.freeze();
          await sql`select 2`.execute(tx);
        }),
      );
      expect(away).toBe(true);
      expect(ms).toBeLessThan(ANSWER_MAX_MS);
    });

    test('is used again as soon as it answers, on new connections', async () => {
      const { rows: before } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(database.db);
      wire.freeze();
      await failureOf(() => pingDatabase(database.db));
      wire.thaw();
      const { rows: after } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(database.db);
      expect(after[0]?.pid).not.toBe(before[0]?.pid);
    });
  });

  describe('slow, but there', () => {
    test('a statement may take longer than silence may', async () => {
      await sql`select pg_sleep(2)`.execute(database.db);
    });

    test('and so may the wait for a free connection', async () => {
      const busy = Array.from({ length: POOL }, () => sql`select pg_sleep(2)`.execute(database.db));
      await pingDatabase(database.db);
      await Promise.all(busy);
    });

    test('but a statement has a limit, and the connection goes on', async () => {
      const { away, error, ms } = await failureOf(() => sql`select pg_sleep(20)`.execute(database.db));
      expect([away, sqlState(error)]).toEqual([true, '57014']);
      expect(ms).toBeLessThan(6_000);
      await pingDatabase(database.db);
    });
  });

  test('stopped: callers are told at once, and all goes on when it is back', async () => {
    await wire.close();
    const { away, ms } = await failureOf(() => pingDatabase(database.db));
    expect(away).toBe(true);
    expect(ms).toBeLessThan(500);
    expect((await failureOf(() => pingDatabase(database.db))).away).toBe(true);
    await wire.listen();
    await pingDatabase(database.db);
  });

  test('a connection that breaks while nothing runs on it ends its transaction, and not the process', async () => {
    const { away } = await failureOf(() =>
      inTransaction(database.db, async (tx) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
        await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(database.db);
        // Until the break has arrived here: statements on it fail from then on.
        await expect
          .poll(() =>
            sql`select 1`.execute(tx).then(
              () => 'alive',
              () => 'broken',
            ),
          )
          .toBe('broken');
        await sql`select 1`.execute(tx);
      }),
    );
    expect(away).toBe(true);
    await pingDatabase(database.db);
  });

  test('idle connections that are ended from outside are replaced', async () => {
    await Promise.all(Array.from({ length: POOL }, () => sql`select pg_sleep(0.05)`.execute(database.db)));
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(database.db);
    await expect.poll(() => pingDatabase(database.db).then(() => 'answers', String)).toBe('answers');
  });

  test('errors of a statement are no sign of it', async () => {
    for (const wrong of [sql`select * from nowhere`, sql`select 1 / 0`, sql`selec`]) {
      expect((await failureOf(() => wrong.execute(database.db))).away).toBe(false);
    }
    expect(isDatabaseAway(new Error('the image is too large'))).toBe(false);
    expect(isDatabaseAway('ECONNREFUSED')).toBe(false);
  });

  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'EAI_AGAIN',
    '08006',
    '57P01',
    '57P03',
    '53300',
    '25P03',
    '25006',
  ])('the code %s is one', (code) => {
    expect(isDatabaseAway(Object.assign(new Error('x'), { code }))).toBe(true);
  });
});
