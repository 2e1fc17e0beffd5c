import { type Edit, type EditRequest, editedSize } from '../catalog/edits.ts';
import type { EditKind } from '../catalog/operations.ts';
import { MEDIA_TYPES } from '../catalog/output-formats.ts';
import type { Refusal } from '../catalog/refusals.ts';
import { formatSize, OUTPUT_PIXELS_MAX, pixelsOf, type Size } from '../catalog/sizes.ts';
import type { Source } from '../catalog/sources.ts';
import { type UpscaleRequest, upscaledSize, upscaleModel } from '../catalog/upscale-requests.ts';
import { type PricedWork, unitPrice } from '../pricing/prices.ts';
import { type RoutePlan, shutRefusal } from '../routing/planned-route.ts';
import { planEdit, planUpscale } from '../routing/source-planner.ts';
import { tierRefusals } from '../tiers/preflight.ts';
import {
  ASSUMED_SOURCE,
  creditsOf,
  NOT_KNOWN_YET,
  type Output,
  type PricedRuns,
  type PricingFacts,
  preparationLines,
  priceLine,
  styleNotes,
  withoutPrice,
} from './priced-runs.ts';

/** What is known of the pictures of an edit; null for what is not known or not given. */
export interface EditPictures {
  readonly source: Source | null;
  readonly mask: Source | null;
}

/** Prices `runs` equal edits of one picture, or of equal ones. */
export function priceEdit(
  request: EditRequest,
  { source, mask }: EditPictures,
  facts: PricingFacts,
  runs = 1,
): PricedRuns {
  const { edit } = request;
  const picture = source && editedPicture(request, source);
  // Outpaint is priced by what it makes, everything else by what it is made of.
  const size = edit.kind === 'outpaint' ? picture : source;
  return priceSource(
    {
      module: edit.kind,
      work: { kind: 'edit', edit: edit.kind, size },
      plan: planEdit(request, source ?? ASSUMED_SOURCE, facts.routing),
      refusal: source && (tooLarge(editedSize(edit, source)) ?? maskRefusal(edit, source, mask)),
      stylePreset: 'stylePreset' in edit ? edit.stylePreset : null,
      source,
      picture,
      notes: [],
    },
    facts,
    runs,
  );
}

/** Prices `runs` equal upscales of one picture, or of equal ones. */
export function priceUpscale(
  request: UpscaleRequest,
  source: Source | null,
  facts: PricingFacts,
  runs = 1,
): PricedRuns {
  const picture = source && made(upscaledSize(request, source), request.outputFormat, source.transparent);
  return priceSource(
    {
      module: 'upscale',
      work: { kind: 'upscale', mode: request.mode, size: source },
      plan: planUpscale(request, source ?? ASSUMED_SOURCE, facts.routing),
      refusal: picture && tooLarge(picture),
      stylePreset: request.words?.stylePreset ?? null,
      source,
      picture,
      notes: source && picture ? smallerNotes(request, source, picture) : [],
    },
    facts,
    runs,
  );
}

/** Said where enlarging does not make a picture larger. */
function smallerNotes({ mode }: UpscaleRequest, source: Source, picture: Source): string[] {
  const drawn = upscaleModel(mode).enlarged(source);
  const isSmaller = pixelsOf(picture) < pixelsOf(source);
  if (!isSmaller && pixelsOf(drawn) >= pixelsOf(source)) return [];
  const came = `The picture is ${formatSize(source)} already`;
  return isSmaller
    ? [`${came}: what was asked for makes it smaller, ${formatSize(picture)}. It costs the same.`]
    : [
        `${came}: the ${mode} mode draws it anew at ${formatSize(drawn)}, and it is brought back to its own size. It costs the same.`,
      ];
}

interface SourceWork {
  readonly module: EditKind | 'upscale';
  readonly work: PricedWork;
  readonly plan: RoutePlan;
  /** What is in the way although there are routes; null for nothing. */
  readonly refusal: Refusal | null;
  readonly stylePreset: string | null;
  readonly source: Source | null;
  readonly picture: Source | null;
  /** What else is good to know. */
  readonly notes: readonly string[];
}

