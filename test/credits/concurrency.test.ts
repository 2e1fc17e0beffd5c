import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HoldRefusal, HoldRequest } from '../../src/credits/balance.ts';
import { HoldsStore } from '../../src/credits/holds.store.ts';
import { openPostgres } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { freshDatabase, hasPostgres } from '../support/databases.ts';
import { expectLedgerSound, PERIOD_END, TestLedger, type Wish } from './ledger.ts';

const POOLS = 2;
const CONNECTIONS = 16;

// The embedded engine has one connection: nothing happens at once there, so these have nothing to show on it.
describe.skipIf(!hasPostgres)('the ledger under concurrency', () => {
  const closers: (() => Promise<void>)[] = [];
  /** Each on a pool of its own, as two processes have. */
  const ledgers: TestLedger[] = [];
  let ledger: TestLedger;
  beforeAll(async () => {
    const { db, url, close } = await freshDatabase('postgres');
    for (let pool = 0; pool < POOLS; pool++) {
      const database = openPostgres({ url: url ?? '', poolMax: CONNECTIONS, log: createLog('silent') });
      ledgers.push(new TestLedger(database.db));
      closers.push(() => database.close());
    }
    closers.push(close);
    ledger = new TestLedger(db);
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });
  afterEach(() => expectLedgerSound(ledger.db));

  /** Asks for `count` holds, as many at once as there are connections and more, through both pools; counts how they ended. */
  async function holdsAtOnce(count: number, account: string, amount: bigint, more: Partial<HoldRequest> = {}) {
    const counts: Partial<Record<HoldRefusal | 'HELD', number>> = {};
    let asked = 0;
    const caller = async (number: number) => {
      while (asked++ < count) {
        const ended = (await ledgers[number % POOLS]?.refusalOf(account, amount, more)) ?? 'HELD';
        counts[ended] = (counts[ended] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: POOLS * CONNECTIONS * 2 }, (_, number) => caller(number)));
    return counts;
  }

  test.each<[string, Wish, Partial<HoldRequest>, HoldRefusal]>([
    ['a balance for 100', { monthly: 60n, topup: 40n }, {}, 'INSUFFICIENT'],
    ['a spend cap of 100', { postpaid: true, spendCap: 100n }, {}, 'SPEND_CAP'],
    ['a limit of 100 open holds', { monthly: 5_000n }, { openHoldsMax: 100 }, 'TOO_MANY_OPEN'],
    [
      'an allowance of 100 images',
      { monthly: 5_000n },
      { allowances: [{ provider: 'gemini', images: 1, limit: 100 }] },
      'ALLOWANCE_USED',
    ],
  ])('of 1,000 holds from many callers on %s exactly 100 are held', async (_, wish, limits, refusal) => {
    const account = await ledger.open(wish);
    expect(await holdsAtOnce(1_000, account, 1n, limits)).toEqual({ HELD: 100, [refusal]: 900 });
    expect(await ledger.credits.balance(account)).toMatchObject({ held: 100n, spent: 100n, openHolds: 100 });
  });

  test('holds at once that do not divide the balance take as many as fit', async () => {
    const account = await ledger.open({ monthly: 50n, topup: 50n });
    expect(await holdsAtOnce(200, account, 7n)).toEqual({ HELD: 14, INSUFFICIENT: 186 });
    expect(await ledger.buckets(account)).toEqual({ topup: 2n, held: 98n, issued: -100n });
  });

  test('16 settlements of one hold at once, from two processes, end it once', async () => {
    for (let round = 0; round < 10; round++) {
      const account = await ledger.open({ monthly: 10n, topup: 10n });
      const hold = await ledger.hold(account, 15n);
      const endings = await Promise.all(
        Array.from({ length: 16 }, (_, index) => ledgers[index % POOLS]?.settle(hold, [BigInt(index % 5)])),
      );
      const ended = endings.filter((ending) => ending !== null);
      expect(ended).toHaveLength(1);
      expect(await ledger.credits.balance(account)).toMatchObject({
        captured: ended[0]?.captured,
        held: 0n,
        openHolds: 0,
      });
    }
  });

  test('16 processes that find a period over enter the next one once', async () => {
    const account = await ledger.open({ monthly: 25n });
    const entered = await Promise.all(
      Array.from({ length: 16 }, (_, index) => ledgers[index % POOLS]?.enterPeriod(account, 25n, PERIOD_END)),
    );
    expect(entered.filter((period) => period !== null)).toHaveLength(1);
    expect(await ledger.buckets(account)).toEqual({ monthly: 25n, expired: 25n, issued: -50n });
  });

  test('holds, settlements, top-ups and the end of a period at once lose and make nothing', async () => {
    const account = await ledger.open({ monthly: 500n, topup: 500n });
    const old = await Promise.all(Array.from({ length: 20 }, () => ledger.hold(account, 10n)));
    await Promise.all([
      ...old.map((hold, index) => ledgers[index % POOLS]?.settle(hold, [4n], PERIOD_END)),
      ...Array.from({ length: 20 }, (_, index) =>
        ledgers[index % POOLS]?.credits.topUp(account, 1n, 'Top-up', PERIOD_END),
      ),
      ...Array.from({ length: 4 }, (_, index) => ledgers[index % POOLS]?.enterPeriod(account, 500n, PERIOD_END)),
    ]);
    // 20 holds of 10 took 200 of the monthly credits: 80 were captured, and the 120 that came back expired with the rest.
    expect(await ledger.buckets(account)).toEqual({
      monthly: 500n,
      topup: 520n,
      captured: 80n,
      expired: 420n,
      issued: -1_520n,
    });
  });

  test('credits that arrive between a refusal and the look for its reason are held, and no untrue reason is told', async () => {
    const account = await ledger.open({ monthly: 4n });
    class Interrupted extends HoldsStore {
      override async take(...request: Parameters<HoldsStore['take']>) {
        const taken = await super.take(...request);
        if (taken === null) await ledger.credits.topUp(account, 6n, 'Just in time', request[3]);
        return taken;
      }
    }
    const [first = ledger] = ledgers;
    const interrupted = new TestLedger(first.db, new Interrupted(first.db));

    expect(await interrupted.refusalOf(account, 10n)).toBeNull();
    expect(await ledger.buckets(account)).toEqual({ held: 10n, issued: -10n });
  });

  test('accounts do not wait for one another', async () => {
    const busy = await ledger.open({ monthly: 10n });
    const free = await ledger.open({ monthly: 10n });
    const { promise: letGo, resolve } = Promise.withResolvers<void>();
    const holding = ledger.db.transaction().execute(async (tx) => {
      await ledger.credits.grant(tx, busy, 'topup', 1n, 'Top-up', PERIOD_END);
      await letGo;
    });
    expect(await ledger.refusalOf(free, 10n)).toBeNull();
    resolve();
    await holding;
  });
});
