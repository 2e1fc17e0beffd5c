import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

const FORMATS: ReadonlySet<string> = new Set(['png', 'jpeg', 'webp']);
/** More than any of the vendors takes: what declares more is not even decoded. */
const PIXELS_MAX = 64 * 1024 * 1024;

/** Profiles of colours are left aside, because converting from one to another changes pixels that nobody edits. */
const OPTIONS = { failOn: 'truncated', limitInputPixels: PIXELS_MAX, ignoreIcc: true } as const;

const open = (bytes: Buffer): Sharp => sharp(bytes, OPTIONS);

/** A picture that came along with an order, known to be whole. */
export class SentPicture implements Size {
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  readonly bytes: Buffer;
  readonly #digest: string;

  constructor(bytes: Buffer, { width, height }: Size, hasAlpha: boolean) {
    this.bytes = bytes;
    this.width = width;
    this.height = height;
    this.hasAlpha = hasAlpha;
    this.#digest = createHash('sha256').update(bytes).digest('base64url');
  }

  /** Its pixels, not decoded yet. */
  image(): Sharp {
    return open(this.bytes);
  }

  /** What stands for the picture where orders are compared: two with the same bytes are the same picture. */
  toJSON(): string {
    return this.#digest;
  }
}

/** Reads what should be a picture; null for everything but a whole PNG, JPEG or WebP of at most 64 megapixels. */
export async function sentPicture(bytes: Buffer): Promise<SentPicture | null> {
  try {
    const { format, width, height, hasAlpha } = await open(bytes).metadata();
    if (!FORMATS.has(format) || width * height > PIXELS_MAX) return null;
    // Only who decodes all of a picture knows that all of it is there.
    await open(bytes).resize(8, 8, { fit: 'fill' }).raw().toBuffer();
    return new SentPicture(bytes, { width, height }, hasAlpha);
  } catch {
    return null;
  }
}

/** How many bytes a data URI, or naked base64, stands for. */
export function bytesInBase64(text: string): number {
  return Buffer.byteLength(encodedIn(text), 'base64');
}

/** The bytes that a data URI, or naked base64, stands for; nonsense for what is neither. */
export function fromBase64(text: string): Buffer {
  return Buffer.from(encodedIn(text), 'base64');
}

function encodedIn(text: string): string {
  return text.startsWith('data:') ? text.slice(text.indexOf(',') + 1) : text;
}
