import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Account } from '../../src/accounts/account.ts';
import type { Accounts } from '../../src/accounts/accounts.service.ts';
import type { Database } from '../../src/platform/database.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { newId } from '../../src/platform/ids.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import type { Tier } from '../../src/pricing/price-book.ts';
import type { PriceBooks } from '../../src/pricing/price-books.service.ts';
import { BALANCE_CHANNEL, type NewAccount, type Tiers } from '../../src/tiers/tiers.service.ts';
import { expectLedgerSound, line, TestLedger } from '../credits/ledger.ts';
import { TestClock } from '../support/clock.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { startTiers } from './start-tiers.ts';

const START = '2026-03-15T12:00:00Z';
const NEXT = '2026-04-15T12:00:00Z';
const AFTER_NEXT = '2026-05-15T12:00:00Z';

describe.each(ENGINES)('tiers on %s', (engine) => {
  let database: Database;
  let clock: TestClock;
  let events: LocalEventBus;
  let accounts: Accounts;
  let priceBooks: PriceBooks;
  let tiers: Tiers;
  let ledger: TestLedger;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    ledger = new TestLedger(database.db);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock(START);
    events = new LocalEventBus();
    ({ accounts, priceBooks, tiers } = await startTiers(database, clock, events));
  });
  afterEach(async () => {
    priceBooks.stop();
    await expectLedgerSound(database.db);
  });

  const open = async (tier: Tier, more: Partial<NewAccount> = {}): Promise<Account> => {
    const wish = { name: 'Ada', role: 'CUSTOMER', tier, limits: {}, spendCap: null, ...more } as const;
    return (await tiers.open(wish, 'first key')).account;
  };
  const tiersOf = async (id: string) => {
    const { tier, nextTier } = await accounts.get(id);
    return { tier, nextTier };
  };
  const look = async (id: string) => tiers.balance(await accounts.get(id));

  describe('opening', () => {
    test.each([
      ['FREE', 25_000n],
      ['BASIC', 300_000n],
      ['PRO', 2_000_000n],
    ] as const)('a %s account begins with its monthly credits and a key that works', async (tier, monthly) => {
      const wish = { name: 'Ada', role: 'CUSTOMER', tier, limits: {}, spendCap: null } as const;
      const { account, issued } = await tiers.open(wish, 'first key');
      expect(account).toEqual({
        id: expect.stringMatching(/^account_/),
        name: 'Ada',
        role: 'CUSTOMER',
        tier,
        nextTier: null,
        limits: {},
        createdAt: clock.now(),
      });
      expect(await accounts.authenticate(issued.secret)).toEqual({
        ...account,
        keyId: issued.key.id,
        scopes: issued.key.scopes,
        keyExpiresAt: null,
      });
      expect(await tiers.balance(account)).toMatchObject({ monthly, postpaid: false, spendCap: null });
    });

    test('an ENTERPRISE account begins postpaid, with no credits and its cap', async () => {
      const account = await open('ENTERPRISE', { spendCap: 5_000n });
      expect(await tiers.balance(account)).toMatchObject({ monthly: 0n, postpaid: true, spendCap: 5_000n });
    });

    test.each([
      ['limits.runningJobs', { limits: { runningJobs: 0 } }],
      ['limits.imagesPerOperation', { limits: { imagesPerOperation: 11 } }],
      ['limits.submissionsPerMinute', { limits: { submissionsPerMinute: 1.5 } }],
      ['spendCap', { spendCap: -1n }],
      ['name', { name: ' ' }],
    ])('a wrong %s is refused by name, and nothing is opened', async (field, wrong) => {
      const before = await accounts.count();
      await expect(open('PRO', wrong)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', details: { field } });
      expect(await accounts.count()).toBe(before);
    });
  });

  describe('periods', () => {
    test('the first look after the end of a period settles it, however many look at once', async () => {
      const account = await open('BASIC');
      await ledger.hold(account.id, 100_000n);
      clock.set(NEXT);
      const told: string[] = [];
      events.subscribe(BALANCE_CHANNEL(account.id), () => told.push('told'));

      const balances = await Promise.all(Array.from({ length: 16 }, () => tiers.balance(account)));

      expect(new Set(balances.map(({ monthly }) => monthly))).toEqual(new Set([300_000n]));
      expect(await ledger.buckets(account.id)).toEqual({
        monthly: 300_000n,
        held: 100_000n,
        expired: 200_000n,
        issued: -600_000n,
      });
      expect(told).toEqual(['told']);
    });

    test('the sweep settles what nobody has looked at, however many there are, once, and leaves the others alone', async () => {
      const overdue: Account[] = [];
      for (let count = 0; count < 101; count++) overdue.push(await open('BASIC'));
      clock.set(NEXT);
      const young = await open('PRO');
      const before = await ledger.everythingOf(young.id);
      await tiers.enterOverduePeriods();
      await tiers.enterOverduePeriods();
      for (const { id } of overdue)
        expect(await ledger.buckets(id)).toEqual({ monthly: 300_000n, expired: 300_000n, issued: -600_000n });
      expect(await ledger.everythingOf(young.id)).toEqual(before);
    });

    test('a look before the end changes nothing', async () => {
      const account = await open('BASIC');
      clock.set(new Date(new Date(NEXT).getTime() - 1));
      const before = await ledger.everythingOf(account.id);
      await tiers.balance(account);
      await tiers.enterPeriod(account.id);
      expect(await ledger.everythingOf(account.id)).toEqual(before);
    });
  });

  describe('upgrades', () => {
    test('act at once and grant the difference, as an entry that says so', async () => {
      const account = await open('FREE');
      await ledger.settle(await ledger.hold(account.id, 20_000n), [20_000n]);
      expect(await tiers.setTier(account.id, 'PRO', null, undefined)).toMatchObject({ tier: 'PRO', nextTier: null });
      expect(await ledger.buckets(account.id)).toEqual({ monthly: 1_980_000n, captured: 20_000n, issued: -2_000_000n });
      expect((await ledger.lines(account.id)).slice(-2)).toEqual([
        line('GRANT', 'issued', -1_975_000n, -2_000_000n),
        line('GRANT', 'monthly', 1_975_000n, 1_980_000n),
      ]);
    });

    test('several at once grant the difference to the highest tier once', async () => {
      const account = await open('FREE');
      await Promise.all(
        (['PRO', 'BASIC', 'PRO', 'BASIC', 'PRO'] as const).map((tier) =>
          tiers.setTier(account.id, tier, null, undefined),
        ),
      );
      expect((await tiers.balance(account)).monthly).toBe(2_000_000n);
      expect(await tiersOf(account.id)).toMatchObject({ tier: 'PRO' });
    });

    test('to the tier it has grants nothing, and takes back a downgrade that waits', async () => {
      const account = await open('PRO');
      await tiers.setTier(account.id, 'FREE', null, undefined);
      await tiers.setTier(account.id, 'PRO', null, undefined);
      expect(await tiersOf(account.id)).toEqual({ tier: 'PRO', nextTier: null });
      expect(await ledger.buckets(account.id)).toEqual({ monthly: 2_000_000n, issued: -2_000_000n });
    });

    test('down and up again within a period grants nothing twice', async () => {
      const account = await open('FREE');
      for (const tier of ['PRO', 'FREE', 'PRO', 'BASIC', 'PRO'] as const)
        await tiers.setTier(account.id, tier, null, undefined);
      expect(await ledger.buckets(account.id)).toEqual({ monthly: 2_000_000n, issued: -2_000_000n });
    });

    test('after the end of a period settle it first, so that the difference belongs to the new one', async () => {
      const account = await open('FREE');
      clock.set(NEXT);
      await tiers.setTier(account.id, 'BASIC', null, undefined);
      expect(await ledger.buckets(account.id)).toEqual({ monthly: 300_000n, expired: 25_000n, issued: -325_000n });
      const after = await ledger.everythingOf(account.id);
      await look(account.id);
      expect(await ledger.everythingOf(account.id)).toEqual(after);
    });

    test('are told to whoever watches the balance, and to every process', async () => {
      const account = await open('FREE');
      const told: string[] = [];
      events.subscribe(BALANCE_CHANNEL(account.id), () => told.push('balance'));
      events.subscribe('accounts-changed', () => told.push('accounts'));
      await tiers.setTier(account.id, 'BASIC', null, undefined);
      expect(told.sort()).toEqual(['accounts', 'balance']);
    });
  });

  describe('downgrades', () => {
    test('wait for the next period, keep what was granted until then, and begin with it', async () => {
      const account = await open('PRO');
      expect(await tiers.setTier(account.id, 'BASIC', null, undefined)).toMatchObject({
        tier: 'PRO',
        nextTier: 'BASIC',
      });
      expect(await look(account.id)).toMatchObject({ monthly: 2_000_000n });

      clock.set(NEXT);
      expect(await look(account.id)).toMatchObject({ monthly: 300_000n });
      expect(await tiersOf(account.id)).toEqual({ tier: 'BASIC', nextTier: null });
    });

    test('the last one asked for counts', async () => {
      const account = await open('PRO');
      await tiers.setTier(account.id, 'BASIC', null, undefined);
      await tiers.setTier(account.id, 'FREE', null, undefined);
      clock.set(NEXT);
      expect(await look(account.id)).toMatchObject({ monthly: 25_000n });
    });

    test('one that waits is not lost and not overdone when the period ends while the tier is set anew', async () => {
      for (let round = 0; round < 5; round++) {
        clock.set(START);
        const account = await open('PRO');
        await tiers.setTier(account.id, 'FREE', null, undefined);
        clock.set(NEXT);
        await Promise.all([
          tiers.enterPeriod(account.id),
          tiers.setTier(account.id, 'ENTERPRISE', null, undefined),
          tiers.enterPeriod(account.id),
        ]);
        // Whichever came first, the operator's word is the last: the waiting downgrade cannot overwrite it.
        expect(await tiersOf(account.id)).toEqual({ tier: 'ENTERPRISE', nextTier: null });
        expect(await look(account.id)).toMatchObject({ postpaid: true, monthly: 25_000n });
      }
    });
  });

  describe('ENTERPRISE', () => {
    test('to it: holds are owed from then on, what is left of the monthly credits stays until it expires', async () => {
      const account = await open('PRO');
      const before = await ledger.hold(account.id, 10_000n);
      await tiers.setTier(account.id, 'ENTERPRISE', null, 50_000n);
      await ledger.hold(account.id, 7_000n);
      await ledger.settle(before, [4_000n]);
      expect(await ledger.buckets(account.id)).toEqual({
        monthly: 1_996_000n,
        owed: -7_000n,
        held: 7_000n,
        captured: 4_000n,
        issued: -2_000_000n,
      });
      expect(await ledger.refusalOf(account.id, 39_001n)).toBe('SPEND_CAP');
      clock.set(NEXT);
      expect(await look(account.id)).toMatchObject({ postpaid: true, monthly: 0n, owed: -7_000n });
    });

    test('from it: at the next period, with that tier’s credits; what is owed stays owed', async () => {
      const account = await open('ENTERPRISE');
      await ledger.settle(await ledger.hold(account.id, 9_000n), [9_000n]);
      await tiers.setTier(account.id, 'BASIC', null, undefined);
      expect(await look(account.id)).toMatchObject({ postpaid: true });
      clock.set(NEXT);
      expect(await look(account.id)).toMatchObject({ postpaid: false, monthly: 300_000n, owed: -9_000n });
      expect(await ledger.refusalOf(account.id, 300_001n, {}, clock.now())).toBe('INSUFFICIENT');
    });
  });

  describe('limits, cap and top-ups', () => {
    test('overrides replace the earlier ones; without a word they stay', async () => {
      const account = await open('FREE', { limits: { runningJobs: 3 } });
      expect(tiers.allowed(account)).toMatchObject({
        tier: 'FREE',
        runningJobs: 3,
        openJobs: 60,
        imagesPerOperation: 4,
      });
      const same = await tiers.setTier(account.id, 'FREE', null, undefined);
      expect(same.limits).toEqual({ runningJobs: 3 });
      const changed = await tiers.setTier(account.id, 'FREE', { imagesPerOperation: 9 }, undefined);
      expect(tiers.allowed(changed)).toMatchObject({ runningJobs: 1, imagesPerOperation: 9 });
    });

    test('the cap is set, kept without a word, and taken away by null', async () => {
      const account = await open('FREE');
      const capAfter = async (cap: bigint | null | undefined) => {
        await tiers.setTier(account.id, 'FREE', null, cap);
        return (await look(account.id)).spendCap;
      };
      expect(await capAfter(5n)).toBe(5n);
      expect(await capAfter(undefined)).toBe(5n);
      expect(await capAfter(0n)).toBe(0n);
      expect(await capAfter(null)).toBeNull();
    });

    test('wrong ones are refused by name, and nothing changes', async () => {
      const account = await open('FREE');
      const before = await ledger.everythingOf(account.id);
      await expect(tiers.setTier(account.id, 'PRO', { runningJobs: 10_001 }, undefined)).rejects.toMatchObject({
        details: { field: 'limits.runningJobs', value: 10_001, limit: 'a whole number from 1 to 10000' },
      });
      await expect(tiers.setTier(account.id, 'PRO', null, -1n)).rejects.toMatchObject({
        details: { field: 'spendCap' },
      });
      for (const [amount, reason, field] of [
        [0n, 'Top-up', 'credits'],
        [-1n, 'Top-up', 'credits'],
        [1n, '', 'reason'],
        [1n, 'x'.repeat(201), 'reason'],
      ] as const)
        await expect(tiers.topUp(account.id, amount, reason)).rejects.toMatchObject({
          code: 'BAD_USER_INPUT',
          details: { field },
        });
      expect(await ledger.everythingOf(account.id)).toEqual(before);
      expect(await tiersOf(account.id)).toEqual({ tier: 'FREE', nextTier: null });
    });

    test('a top-up is there at once, is told, and does not expire', async () => {
      const account = await open('FREE');
      let told = 0;
      events.subscribe(BALANCE_CHANNEL(account.id), () => {
        told += 1;
      });
      expect(await tiers.topUp(account.id, 4_500n, 'Sorry for the delay')).toEqual(account);
      expect(told).toBe(1);
      clock.set(NEXT);
      expect(await look(account.id)).toMatchObject({ monthly: 25_000n, topup: 4_500n });
    });

    test('an unknown account is not found, whatever is asked of it', async () => {
      const nobody = newId('account');
      const notFound = { code: 'NOT_FOUND' };
      await expect(tiers.setTier(nobody, 'PRO', null, undefined)).rejects.toMatchObject(notFound);
      await expect(tiers.topUp(nobody, 1n, 'Top-up')).rejects.toMatchObject(notFound);
      await expect(tiers.enterPeriod(nobody)).rejects.toMatchObject(notFound);
    });
  });

  test('a submission is counted when it is taken, and not when it is looked at', async () => {
    const account = await open('FREE');
    const allowed = tiers.allowed(account);
    await tiers.rate(account, allowed);
    for (let taken = 1; taken <= 10; taken++)
      expect(await tiers.takeSubmission(account, allowed)).toMatchObject({ allowed: true, remaining: 10 - taken });
    expect(await tiers.takeSubmission(account, allowed)).toMatchObject({ allowed: false, remaining: 0, limit: 10 });
    expect(await tiers.rate(account, allowed)).toMatchObject({ remaining: 0, limit: 10 });
    const other = await open('FREE');
    expect(await tiers.rate(other, allowed)).toMatchObject({ remaining: 10 });
  });
});

