import { QUALITIES, qualityRank } from '../catalog/operations.ts';
import { modelAsked } from '../catalog/requests.ts';
import type { Size } from '../catalog/sizes.ts';
import { type Job, type JobImage, requestOf } from '../jobs/job.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { formatCredits, type PricedWork, rowLabel, unitPrice } from '../pricing/prices.ts';
import { type Asked, pricedWorkOf } from './priced-work.ts';

export const COST_REASONS = [
  'PRICE',
  'QUALITY',
  'VARIATIONS',
  'SIZE',
  'MODEL',
  'MODE',
  'FREE_ALLOWANCE',
  'NOT_DELIVERED',
  'STILL_RUNNING',
  'NEW_PRICES',
] as const;
export type CostReason = (typeof COST_REASONS)[number];

/** One thing that made a job cost what it did. Amounts are milli-credits. */
export interface CostCause {
  readonly reason: CostReason;
  /** Index of the step that it is about; null for the whole job. */
  readonly step: number | null;
  readonly explanation: string;
  /** What the step, or the job, would have cost otherwise; null where there is no otherwise. */
  readonly wouldCost: bigint | null;
}

/** Images of one step that cost the same. */
export interface CostLine {
  readonly step: number;
  readonly label: string;
  readonly images: number;
  readonly unitCredits: bigint;
  readonly quoted: bigint;
  readonly delivered: number;
  readonly captured: bigint;
  /** Of these images, those that a free allowance paid for. */
  readonly freeImages: number;
}

export interface CostExplanation {
  readonly quoted: bigint;
  readonly captured: bigint;
  readonly released: bigint;
  readonly lines: readonly CostLine[];
  readonly causes: readonly CostCause[];
}

/** Images of one step that one row of the price book prices. */
interface Group {
  readonly step: number;
  readonly request: Asked;
  readonly work: PricedWork;
  readonly images: readonly JobImage[];
}

/**
 * Why a job cost what it did: every line of its price, and what could have been otherwise, at the very prices that it was charged
 * by. `sources` are the sizes of the assets that it worked on; `current` are the prices in force now.
 */
export function explainCost(
  job: Job,
  images: readonly JobImage[],
  sources: ReadonlyMap<string, Size>,
  book: PriceBook,
  current: PriceBook,
): CostExplanation {
  const groups = groupsOf(job, images, sources);
  const lines = groups.flatMap(linesOf);
  const captured = job.finishedAt === null ? 0n : sum(lines.map((line) => line.captured));
  return {
    quoted: job.credits,
    captured,
    released: job.finishedAt === null ? 0n : job.credits - captured,
    lines,
    causes: [
      ...groups.flatMap((group) => causesOf(group, book)),
      ...outcomesOf(job, images),
      ...newPrices(job, groups, book, current),
    ],
  };
}

function groupsOf(job: Job, images: readonly JobImage[], sources: ReadonlyMap<string, Size>): Group[] {
  const byId = new Map(images.map((image) => [image.id, image]));
  const priced = images.map((image) => {
    const request = requestOf(job, image);
    const source =
      image.sourceAssetId === null
        ? (byId.get(image.sourceImageId ?? '')?.size ?? null)
        : (sources.get(image.sourceAssetId) ?? null);
    return { step: image.step, request, image, work: pricedWorkOf(request, image.size, source) };
  });
  return [...Map.groupBy(priced, ({ step, work }) => `${step} ${rowLabel(work)}`).values()]
    .flatMap((same) => same.slice(0, 1).map((first) => ({ ...first, images: same.map(({ image }) => image) })))
    .sort((a, b) => a.step - b.step);
}

function linesOf({ step, images, work }: Group): CostLine[] {
  const alike = Map.groupBy(images, ({ credits, allowance }) => `${credits} ${allowance}`);
  return [...alike.values()].map((same) => {
    const unitCredits = same[0]?.credits ?? 0n;
    const delivered = same.filter(({ status }) => status === 'DELIVERED').length;
    const allowance = same[0]?.allowance ?? null;
    return {
      step,
      label: allowance === null ? rowLabel(work) : `${rowLabel(work)}, paid by the free allowance of ${allowance}`,
      images: same.length,
      unitCredits,
      quoted: unitCredits * BigInt(same.length),
      delivered,
      captured: unitCredits * BigInt(delivered),
      freeImages: allowance === null ? 0 : same.length,
    };
  });
}

