import { MODELS } from '../catalog/models.ts';
import { modelAsked } from '../catalog/requests.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { formatCredits, type PricedWork, unitPrice } from '../pricing/prices.ts';
import type { UsedImage } from './used-images.store.ts';

export const INSIGHT_KINDS = [
  'DRAFT_FIRST',
  'CHEAPER_MODEL',
  'REUSE',
  'FAST_FIRST',
  'FREE_ALLOWANCE',
  'SELECT_FIRST',
  'BATCH',
] as const;
export type InsightKind = (typeof INSIGHT_KINDS)[number];

/** Images shown as evidence of one insight. */
export const EVIDENCE_MAX = 10;
const HOUR_MS = 60 * 60_000;

/** One image that shows it. Amounts are milli-credits. */
export interface Evidence {
  readonly jobId: string;
  readonly assetId: string;
  readonly cost: bigint;
  /** What it would have cost. */
  readonly wouldCost: bigint;
}

/** Advice from what an account really did. */
export interface Insight {
  readonly kind: InsightKind;
  readonly advice: string;
  /** Milli-credits that it would have saved, at the prices in force. */
  readonly saves: bigint;
  /** Images that it is about. */
  readonly images: number;
  /** The dearest of them, at most {@link EVIDENCE_MAX}. */
  readonly evidence: readonly Evidence[];
}

/** What insights are drawn from. */
export interface History {
  /** Newest first. */
  readonly images: readonly UsedImage[];
  readonly book: PriceBook;
  /** Free images of this period that nobody has used. */
  readonly allowancesLeft: readonly { readonly provider: string; readonly left: number }[];
}

type Rule = (history: History) => Insight | null;

/** Everything that would have saved credits, the most first; advice that saves none comes last. */
export function insightsOf(history: History): Insight[] {
  const rules: readonly Rule[] = [draftFirst, cheaperModel, reuse, fastFirst, freeAllowance, selectFirst, batch];
  return rules
    .flatMap((rule) => rule(history) ?? [])
    .sort((a, b) => (b.saves > a.saves ? 1 : b.saves < a.saves ? -1 : 0));
}

/** The same words drawn again later above DRAFT: all but the pictures of the last job could have been drafts. */
function draftFirst({ images, book }: History): Insight | null {
  const drawn = images.filter(({ request }) => request.operation === 'GENERATE' && request.quality !== 'DRAFT');
  const tries = [...Map.groupBy(drawn, wordsOf).values()].flatMap((same) =>
    same.filter(({ jobId }) => jobId !== same[0]?.jobId),
  );
  const evidence = savedBy(tries, ({ size }) =>
    priceOf(book, { kind: 'generate', quality: 'DRAFT', model: null, size }),
  );
  return insight(
    'DRAFT_FIRST',
    evidence,
    (saves, count) =>
      `${count} pictures were tries of words that were drawn again later. As drafts they would have cost ${saves} credits less: try words in DRAFT quality, and draw the one you keep in a higher one.`,
  );
}

/** A named model where another of its class, or the class itself, costs less. */
function cheaperModel({ images, book }: History): Insight | null {
  const named = images.filter(({ request }) => request.operation === 'GENERATE' && modelAsked(request) !== null);
  const evidence = savedBy(named, ({ request, size }) => {
    if (request.operation !== 'GENERATE') return null;
    const { quality } = request;
    const others = MODELS.filter((model) => model.quality === quality && !model.retired).map(
      (model): PricedWork => ({ kind: 'generate', quality, model, size }),
    );
    return cheapest(book, [{ kind: 'generate', quality, model: null, size }, ...others]);
  });
  return insight(
    'CHEAPER_MODEL',
    evidence,
    (saves, count) =>
      `${count} pictures named a model although their class can be had for less: ${saves} credits in all. Leave provider and model out unless you need that very one.`,
  );
}

/** The very same picture asked for again: with its seed, or the same work on the same picture. */
function reuse({ images }: History): Insight | null {
  const repeatable = images.filter(
    ({ request, inputHash }) => inputHash !== null && (request.operation !== 'GENERATE' || request.seed !== null),
  );
  const repeats = [...Map.groupBy(repeatable, ({ inputHash }) => inputHash).values()].flatMap((same) =>
    same.slice(0, -1),
  );
  return insight(
    'REUSE',
    savedBy(repeats, () => 0n),
    (saves, count) =>
      `${count} pictures were in the library already, made from exactly the same input: ${saves} credits. An estimate shows them as identicalAssets, and generate(reuse: true) answers them for nothing.`,
  );
}

