import { findModel } from '../catalog/models.ts';
import { modelAsked } from '../catalog/requests.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { type PricedWork, rowLabel, unitPrice } from '../pricing/prices.ts';
import type { Delivered, PricedAlike } from './price-preview.store.ts';

/** Images of one row of the price book. Amounts are milli-credits. */
export interface PreviewRow {
  readonly label: string;
  readonly images: number;
  /** Of these, images that a free allowance paid for: free then and free under the draft. */
  readonly freeImages: number;
  readonly credits: bigint;
  /** One image and all of them under the draft; null where it has no price for them. */
  readonly unitCreditsUnderDraft: bigint | null;
  readonly creditsUnderDraft: bigint | null;
  readonly difference: bigint | null;
}

export interface PricePreview {
  readonly since: Date;
  readonly complete: boolean;
  readonly images: number;
  /** Of images that the draft can price, so that the difference compares like with like. */
  readonly credits: bigint;
  readonly creditsUnderDraft: bigint;
  readonly difference: bigint;
  readonly rows: readonly PreviewRow[];
  /** Images that the draft has no price for, and what they brought. */
  readonly unpricedImages: number;
  readonly unpricedCredits: bigint;
  /** Accounts that would have paid another amount, or could not have had an image. */
  readonly accountsAffected: number;
}

/** A row and the groups that it is of. */
export interface Compared extends PreviewRow {
  readonly keys: readonly string[];
}

/** The largest difference first, whichever way it goes; what has no price comes before everything. */
export function compare(draft: PriceBook, { groups }: Delivered): Compared[] {
  const rows = Map.groupBy(groups, (group) => rowLabel(workOf(group)));
  return [...rows]
    .map(([label, alike]) => compareRow(draft, label, alike))
    .sort((a, b) => weight(b) - weight(a) || b.images - a.images || (a.label < b.label ? -1 : 1));
}

function compareRow(draft: PriceBook, label: string, alike: readonly PricedAlike[]): Compared {
  const images = alike.reduce((sum, group) => sum + group.images, 0);
  const freeImages = alike.reduce((sum, group) => sum + group.free, 0);
  const credits = alike.reduce((sum, group) => sum + group.credits, 0n);
  const [first] = alike;
  const price = first ? unitPrice(draft, workOf(first)).credits : null;
  const creditsUnderDraft = price === null ? null : price * BigInt(images - freeImages);
  const difference = creditsUnderDraft === null ? null : creditsUnderDraft - credits;
  return {
    label,
    images,
    freeImages,
    credits,
    unitCreditsUnderDraft: price,
    creditsUnderDraft,
    difference,
    keys: alike.map(({ key }) => key),
  };
}

function weight({ difference }: Compared): number {
  return difference === null ? Number.POSITIVE_INFINITY : Math.abs(Number(difference));
}

/** What was asked, as prices are looked up. Only the class of its size matters, so a picture of as many pixels in one line will do. */
function workOf({ operation, quality, provider, model, edit, mode, pixels }: PricedAlike): PricedWork {
  const size = pixels === null ? null : { width: pixels, height: 1 };
  if (operation === 'GENERATE' && quality !== null && size !== null) {
    const named = modelAsked({ quality, provider, model });
    return { kind: 'generate', quality, model: named === null ? null : (findModel(named) ?? null), size };
  }
  if (operation === 'EDIT' && edit !== null) return { kind: 'edit', edit, size };
  if (operation === 'UPSCALE' && mode !== null) return { kind: 'upscale', mode, size };
  if (operation === 'OPTIMIZE') return { kind: 'optimize' };
  throw new Error(`a job of ${operation} does not say what it asked for`);
}
