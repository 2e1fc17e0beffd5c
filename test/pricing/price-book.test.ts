import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MODELS } from '../../src/catalog/models.ts';
import { MODULES } from '../../src/catalog/operations.ts';
import { ROUTES } from '../../src/catalog/routes.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import { availableClasses, priceBookDocument, TIERS } from '../../src/pricing/price-book.ts';
import { formatCredits, vendorCostMicros } from '../../src/pricing/prices.ts';
import { bookOf } from './books.ts';

/** A document with one value changed at a path, as an operator might send it. */
function changed(path: string, value: unknown): unknown {
  const document = structuredClone(GUIDE_PRICE_BOOK) as Record<string, unknown>;
  const keys = path.split('|');
  const last = keys.pop() ?? '';
  const holder = keys.reduce((inner, key) => inner[key] as Record<string, unknown>, document);
  holder[last] = value;
  return document;
}

const problemsOf = (document: unknown) =>
  priceBookDocument.safeParse(document).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('a price book document', () => {
  test('of the guide is valid, and its JSON comes back as it was', () => {
    expect(problemsOf(JSON.parse(JSON.stringify(GUIDE_PRICE_BOOK)))).toEqual([]);
  });

  test.each([
    'generateByQuality|ULTRA',
    'generateByModel|stability/cor',
    'generateByModel|core',
    'edit|removebackground',
    'edit|toString',
    'upscale|fast',
    'vendorCosts|huggingface/flux-schnell', // its two hosts have their own rows
    'tiers|GOLD',
    'tiers|FREE|bonusCredits',
    'tiers|FREE|freeImages|stability',
    'generateByQuality|DRAFT|XL',
    'generate',
  ])('with the unknown row %s is refused, so that a misspelt one cannot be lost', (path) => {
    expect(problemsOf(changed(path, { S: 1 })).join()).toMatch(/[Uu]nrecognized|[Ii]nvalid/);
  });

  test.each([
    6.5001,
    0.0001,
    1e-7,
    1e-10,
    3.000_000_000_1,
    0.1 + 0.2,
    1.0005,
    -0.001,
    -1,
    1_000_000.001,
    2 ** 53,
    '3',
    null,
    true,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ])('with the amount %s is refused', (amount) => {
    expect(problemsOf(changed('generateByQuality|STANDARD|M', amount)).join()).toContain(
      'generateByQuality.STANDARD.M: ',
    );
  });

  test.each([
    [0, 0n],
    [0.001, 1n],
    [1.005, 1005n],
    [2.5, 2500n],
    [4.035, 4035n],
    [8.29, 8290n],
    [999_999.999, 999_999_999n],
    [1_000_000, 1_000_000_000n],
  ])('with the amount %s means exactly %s milli-credits', (amount, milli) => {
    const document = changed('generateByQuality|STANDARD|M', amount);
    expect(priceBookDocument.parse(document).generateByQuality.STANDARD?.M).toBe(milli);
  });

  test('keeps every amount of up to three decimals exactly, through JSON and back to text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (milli) => {
        const written = JSON.parse(JSON.stringify(changed('optimize', Number((milli / 1000).toFixed(3)))));
        const { optimize } = priceBookDocument.parse(written);
        expect(optimize).toBe(BigInt(milli));
        expect(Number(formatCredits(BigInt(milli)))).toBe(milli / 1000);
      }),
    );
  });

  test('may leave out rows and cells, which then cannot be had, but no tier', () => {
    expect(problemsOf({ ...GUIDE_PRICE_BOOK, edit: {}, upscale: { FAST: {} }, generateByModel: {} })).toEqual([]);
    const { PRO: _pro, ...tiers } = GUIDE_PRICE_BOOK.tiers;
    expect(problemsOf({ ...GUIDE_PRICE_BOOK, tiers }).join()).toContain('tiers.PRO');
    expect(availableClasses({ S: 1n, L: 0n })).toEqual(['S', 'L']);
  });

  test.each([
    ['tiers|FREE|submissionsPerMinute', 0],
    ['tiers|FREE|runningJobs', 0],
    ['tiers|FREE|imagesPerOperation', 11],
    ['tiers|FREE|imagesPerOperation', 1.5],
    ['tiers|FREE|queuePriority', 10],
    ['tiers|FREE|qualityMax', 'ULTRA'],
    ['tiers|FREE|modules', ['generate', 'everything']],
    ['tiers|FREE|freeImages|gemini', -1],
    ['tiers|FREE|monthlyCredits', -1],
    ['vendorCosts|stability/core', { perImage: 0.5 }],
    ['vendorCosts|stability/core', { perImage: -1 }],
    ['vendorCosts|stability/core', { perImage: 1, perMegapixel: 1 }],
    ['vendorCosts|stability/core', {}],
  ])('with %s set to %j is refused', (path, value) => {
    expect(problemsOf(changed(path, value))).not.toEqual([]);
  });
});