function priceSource(asked: SourceWork, { book, allowed }: PricingFacts, runs: number): PricedRuns {
  const { plan, source, picture } = asked;
  const outputs: Output[] = [{ picture, format: null }];
  const tierTooLow = tierRefusals(book, allowed, { module: asked.module, quality: null, images: 1 });
  const price = unitPrice(book, asked.work);
  // What no vendor takes says more than that there is no price for it.
  const refusal = plan.refusal ?? asked.refusal ?? (price.credits === null ? price.refusal : null);
  if (refusal || plan.refusal || price.credits === null)
    return withoutPrice([...(refusal ? [refusal] : []), ...tierTooLow], outputs);
  const shut = shutRefusal(null, plan.routes);
  const [best] = plan.routes;
  const lines = [
    priceLine(price.label, runs, price.credits),
    ...(picture ? preparationLines(picture, runs, best, source) : []),
  ];
  return {
    unitCredits: price.credits,
    credits: creditsOf(lines),
    lines,
    allowance: null,
    freeImages: 0,
    routes: plan.routes,
    refusals: [...(shut ? [shut] : []), ...tierTooLow],
    notes: [...(source ? [] : [NOT_KNOWN_YET]), ...asked.notes, ...styleNotes(asked.stylePreset, plan.routes)],
    outputs,
  };
}

function made(size: Size, format: EditRequest['outputFormat'], transparent: boolean | null): Source {
  const { width, height } = size;
  return {
    width,
    height,
    contentType: MEDIA_TYPES[format],
    byteCount: null,
    transparent: format === 'JPEG' ? false : transparent,
  };
}

/** Cutting out makes a picture transparent, and filling in what a mask covers makes it whole; otherwise nobody knows. */
function editedPicture({ edit, outputFormat }: EditRequest, source: Source): Source {
  const filled = edit.kind === 'erase' || edit.kind === 'inpaint' || source.transparent === false;
  const transparent = edit.kind === 'removeBackground' ? true : filled ? false : null;
  return made(editedSize(edit, source), outputFormat, transparent);
}

function tooLarge(size: Size): Refusal | null {
  if (pixelsOf(size) <= OUTPUT_PIXELS_MAX) return null;
  const limit = `${OUTPUT_PIXELS_MAX.toLocaleString('en')} pixels`;
  return {
    type: 'UnsupportedSize',
    requested: { width: size.width, height: size.height },
    limit,
    message: `The result would be ${formatSize(size)}; pictures of up to ${limit} are kept. Ask for less, or start from a smaller picture.`,
  };
}

/** Erasing and inpainting need to be told where: by a mask of the picture's size, or by its own transparency. */
function maskRefusal(edit: Edit, source: Source, mask: Source | null): Refusal | null {
  if (edit.kind !== 'erase' && edit.kind !== 'inpaint') return null;
  const size = { width: source.width, height: source.height };
  if (edit.mask === null) {
    if (source.transparent !== false) return null;
    const limit = 'a mask, or a picture that is transparent where it shall change';
    return {
      type: 'UnsupportedSource',
      source: size,
      limit,
      fits: null,
      message: `${edit.kind} needs ${limit}; this picture is not transparent anywhere. Give the id of a mask: white is edited, black is kept. Nothing was run and nothing was charged.`,
    };
  }
  if (mask === null || (mask.width === size.width && mask.height === size.height)) return null;
  return {
    type: 'UnsupportedSource',
    source: { width: mask.width, height: mask.height },
    limit: `a mask of the picture's size, ${formatSize(size)}`,
    fits: size,
    message: `The mask is ${formatSize(mask)} and the picture is ${formatSize(size)}: they must have the same size. Use a mask of ${formatSize(size)}. Nothing was run and nothing was charged.`,
  };
}
