import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { BudgetPeriod } from '../../src/credits/budget.ts';
import { Budgets } from '../../src/credits/budgets.service.ts';
import { BudgetsStore } from '../../src/credits/budgets.store.ts';
import type { Database } from '../../src/platform/database.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { expectLedgerSound, OPENED, PERIOD_END, TestLedger } from './ledger.ts';

for (const engine of ENGINES)
  describe(`a budget on ${engine}`, () => {
    let database: Database;
    let ledger: TestLedger;
    let budgets: Budgets;
    beforeAll(async () => {
      database = await freshDatabase(engine);
      ledger = new TestLedger(database.db);
      budgets = new Budgets(database.db, new BudgetsStore(), { now: () => OPENED });
    });
    afterAll(() => database.close());
    afterEach(() => expectLedgerSound(database.db));

    let made = 0;
    async function open(cap: bigint, period: BudgetPeriod = 'ONCE', account?: string) {
      const accountId = account ?? (await ledger.open({ monthly: 1_000n }));
      const { id } = await budgets.create(accountId, { name: `budget ${made++}`, cap, period });
      return { accountId, budgetId: id };
    }
    const spent = async (accountId: string, id: string) => (await budgets.get(accountId, id)).spent;

    test('stops at its cap although the account has more, and at nothing below it', async () => {
      const { accountId, budgetId } = await open(100n);
      await ledger.hold(accountId, 60n, { budgetId });
      const before = await ledger.everythingOf(accountId);
      expect(await ledger.refusalOf(accountId, 41n, { budgetId })).toBe('BUDGET_SPENT');
      expect(await ledger.everythingOf(accountId)).toEqual(before);
      await ledger.hold(accountId, 40n, { budgetId });
      expect(await ledger.refusalOf(accountId, 1n, { budgetId })).toBe('BUDGET_SPENT');
      expect(await ledger.refusalOf(accountId, 0n, { budgetId })).toBeNull();
      expect(await ledger.refusalOf(accountId, 1n)).toBeNull();
      expect(await spent(accountId, budgetId)).toBe(100n);
    });

    test('counts what is captured and gets back what is released, once', async () => {
      const { accountId, budgetId } = await open(100n);
      const hold = await ledger.hold(accountId, 90n, { budgetId });
      expect(await ledger.settle(hold, [30n])).toEqual({ captured: 30n, released: 60n });
      expect(await ledger.settle(hold, [30n])).toBeNull();
      expect(await spent(accountId, budgetId)).toBe(30n);
      expect(await ledger.refusalOf(accountId, 71n, { budgetId })).toBe('BUDGET_SPENT');
      expect(await ledger.refusalOf(accountId, 70n, { budgetId })).toBeNull();
    });

    test('begins anew with the period if it is monthly, and takes nothing back of the period before', async () => {
      const { accountId, budgetId } = await open(100n, 'MONTHLY');
      const { budgetId: once } = await open(100n, 'ONCE', accountId);
      const old = await ledger.hold(accountId, 80n, { budgetId });
      const oldOnce = await ledger.hold(accountId, 80n, { budgetId: once });
      await ledger.enterPeriod(accountId, 1_000n, PERIOD_END);
      await ledger.hold(accountId, 100n, { budgetId }, PERIOD_END);
      expect(await ledger.refusalOf(accountId, 21n, { budgetId: once }, PERIOD_END)).toBe('BUDGET_SPENT');
      await ledger.settle(old, [], PERIOD_END);
      await ledger.settle(oldOnce, [10n], PERIOD_END);
      expect(await spent(accountId, budgetId)).toBe(100n);
      expect(await spent(accountId, once)).toBe(10n);
    });

    test('that is closed or of another account pays for nothing, not even for what is free', async () => {
      const { accountId, budgetId } = await open(100n);
      const stranger = await open(100n);
      await budgets.update(accountId, budgetId, { open: false });
      for (const id of [budgetId, stranger.budgetId])
        for (const amount of [0n, 1n])
          expect(await ledger.refusalOf(accountId, amount, { budgetId: id })).toBe('BUDGET_SPENT');
      await budgets.update(accountId, budgetId, { open: true, cap: 5n });
      expect(await ledger.refusalOf(accountId, 5n, { budgetId })).toBeNull();
      expect(await spent(stranger.accountId, stranger.budgetId)).toBe(0n);
    });

    test('with a cap below what is spent takes nothing new and keeps what it has', async () => {
      const { accountId, budgetId } = await open(100n);
      const hold = await ledger.hold(accountId, 50n, { budgetId });
      await budgets.update(accountId, budgetId, { cap: 10n });
      expect(await ledger.refusalOf(accountId, 1n, { budgetId })).toBe('BUDGET_SPENT');
      await ledger.settle(hold, [50n]);
      expect(await spent(accountId, budgetId)).toBe(50n);
    });

    test('for 100 is given to exactly 100 of 300 that come at once, beside others of the account', async () => {
      const { accountId, budgetId } = await open(100n);
      const { budgetId: other } = await open(1_000n, 'MONTHLY', accountId);
      const wishes = Array.from({ length: 350 }, (_, number) => (number % 7 === 0 ? other : budgetId));
      const ended: { id: string; refusal: string | null }[] = [];
      const caller = async () => {
        for (let id = wishes.pop(); id !== undefined; id = wishes.pop())
          ended.push({ id, refusal: await ledger.refusalOf(accountId, 1n, { budgetId: id }) });
      };
      await Promise.all(Array.from({ length: 16 }, caller));
      const counted = (id: string, refusal: string | null) =>
        ended.filter((each) => each.id === id && each.refusal === refusal).length;
      expect([counted(budgetId, null), counted(budgetId, 'BUDGET_SPENT'), counted(other, null)]).toEqual([
        100, 200, 50,
      ]);
      expect([await spent(accountId, budgetId), await spent(accountId, other)]).toEqual([100n, 50n]);
    });

    test('has a name of its own and a cap that makes sense', async () => {
      const { accountId } = await open(1n);
      await budgets.create(accountId, { name: 'Spring', cap: 1n, period: 'ONCE' });
      for (const [wish, field] of [
        [{ name: ' sPRING ', cap: 1n }, 'name'],
        [{ name: '', cap: 1n }, 'name'],
        [{ name: 'x'.repeat(201), cap: 1n }, 'name'],
        [{ name: 'negative', cap: -1n }, 'cap'],
        [{ name: 'endless', cap: 10n ** 15n }, 'cap'],
      ] as const)
        await expect(budgets.create(accountId, { ...wish, period: 'ONCE' })).rejects.toMatchObject({
          code: 'BAD_USER_INPUT',
          details: { field },
        });
    });
  });
