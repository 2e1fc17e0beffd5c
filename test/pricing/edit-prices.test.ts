import { describe, expect, test } from 'vitest';
import { EDIT_KINDS, type EditKind, UPSCALE_MODES, type UpscaleMode } from '../../src/catalog/operations.ts';
import { unitPrice } from '../../src/pricing/prices.ts';
import { bookOf } from './books.ts';

const book = bookOf();

/** One size on either side of each border between the classes, a huge one, and an unknown one, which counts as M. */
const COLUMNS = [
  ['524,288 pixels', { width: 1024, height: 512 }],
  ['524,289 pixels', { width: 524_289, height: 1 }],
  ['1,572,864 pixels', { width: 1536, height: 1024 }],
  ['1,572,865 pixels', { width: 314_573, height: 5 }],
  ['4,194,305 pixels', { width: 838_861, height: 5 }],
  ['an unknown size', null],
] as const;

/** The guide's prices in milli-credits, by hand; null is refused. */
type Row = readonly [S: number, M: number, L: number | null];
const inColumns = ([S, M, L]: Row) => [S, M, M, L, L, M];

const EDIT: Record<EditKind, Row> = {
  removeBackground: [2000, 3000, 3000],
  erase: [3000, 3000, 4000],
  inpaint: [3000, 3000, 4000],
  outpaint: [4000, 4000, 5000],
  searchReplace: [4000, 4000, 5000],
  searchRecolor: [4000, 4000, 5000],
  relight: [5000, 5000, 6000],
  general: [3000, 4000, 5000],
};

const UPSCALE: Record<UpscaleMode, Row> = {
  FAST: [2000, 2000, null],
  CONSERVATIVE: [6000, 6000, 7000],
  CREATIVE: [6000, 6000, null],
};

const editCells = EDIT_KINDS.flatMap((edit) =>
  COLUMNS.map(([name, size], column) => ({ edit, name, size, milli: inColumns(EDIT[edit])[column] ?? -1 })),
);
const upscaleCells = UPSCALE_MODES.flatMap((mode) =>
  COLUMNS.map(([name, size], column) => ({ mode, name, size, milli: inColumns(UPSCALE[mode])[column] ?? null })),
);

describe('editing', () => {
  test.each(editCells)('$edit of $name costs $milli milli-credits', ({ edit, size, milli }) => {
    expect(unitPrice(book, { kind: 'edit', edit, size })).toMatchObject({ credits: BigInt(milli) });
  });

  test.each(EDIT_KINDS)('%s without a row in the price book is Unpriced', (edit) => {
    const rows = Object.fromEntries(Object.entries(book.document.edit).filter(([kind]) => kind !== edit));
    expect(unitPrice(bookOf({ edit: rows }), { kind: 'edit', edit, size: null })).toMatchObject({
      credits: null,
      refusal: { type: 'Unpriced', operation: `Edit, ${edit}`, priceVersion: 1 },
    });
  });

  test('a size that an operator does not offer is a source that is unsupported, and for outpaint an output', () => {
    const large = { width: 2048, height: 2048 };
    const rows = bookOf({ edit: { erase: { S: 1 }, outpaint: { S: 1 } } });
    expect(unitPrice(rows, { kind: 'edit', edit: 'erase', size: large })).toMatchObject({
      refusal: { type: 'UnsupportedSource', source: large },
    });
    expect(unitPrice(rows, { kind: 'edit', edit: 'outpaint', size: large })).toMatchObject({
      refusal: { type: 'UnsupportedSize', requested: large },
    });
  });

  test('a source of unknown size where M is not offered is Unpriced, because nothing can be assumed', () => {
    expect(unitPrice(bookOf({ edit: { erase: { S: 1 } } }), { kind: 'edit', edit: 'erase', size: null })).toMatchObject(
      {
        refusal: { type: 'Unpriced' },
      },
    );
  });
});

describe('upscaling', () => {
  test.each(upscaleCells.filter(({ milli }) => milli !== null))(
    '$mode from $name costs $milli milli-credits',
    ({ mode, size, milli }) => {
      expect(unitPrice(book, { kind: 'upscale', mode, size })).toMatchObject({ credits: BigInt(milli ?? -1) });
    },
  );

  test.each(upscaleCells.filter(({ milli }) => milli === null))(
    '$mode from $name is refused as a source, and the sizes that exist are named',
    ({ mode, size }) => {
      expect(unitPrice(book, { kind: 'upscale', mode, size })).toEqual({
        credits: null,
        refusal: {
          type: 'UnsupportedSource',
          source: size,
          fits: null,
          limit: 'size S or M (S is up to 524,288 pixels, M up to 1,572,864, L above)',
          message: expect.stringContaining(`Upscale, ${mode}`),
        },
      });
    },
  );

  test('cannot be had from a large source by FAST and CREATIVE, and by them alone', () => {
    const refused = upscaleCells.filter(({ milli }) => milli === null).map(({ mode }) => mode);
    expect([...new Set(refused)]).toEqual(['FAST', 'CREATIVE']);
  });

  test.each(UPSCALE_MODES)('%s without a row in the price book is Unpriced', (mode) => {
    expect(unitPrice(bookOf({ upscale: {} }), { kind: 'upscale', mode, size: null })).toMatchObject({
      credits: null,
      refusal: { type: 'Unpriced', operation: `Upscale, ${mode}` },
    });
  });
});

describe('optimizing for social networks', () => {
  test('costs nothing', () => {
    expect(unitPrice(book, { kind: 'optimize' })).toEqual({ credits: 0n, label: 'Optimize for social' });
  });

  test('is Unpriced, and not free by accident, when the price book does not say so', () => {
    expect(unitPrice(bookOf({ optimize: undefined }, 3), { kind: 'optimize' })).toMatchObject({
      credits: null,
      refusal: { type: 'Unpriced', operation: 'Optimize for social', priceVersion: 3 },
    });
  });
});