test('a new period goes by the price book in force when it begins: what is granted, and how it is paid', async () => {
  const database = await freshDatabase('pglite');
  const clock = new TestClock(START);
  const { priceBooks, tiers } = await startTiers(database, clock, new LocalEventBus());
  const wish = { name: 'Ada', role: 'CUSTOMER', tier: 'PRO', limits: {}, spendCap: null } as const;
  const { account } = await tiers.open(wish, 'first key');
  const { tiers: table } = GUIDE_PRICE_BOOK;
  const unlimited = { ...GUIDE_PRICE_BOOK, tiers: { ...table, PRO: { ...table.PRO, monthlyCredits: null } } };

  await priceBooks.publish(unlimited, null, 'operator');
  expect(await tiers.balance(account)).toMatchObject({ monthly: 2_000_000n, postpaid: false });
  clock.set(NEXT);
  expect(await tiers.balance(account)).toMatchObject({ monthly: 0n, postpaid: true });

  await priceBooks.publish(GUIDE_PRICE_BOOK, null, 'operator');
  expect(await tiers.balance(account)).toMatchObject({ monthly: 0n, postpaid: true });
  clock.set(AFTER_NEXT);
  expect(await tiers.balance(account)).toMatchObject({ monthly: 2_000_000n, postpaid: false });
  priceBooks.stop();
  await database.close();
});
