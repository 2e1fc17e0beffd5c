import { OUTPUT_FORMATS, type OutputFormat } from '../catalog/output-formats.ts';
import { badInput } from '../errors.ts';
import {
  findSocialFormat,
  formatsOf,
  PLATFORM_LIMITS,
  SOCIAL_FORMATS,
  SOCIAL_PLATFORMS,
  type SocialFormat,
  type SocialPlatform,
} from './social-formats.ts';

/**
 * How a picture of one shape gets another: SMART cuts around what draws the eye, CENTER around the middle, FOCAL around
 * a given point; FIT cuts nothing and pads.
 */
export const CROPS = ['SMART', 'CENTER', 'FOCAL', 'FIT'] as const;
export type Crop = (typeof CROPS)[number];

/** From 0 (left, top) to 1 (right, bottom) of the picture. */
export interface FocalPoint {
  readonly x: number;
  readonly y: number;
}

/** Padding made of the picture itself: enlarged to cover the format, and blurred. */
export const BLUR = 'BLUR';

/** What a client sends to have a picture cut for social networks; either platforms or formats, the rest may be left out. */
export interface OptimizeInput {
  /** Each stands for its default format. */
  readonly platforms?: readonly SocialPlatform[] | undefined;
  /** Ids of formats. */
  readonly formats?: readonly string[] | undefined;
  readonly crop?: Crop | undefined;
  /** For FOCAL alone, and needed there. */
  readonly focalPoint?: FocalPoint | undefined;
  /** For FIT alone: a colour such as `#ffffff`, or {@link BLUR}. */
  readonly padding?: string | undefined;
  readonly outputFormat?: OutputFormat | undefined;
}

/** The same wish in canonical form: inputs that mean the same pictures are equal here, so their hashes are equal. */
export interface OptimizeRequest {
  readonly operation: 'OPTIMIZE';
  /** Id of an asset; null where an estimate is asked for before there is one. */
  readonly image: string | null;
  /** Ids, sorted, each once. */
  readonly formats: readonly string[];
  readonly crop: Crop;
  /** Null unless the crop is FOCAL. */
  readonly focalPoint: FocalPoint | null;
  /** `#rrggbb` in lower case or {@link BLUR}; null unless the crop is FIT. */
  readonly padding: string | null;
  readonly outputFormat: OutputFormat;
}

/**
 * The asset's id is passed through: whether it exists is for the library to say.
 * @throws BAD_USER_INPUT, naming field, value and limit, for what is valid for no picture.
 */
export function canonicalOptimize(image: string | null, input: OptimizeInput): OptimizeRequest {
  const formats = checkedFormats(input);
  const crop = input.crop ?? 'SMART';
  const focalPoint = checkedFocalPoint(crop, input.focalPoint);
  // A point in the very middle means what CENTER means, so it must not make two inputs differ.
  const isCentre = focalPoint?.x === 0.5 && focalPoint.y === 0.5;
  return {
    operation: 'OPTIMIZE',
    image,
    formats: formats.map(({ id }) => id).sort(),
    crop: isCentre ? 'CENTER' : crop,
    focalPoint: isCentre ? null : focalPoint,
    padding: checkedPadding(crop, input.padding),
    outputFormat: checkedOutputFormat(input.outputFormat ?? 'JPEG', formats),
  };
}

function checkedFormats({ platforms, formats }: OptimizeInput): readonly SocialFormat[] {
  if (platforms !== undefined && formats !== undefined) {
    throw badInput('platforms', platforms, 'left out when formats are given, because they already say which');
  }
  if (formats !== undefined) return checkedList('formats', formats, SOCIAL_FORMATS.length).map(knownFormat);
  if (platforms !== undefined) return checkedList('platforms', platforms, SOCIAL_PLATFORMS.length).map(defaultFormat);
  throw badInput(
    'platforms',
    null,
    `given, such as ["INSTAGRAM"], or formats instead, such as ["${SOCIAL_FORMATS[0]?.id}"]`,
  );
}

function checkedList<T>(field: string, entries: readonly T[], countMax: number): readonly T[] {
  if (entries.length < 1 || entries.length > countMax) {
    throw badInput(field, entries.length, `a list of 1 to ${countMax} ${field}`);
  }
  const repeated = entries.find((entry, i) => entries.indexOf(entry) < i);
  if (repeated !== undefined) throw badInput(field, repeated, 'named once; a picture is made once for each format');
  return entries;
}

function knownFormat(id: string): SocialFormat {
  const format = findSocialFormat(id);
  if (format) return format;
  // Whoever got the platform right is shown what there is on it; everybody else, how an id looks.
  const platform = SOCIAL_PLATFORMS.find((name) => id.toLowerCase().startsWith(name.toLowerCase()));
  const limit = platform
    ? `one of ${formatsOf(platform)
        .map((known) => known.id)
        .join(', ')}`
    : `the id of a format, such as "${SOCIAL_FORMATS[0]?.id}"; the socialFormats query lists them`;
  throw badInput('formats', id, limit);
}

function defaultFormat(platform: SocialPlatform): SocialFormat {
  const [format] = formatsOf(platform);
  if (!format) throw badInput('platforms', platform, `one of ${SOCIAL_PLATFORMS.join(', ')}`);
  return format;
}

function checkedFocalPoint(crop: Crop, point: FocalPoint | undefined): FocalPoint | null {
  if (crop !== 'FOCAL') {
    if (point === undefined) return null;
    throw badInput('focalPoint', point, `left out when crop is ${crop}; only FOCAL cuts around a point`);
  }
  if (point === undefined) throw badInput('focalPoint', null, 'given when crop is FOCAL, such as { x: 0.5, y: 0.3 }');
  return { x: checkedFraction('focalPoint.x', point.x), y: checkedFraction('focalPoint.y', point.y) };
}

function checkedFraction(field: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw badInput(field, value, 'a number from 0 to 1');
  return value;
}

const COLOUR = /^#[0-9a-f]{6}$/;

function checkedPadding(crop: Crop, padding: string | undefined): string | null {
  if (crop !== 'FIT') {
    if (padding === undefined) return null;
    throw badInput('padding', padding, `left out when crop is ${crop}; only FIT pads`);
  }
  if (padding === undefined || padding === BLUR) return BLUR;
  const colour = padding.toLowerCase();
  if (!COLOUR.test(colour)) throw badInput('padding', padding, `a colour such as "#1a2b3c", or ${BLUR}`);
  return colour;
}

function checkedOutputFormat(outputFormat: OutputFormat, formats: readonly SocialFormat[]): OutputFormat {
  const refusing = (type: OutputFormat) =>
    new Set(formats.map(({ platform }) => platform).filter((name) => !PLATFORM_LIMITS[name].fileTypes.includes(type)));
  const platforms = [...refusing(outputFormat)];
  if (platforms.length === 0) return outputFormat;
  throw badInput(
    'outputFormat',
    outputFormat,
    `${OUTPUT_FORMATS.filter((type) => refusing(type).size === 0).join(' or ')}, because ${platforms.join(', ')} takes no ${outputFormat}`,
  );
}
