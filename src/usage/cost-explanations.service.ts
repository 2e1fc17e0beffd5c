import type { Job } from '../jobs/job.ts';
import type { Jobs } from '../jobs/jobs.service.ts';
import type { PriceBooks } from '../pricing/price-books.service.ts';
import { type CostExplanation, explainCost } from './cost-explanation.ts';
import type { UsedImagesStore } from './used-images.store.ts';

/** Answers why a job cost what it did. */
export class CostExplanations {
  constructor(
    private readonly jobs: Pick<Jobs, 'get' | 'imagesOf'>,
    private readonly images: Pick<UsedImagesStore, 'sizes'>,
    private readonly priceBooks: Pick<PriceBooks, 'current' | 'find'>,
  ) {}

  /** @throws NOT_FOUND */
  async of(accountId: string, jobId: string): Promise<CostExplanation & { readonly job: Job }> {
    const job = await this.jobs.get(accountId, jobId);
    const [[images = []], book] = await Promise.all([
      this.jobs.imagesOf([jobId]),
      this.priceBooks.find(job.priceVersion),
    ]);
    if (!book) throw new Error(`job ${jobId} was charged by version ${job.priceVersion}, which was never published`);
    const sources = await this.images.sizes(
      accountId,
      images.flatMap(({ sourceAssetId }) => sourceAssetId ?? []),
    );
    return { job, ...explainCost(job, images, sources, book, this.priceBooks.current()) };
  }
}
