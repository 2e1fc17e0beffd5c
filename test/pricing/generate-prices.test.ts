import { describe, expect, test } from 'vitest';
import { findModel, MODELS } from '../../src/catalog/models.ts';
import { QUALITIES, type Quality } from '../../src/catalog/operations.ts';
import { unitPrice } from '../../src/pricing/prices.ts';
import { bookOf } from './books.ts';

const book = bookOf();

/** One size on either side of each border between the classes, by pixels. */
const SIZES = {
  'S, at its last pixel': { width: 1024, height: 512 }, // 524,288
  'M, at its first pixel': { width: 524_289, height: 1 }, // 524,289: no such picture, but that very border
  'M, at its last pixel': { width: 1536, height: 1024 }, // 1,572,864
  'L, at its first pixel': { width: 314_573, height: 5 }, // 1,572,865
  'L, at the last pixel that can be generated': { width: 2048, height: 2048 }, // 4,194,304
} as const;
const COLUMNS = Object.entries(SIZES);
const TOO_LARGE = { width: 838_861, height: 5 }; // 4,194,305

/** The guide's prices in milli-credits, by hand: S, M, M, L, L as the columns above; null is refused. */
type Row = readonly [S: number, M: number, L: number | null];
const inColumns = ([S, M, L]: Row) => [S, M, M, L, L];

const BY_QUALITY: Record<Quality, Row> = {
  DRAFT: [1000, 2000, 2000],
  STANDARD: [3000, 4000, 5000],
  PREMIUM: [6000, 6000, 8000],
};

const BY_MODEL: Record<string, Row> = {
  'stability/ultra': [8000, 8000, 8000],
  'stability/core': [3000, 3000, 3000],
  'stability/sd3.5-large': [6500, 6500, 6500],
  'stability/sd3.5-large-turbo': [4000, 4000, 4000],
  'stability/sd3.5-medium': [3500, 3500, 3500],
  'stability/sd3.5-flash': [2500, 2500, 2500],
  'wavespeed/ideogram-v3-turbo': [5000, 5000, 6000],
  'wavespeed/ideogram-v3-balanced': [6000, 6000, 6000],
  'wavespeed/qwen-image': [1000, 2000, 2000],
  'huggingface/flux-schnell': [1000, 1000, 2000],
  'huggingface/flux-dev': [3000, 3000, 5000],
  'huggingface/flux-krea-dev': [3000, 3000, 5000],
  'gemini/nano-banana': [4000, 4000, 5000],
  'gemini/flash-lite': [4000, 4000, null],
  'gemini/pro': [14_000, 14_000, 14_000],
  'gemini/imagen-4': [4000, 4000, 5000],
};

const price = (quality: Quality, id: string | null, size: { width: number; height: number }) =>
  unitPrice(book, { kind: 'generate', quality, model: id === null ? null : (findModel(id) ?? null), size });

const qualityCells = QUALITIES.flatMap((quality) =>
  COLUMNS.map(([name, size], column) => ({ quality, name, size, milli: inColumns(BY_QUALITY[quality])[column] })),
);
const modelCells = Object.entries(BY_MODEL).flatMap(([id, row]) =>
  COLUMNS.map(([name, size], column) => ({ id, name, size, milli: inColumns(row)[column] ?? null })),
);

describe('generating by quality', () => {
  test.each(qualityCells)('$quality in size $name costs $milli milli-credits', ({ quality, size, milli }) => {
    expect(price(quality, null, size)).toMatchObject({ credits: BigInt(milli ?? -1) });
  });

  test.each(QUALITIES)('%s in one pixel more than can be generated is refused, with the limit named', (quality) => {
    expect(price(quality, null, TOO_LARGE)).toEqual({
      credits: null,
      refusal: {
        type: 'UnsupportedSize',
        requested: TOO_LARGE,
        limit: '4,194,304 pixels',
        message: expect.stringContaining('4,194,305 pixels; pictures of up to 4,194,304 pixels can be generated'),
      },
    });
  });
});