describe('the tiers of the guide', () => {
  test('give and allow exactly what its table says', () => {
    const GB = 1024 ** 3;
    const few = ['generate', 'optimize', 'library', 'removeBackground', 'general'];
    const all = [...MODULES];
    const { tiers } = bookOf().table;
    expect(
      TIERS.map((name) => {
        const t = tiers[name];
        const work = [t.submissionsPerMinute, t.runningJobs, t.imagesPerOperation, t.queuePriority];
        const free = [t.freeImages.huggingface, t.freeImages.gemini];
        return [name, t.monthlyCredits, work, t.storageBytes / GB, t.qualityMax, new Set(t.modules), free];
      }),
    ).toEqual([
      ['FREE', 25_000n, [10, 1, 4, 0], 1, 'STANDARD', new Set(few), [5, 3]],
      ['BASIC', 300_000n, [60, 4, 10, 1], 10, 'STANDARD', new Set(all), [20, 10]],
      ['PRO', 2_000_000n, [300, 16, 10, 2], 100, 'PREMIUM', new Set(all), [50, 25]],
      ['ENTERPRISE', null, [1000, 64, 10, 3], 1024, 'PREMIUM', new Set(all), [100, 50]],
    ]);
    expect(all).toHaveLength(12);
  });
});

describe('what a picture costs us', () => {
  const book = bookOf();
  const cost = (routeId: string, width: number, height: number, imageSize: string | null = null) => {
    const route = ROUTES.find(({ id }) => id === routeId);
    if (!route) throw new Error(`no route ${routeId}`);
    return vendorCostMicros(book, route, { width, height, imageSize });
  };

  test('is known for every route', () => {
    for (const { id } of ROUTES) expect([id, cost(id, 1024, 1024, '1K')]).toEqual([id, expect.any(Number)]);
    expect(Object.keys(book.document.vendorCosts)).toHaveLength(ROUTES.length);
    expect(Object.keys(book.document.generateByModel)).toEqual(MODELS.map(({ id }) => id));
  });

  test('is per image, per started megapixel, or per size that the vendor sells', () => {
    expect(cost('stability/core', 1216, 1216)).toBe(30_000);
    expect(cost('huggingface/flux-dev', 1024, 1024)).toBe(25_000);
    expect(cost('huggingface/flux-dev', 1056, 1024)).toBe(50_000);
    expect(cost('gemini/nano-banana', 2048, 2048, '2K')).toBe(50_400);
    expect(cost('gemini/pro', 4096, 4096, '4K')).toBe(240_000);
  });

  test('is null, and not 0, where the price book does not say', () => {
    const route = ROUTES[0];
    if (!route) throw new Error('no routes');
    expect(vendorCostMicros(bookOf({ vendorCosts: {} }), route, { width: 64, height: 64, imageSize: null })).toBeNull();
    expect(cost('gemini/nano-banana', 512, 512, '512')).toBeNull();
  });
});

describe('credits in words', () => {
  test.each([
    [0n, '0'],
    [1n, '0.001'],
    [10n, '0.01'],
    [100n, '0.1'],
    [1000n, '1'],
    [6500n, '6.5'],
    [12_050n, '12.05'],
    [-3000n, '-3'],
    [-1n, '-0.001'],
    [-6500n, '-6.5'],
    [1_000_000_000_000_000_001n, '1000000000000000.001'],
  ])('%s milli-credits are %s', (milli, text) => {
    expect(formatCredits(milli)).toBe(text);
  });
});
