import type { PriceBookDocument } from './price-book.ts';

/** One value of the price book that is not the same in two versions; null where a version does not have it. */
export interface PriceChange {
  /** Where it stands, such as "generateByModel.stability/core.M" or "tiers.PRO.freeImages.gemini". */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Everything that differs between two documents, tiers and vendor costs included, in the order of their paths. */
export function priceDiff(before: PriceBookDocument, after: PriceBookDocument): PriceChange[] {
  const [old, fresh] = [valuesOf(before), valuesOf(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((path) => JSON.stringify(old.get(path)) !== JSON.stringify(fresh.get(path)))
    .sort()
    .map((path) => ({ path, before: old.get(path) ?? null, after: fresh.get(path) ?? null }));
}

/** Each value by its path. A list is one value, and modules mean the same in any order. */
function valuesOf(value: unknown, path = ''): Map<string, unknown> {
  if (Array.isArray(value)) return new Map([[path, value.toSorted()]]);
  if (typeof value !== 'object' || value === null) return new Map([[path, value]]);
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [...valuesOf(inner, path === '' ? name : `${path}.${name}`)]),
  );
}
