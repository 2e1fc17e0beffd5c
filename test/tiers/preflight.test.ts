import { describe, expect, test } from 'vitest';
import { MODULES, type Module } from '../../src/catalog/operations.ts';
import { TIERS, type Tier } from '../../src/pricing/price-book.ts';
import { balanceRefusals, type Demand, rateLimited, tierRefusals } from '../../src/tiers/preflight.ts';
import { allowedFor, asTier, lowestTier, tierRank } from '../../src/tiers/tier.ts';
import { bookOf } from '../pricing/books.ts';
import { allowedOf, balanceOf, PERIOD_ENDS_AT } from './accounts.ts';

const book = bookOf();
const generate = (demand: Partial<Demand> = {}): Demand => ({
  module: 'generate',
  quality: 'STANDARD',
  images: 1,
  ...demand,
});
const refusalsOf = (tier: Tier, demand: Demand) => tierRefusals(book, allowedOf(tier), demand);

describe('what a tier includes', () => {
  const FREE: readonly Module[] = ['generate', 'removeBackground', 'general', 'optimize', 'library'];

  test.each(MODULES)('%s: FREE has it or names BASIC, every other tier has it', (module) => {
    const demand = { module, quality: null, images: 1 };
    const expected = FREE.includes(module)
      ? []
      : [
          {
            type: 'TierTooLow',
            tier: 'FREE',
            requiredTier: 'BASIC',
            feature: module,
            message: `The FREE tier does not include ${module}. It is part of the BASIC tier and above.`,
          },
        ];
    expect(refusalsOf('FREE', demand)).toEqual(expected);
    for (const tier of ['BASIC', 'PRO', 'ENTERPRISE'] as const) expect(refusalsOf(tier, demand)).toEqual([]);
  });

  test('PREMIUM quality begins with PRO; DRAFT and STANDARD are for everybody', () => {
    for (const tier of ['FREE', 'BASIC'] as const) {
      expect(refusalsOf(tier, generate({ quality: 'PREMIUM' }))).toEqual([
        {
          type: 'TierTooLow',
          tier,
          requiredTier: 'PRO',
          feature: 'PREMIUM quality',
          message: `The ${tier} tier does not include PREMIUM quality. It is part of the PRO tier and above.`,
        },
      ]);
    }
    for (const tier of ['PRO', 'ENTERPRISE'] as const)
      expect(refusalsOf(tier, generate({ quality: 'PREMIUM' }))).toEqual([]);
    for (const tier of TIERS)
      for (const quality of ['DRAFT', 'STANDARD', null] as const)
        expect(refusalsOf(tier, generate({ quality }))).toEqual([]);
  });

  test('images in one operation: 4 for FREE, 10 for the others, and not one more', () => {
    expect(refusalsOf('FREE', generate({ images: 4 }))).toEqual([]);
    expect(refusalsOf('FREE', generate({ images: 5 }))).toEqual([
      {
        type: 'TooManyImages',
        requested: 5,
        limit: 4,
        requiredTier: 'BASIC',
        message: expect.stringContaining('5 images were asked for; this account may have 4 in one operation'),
      },
    ]);
    for (const tier of ['BASIC', 'PRO', 'ENTERPRISE'] as const)
      expect(refusalsOf(tier, generate({ images: 10 }))).toEqual([]);
    expect(refusalsOf('BASIC', generate({ images: 11 }))).toMatchObject([{ limit: 10, requiredTier: null }]);
  });

  test('everything that is in the way is told at once', () => {
    expect(refusalsOf('FREE', { module: 'upscale', quality: 'PREMIUM', images: 9 }).map(({ type }) => type)).toEqual([
      'TierTooLow',
      'TierTooLow',
      'TooManyImages',
    ]);
  });

  test('what no tier has is said to be in none', () => {
    const { modules: _all, ...rest } = book.document.tiers.ENTERPRISE;
    const nobody = { ...rest, modules: ['generate' as const] };
    const without = bookOf({ tiers: { FREE: nobody, BASIC: nobody, PRO: nobody, ENTERPRISE: nobody } });
    expect(
      tierRefusals(without, allowedOf('PRO', {}, without), { module: 'upscale', quality: null, images: 1 }),
    ).toMatchObject([{ requiredTier: null, message: expect.stringContaining('No tier has it.') }]);
  });
});

describe('limits that an operator set for one account', () => {
  test('replace those of its tier, each on its own', () => {
    expect(allowedOf('FREE', { runningJobs: 3 })).toMatchObject({
      runningJobs: 3,
      openJobs: 60,
      submissionsPerMinute: 10,
      imagesPerOperation: 4,
      monthlyCredits: 25_000n,
    });
    expect(allowedOf('FREE', { submissionsPerMinute: 7, imagesPerOperation: 9 })).toMatchObject({
      submissionsPerMinute: 7,
      imagesPerOperation: 9,
      runningJobs: 1,
    });
  });

  test('are not said to be lifted by a higher tier, because they stay with the account', () => {
    const allowed = allowedOf('PRO', { imagesPerOperation: 2 });
    expect(tierRefusals(book, allowed, generate({ images: 3 }))).toMatchObject([
      { type: 'TooManyImages', requested: 3, limit: 2, requiredTier: null },
    ]);
  });
});

