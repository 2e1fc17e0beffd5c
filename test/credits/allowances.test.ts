import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { expectLedgerSound, PERIOD_END, TestLedger } from './ledger.ts';

/** Free images as a job counts them: `delivered` of those held have arrived. */
const delivered = (images: number) =>
  Array.from({ length: images }, () => ({ imageId: newId('image'), amount: 0n, allowance: 'gemini' }));

describe.each(ENGINES)('free allowances on %s', (engine) => {
  let database: Database;
  let ledger: TestLedger;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    ledger = new TestLedger(database.db);
  });
  afterAll(() => database.close());
  afterEach(() => expectLedgerSound(database.db));

  const gemini = (images: number, limit = 3) => ({ allowances: [{ provider: 'gemini', images, limit }] });
  const used = async (account: string) => (await ledger.credits.balance(account)).allowancesUsed;

  test('free images are taken with the hold, by provider', async () => {
    const account = await ledger.open();
    await ledger.hold(account, 0n, gemini(2));
    await ledger.hold(account, 0n, { allowances: [{ provider: 'huggingface', images: 4, limit: 5 }] });
    expect(await used(account)).toEqual({ gemini: 2, huggingface: 4 });
  });

  test('the limit is reached exactly; one more is refused with the credits that came with it, and nothing is kept', async () => {
    const account = await ledger.open({ monthly: 10n });
    await ledger.hold(account, 0n, gemini(2));
    const before = await ledger.everythingOf(account);

    expect(await ledger.refusalOf(account, 5n, gemini(2))).toBe('ALLOWANCE_USED');
    expect(await ledger.everythingOf(account)).toEqual(before);

    expect(await ledger.refusalOf(account, 5n, gemini(1))).toBeNull();
    expect(await used(account)).toEqual({ gemini: 3 });
  });

  test('the first hold of an account cannot take more than the limit either', async () => {
    const account = await ledger.open();
    expect(await ledger.refusalOf(account, 0n, gemini(4))).toBe('ALLOWANCE_USED');
    expect(await used(account)).toEqual({});
  });

  test('a hold that is refused for its credits takes no free image', async () => {
    const account = await ledger.open();
    expect(await ledger.refusalOf(account, 1n, gemini(1))).toBe('INSUFFICIENT');
    expect(await used(account)).toEqual({});
  });

  test('free images that are not delivered are given back, delivered ones are not', async () => {
    const account = await ledger.open();
    const hold = await ledger.hold(account, 0n, gemini(3));
    await ledger.settle(hold, delivered(1));
    expect(await used(account)).toEqual({ gemini: 1 });
    expect(await ledger.refusalOf(account, 0n, gemini(3))).toBe('ALLOWANCE_USED');
    expect(await ledger.refusalOf(account, 0n, gemini(2))).toBeNull();
  });

  test('paid images of the same job give nothing back', async () => {
    const account = await ledger.open({ monthly: 10n });
    const hold = await ledger.hold(account, 8n, gemini(2));
    await ledger.settle(hold, [...delivered(2), 4n]);
    expect(await used(account)).toEqual({ gemini: 2 });
    expect(await ledger.buckets(account)).toEqual({ monthly: 6n, captured: 4n, issued: -10n });
  });

  test('images are given back once, however often the hold is settled', async () => {
    const account = await ledger.open();
    await ledger.hold(account, 0n, gemini(1));
    const hold = await ledger.hold(account, 0n, gemini(2));
    await Promise.all(Array.from({ length: 8 }, () => ledger.settle(hold, [])));
    expect(await used(account)).toEqual({ gemini: 1 });
  });

  test('a new period starts with nothing used', async () => {
    const account = await ledger.open();
    await ledger.hold(account, 0n, gemini(3));
    await ledger.enterPeriod(account, 0n, PERIOD_END);
    expect(await used(account)).toEqual({});
    expect(await ledger.refusalOf(account, 0n, gemini(3), PERIOD_END)).toBeNull();
    expect(await used(account)).toEqual({ gemini: 3 });
  });

  test('what comes back after the period has changed leaves the count of the new period alone', async () => {
    const account = await ledger.open();
    const old = await ledger.hold(account, 0n, gemini(3));
    await ledger.enterPeriod(account, 0n, PERIOD_END);

    // Before the new period has used any: the old count is still there, and is not looked at.
    const other = await ledger.open();
    const early = await ledger.hold(other, 0n, gemini(3));
    await ledger.enterPeriod(other, 0n, PERIOD_END);
    await ledger.settle(early, [], PERIOD_END);
    expect(await used(other)).toEqual({});

    await ledger.hold(account, 0n, gemini(2), PERIOD_END);
    await ledger.settle(old, [], PERIOD_END);
    expect(await used(account)).toEqual({ gemini: 2 });
    expect(await ledger.refusalOf(account, 0n, gemini(2), PERIOD_END)).toBe('ALLOWANCE_USED');
  });

  test('many holds at once never take more than the limit', async () => {
    const account = await ledger.open();
    const refusals = await Promise.all(Array.from({ length: 30 }, () => ledger.refusalOf(account, 0n, gemini(1, 10))));
    expect(refusals.filter((refusal) => refusal === null)).toHaveLength(10);
    expect(refusals.filter((refusal) => refusal === 'ALLOWANCE_USED')).toHaveLength(20);
    expect(await used(account)).toEqual({ gemini: 10 });
    expect((await ledger.credits.balance(account)).openHolds).toBe(10);
  });
});
