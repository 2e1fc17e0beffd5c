import type { PriceBooks } from '../pricing/price-books.service.ts';
import { type History, type Insight, insightsOf } from './insights.ts';
import { checkedPeriod, type UsagePeriod } from './usage.ts';
import type { UsedImage, UsedImagesStore } from './used-images.store.ts';

/** Images that insights are drawn from: the newest of a period that has more. */
export const INSIGHT_IMAGES_MAX = 5_000;

export interface Insights extends UsagePeriod {
  readonly insights: readonly Insight[];
  readonly images: number;
  /** Whether all images of the period were looked at; else the newest. */
  readonly complete: boolean;
}

/** Advice from what an account really did. */
export class InsightsService {
  constructor(
    private readonly images: UsedImagesStore,
    private readonly priceBooks: Pick<PriceBooks, 'current'>,
  ) {}

  /**
   * `allowancesLeft` are the free images that are left now, for a period that is running.
   * @throws BAD_USER_INPUT for a period that makes no sense.
   */
  async of(accountId: string, wish: UsagePeriod, allowancesLeft: History['allowancesLeft']): Promise<Insights> {
    const period = checkedPeriod(wish);
    const found = await this.images.newest(accountId, period, INSIGHT_IMAGES_MAX + 1);
    const images: readonly UsedImage[] = found.slice(0, INSIGHT_IMAGES_MAX);
    return {
      ...period,
      insights: insightsOf({ images, book: this.priceBooks.current(), allowancesLeft }),
      images: images.length,
      complete: found.length <= INSIGHT_IMAGES_MAX,
    };
  }
}
