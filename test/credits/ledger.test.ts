import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Database, inTransaction } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { expectLedgerSound, line, OPENED, TestLedger } from './ledger.ts';

describe.each(ENGINES)('the ledger on %s', (engine) => {
  let database: Database;
  let ledger: TestLedger;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    ledger = new TestLedger(database.db);
  });
  afterAll(() => database.close());
  afterEach(async () => {
    await expectLedgerSound(database.db);
  });

  describe('grants', () => {
    test('opening an account grants its monthly credits, and says since when', async () => {
      const account = await ledger.open({ monthly: 25_000n });

      expect(await ledger.credits.balance(account)).toEqual({
        accountId: account,
        monthly: 25_000n,
        topup: 0n,
        owed: 0n,
        held: 0n,
        captured: 0n,
        postpaid: false,
        anchorAt: OPENED,
        periodStartsAt: OPENED,
        periodEndsAt: new Date('2026-04-15T12:00:00Z'),
        spent: 0n,
        spendCap: null,
        openHolds: 0,
        allowancesUsed: {},
      });
      expect(await ledger.lines(account)).toEqual([
        line('GRANT', 'issued', -25_000n, -25_000n),
        line('GRANT', 'monthly', 25_000n, 25_000n),
      ]);
    });

    test('an account without monthly credits opens with empty books', async () => {
      const account = await ledger.open({ postpaid: true });
      expect(await ledger.buckets(account)).toEqual({});
      expect(await ledger.lines(account)).toEqual([]);
    });

    test('a top-up adds to what is there and is kept apart from the monthly credits', async () => {
      const account = await ledger.open({ monthly: 10n });
      await ledger.credits.topUp(account, 7n, 'Birthday', OPENED);
      await ledger.credits.topUp(account, 5n, 'Sorry', OPENED);

      expect(await ledger.buckets(account)).toEqual({ monthly: 10n, topup: 12n, issued: -22n });
      expect((await ledger.lines(account)).slice(2)).toEqual([
        line('GRANT', 'issued', -7n, -17n),
        line('GRANT', 'topup', 7n, 7n),
        line('GRANT', 'issued', -5n, -22n),
        line('GRANT', 'topup', 5n, 12n),
      ]);
    });

    test('a grant cannot take credits away', async () => {
      const account = await ledger.open({ topup: 10n });
      const before = await ledger.everythingOf(account);
      await expect(ledger.credits.topUp(account, -1n, 'Mistake', OPENED)).rejects.toThrow('would take credits away');
      expect(await ledger.everythingOf(account)).toEqual(before);
    });

    test('an account that does not exist can be granted nothing', async () => {
      await expect(ledger.credits.topUp(newId('account'), 1n, 'Top-up', OPENED)).rejects.toThrow();
    });
  });

  describe('holds', () => {
    test('take monthly credits first, then the top-up', async () => {
      const account = await ledger.open({ monthly: 10n, topup: 10n });
      await ledger.hold(account, 4n);
      await ledger.hold(account, 9n);
      await ledger.hold(account, 7n);

      expect(await ledger.buckets(account)).toEqual({ held: 20n, issued: -20n });
      expect((await ledger.lines(account)).slice(4)).toEqual([
        line('HOLD', 'monthly', -4n, 6n),
        line('HOLD', 'held', 4n, 4n),
        line('HOLD', 'monthly', -6n, 0n),
        line('HOLD', 'topup', -3n, 7n),
        line('HOLD', 'held', 9n, 13n),
        line('HOLD', 'topup', -7n, 0n),
        line('HOLD', 'held', 7n, 20n),
      ]);
      expect(await ledger.credits.balance(account)).toMatchObject({ spent: 20n, openHolds: 3 });
    });

    test('a hold of everything is allowed, and one more is not', async () => {
      const account = await ledger.open({ monthly: 3n, topup: 2n });
      expect(await ledger.refusalOf(account, 6n)).toBe('INSUFFICIENT');
      expect(await ledger.refusalOf(account, 5n)).toBeNull();
      expect(await ledger.refusalOf(account, 1n)).toBe('INSUFFICIENT');
    });

    test('a hold of nothing keeps the job open without a ledger entry', async () => {
      const account = await ledger.open();
      const hold = await ledger.hold(account, 0n);
      expect(await ledger.lines(account)).toEqual([]);
      expect((await ledger.credits.balance(account)).openHolds).toBe(1);
      expect(await ledger.settle(hold, [0n])).toEqual({ captured: 0n, released: 0n });
      expect(await ledger.lines(account)).toEqual([]);
      expect((await ledger.credits.balance(account)).openHolds).toBe(0);
    });

    test.each([
      ['INSUFFICIENT', { monthly: 4n }, 5n, {}],
      ['SPEND_CAP', { monthly: 10n, spendCap: 4n }, 5n, {}],
      ['SPEND_CAP', { postpaid: true, spendCap: 4n }, 5n, {}],
      ['TOO_MANY_OPEN', { monthly: 10n }, 5n, { openHoldsMax: 1 }],
    ] as const)('a hold refused as %s leaves everything as it was', async (refusal, wish, amount, limits) => {
      const account = await ledger.open(wish);
      await ledger.hold(account, 0n);
      const before = await ledger.everythingOf(account);

      expect(await ledger.refusalOf(account, amount, limits)).toBe(refusal);

      expect(await ledger.everythingOf(account)).toEqual(before);
    });

    test('a hold is refused as PERIOD_OVER from the very moment its period ends', async () => {
      const account = await ledger.open({ monthly: 10n });
      const end = new Date('2026-04-15T12:00:00Z');
      expect(await ledger.refusalOf(account, 1n, {}, new Date(end.getTime() - 1))).toBeNull();
      const before = await ledger.everythingOf(account);
      expect(await ledger.refusalOf(account, 1n, {}, end)).toBe('PERIOD_OVER');
      expect(await ledger.everythingOf(account)).toEqual(before);
    });

    test('one job cannot hold twice', async () => {
      const account = await ledger.open({ monthly: 10n });
      const jobId = newId('job');
      await ledger.hold(account, 4n, { jobId });
      const before = await ledger.everythingOf(account);
      await expect(ledger.hold(account, 4n, { jobId })).rejects.toThrow(/unique/i);
      expect(await ledger.everythingOf(account)).toEqual(before);
    });

    test('a negative hold is refused by the database', async () => {
      const account = await ledger.open({ monthly: 10n });
      await ledger.hold(account, 5n);
      const before = await ledger.everythingOf(account);
      await expect(ledger.hold(account, -5n)).rejects.toThrow(/check constraint/);
      expect(await ledger.everythingOf(account)).toEqual(before);
    });

    test('holds of one account leave another alone', async () => {
      const [account, stranger] = [await ledger.open({ monthly: 10n }), await ledger.open({ monthly: 10n })];
      const before = await ledger.everythingOf(stranger);
      await ledger.settle(await ledger.hold(account, 10n), [10n]);
      expect(await ledger.everythingOf(stranger)).toEqual(before);
    });
  });

  describe('the spend cap', () => {
    test('is reached exactly, and not passed', async () => {
      const account = await ledger.open({ monthly: 100n, spendCap: 10n });
      expect(await ledger.refusalOf(account, 11n)).toBe('SPEND_CAP');
      expect(await ledger.refusalOf(account, 10n)).toBeNull();
      expect(await ledger.refusalOf(account, 1n)).toBe('SPEND_CAP');
    });

    test('counts what is held or captured, and not what was released', async () => {
      const account = await ledger.open({ monthly: 100n, spendCap: 10n });
      await ledger.settle(await ledger.hold(account, 10n), [4n]);
      expect((await ledger.credits.balance(account)).spent).toBe(4n);
      expect(await ledger.refusalOf(account, 7n)).toBe('SPEND_CAP');
      expect(await ledger.refusalOf(account, 6n)).toBeNull();
    });

    test('never stands against what costs nothing, even when less is allowed now than was spent', async () => {
      const account = await ledger.open({ monthly: 100n, spendCap: 10n });
      await ledger.hold(account, 10n);
      await inTransaction(database.db, (tx) => ledger.credits.setTerms(tx, account, { spendCap: 5n }));
      expect(await ledger.refusalOf(account, 0n)).toBeNull();
      expect(await ledger.refusalOf(account, 1n)).toBe('SPEND_CAP');
    });

    test('a lack of credits is told before the cap', async () => {
      const account = await ledger.open({ monthly: 4n, spendCap: 2n });
      expect(await ledger.refusalOf(account, 5n)).toBe('INSUFFICIENT');
    });
  });

  test('as many holds may be open as the limit says, and one that ends makes room', async () => {
    const account = await ledger.open({ monthly: 10n });
    const first = await ledger.hold(account, 1n, { openHoldsMax: 2 });
    await ledger.hold(account, 1n, { openHoldsMax: 2 });
    expect(await ledger.refusalOf(account, 1n, { openHoldsMax: 2 })).toBe('TOO_MANY_OPEN');
    await ledger.settle(first, []);
    expect(await ledger.refusalOf(account, 1n, { openHoldsMax: 2 })).toBeNull();
  });

  describe('postpaid accounts', () => {
    test('owe what they hold and get back what is not delivered', async () => {
      const account = await ledger.open({ postpaid: true });
      const hold = await ledger.hold(account, 10n);
      expect(await ledger.buckets(account)).toEqual({ owed: -10n, held: 10n });
      expect(await ledger.settle(hold, [6n])).toEqual({ captured: 6n, released: 4n });
      expect(await ledger.buckets(account)).toEqual({ owed: -6n, captured: 6n });
      expect(await ledger.lines(account)).toEqual([
        line('HOLD', 'owed', -10n, -10n),
        line('HOLD', 'held', 10n, 10n),
        line('CAPTURE', 'held', -6n, 4n),
        line('CAPTURE', 'captured', 6n, 6n),
        line('RELEASE', 'held', -4n, 0n),
        line('RELEASE', 'owed', 4n, -6n),
      ]);
    });

    test('leave their monthly credits and top-ups untouched', async () => {
      const account = await ledger.open({ postpaid: true, monthly: 5n, topup: 5n });
      await ledger.hold(account, 10n);
      expect(await ledger.buckets(account)).toEqual({ monthly: 5n, topup: 5n, owed: -10n, held: 10n, issued: -10n });
    });
  });

  describe('settling', () => {
    test('a full capture takes everything and releases nothing', async () => {
      const account = await ledger.open({ monthly: 6n, topup: 6n });
      const hold = await ledger.hold(account, 10n);
      expect(await ledger.settle(hold, [4n, 6n])).toEqual({ captured: 10n, released: 0n });
      expect(await ledger.buckets(account)).toEqual({ topup: 2n, captured: 10n, issued: -12n });
      expect((await ledger.lines(account)).slice(-4)).toEqual([
        line('CAPTURE', 'held', -4n, 6n),
        line('CAPTURE', 'captured', 4n, 4n),
        line('CAPTURE', 'held', -6n, 0n),
        line('CAPTURE', 'captured', 6n, 10n),
      ]);
    });

    test.each([
      [0n, { monthly: 6n, topup: 6n }],
      [3n, { monthly: 3n, topup: 6n, captured: 3n }],
      [6n, { topup: 6n, captured: 6n }],
      [8n, { topup: 4n, captured: 8n }],
      [10n, { topup: 2n, captured: 10n }],
    ])('capturing %i of 6 monthly and 4 top-up uses up the monthly part first', async (captured, after) => {
      const account = await ledger.open({ monthly: 6n, topup: 6n });
      const hold = await ledger.hold(account, 10n);
      expect(await ledger.settle(hold, captured === 0n ? [] : [captured])).toEqual({
        captured,
        released: 10n - captured,
      });
      expect(await ledger.buckets(account)).toEqual({ ...after, issued: -12n });
    });

    test('a release gives back monthly credits and top-up in one transaction', async () => {
      const account = await ledger.open({ monthly: 6n, topup: 6n });
      await ledger.settle(await ledger.hold(account, 10n), []);
      expect((await ledger.lines(account)).slice(-3)).toEqual([
        line('RELEASE', 'held', -10n, 0n),
        line('RELEASE', 'monthly', 6n, 6n),
        line('RELEASE', 'topup', 4n, 6n),
      ]);
      expect(await ledger.credits.balance(account)).toMatchObject({ spent: 0n, openHolds: 0, held: 0n });
    });

    test('a hold ends once: settling it again changes nothing', async () => {
      const account = await ledger.open({ monthly: 10n });
      const hold = await ledger.hold(account, 10n);
      await ledger.settle(hold, [4n]);
      const before = await ledger.everythingOf(account);
      expect(await ledger.settle(hold, [10n])).toBeNull();
      expect(await ledger.settle(hold, [])).toBeNull();
      expect(await ledger.everythingOf(account)).toEqual(before);
    });

    test('a hold ends once however many try at once', async () => {
      const account = await ledger.open({ monthly: 10n });
      const hold = await ledger.hold(account, 10n);
      const endings = await Promise.all(Array.from({ length: 16 }, () => ledger.settle(hold, [4n])));
      expect(endings.filter((ending) => ending !== null)).toEqual([{ captured: 4n, released: 6n }]);
      expect(await ledger.buckets(account)).toEqual({ monthly: 6n, captured: 4n, issued: -10n });
    });

    test('an unknown hold is null and changes nothing', async () => {
      const { rows: before } = await sql`select count(*) from ledger_entries`.execute(database.db);
      expect(await ledger.settle(newId('hold'), [1n])).toBeNull();
      const { rows: after } = await sql`select count(*) from ledger_entries`.execute(database.db);
      expect(after).toEqual(before);
    });

    test.each([
      ['more than was held', [11n]],
      ['a negative amount', [11n, -1n]],
      ['a free image that was not held', [{ imageId: 'image_1', amount: 1n, allowance: 'gemini' }]],
    ])('%s cannot be captured, and the hold stays open', async (_, captures) => {
      const account = await ledger.open({ monthly: 10n });
      const hold = await ledger.hold(account, 10n);
      const before = await ledger.everythingOf(account);
      await expect(ledger.settle(hold, captures)).rejects.toThrow();
      expect(await ledger.everythingOf(account)).toEqual(before);
      expect(await ledger.settle(hold, [10n])).toEqual({ captured: 10n, released: 0n });
    });
  });

  describe('receipts', () => {
    test('every entry of a job carries its transaction, its job, its image and its price version, in the order written', async () => {
      const account = await ledger.open({ monthly: 10n });
      const jobId = newId('job');
      const hold = await ledger.hold(account, 8n, { jobId, priceVersion: 7 });
      const imageId = newId('image');
      const later = new Date('2026-03-15T12:00:09Z');
      await ledger.settle(hold, [{ imageId, amount: 5n, allowance: null }], later);
      await ledger.hold(account, 1n);

      const entries = await ledger.credits.entriesOfJobs([jobId]);
      const common = { jobId, priceVersion: 7, transactionId: expect.stringMatching(/^tx_/) };
      const held = { ...common, kind: 'HOLD', reason: 'Set aside for a job', imageId: null, createdAt: OPENED };
      const taken = { ...common, kind: 'CAPTURE', reason: 'Delivered images', imageId, createdAt: later };
      const back = {
        ...common,
        kind: 'RELEASE',
        reason: 'Images that were not delivered',
        imageId: null,
        createdAt: later,
      };
      expect(entries).toEqual([
        { ...held, sequence: 1, bucket: 'monthly', amount: -8n, balanceAfter: 2n },
        { ...held, sequence: 4, bucket: 'held', amount: 8n, balanceAfter: 8n },
        { ...taken, sequence: 1, bucket: 'held', amount: -5n, balanceAfter: 3n },
        { ...taken, sequence: 2, bucket: 'captured', amount: 5n, balanceAfter: 5n },
        { ...back, sequence: 1, bucket: 'held', amount: -3n, balanceAfter: 0n },
        { ...back, sequence: 2, bucket: 'monthly', amount: 3n, balanceAfter: 5n },
      ]);
      expect(new Set(entries.map(({ transactionId }) => transactionId)).size).toBe(3);
    });

    test('a hold shows what was captured and released once it has ended', async () => {
      const account = await ledger.open({ monthly: 10n });
      const jobId = newId('job');
      const id = await ledger.hold(account, 8n, { jobId, priceVersion: 3 });
      const open = {
        id,
        accountId: account,
        jobId,
        amount: 8n,
        captured: null,
        released: null,
        freeImages: {},
        budgetId: null,
        priceVersion: 3,
        settledAt: null,
      };
      expect(await ledger.credits.holdsOfJobs([jobId, newId('job')])).toEqual([open]);
      await ledger.settle(id, [3n]);
      expect(await ledger.credits.holdsOfJobs([jobId])).toEqual([
        { ...open, captured: 3n, released: 5n, settledAt: OPENED },
      ]);
    });
  });

  describe('balances', () => {
    test('fifty lookups in flight together are one statement, each with its own answer', async () => {
      const accounts = await Promise.all(
        Array.from({ length: 50 }, (_, index) => ledger.open({ monthly: BigInt(index) })),
      );
      let statements = 0;
      const counted = new TestLedger(
        database.db.withPlugin({
          transformQuery: ({ node }) => {
            statements += 1;
            return node;
          },
          transformResult: async ({ result }) => result,
        }),
      );
      const balances = await Promise.all([...accounts, ...accounts].map((id) => counted.credits.balance(id)));
      expect(statements).toBe(1);
      expect(balances.map(({ accountId }) => accountId)).toEqual([...accounts, ...accounts]);
      expect(balances.slice(0, 50).map(({ monthly }) => monthly)).toEqual(accounts.map((_, index) => BigInt(index)));
    });

    test('nothing is remembered: the next lookup sees what has changed', async () => {
      const account = await ledger.open({ monthly: 1n });
      await ledger.credits.balance(account);
      await ledger.credits.topUp(account, 1n, 'Top-up', OPENED);
      expect((await ledger.credits.balance(account)).topup).toBe(1n);
    });

    test('an unknown account fails alone, and not those looked up with it', async () => {
      const account = await ledger.open({ monthly: 1n });
      const [known, unknown] = await Promise.allSettled([
        ledger.credits.balance(account),
        ledger.credits.balance(newId('account')),
      ]);
      expect(known.status).toBe('fulfilled');
      expect(unknown).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('no balance') } });
    });
  });

  test('amounts far beyond what a float can hold stay exact', async () => {
    const huge = 9_007_199_254_740_993n;
    const account = await ledger.open({ topup: huge });
    const hold = await ledger.hold(account, huge);
    expect(await ledger.settle(hold, [huge - 1n])).toEqual({ captured: huge - 1n, released: 1n });
    expect(await ledger.buckets(account)).toEqual({ topup: 1n, captured: huge - 1n, issued: -huge });
  });
});
