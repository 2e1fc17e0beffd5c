import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/platform/database.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { expectLedgerSound, line, OPENED, PERIOD_END, TestLedger } from './ledger.ts';

const NEXT_END = new Date('2026-05-15T12:00:00Z');
const JUST_BEFORE = new Date(PERIOD_END.getTime() - 1);

describe.each(ENGINES)('periods of the ledger on %s', (engine) => {
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

  test('what is left of the monthly credits expires as an entry, the next are granted, and top-ups stay', async () => {
    const account = await ledger.open({ monthly: 25n, topup: 9n });
    expect(await ledger.enterPeriod(account, 300n, PERIOD_END)).toEqual({ startsAt: PERIOD_END, endsAt: NEXT_END });

    expect(await ledger.buckets(account)).toEqual({ monthly: 300n, topup: 9n, expired: 25n, issued: -334n });
    expect((await ledger.lines(account)).slice(4)).toEqual([
      line('EXPIRE', 'monthly', -25n, 0n),
      line('EXPIRE', 'expired', 25n, 25n),
      line('GRANT', 'issued', -300n, -334n),
      line('GRANT', 'monthly', 300n, 300n),
    ]);
    expect(await ledger.credits.balance(account)).toMatchObject({
      periodStartsAt: PERIOD_END,
      periodEndsAt: NEXT_END,
      anchorAt: OPENED,
    });
  });

  test('nothing happens while the period runs, to its last millisecond', async () => {
    const account = await ledger.open({ monthly: 25n });
    const before = await ledger.everythingOf(account);
    expect(await ledger.enterPeriod(account, 25n, JUST_BEFORE)).toBeNull();
    expect(await ledger.everythingOf(account)).toEqual(before);
  });

  test('a period is entered once, however many try at once', async () => {
    const account = await ledger.open({ monthly: 25n });
    const entered = await Promise.all(Array.from({ length: 16 }, () => ledger.enterPeriod(account, 25n, PERIOD_END)));
    expect(entered.filter((period) => period !== null)).toHaveLength(1);
    expect(await ledger.buckets(account)).toEqual({ monthly: 25n, expired: 25n, issued: -50n });
  });

  test('months slept through leave one grant and the period of now', async () => {
    const account = await ledger.open({ monthly: 25n });
    const period = await ledger.enterPeriod(account, 25n, new Date('2026-09-20T00:00:00Z'));
    expect(period).toEqual({
      startsAt: new Date('2026-09-15T12:00:00Z'),
      endsAt: new Date('2026-10-15T12:00:00Z'),
    });
    expect(await ledger.buckets(account)).toEqual({ monthly: 25n, expired: 25n, issued: -50n });
  });

  test('nothing left and nothing granted writes no entry, but moves the period on', async () => {
    const account = await ledger.open();
    await ledger.enterPeriod(account, 0n, PERIOD_END);
    expect(await ledger.lines(account)).toEqual([]);
    expect((await ledger.credits.balance(account)).periodEndsAt).toEqual(NEXT_END);
  });

  test('what was spent counts anew against the cap', async () => {
    const account = await ledger.open({ monthly: 20n, spendCap: 10n });
    await ledger.settle(await ledger.hold(account, 10n), [10n]);
    await ledger.enterPeriod(account, 20n, PERIOD_END);
    expect((await ledger.credits.balance(account)).spent).toBe(0n);
    expect(await ledger.refusalOf(account, 10n, {}, PERIOD_END)).toBeNull();
  });

  describe('a hold across the end of its period', () => {
    test('stays held: only what is not held expires', async () => {
      const account = await ledger.open({ monthly: 25n });
      await ledger.hold(account, 20n);
      await ledger.enterPeriod(account, 25n, PERIOD_END);
      expect(await ledger.buckets(account)).toEqual({ monthly: 25n, held: 20n, expired: 5n, issued: -50n });
    });

    test('captures as ever; its monthly credits that come back expire at once as an entry, its top-up does not', async () => {
      const account = await ledger.open({ monthly: 20n, topup: 10n });
      const hold = await ledger.hold(account, 25n);
      await ledger.enterPeriod(account, 20n, PERIOD_END);
      expect(await ledger.settle(hold, [12n], PERIOD_END)).toEqual({ captured: 12n, released: 13n });

      expect(await ledger.buckets(account)).toEqual({
        monthly: 20n,
        topup: 10n,
        captured: 12n,
        expired: 8n,
        issued: -50n,
      });
      expect((await ledger.lines(account)).slice(-7)).toEqual([
        line('CAPTURE', 'held', -12n, 13n),
        line('CAPTURE', 'captured', 12n, 12n),
        line('RELEASE', 'held', -13n, 0n),
        line('RELEASE', 'monthly', 8n, 28n),
        line('RELEASE', 'topup', 5n, 10n),
        line('EXPIRE', 'monthly', -8n, 20n),
        line('EXPIRE', 'expired', 8n, 8n),
      ]);
    });

    test('counts against the cap of the period it was made in, and not of the new one', async () => {
      const account = await ledger.open({ monthly: 20n, spendCap: 20n });
      const hold = await ledger.hold(account, 20n);
      await ledger.enterPeriod(account, 20n, PERIOD_END);
      await ledger.hold(account, 5n, {}, PERIOD_END);
      await ledger.settle(hold, [], PERIOD_END);
      expect((await ledger.credits.balance(account)).spent).toBe(5n);
    });

    test('expires what comes back even before anybody has entered the new period', async () => {
      const account = await ledger.open({ monthly: 20n });
      const hold = await ledger.hold(account, 15n);
      await ledger.settle(hold, [5n], PERIOD_END);
      expect(await ledger.buckets(account)).toEqual({ monthly: 5n, captured: 5n, expired: 10n, issued: -20n });
      await ledger.enterPeriod(account, 20n, PERIOD_END);
      expect(await ledger.buckets(account)).toEqual({ monthly: 20n, captured: 5n, expired: 15n, issued: -40n });
    });

    test('gives its monthly credits back when it ends in the last millisecond of its period', async () => {
      const account = await ledger.open({ monthly: 20n });
      await ledger.settle(await ledger.hold(account, 15n), [], JUST_BEFORE);
      expect(await ledger.buckets(account)).toEqual({ monthly: 20n, issued: -20n });
    });
  });

  test('the terms of the new period say how it is paid from then on', async () => {
    const account = await ledger.open({ monthly: 20n });
    await ledger.enterPeriod(account, 0n, PERIOD_END, true);
    await ledger.hold(account, 7n, {}, PERIOD_END);
    expect(await ledger.buckets(account)).toEqual({ owed: -7n, held: 7n, expired: 20n, issued: -20n });

    await ledger.enterPeriod(account, 20n, NEXT_END, false);
    expect(await ledger.refusalOf(account, 21n, {}, NEXT_END)).toBe('INSUFFICIENT');
    expect(await ledger.buckets(account)).toEqual({ monthly: 20n, owed: -7n, held: 7n, expired: 20n, issued: -40n });
  });
});
