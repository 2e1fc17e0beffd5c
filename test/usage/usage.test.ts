import { describe, expect, test } from 'vitest';
import type { Balance } from '../../src/credits/balance.ts';
import { changePercent, checkedPeriod, forecastOf, periodBefore } from '../../src/usage/usage.ts';
import { usageLevel } from '../../src/usage/usage-level.ts';

const APRIL = { from: new Date('2026-04-01T00:00:00Z'), to: new Date('2026-05-01T00:00:00Z') };

describe('a period of usage', () => {
  test('must end after it begins, and within 366 days', () => {
    expect(checkedPeriod(APRIL)).toEqual(APRIL);
    for (const wish of [
      { from: APRIL.to, to: APRIL.from },
      { from: APRIL.from, to: APRIL.from },
      { from: new Date('2025-01-01T00:00:00Z'), to: new Date('2026-01-02T00:00:00.001Z') },
    ])
      expect(() => checkedPeriod(wish)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  test('is compared with the same length of time before it', () => {
    expect(periodBefore(APRIL)).toEqual({ from: new Date('2026-03-02T00:00:00Z'), to: APRIL.from });
    expect([changePercent(150n, 100n), changePercent(50n, 100n), changePercent(1n, 3n)]).toEqual([50, -50, -66.6]);
    expect(changePercent(5n, 0n)).toBeNull();
  });

  test('is forecast at the pace of so far while it runs, and is what it is before and after', () => {
    expect(forecastOf(10_000n, APRIL, new Date('2026-04-11T00:00:00Z'))).toBe(30_000n);
    expect(forecastOf(10_000n, APRIL, APRIL.to)).toBe(10_000n);
    expect(forecastOf(0n, APRIL, APRIL.from)).toBe(0n);
  });
});

describe('the level of usage', () => {
  const balance = (spent: bigint, spendCap: bigint | null = null) =>
    ({ spent, spendCap, periodEndsAt: APRIL.to }) as Balance;

  test.each([
    [0n, 0, 0],
    [79_999n, 79, 0],
    [80_000n, 80, 80],
    [89_999n, 89, 80],
    [90_000n, 90, 90],
    [100_000n, 100, 100],
    [250_000n, 250, 100],
  ])('of %s of 100,000 is %s percent and reaches %s', (spent, percent, threshold) => {
    expect(usageLevel(balance(spent), 100_000n)).toEqual({
      percent,
      threshold,
      spent,
      limit: 100_000n,
      periodEndsAt: APRIL.to,
    });
  });

  test('is bounded by the spend cap where that is less, and by nothing where there is neither', () => {
    expect(usageLevel(balance(8n, 10n), 100n)).toMatchObject({ limit: 10n, threshold: 80 });
    expect(usageLevel(balance(8n, 1_000n), 10n)).toMatchObject({ limit: 10n, threshold: 80 });
    expect(usageLevel(balance(8n, 10n), null)).toMatchObject({ limit: 10n, threshold: 80 });
    expect(usageLevel(balance(8n), null)).toMatchObject({ limit: null, percent: null, threshold: 0 });
    expect(usageLevel(balance(0n, 0n), null)).toMatchObject({ percent: 100, threshold: 100 });
  });
});
