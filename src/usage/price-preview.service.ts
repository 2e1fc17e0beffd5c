import { DomainError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { isDatabaseAway } from '../platform/database-errors.ts';
import type { PriceBooks } from '../pricing/price-books.service.ts';
import type { PricePreviewStore } from './price-preview.store.ts';
import { compare, type PricePreview } from './price-preview.ts';

const DAY_MS = 24 * 60 * 60_000;
export const PREVIEW_DAYS = 30;
/** Images that a preview looks at: the newest. */
export const PREVIEW_IMAGES_MAX = 200_000;

/** Tells what a draft of the price book would have changed, before it is published. */
export class PricePreviews {
  constructor(
    private readonly priceBooks: PriceBooks,
    private readonly store: PricePreviewStore,
    private readonly clock: Clock,
    private readonly imagesMax = PREVIEW_IMAGES_MAX,
  ) {}

  /**
   * What the delivered images of the last thirty days would have cost under the draft. Publishes nothing.
   * @throws BAD_USER_INPUT for what could not be published; UNAVAILABLE when it takes too long
   */
  async preview(document: unknown): Promise<PricePreview> {
    const draft = this.priceBooks.draft(document);
    const since = new Date(this.clock.now().getTime() - PREVIEW_DAYS * DAY_MS);
    try {
      return await this.store.look(since, this.imagesMax, async (delivered, affected) => {
        const rows = compare(draft, delivered);
        const priced = rows.filter(({ creditsUnderDraft }) => creditsUnderDraft !== null);
        const unpriced = rows.filter(({ creditsUnderDraft }) => creditsUnderDraft === null);
        const prices = rows.flatMap(({ keys, unitCreditsUnderDraft }) =>
          keys.map((key) => [key, unitCreditsUnderDraft] as const),
        );
        const sum = (each: readonly { credits: bigint }[]) => each.reduce((total, { credits }) => total + credits, 0n);
        const images = (each: readonly { images: number }[]) => each.reduce((total, row) => total + row.images, 0);
        const creditsUnderDraft = priced.reduce((total, row) => total + (row.creditsUnderDraft ?? 0n), 0n);
        return {
          since,
          complete: delivered.complete,
          images: images(rows),
          credits: sum(priced),
          creditsUnderDraft,
          difference: creditsUnderDraft - sum(priced),
          rows,
          unpricedImages: images(unpriced),
          unpricedCredits: sum(unpriced),
          accountsAffected: prices.length === 0 ? 0 : await affected(new Map(prices)),
        };
      });
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      throw new DomainError(
        'UNAVAILABLE',
        'The images of the last thirty days could not be read within the time of a request. Nothing was published. Try again in a moment.',
        {},
        { cause: error },
      );
    }
  }
}
