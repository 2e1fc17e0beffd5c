import { formatSize, pixelsOf, type Size } from './sizes.ts';

/** Media types of the pictures that are kept and can be worked on. */
export type SourceType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/avif';

/** What is known of a picture that an operation works on, before it is looked at. */
export interface Source extends Size {
  readonly contentType: SourceType;
  /** Null for a picture that is only planned. */
  readonly byteCount: number | null;
  /** Whether something shows through it; null where that is not known. */
  readonly transparent: boolean | null;
}

/** What pictures a model works on. Both ends of every range are allowed. */
export interface SourceLimits {
  /** Pixels. */
  readonly sideMin: number;
  readonly sideMax: number;
  readonly pixelsMin: number;
  readonly pixelsMax: number;
  /** The longer side over the shorter one. */
  readonly ratioMax: number;
  /** The most bytes that all pictures of one request may have together; we compress what is larger. */
  readonly bytesMax: number;
}

/** What is in the way of working on a picture, and the size of a copy that would do where there is one. */
export interface SourceProblem {
  readonly limit: string;
  readonly fits: Size | null;
}

const inWords = (pixels: number) => pixels.toLocaleString('en');

/** Null for a picture within the limits. */
export function sourceProblem(limits: SourceLimits, source: Size): SourceProblem | null {
  const broken = brokenLimit(limits, source);
  return broken === null ? null : { limit: broken, fits: nearestWithin(limits, source) };
}

function brokenLimit({ sideMin, sideMax, pixelsMin, pixelsMax, ratioMax }: SourceLimits, source: Size): string | null {
  const shorter = Math.min(source.width, source.height);
  const longer = Math.max(source.width, source.height);
  const pixels = pixelsOf(source);
  if (shorter < sideMin) return `at least ${sideMin} pixels a side`;
  if (pixels < pixelsMin) return `at least ${inWords(pixelsMin)} pixels`;
  if (pixels > pixelsMax) return `at most ${inWords(pixelsMax)} pixels`;
  if (longer > sideMax) return `at most ${sideMax} pixels a side`;
  return longer / shorter > ratioMax ? `sides of at most ${ratioMax} to 1` : null;
}

/** The size nearest to the picture's that the limits allow: its own ratio where that is allowed, else cut to the nearest one. */
function nearestWithin(limits: SourceLimits, source: Size): Size | null {
  const cut = cutToRatio(source, limits.ratioMax);
  const shorter = Math.min(cut.width, cut.height);
  const longer = Math.max(cut.width, cut.height);
  const atMost = Math.min(1, limits.sideMax / longer, Math.sqrt(limits.pixelsMax / pixelsOf(cut)));
  const atLeast = Math.max(1, limits.sideMin / shorter, Math.sqrt(limits.pixelsMin / pixelsOf(cut)));
  const scale = atMost < 1 ? atMost : atLeast;
  const round = scale < 1 ? Math.floor : Math.ceil;
  const scaled = { width: Math.max(1, round(cut.width * scale)), height: Math.max(1, round(cut.height * scale)) };
  const fits = cutToRatio(scaled, limits.ratioMax);
  return brokenLimit(limits, fits) === null ? fits : null;
}

function cutToRatio({ width, height }: Size, ratioMax: number): Size {
  return {
    width: Math.min(width, Math.floor(height * ratioMax)),
    height: Math.min(height, Math.floor(width * ratioMax)),
  };
}

/** What would do instead, as the end of a sentence. */
export function remedyOf({ fits }: SourceProblem): string {
  return fits === null ? 'Use another picture.' : `A copy of ${formatSize(fits)} would do.`;
}