function causesOf({ step, request, images, work }: Group, book: PriceBook): CostCause[] {
  const unit = unitPrice(book, work).credits;
  if (unit === null) return [];
  const cost = sum(images.map(({ credits }) => credits));
  const paid = BigInt(images.filter(({ allowance }) => allowance === null).length);
  const free = images.length - Number(paid);
  const because: Because = (reason, explanation, unitOtherwise, count = paid) => [
    { reason, step, explanation, wouldCost: unitOtherwise === undefined ? null : unitOtherwise * count },
  ];
  return [
    ...because(
      'PRICE',
      `${rowLabel(work)}: ${formatCredits(unit)} credits an image in version ${book.version} of the price book, ${formatCredits(cost)} for ${images.length}.`,
    ),
    ...(images.length > 1
      ? because(
          'VARIATIONS',
          `${images.length} images, each at the full price: a batch is price times count.`,
          unit,
          1n,
        )
      : []),
    ...(free > 0 ? because('FREE_ALLOWANCE', `${free} of the images were paid by a free allowance of the month.`) : []),
    ...(work.kind === 'generate' ? generateCauses(work, request, unit, book, because) : []),
    ...(work.kind === 'upscale' ? modeCauses(work, unit, book, because) : []),
  ];
}

/** `unitOtherwise` is what an image would have cost, and `count` how many there would have been. */
type Because = (reason: CostReason, explanation: string, unitOtherwise?: bigint, count?: bigint) => CostCause[];

function generateCauses(
  work: Extract<PricedWork, { kind: 'generate' }>,
  request: Asked,
  unit: bigint,
  book: PriceBook,
  because: Because,
): CostCause[] {
  const lower = QUALITIES.filter((quality) => qualityRank(quality) < qualityRank(work.quality)).flatMap((quality) => {
    const credits = unitPrice(book, { ...work, quality, model: null }).credits;
    return credits === null || credits >= unit ? [] : [{ quality, credits }];
  });
  const [lowest] = lower.toSorted((a, b) => Number(a.credits - b.credits));
  const flat = unitPrice(book, { ...work, model: null }).credits;
  const medium = unitPrice(book, { ...work, size: { width: 1024, height: 1024 } }).credits;
  const named = request.operation === 'GENERATE' ? modelAsked(request) : null;
  return [
    ...(lowest
      ? because(
          'QUALITY',
          `It was drawn in ${work.quality} quality. ${lower.map(({ quality, credits }) => `${quality}: ${formatCredits(credits)} credits an image`).join(', ')}. Use DRAFT to try words.`,
          lowest.credits,
        )
      : []),
    ...(named !== null && flat !== null && flat < unit
      ? because(
          'MODEL',
          `The model ${named} was named; the same class without a name costs ${formatCredits(flat)} credits an image.`,
          flat,
        )
      : []),
    ...(medium !== null && medium < unit
      ? because('SIZE', `It is larger than size M, at which an image costs ${formatCredits(medium)} credits.`, medium)
      : []),
  ];
}

function modeCauses(
  work: Extract<PricedWork, { kind: 'upscale' }>,
  unit: bigint,
  book: PriceBook,
  because: Because,
): CostCause[] {
  const fast = unitPrice(book, { ...work, mode: 'FAST' }).credits;
  return fast === null || fast >= unit
    ? []
    : because(
        'MODE',
        `It was enlarged in ${work.mode} mode; FAST costs ${formatCredits(fast)} credits an image and does for a look.`,
        fast,
      );
}

function outcomesOf(job: Job, images: readonly JobImage[]): CostCause[] {
  const about = (reason: CostReason, explanation: string): CostCause[] => [
    { reason, step: null, explanation, wouldCost: null },
  ];
  const failed = images.filter(({ status }) => status === 'FAILED' || status === 'CANCELLED');
  const credits = sum(failed.map((image) => image.credits));
  return [
    ...(job.finishedAt === null
      ? about(
          'STILL_RUNNING',
          `The job has not ended: ${formatCredits(job.credits)} credits are held, and only what is delivered will be taken.`,
        )
      : []),
    ...(failed.length > 0
      ? about(
          'NOT_DELIVERED',
          `${failed.length} images were not delivered and cost nothing: ${formatCredits(credits)} credits ${job.finishedAt === null ? 'will be' : 'were'} given back.`,
        )
      : []),
  ];
}

/** What the same job would cost now, where prices have changed since. */
function newPrices(job: Job, groups: readonly Group[], book: PriceBook, current: PriceBook): CostCause[] {
  if (book.version === current.version) return [];
  const now = groups.map(({ work, images }) => {
    const unit = unitPrice(current, work).credits;
    return unit === null ? null : unit * BigInt(images.filter(({ allowance }) => allowance === null).length);
  });
  const total = now.every((credits) => credits !== null) ? sum(now) : null;
  if (total === job.credits) return [];
  const costs = total === null ? 'is not offered any more' : `costs ${formatCredits(total)} credits`;
  return [
    {
      reason: 'NEW_PRICES',
      step: null,
      explanation: `Prices have changed since: under version ${current.version} the same ${costs}.`,
      wouldCost: total,
    },
  ];
}

function sum(amounts: readonly (bigint | null)[]): bigint {
  return amounts.reduce<bigint>((total, amount) => total + (amount ?? 0n), 0n);
}
