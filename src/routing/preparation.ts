import type { Model } from '../catalog/models.ts';
import { pixelsOf, type Size } from '../catalog/sizes.ts';
import type { Source, SourceLimits } from '../catalog/sources.ts';
import type { RenderPlan } from './render-plan.ts';

/** Media types that every vendor takes. */
export type SentType = 'image/png' | 'image/jpeg' | 'image/webp';

/** What we do to a picture before a vendor gets it. */
export interface Preparation {
  /** It is extended evenly to this size, to have the ratio of what is drawn; null where it has. */
  readonly canvas: Size | null;
  /** And then reduced to this; null where it is not larger. */
  readonly reducedTo: Size | null;
  /** What it is sent as, unless it has too many bytes. */
  readonly sentAs: SentType;
  /** The most bytes that go out; beyond that it is compressed. */
  readonly bytesMax: number;
  /** Whether it is known already to have too many. */
  readonly compressed: boolean;
}

/** What has to be done to a picture so that `model` can draw `render` from it. */
export function preparationFor(
  model: Pick<Model, 'renders'> & { readonly source: SourceLimits },
  source: Source,
  { render, enlargement }: RenderPlan,
): Preparation {
  const { bytesMax } = model.source;
  const canvas = model.renders === null ? null : canvasAround(source, render, enlargement);
  const covered = canvas ?? source;
  const reducedTo = model.renders !== null && pixelsOf(covered) > pixelsOf(render) ? toSize(render) : null;
  const redrawn = canvas !== null || reducedTo !== null;
  return {
    canvas,
    reducedTo,
    sentAs: redrawn || source.contentType === 'image/avif' ? 'image/png' : source.contentType,
    bytesMax,
    compressed: !redrawn && source.byteCount !== null && source.byteCount > bytesMax,
  };
}

/**
 * The smallest size of the render's ratio that the source fits into, so that cutting the source's part out of what comes
 * back leaves everything in its place. Null where the source is that size but for rounding.
 */
function canvasAround(source: Size, render: Size, enlargement: number): Size | null {
  const scale = Math.max(source.width / render.width, source.height / render.height);
  const canvas = {
    width: Math.max(source.width, Math.round(render.width * scale)),
    height: Math.max(source.height, Math.round(render.height * scale)),
  };
  const added = Math.max(canvas.width - source.width, canvas.height - source.height);
  return added > Math.max(1, enlargement) ? canvas : null;
}

function toSize({ width, height }: Size): Size {
  return { width, height };
}
