import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { periodAt } from '../../src/credits/periods.ts';

const at = (anchor: string, now: string) => {
  const { startsAt, endsAt } = periodAt(new Date(anchor), new Date(now));
  return [startsAt.toISOString(), endsAt.toISOString()];
};
const T = '12:34:56.789Z';

describe('a period', () => {
  test('begins on the anchor day at its time of day, in UTC, and ends a month later', () => {
    expect(at(`2026-01-15T${T}`, '2026-03-20T00:00:00Z')).toEqual([`2026-03-15T${T}`, `2026-04-15T${T}`]);
    expect(at('2026-01-15T23:59:59.999Z', '2026-03-15T12:00:00Z')).toEqual([
      '2026-02-15T23:59:59.999Z',
      '2026-03-15T23:59:59.999Z',
    ]);
  });

  test('of the very moment of the anchor is the first', () => {
    expect(at(`2026-01-31T${T}`, `2026-01-31T${T}`)).toEqual([`2026-01-31T${T}`, `2026-02-28T${T}`]);
  });

  test('includes its start and excludes its end, to the millisecond', () => {
    const anchor = '2026-01-15T12:00:00.000Z';
    expect(at(anchor, '2026-02-15T11:59:59.999Z')).toEqual([anchor, '2026-02-15T12:00:00.000Z']);
    expect(at(anchor, '2026-02-15T12:00:00.000Z')).toEqual(['2026-02-15T12:00:00.000Z', '2026-03-15T12:00:00.000Z']);
  });
});

describe('periods anchored at the end of a month', () => {
  test('are clipped to shorter months and never drift: the 31st comes back after February', () => {
    const starts = ['01-15', '02-15', '03-15', '03-31', '04-15', '05-15', '07-15', '09-15'].map((day) =>
      at(`2025-12-31T${T}`, `2026-${day}T00:00:00Z`).join(' '),
    );
    expect(starts).toEqual([
      `2025-12-31T${T} 2026-01-31T${T}`,
      `2026-01-31T${T} 2026-02-28T${T}`,
      `2026-02-28T${T} 2026-03-31T${T}`,
      `2026-02-28T${T} 2026-03-31T${T}`, // the 31st itself, before its time of day
      `2026-03-31T${T} 2026-04-30T${T}`,
      `2026-04-30T${T} 2026-05-31T${T}`,
      `2026-06-30T${T} 2026-07-31T${T}`,
      `2026-08-31T${T} 2026-09-30T${T}`,
    ]);
  });

  test.each([
    ['2027-01-31', '2027-02-28'],
    ['2028-01-31', '2028-02-29'],
    ['2000-01-31', '2000-02-29'],
    ['2100-01-31', '2100-02-28'],
  ])('from %s end on the last day of February, %s, leap years included', (anchor, end) => {
    expect(at(`${anchor}T${T}`, `${anchor}T${T}`)[1]).toBe(`${end}T${T}`);
  });

  test('of a 29th of February begin on the 28th in other years and on the 29th in leap years', () => {
    expect(at(`2024-02-29T${T}`, '2025-03-01T00:00:00Z')[0]).toBe(`2025-02-28T${T}`);
    expect(at(`2024-02-29T${T}`, '2028-03-01T00:00:00Z')[0]).toBe(`2028-02-29T${T}`);
    expect(at(`2024-02-29T${T}`, '2025-04-01T00:00:00Z')[0]).toBe(`2025-03-29T${T}`);
  });

  test('of the 30th and 31st share the last day of a shorter month', () => {
    for (const day of ['30', '31'])
      expect(at(`2026-01-${day}T${T}`, '2026-02-28T23:00:00Z')[0]).toBe(`2026-02-28T${T}`);
  });
});

const FIRST = Date.UTC(2000, 0, 1);
const LAST = Date.UTC(2100, 0, 1);
const moment = fc.integer({ min: FIRST, max: LAST }).map((ms) => new Date(ms));

describe('for any anchor', () => {
  test('every moment is in exactly the period that it is given', () => {
    fc.assert(
      fc.property(moment, moment, (anchor, now) => {
        const { startsAt, endsAt } = periodAt(anchor, now);
        expect(startsAt <= now && now < endsAt).toBe(true);
        for (const inside of [startsAt, new Date(endsAt.getTime() - 1)])
          expect(periodAt(anchor, inside)).toEqual({ startsAt, endsAt });
      }),
      { numRuns: 1000 },
    );
  });

  test('periods tile time: where one ends the next begins, without gap or overlap, for ten years', () => {
    fc.assert(
      fc.property(moment, (anchor) => {
        let period = periodAt(anchor, anchor);
        expect(period.startsAt).toEqual(anchor);
        for (let month = 0; month < 120; month++) {
          const next = periodAt(anchor, period.endsAt);
          expect(next.startsAt).toEqual(period.endsAt);
          period = next;
        }
        const years = new Date(Date.UTC(anchor.getUTCFullYear() + 10, anchor.getUTCMonth(), 1));
        expect(period.startsAt.toISOString().slice(0, 7)).toBe(years.toISOString().slice(0, 7));
      }),
    );
  });

  test('a period is 28 to 31 days long, and begins on the anchor day or on the last of a month that lacks it', () => {
    fc.assert(
      fc.property(moment, moment, (anchor, now) => {
        const { startsAt, endsAt } = periodAt(anchor, now);
        const days = (endsAt.getTime() - startsAt.getTime()) / 86_400_000;
        expect(Number.isInteger(days) && days >= 28 && days <= 31).toBe(true);
        const isLastDay = new Date(startsAt.getTime() + 86_400_000).getUTCDate() === 1;
        expect(startsAt.getUTCDate() === anchor.getUTCDate() || isLastDay).toBe(true);
        expect(startsAt.toISOString().slice(11)).toBe(anchor.toISOString().slice(11));
      }),
    );
  });
});