/** One picture enlarged several times in a dear mode: all but the newest could have been FAST. */
function fastFirst({ images, book }: History): Insight | null {
  const enlarged = images.filter(
    ({ request, sourceId }) => request.operation === 'UPSCALE' && request.mode !== 'FAST' && sourceId !== null,
  );
  const tries = [...Map.groupBy(enlarged, ({ sourceId }) => sourceId).values()].flatMap(([, ...earlier]) => earlier);
  const evidence = savedBy(tries, ({ source }) => priceOf(book, { kind: 'upscale', mode: 'FAST', size: source }));
  return insight(
    'FAST_FIRST',
    evidence,
    (saves, count) =>
      `${count} times a picture was enlarged that was enlarged again later. In FAST mode that would have cost ${saves} credits less: look at a picture in FAST, and use CONSERVATIVE or CREATIVE for the last one.`,
  );
}

/** Pictures by quality while free images of a provider with that class were left. */
function freeAllowance({ images, allowancesLeft }: History): Insight | null {
  const left = allowancesLeft.reduce((sum, allowance) => sum + allowance.left, 0);
  const paid = images.filter(
    ({ request }) =>
      request.operation === 'GENERATE' &&
      request.quality !== 'PREMIUM' &&
      request.provider === null &&
      request.model === null,
  );
  const dearest = savedBy(paid, () => 0n).slice(0, left);
  const where = allowancesLeft.filter((each) => each.left > 0).map((each) => `${each.left} of ${each.provider}`);
  return insight(
    'FREE_ALLOWANCE',
    dearest,
    (saves, count) =>
      `${where.join(' and ')} are free this month and unused. Had they drawn ${count} of these pictures, that would have saved ${saves} credits: name the provider to use them.`,
  );
}

/** Edits and enlargements that were thrown away. */
function selectFirst({ images }: History): Insight | null {
  const thrownAway = images.filter(
    ({ request, deleted }) => deleted && (request.operation === 'EDIT' || request.operation === 'UPSCALE'),
  );
  return insight(
    'SELECT_FIRST',
    savedBy(thrownAway, () => 0n),
    (saves, count) =>
      `${count} edited or enlarged pictures were deleted: ${saves} credits. Choose among the pictures first, and work on the best only.`,
  );
}

/** The same input sent one picture at a time. A batch costs the same, and uses up one submission instead of many. */
function batch({ images }: History): Insight | null {
  const single = images.filter(({ request }) => request.operation === 'GENERATE' && request.count === 1);
  const alike = [...Map.groupBy(single, unseeded).values()].flatMap((same) =>
    same.filter((image, index) => {
      const later = same[index - 1];
      return later !== undefined && later.at.getTime() - image.at.getTime() <= HOUR_MS;
    }),
  );
  if (alike.length === 0) return null;
  return {
    kind: 'BATCH',
    advice: `${alike.length} pictures were asked for one by one within an hour of others from the same input. With count they come in one submission, at the same price, and the limit of submissions a minute is met later.`,
    saves: 0n,
    images: alike.length,
    evidence: alike.slice(0, EVIDENCE_MAX).map((image) => evidenceOf(image, image.credits)),
  };
}

/** Those of the images that would have cost less, the dearest first. */
function savedBy(images: readonly UsedImage[], wouldCost: (image: UsedImage) => bigint | null): Evidence[] {
  return images
    .flatMap((image) => {
      const other = image.free ? null : wouldCost(image);
      return other === null || other >= image.credits ? [] : [evidenceOf(image, other)];
    })
    .sort((a, b) => Number(b.cost - b.wouldCost - (a.cost - a.wouldCost)));
}

function evidenceOf({ jobId, assetId, credits }: UsedImage, wouldCost: bigint): Evidence {
  return { jobId, assetId, cost: credits, wouldCost };
}

function insight(
  kind: InsightKind,
  evidence: readonly Evidence[],
  advice: (saves: string, images: number) => string,
): Insight | null {
  if (evidence.length === 0) return null;
  const saves = evidence.reduce((sum, { cost, wouldCost }) => sum + cost - wouldCost, 0n);
  return {
    kind,
    advice: advice(formatCredits(saves), evidence.length),
    saves,
    images: evidence.length,
    evidence: evidence.slice(0, EVIDENCE_MAX),
  };
}

function priceOf(book: PriceBook, work: PricedWork): bigint | null {
  return unitPrice(book, work).credits;
}

function cheapest(book: PriceBook, works: readonly PricedWork[]): bigint | null {
  const prices = works.flatMap((work) => priceOf(book, work) ?? []);
  return prices.length === 0 ? null : prices.reduce((least, price) => (price < least ? price : least));
}

/** What tries of one picture have in common. */
function wordsOf({ request }: UsedImage): string {
  return request.operation === 'GENERATE' ? request.prompt.toLowerCase().replace(/\s+/g, ' ').trim() : '';
}

function unseeded({ request }: UsedImage): string {
  return JSON.stringify({ ...request, seed: null, count: 1 });
}