describe('generating by model', () => {
  test('every model of the catalog has its row in this table, and no other', () => {
    expect(Object.keys(BY_MODEL)).toEqual(MODELS.map(({ id }) => id));
  });

  test.each(modelCells.filter(({ milli }) => milli !== null))(
    '$id in size $name costs $milli milli-credits',
    ({ id, size, milli }) => {
      expect(price('STANDARD', id, size)).toMatchObject({ credits: BigInt(milli ?? -1) });
    },
  );

  test('exactly the two large cells of flash-lite cannot be had', () => {
    expect(modelCells.filter(({ milli }) => milli === null).map(({ id, name }) => [id, name])).toEqual([
      ['gemini/flash-lite', 'L, at its first pixel'],
      ['gemini/flash-lite', 'L, at the last pixel that can be generated'],
    ]);
  });

  test.each(modelCells.filter(({ milli }) => milli === null))(
    '$id in size $name is refused as a size, and the sizes that exist are named',
    ({ id, size }) => {
      expect(price('DRAFT', id, size)).toEqual({
        credits: null,
        refusal: {
          type: 'UnsupportedSize',
          requested: size,
          limit: 'size S or M (S is up to 524,288 pixels, M up to 1,572,864, L above)',
          message: expect.stringContaining('gemini/flash-lite'),
        },
      });
    },
  );

  test.each(Object.keys(BY_MODEL))('%s in one pixel more than can be generated is refused', (id) => {
    expect(price('STANDARD', id, TOO_LARGE)).toMatchObject({
      credits: null,
      refusal: { type: 'UnsupportedSize', limit: '4,194,304 pixels' },
    });
  });

  test('a named model costs its own price, whatever quality stands beside it', () => {
    const size = { width: 1024, height: 1024 };
    for (const quality of QUALITIES) expect(price(quality, 'stability/core', size)).toMatchObject({ credits: 3000n });
  });
});

describe('a row that is missing', () => {
  const size = { width: 1024, height: 1024 };

  test('of a quality is Unpriced, and never free or the price of another', () => {
    const { DRAFT: _draft, ...generateByQuality } = book.document.generateByQuality;
    const answer = unitPrice(bookOf({ generateByQuality }, 7), {
      kind: 'generate',
      quality: 'DRAFT',
      model: null,
      size,
    });
    expect(answer).toEqual({
      credits: null,
      refusal: {
        type: 'Unpriced',
        operation: 'Generate, DRAFT quality',
        priceVersion: 7,
        message: expect.stringContaining('version 7'),
      },
    });
  });

  test('of a model is Unpriced: the price of its quality does not stand in for it', () => {
    const { 'stability/core': _core, ...generateByModel } = book.document.generateByModel;
    const model = findModel('stability/core') ?? null;
    expect(
      unitPrice(bookOf({ generateByModel }), { kind: 'generate', quality: 'STANDARD', model, size }),
    ).toMatchObject({ credits: null, refusal: { type: 'Unpriced', operation: 'Generate, stability/core' } });
  });

  test('in all its cells is Unpriced, not a size that is unsupported', () => {
    const generateByQuality = { ...book.document.generateByQuality, STANDARD: {} };
    expect(
      unitPrice(bookOf({ generateByQuality }), { kind: 'generate', quality: 'STANDARD', model: null, size }),
    ).toMatchObject({ credits: null, refusal: { type: 'Unpriced' } });
  });

  test('is not the same as a price of 0, which an operator may set on purpose', () => {
    const generateByQuality = { STANDARD: { S: 0, M: 0, L: 0 } };
    expect(
      unitPrice(bookOf({ generateByQuality }), { kind: 'generate', quality: 'STANDARD', model: null, size }),
    ).toMatchObject({ credits: 0n });
  });
});
