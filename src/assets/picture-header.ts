/** How much of a file is looked at to tell what it is. */
const LOOK_BYTES = 4 * 1024;

const text = (bytes: Buffer, start: number, end: number) => bytes.toString('latin1', start, end);

/** Formats that are not taken, and how their files begin, so that a refusal can say what came. */
const FOREIGN: readonly (readonly [name: string, at: number, ...beginnings: string[]])[] = [
  ['a GIF picture', 0, 'GIF87a', 'GIF89a'],
  ['a TIFF picture', 0, 'II*\0', 'MM\0*', 'II+\0', 'MM\0+'],
  ['a HEIC picture', 4, 'ftypheic', 'ftypheix', 'ftypheim', 'ftypheis', 'ftyphevc', 'ftyphevx'],
  ['a HEIF picture', 4, 'ftypmif1', 'ftypmsf1'],
  ['a video', 4, 'ftyp'],
  ['a video', 0, '\x1aE\xdf\xa3'],
  ['an icon (ICO)', 0, '\0\0\x01\0', '\0\0\x02\0'],
  ['a Photoshop file (PSD)', 0, '8BPS'],
  ['a JPEG XL picture', 0, '\xff\x0a', '\0\0\0\x0cJXL '],
  ['a JPEG 2000 picture', 0, '\0\0\0\x0cjP  ', '\xff\x4f\xff\x51'],
  ['a BMP picture', 0, 'BM'],
  ['a PDF document', 0, '%PDF-'],
  ['a PostScript file', 0, '%!PS'],
  ['a ZIP archive', 0, 'PK\x03\x04', 'PK\x05\x06'],
  ['gzip-compressed bytes', 0, '\x1f\x8b'],
];

const BYTE_ORDER_MARK = '\xef\xbb\xbf';

/** What bytes are that begin like no picture of ours; null when we do not know either. */
export function foreignFormat(bytes: Buffer): string | null {
  const start = text(bytes, 0, LOOK_BYTES);
  const known = FOREIGN.find(([, at, ...beginnings]) => beginnings.some((each) => start.startsWith(each, at)));
  if (known) return known[0];
  const words = start.replace(BYTE_ORDER_MARK, '').trimStart().toLowerCase();
  if (words.startsWith('{') || words.startsWith('[')) return 'JSON';
  if (!words.startsWith('<')) return null;
  return words.includes('<svg') ? 'an SVG drawing' : 'a page of HTML or XML';
}

/** The format of a picture that has several frames, by what its container says before the first pixel; else null. */
export function animatedFormat(bytes: Buffer): 'PNG' | 'WebP' | 'AVIF' | null {
  if (text(bytes, 0, 4) === '\x89PNG') return isAnimatedPng(bytes) ? 'PNG' : null;
  if (text(bytes, 0, 4) === 'RIFF') return isAnimatedWebp(bytes) ? 'WebP' : null;
  if (text(bytes, 4, 8) === 'ftyp') return brands(bytes).includes('avis') ? 'AVIF' : null;
  return null;
}

/** Whether a WebP keeps every pixel as it was. */
export function isLosslessWebp(bytes: Buffer): boolean {
  for (let at = 12; at + 8 <= bytes.length; ) {
    if (bytes.readUInt32BE(at) === WEBP_LOSSLESS) return true;
    const length = bytes.readUInt32LE(at + 4);
    at += 8 + length + (length % 2);
  }
  return false;
}

/** Names of chunks as the numbers that they also are, because a hostile file can have millions of them. */
const WEBP_LOSSLESS = Buffer.from('VP8L').readUInt32BE();
const PNG_ANIMATION = Buffer.from('acTL').readUInt32BE();
const PNG_PIXELS = Buffer.from('IDAT').readUInt32BE();
/** A flag of the extended header. */
const WEBP_ANIMATION = 0x02;

function isAnimatedWebp(webp: Buffer): boolean {
  return text(webp, 8, 16) === 'WEBPVP8X' && ((webp[20] ?? 0) & WEBP_ANIMATION) !== 0;
}

/** An animation must say so in front of the first pixels. */
function isAnimatedPng(png: Buffer): boolean {
  for (let at = 8; at + 8 <= png.length; at += 12 + png.readUInt32BE(at)) {
    const name = png.readUInt32BE(at + 4);
    if (name === PNG_ANIMATION) return true;
    if (name === PNG_PIXELS) return false;
  }
  return false;
}

/** The brands of an ISO base media file: the major one, and behind its version those it is compatible with. */
function brands(file: Buffer): string[] {
  const end = Math.min(file.readUInt32BE(0), LOOK_BYTES, file.length);
  const names = [text(file, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) names.push(text(file, at, at + 4));
  return names;
}
