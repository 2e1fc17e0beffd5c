import { MEDIA_TYPES } from '../catalog/output-formats.ts';
import type { Refusal } from '../catalog/refusals.ts';
import { formatSize } from '../catalog/sizes.ts';
import type { Source } from '../catalog/sources.ts';
import { unitPrice } from '../pricing/prices.ts';
import { ENLARGEMENT_MAX } from '../routing/render-plan.ts';
import { enlargementFor, isTooSmallFor } from '../social/crop-window.ts';
import type { OptimizeRequest } from '../social/optimize-request.ts';
import { findSocialFormat, type SocialFormat } from '../social/social-formats.ts';
import { tierRefusals } from '../tiers/preflight.ts';
import {
  creditsOf,
  NOT_KNOWN_YET,
  type Output,
  type PricedRuns,
  type PricingFacts,
  preparationLine,
  priceLine,
  withoutPrice,
} from './priced-runs.ts';

/** Prices `runs` equal runs on one picture, or on equal ones: one picture a format, each cut by us. */
export function priceOptimize(
  request: OptimizeRequest,
  source: Source | null,
  facts: PricingFacts,
  runs = 1,
): PricedRuns {
  const { book, allowed } = facts;
  const formats = request.formats.map(knownFormat);
  const outputs = formats.map((format): Output => ({ picture: optimizedPicture(request, format), format: format.id }));
  const tierTooLow = tierRefusals(book, allowed, { module: 'optimize', quality: null, images: 1 });
  const price = unitPrice(book, { kind: 'optimize' });
  const small = source && smallRefusal(request, formats, source);
  if (price.credits === null || small)
    return withoutPrice([...(small ? [small] : price.credits === null ? [price.refusal] : []), ...tierTooLow], outputs);
  const lines = [
    priceLine(price.label, formats.length * runs, price.credits),
    ...formats.map((format) => preparationLine(`${format.id}, cut to exactly ${formatSize(format)} by us`, runs)),
  ];
  return {
    unitCredits: price.credits,
    credits: creditsOf(lines),
    lines,
    allowance: null,
    freeImages: 0,
    routes: [],
    refusals: tierTooLow,
    notes: source ? [] : [NOT_KNOWN_YET],
    outputs,
  };
}

function knownFormat(id: string): SocialFormat {
  const format = findSocialFormat(id);
  if (!format) throw new Error(`there is no social format ${id}`);
  return format;
}

function optimizedPicture({ outputFormat }: OptimizeRequest, { width, height }: SocialFormat): Source {
  const transparent = outputFormat === 'JPEG' ? false : null;
  return { width, height, contentType: MEDIA_TYPES[outputFormat], byteCount: null, transparent };
}

function smallRefusal({ crop }: OptimizeRequest, formats: readonly SocialFormat[], source: Source): Refusal | null {
  const needed = (format: SocialFormat) => enlargementFor(source, format, crop);
  const [format] = formats.toSorted((a, b) => needed(b) - needed(a));
  if (!format || !isTooSmallFor(source, format, crop)) return null;
  const larger = (side: number) => Math.ceil((side * needed(format)) / ENLARGEMENT_MAX);
  const fits = { width: larger(source.width), height: larger(source.height) };
  const limit = `pictures that need not be enlarged more than ${ENLARGEMENT_MAX} times a side`;
  return {
    type: 'UnsupportedSource',
    source: { width: source.width, height: source.height },
    limit,
    fits,
    message: `${format.id} is ${formatSize(format)}, too much larger than this picture of ${formatSize(source)}: it takes ${limit}. A copy of ${formatSize(fits)} would do: upscale the picture first, or leave this format out. Nothing was run and nothing was charged.`,
  };
}
