import { type RawBuilder, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/platform/database.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { expectLedgerSound, TestLedger } from './ledger.ts';

describe.each(ENGINES)('what the database itself refuses on %s', (engine) => {
  let database: Database;
  let ledger: TestLedger;
  let account: string;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    ledger = new TestLedger(database.db);
    account = await ledger.open({ monthly: 10n, topup: 10n });
    await ledger.settle(await ledger.hold(account, 5n), [3n]);
    await ledger.hold(account, 5n);
  });
  afterAll(() => database.close());
  afterEach(() => expectLedgerSound(database.db));

  const expectRefused = async (statement: RawBuilder<unknown>, reason: RegExp) => {
    const before = await ledger.everythingOf(account);
    await expect(statement.execute(database.db)).rejects.toThrow(reason);
    expect(await ledger.everythingOf(account)).toEqual(before);
  };

  test.each([
    'update ledger_transactions set reason = reason',
    'update ledger_entries set amount = amount',
    'delete from ledger_transactions',
    'delete from ledger_entries',
    'delete from ledger_entries where false',
    'truncate ledger_transactions cascade',
    'truncate ledger_entries',
  ])('%s', (statement) => expectRefused(sql.raw(statement), /the ledger is append-only/));

  test.each(['update price_books set effective_at = effective_at', 'delete from price_books', 'truncate price_books'])(
    '%s',
    (statement) => expectRefused(sql.raw(statement), /a published price book never changes/),
  );

  test.each([
    'monthly = monthly - 1000, issued = issued + 1000',
    'topup = topup - 1000, issued = issued + 1000',
    'held = held - 1000, issued = issued + 1000',
    'captured = captured - 1000, issued = issued + 1000',
    'expired = expired - 1000, issued = issued + 1000',
    'owed = owed + 1, monthly = monthly - 1',
    'issued = issued + 1000, monthly = monthly - 1000',
    'monthly = monthly + 1',
    'spent = -1',
    'spend_cap = -1',
    'open_holds = -1',
  ])('a balance with %s', (change) =>
    expectRefused(sql`update credit_balances set ${sql.raw(change)} where account_id = ${account}`, /check constraint/),
  );

  test.each([
    'captured = amount + 1, settled_at = now()',
    'captured = -1, settled_at = now()',
    'captured = 1',
    'settled_at = now()',
    'from_monthly = from_monthly - 1',
    'from_monthly = -1, from_topup = amount + 1',
  ])('a hold with %s', (change) =>
    expectRefused(
      sql`update credit_holds set ${sql.raw(change)} where account_id = ${account} and settled_at is null`,
      /check constraint/,
    ),
  );

  test('an entry of nothing, or in a bucket that there is not', async () => {
    const entry = (bucket: string, amount: number) => sql`
      insert into ledger_entries (transaction_id, sequence, account_id, bucket, amount, balance_after)
      select id, 99, account_id, ${bucket}, ${amount}::bigint, 0 from ledger_transactions where account_id = ${account} limit 1`;
    await expectRefused(entry('monthly', 0), /check constraint/);
    await expectRefused(entry('pocket', 1), /check constraint/);
  });

  test('a free image count below nothing', async () => {
    await ledger.hold(account, 0n, { allowances: [{ provider: 'gemini', images: 1, limit: 3 }] });
    await expectRefused(sql`update credit_allowances set used = -1`, /check constraint/);
  });
});