describe('money and room', () => {
  const credits = 20_000n;

  test('enough to the last thousandth is enough', () => {
    expect(balanceRefusals(allowedOf('BASIC'), balanceOf({ monthly: 20_000n }), credits)).toEqual([]);
    expect(balanceRefusals(allowedOf('BASIC'), balanceOf({ monthly: 15_000n, topup: 5000n }), credits)).toEqual([]);
  });

  test('a thousandth too little is refused with what is required, available and short, and when more comes', () => {
    expect(balanceRefusals(allowedOf('BASIC'), balanceOf({ monthly: 15_000n, topup: 4999n }), credits)).toEqual([
      {
        type: 'InsufficientCredits',
        required: 20_000n,
        available: 19_999n,
        short: 1n,
        resetsAt: PERIOD_ENDS_AT,
        message:
          'This costs 20 credits and 19.999 are available: 0.001 short. Ask for less, top up, or wait for the monthly credits on 2026-04-01.',
      },
    ]);
  });

  test('what is held is not available, because it has left the balance', () => {
    expect(balanceRefusals(allowedOf('BASIC'), balanceOf({ monthly: 0n, held: 300_000n }), 1n)).toMatchObject([
      { type: 'InsufficientCredits', available: 0n, short: 1n },
    ]);
  });

  test('nothing at all is enough for what is free', () => {
    expect(balanceRefusals(allowedOf('FREE'), balanceOf({ monthly: 0n }), 0n)).toEqual([]);
  });

  test('an account that pays afterwards is never short, whatever it owes', () => {
    const owing = balanceOf({ postpaid: true, monthly: 0n, owed: -9_000_000n });
    expect(balanceRefusals(allowedOf('ENTERPRISE'), owing, 1_000_000_000n)).toEqual([]);
  });

  test('a spend cap may be reached and not exceeded; what is spent or held already counts', () => {
    const capped = balanceOf({ postpaid: true, spent: 80_000n, spendCap: 100_000n });
    expect(balanceRefusals(allowedOf('ENTERPRISE'), capped, 20_000n)).toEqual([]);
    expect(balanceRefusals(allowedOf('ENTERPRISE'), capped, 20_001n)).toEqual([
      {
        type: 'CapExceeded',
        cap: 'SPEND_CAP',
        required: 20_001n,
        spent: 80_000n,
        limit: 100_000n,
        resetsAt: PERIOD_ENDS_AT,
        message: expect.stringContaining("80 of this period's spend cap of 100 are spent or held"),
      },
    ]);
  });

  test('a spend cap of 0 is a cap, not the absence of one', () => {
    expect(balanceRefusals(allowedOf('PRO'), balanceOf({ spendCap: 0n }), 1n)).toMatchObject([{ type: 'CapExceeded' }]);
  });

  test('a spend cap binds prepaid accounts too, and both reasons are told', () => {
    const poor = balanceOf({ monthly: 1000n, spendCap: 500n });
    expect(balanceRefusals(allowedOf('PRO'), poor, 2000n).map(({ type }) => type)).toEqual([
      'InsufficientCredits',
      'CapExceeded',
    ]);
  });

  test.each([
    ['FREE', 20],
    ['BASIC', 80],
    ['PRO', 320],
    ['ENTERPRISE', 1280],
  ] as const)('%s may have %i jobs open, twenty for each that runs', (tier, limit) => {
    expect(balanceRefusals(allowedOf(tier), balanceOf({ openHolds: limit - 1 }), 0n)).toEqual([]);
    expect(balanceRefusals(allowedOf(tier), balanceOf({ openHolds: limit }), 0n)).toEqual([
      { type: 'TooManyJobs', open: limit, limit, message: expect.stringContaining(`${limit} may be open at once`) },
    ]);
  });
});

describe('the rate limit', () => {
  test('is told with its figure and the moment it begins anew', () => {
    const resetsAt = new Date('2026-03-15T12:01:00Z');
    expect(rateLimited(10, resetsAt)).toEqual({
      type: 'RateLimited',
      limit: 10,
      resetsAt,
      message:
        '10 submissions a minute are allowed and were used. Try again after 2026-03-15T12:01:00.000Z; estimates and reads still work.',
    });
  });
});

describe('tiers', () => {
  test('rank from FREE to ENTERPRISE', () => {
    expect(TIERS.map(tierRank)).toEqual([0, 1, 2, 3]);
    expect(lowestTier(book, (terms) => terms.queuePriority >= 2)).toBe('PRO');
    expect(lowestTier(book, () => false)).toBeNull();
  });

  test('that are unknown are a defect, not a tier', () => {
    for (const name of ['GOLD', '', 'free', '__proto__']) expect(() => asTier(name)).toThrow('unknown tier');
    expect(() => allowedFor(book, 'GOLD', {})).toThrow('unknown tier');
  });
});
