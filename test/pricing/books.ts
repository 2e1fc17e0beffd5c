import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import { type PriceBook, type PriceBookDocument, priceBookDocument } from '../../src/pricing/price-book.ts';

/** A published version of the guide's prices with these rows in place of its own. */
export function bookOf(change: Partial<PriceBookDocument> = {}, version = 1): PriceBook {
  const document = { ...GUIDE_PRICE_BOOK, ...change };
  return { version, effectiveAt: new Date(0), document, table: priceBookDocument.parse(document) };
}
