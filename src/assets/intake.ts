import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { DomainError } from '../errors.ts';
import type { ContentType, FinishedPicture } from './asset.ts';
import { animatedFormat, foreignFormat, isLosslessWebp } from './picture-header.ts';
import {
  decodeFully,
  decoder,
  finishedPicture,
  inFreeTurn,
  isTransparent,
  PICTURE_PIXELS_MAX,
  PictureError,
  type PictureKind,
  type PictureSize,
  PNG_OPTIONS,
  pictureKind,
  readable,
} from './pictures.ts';

/** Longest file taken from outside, in bytes (25 MiB). */
export const INTAKE_BYTES_MAX = 25 * 1024 * 1024;
/** Pixels of a side. The upper bound is the most that AVIF can be written with. */
export const INTAKE_SIDE_MIN = 32;
export const INTAKE_SIDE_MAX = 16_384;

export const INTAKE_REASONS = [
  'EMPTY',
  'UNSUPPORTED',
  'ANIMATED',
  'UNREADABLE',
  'TOO_SMALL',
  'TOO_MANY_PIXELS',
  'TOO_LARGE',
] as const;
export type IntakeReason = (typeof INTAKE_REASONS)[number];

/** What came, the rule that it broke, and what to do about it: each continues the sentence of the message. */
interface Finding {
  readonly found: string;
  readonly limit: string;
  readonly remedy: string;
}

/** The way a picture came. */
export interface IntakeWay {
  /** What the caller gave it in. */
  readonly field: string;
  /** How to bring another one in: the last words of a refusal. */
  readonly again: string;
}

/** A picture from outside that is not taken in. Nothing is kept of it. */
export class IntakeRefusal extends DomainError {
  constructor(
    readonly reason: IntakeReason,
    { field, again }: IntakeWay,
    { found, limit, remedy }: Finding,
  ) {
    super(
      'BAD_USER_INPUT',
      `The picture is ${found}, but it must be ${limit}. Nothing was kept and nothing was charged. ${remedy} ${again}`,
      { field, value: found, limit, reason },
    );
  }
}

/** The refusal of more than {@link INTAKE_BYTES_MAX} bytes; `bytes` is null where only that much is known. */
export function tooLarge(way: IntakeWay, bytes: number | null): IntakeRefusal {
  return new IntakeRefusal('TOO_LARGE', way, {
    found: bytes === null ? `longer than ${INTAKE_BYTES_MAX} bytes` : `${bytes} bytes long`,
    limit: `at most ${INTAKE_BYTES_MAX} bytes long`,
    remedy: 'Make it smaller, or save it as JPEG, WebP or AVIF.',
  });
}

/**
 * Takes in a picture that somebody else made: known by its content and not by its name, decoded to the last line,
 * upright, sRGB with 8 bits a channel, and written anew in its own format, so that nothing of its bytes is kept but what
 * can be seen: no metadata, no place where it was taken, nothing behind its end.
 * @throws IntakeRefusal
 */
export function admitPicture(bytes: Buffer, way: IntakeWay): Promise<FinishedPicture> {
  return inFreeTurn(() => admit(bytes, way));
}

/** The same for a file, which is in memory only while it is its turn. @throws IntakeRefusal */
export function admitFile(path: string, way: IntakeWay): Promise<FinishedPicture> {
  return inFreeTurn(async () => admit(await readFile(path), way));
}

async function admit(bytes: Buffer, way: IntakeWay): Promise<FinishedPicture> {
  const refuse = (reason: IntakeReason, finding: Finding) => new IntakeRefusal(reason, way, finding);
  if (bytes.length === 0) throw refuse('EMPTY', FINDINGS.empty);
  if (bytes.length > INTAKE_BYTES_MAX) throw tooLarge(way, bytes.length);
  const frames = animatedFormat(bytes);
  if (frames !== null) throw refuse('ANIMATED', animated(frames));
  try {
    const kind = pictureKind(bytes);
    const metadata = await readable(() => sharp(bytes, { limitInputPixels: false }).metadata());
    const size = metadata.autoOrient;
    if (Math.min(size.width, size.height) < INTAKE_SIDE_MIN) throw refuse('TOO_SMALL', tooSmall(size));
    if (isTooLarge(size)) throw refuse('TOO_MANY_PIXELS', tooManyPixels(size));
    const redrawn = await readable(() => redraw(bytes, kind));
    // Asked of the original, and only where it could be: it costs as much as decoding.
    const transparent = metadata.hasAlpha && isTransparent(await readable(() => decodeFully(bytes)));
    return finishedPicture(redrawn, size, CONTENT_TYPE_OF[kind], transparent);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    if (error.reason === 'UNSUPPORTED') throw refuse('UNSUPPORTED', unsupported(bytes));
    throw refuse('UNREADABLE', FINDINGS.unreadable);
  }
}

const CONTENT_TYPE_OF: Record<PictureKind, ContentType> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  avif: 'image/avif',
};

/**
 * What the eye cannot tell from the original. Measured on a 12 megapixel photograph: AVIF takes 2 s with effort 0, 6 s with
 * 2 and over 20 s with 4, for files of about the same length; lossless WebP 3, 10 and 13 s, 20 % shorter; lossy WebP 1.4,
 * 2.0 and 3.6 s, 2 % shorter.
 */
function redraw(bytes: Buffer, kind: PictureKind): Promise<Buffer> {
  const picture: Sharp = decoder(bytes).autoOrient().toColourspace('srgb');
  switch (kind) {
    case 'png':
      return picture.png(PNG_OPTIONS).toBuffer();
    case 'jpeg':
      return picture.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
    case 'webp':
      return picture
        .webp(isLosslessWebp(bytes) ? { lossless: true, effort: 0 } : { quality: 95, effort: 0 })
        .toBuffer();
    case 'avif':
      return picture.avif({ quality: 90, chromaSubsampling: '4:4:4', effort: 0 }).toBuffer();
  }
}

const FORMATS = 'a PNG, JPEG, WebP or AVIF picture';

const FINDINGS = {
  empty: { found: 'empty', limit: FORMATS, remedy: 'See whether the file is.' },
  unreadable: {
    found: 'truncated or corrupt',
    limit: `${FORMATS} that can be read to its end`,
    remedy: 'See whether it opens elsewhere, and save it anew.',
  },
} as const;

function unsupported(bytes: Buffer): Finding {
  const found = foreignFormat(bytes) ?? 'of a kind that we do not know';
  return { found, limit: FORMATS, remedy: 'Its content counts, not its name: save it as one of these.' };
}

function animated(format: string): Finding {
  return { found: `an animated ${format}`, limit: 'a still picture', remedy: 'Save one frame of it.' };
}

function isTooLarge({ width, height }: PictureSize): boolean {
  return Math.max(width, height) > INTAKE_SIDE_MAX || width * height > PICTURE_PIXELS_MAX;
}

function tooManyPixels({ width, height }: PictureSize): Finding {
  return {
    found: `${width}x${height} pixels`,
    limit: `at most ${INTAKE_SIDE_MAX} pixels on each side and ${PICTURE_PIXELS_MAX} in all`,
    remedy: 'Make it smaller.',
  };
}

function tooSmall({ width, height }: PictureSize): Finding {
  return {
    found: `${width}x${height} pixels`,
    limit: `at least ${INTAKE_SIDE_MIN} pixels on each side`,
    remedy: 'Find a larger one.',
  };
}
