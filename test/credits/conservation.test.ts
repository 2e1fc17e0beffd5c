import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openPostgres } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { freshDatabase, hasPostgres } from '../support/databases.ts';
import { expectLedgerSound, TestLedger } from './ledger.ts';

const ACCOUNTS = 5;
const WORKERS = 12;
const ROUNDS = 40;
const GIVEN_EACH = 100n;

/** The same numbers for the same seed, so that a failure can be had again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe.skipIf(!hasPostgres)('credits are neither made nor lost', () => {
  let database: Database & { readonly url: string | null };
  let other: Database;
  beforeAll(async () => {
    database = await freshDatabase('postgres');
    other = openPostgres({ url: database.url ?? '', poolMax: 8, log: createLog('silent') });
  });
  afterAll(async () => {
    await other.close();
    await database.close();
  });

  test('while grants, holds and settlements run from two processes, every look from outside finds the books in order', async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    const ledgers = [new TestLedger(database.db), new TestLedger(other.db)] as const;
    const accounts = await Promise.all(
      Array.from({ length: ACCOUNTS }, () => ledgers[0].open({ monthly: GIVEN_EACH / 2n, topup: GIVEN_EACH / 2n })),
    );
    let granted = 0n;
    let running = true;

    const worker = async (number: number) => {
      const random = randomFrom(seed + number);
      const ledger = ledgers[number % 2 === 0 ? 0 : 1];
      const open: { id: string; amount: number }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const account = accounts[random(ACCOUNTS)] ?? '';
        const [dice, amount] = [random(10), 1 + random(20)];
        if (dice === 0) {
          await ledger.credits.topUp(account, BigInt(amount), 'Top-up', new Date('2026-03-16T00:00:00Z'));
          granted += BigInt(amount);
        } else if (dice < 6) {
          const holdId = `hold_${number}_${round}`;
          if ((await ledger.refusalOf(account, BigInt(amount), { holdId })) === null) open.push({ id: holdId, amount });
        } else {
          const [hold] = open.splice(random(Math.max(1, open.length)), 1);
          if (hold) await ledger.settle(hold.id, [BigInt(random(hold.amount + 1))]);
        }
      }
    };

    /** One statement sees one moment; whatever moment that is, these must hold. */
    const looks: Record<string, bigint>[] = [];
    const watcher = async () => {
      while (running) {
        const { rows } = await sql<Record<string, bigint>>`
          select (select count(*) from credit_balances) as accounts,
            (select count(*) from credit_balances where least(monthly, topup, held, captured) < 0) as negative,
            (select sum(monthly + topup + owed + held + captured + expired + issued) from credit_balances)::bigint as total,
            (select count(*) from credit_balances b cross join lateral (values ('monthly', b.monthly), ('topup', b.topup),
              ('held', b.held), ('captured', b.captured), ('issued', b.issued)) as bucket (name, balance)
              where balance <> coalesce((select sum(amount) from ledger_entries e
                where e.account_id = b.account_id and e.bucket = bucket.name), 0)) as wrong`.execute(other.db);
        looks.push(...rows);
      }
    };

    try {
      const watching = watcher();
      await Promise.all(Array.from({ length: WORKERS }, (_, number) => worker(number)));
      running = false;
      await watching;

      expect(looks.length).toBeGreaterThan(5);
      const right = { accounts: BigInt(ACCOUNTS), negative: 0n, total: 0n, wrong: 0n };
      expect(looks.filter((look) => JSON.stringify(look, text) !== JSON.stringify(right, text))).toEqual([]);
      const { rows } = await sql<{ given: bigint }>`
        select sum(-issued)::bigint as given from credit_balances`.execute(database.db);
      expect(rows).toEqual([{ given: GIVEN_EACH * BigInt(ACCOUNTS) + granted }]);
      await expectLedgerSound(database.db);
    } catch (error) {
      throw new Error(`broken with SEED=${seed}`, { cause: error });
    } finally {
      running = false;
    }
  });
});

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
