import type { Model, Route } from '../catalog/models.ts';
import type { EditKind, Quality, UpscaleMode } from '../catalog/operations.ts';
import type { Refusal } from '../catalog/refusals.ts';
import {
  formatSize,
  GENERATE_PIXELS_MAX,
  M_PIXELS_MAX,
  pixelsOf,
  S_PIXELS_MAX,
  type Size,
  sizeClassOf,
} from '../catalog/sizes.ts';
import { availableClasses, type PriceBook, type PriceCells } from './price-book.ts';

/** What has a price. `size` is the output's for generate and outpaint, else the source's; null is unknown. */
export type PricedWork =
  | { readonly kind: 'generate'; readonly quality: Quality; readonly model: Model | null; readonly size: Size }
  | { readonly kind: 'edit'; readonly edit: EditKind; readonly size: Size | null }
  | { readonly kind: 'upscale'; readonly mode: UpscaleMode; readonly size: Size | null }
  | { readonly kind: 'optimize' };

/** The row of the price book that prices it, in words. */
export function rowLabel(work: PricedWork): string {
  return work.kind === 'optimize' ? rowName(work) : `${rowName(work)}, size ${sizeClassOf(work.size)}`;
}

function rowName(work: PricedWork): string {
  switch (work.kind) {
    case 'generate':
      return `Generate, ${work.model ? work.model.id : `${work.quality} quality`}`;
    case 'edit':
      return `Edit, ${work.edit}`;
    case 'upscale':
      return `Upscale, ${work.mode}`;
    case 'optimize':
      return 'Optimize for social';
  }
}

export type UnitPrice =
  | { readonly credits: bigint; readonly label: string }
  | { readonly credits: null; readonly refusal: Refusal };

/** The price of one image, in milli-credits, with the row it came from in words; or why there is none. */
export function unitPrice(book: PriceBook, work: PricedWork): UnitPrice {
  switch (work.kind) {
    case 'generate': {
      if (pixelsOf(work.size) > GENERATE_PIXELS_MAX) return { credits: null, refusal: tooManyPixels(work.size) };
      const row = work.model ? book.table.generateByModel[work.model.id] : book.table.generateByQuality[work.quality];
      return cell(book, row, rowName(work), work.size);
    }
    case 'edit':
      return cell(book, book.table.edit[work.edit], rowName(work), work.size, work.edit !== 'outpaint');
    case 'upscale':
      return cell(book, book.table.upscale[work.mode], rowName(work), work.size, true);
    case 'optimize':
      return book.table.optimize === undefined
        ? { credits: null, refusal: unpriced(book, rowName(work)) }
        : { credits: book.table.optimize, label: rowLabel(work) };
  }
}

const SIZE_CLASSES_IN_WORDS = `S is up to ${S_PIXELS_MAX.toLocaleString('en')} pixels, M up to ${M_PIXELS_MAX.toLocaleString('en')}, L above`;

function cell(
  book: PriceBook,
  row: PriceCells | undefined,
  name: string,
  size: Size | null,
  isSource = false,
): UnitPrice {
  if (row === undefined) return { credits: null, refusal: unpriced(book, name) };
  const sizeClass = sizeClassOf(size);
  const credits = row[sizeClass];
  if (credits !== undefined) return { credits, label: `${name}, size ${sizeClass}` };
  const available = availableClasses(row);
  if (available.length === 0 || size === null) return { credits: null, refusal: unpriced(book, name) };
  const limit = `size ${available.join(' or ')} (${SIZE_CLASSES_IN_WORDS})`;
  const refused = isSource
    ? ({ type: 'UnsupportedSource', source: size, fits: null } as const)
    : ({ type: 'UnsupportedSize', requested: size } as const);
  const message = `${name} is not offered ${isSource ? 'for a source of' : 'at'} ${formatSize(size)}, which is size ${sizeClass}; it is offered at ${limit}. Choose another size or another way.`;
  return { credits: null, refusal: { ...refused, limit, message } };
}

function tooManyPixels(size: Size): Refusal {
  const limit = `${GENERATE_PIXELS_MAX.toLocaleString('en')} pixels`;
  return {
    type: 'UnsupportedSize',
    requested: size,
    limit,
    message: `${formatSize(size)} has ${pixelsOf(size).toLocaleString('en')} pixels; pictures of up to ${limit} can be generated. Ask for a smaller size, or generate small and upscale.`,
  };
}

function unpriced(book: PriceBook, operation: string): Refusal {
  return {
    type: 'Unpriced',
    operation,
    priceVersion: book.version,
    message: `${operation} has no price in version ${book.version} of the price book, so it cannot be run. Nothing is ever free by accident.`,
  };
}

/** fal bills each started megapixel; 1024x1024 is taken to be one. */
const MEGAPIXEL = 1_048_576;

/** What one picture costs us at the vendor, in millionths of a US dollar; null where the price book does not say. */
export function vendorCostMicros(
  book: PriceBook,
  route: Route,
  render: Size & { readonly imageSize: string | null },
): number | null {
  const cost = book.table.vendorCosts[route.id];
  if (cost === undefined) return null;
  if ('perImage' in cost) return cost.perImage;
  if ('perMegapixel' in cost) return Math.ceil(pixelsOf(render) / MEGAPIXEL) * cost.perMegapixel;
  return cost.perImageSize[render.imageSize ?? '1K'] ?? null;
}

/** Milli-credits as people read them: at most three decimals, none that say nothing. */
export function formatCredits(milliCredits: bigint): string {
  const negative = milliCredits < 0n;
  const amount = negative ? -milliCredits : milliCredits;
  const decimals = (amount % 1000n).toString().padStart(3, '0').replace(/0+$/, '');
  return `${negative ? '-' : ''}${amount / 1000n}${decimals && `.${decimals}`}`;
}
