import { crc32, deflateSync } from 'node:zlib';
import sharp, { type WebpOptions } from 'sharp';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

export const PNG_MAGIC = Buffer.from('89504e470d0a1a0a', 'hex');

/** A valid PNG header that promises more than the few bytes behind it hold. */
export function declaringPng(width: number, height: number): Buffer {
  const header = Buffer.from('00000000000000000802000000', 'hex');
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const rows = deflateSync(Buffer.alloc(100_000), { level: 9 });
  return Buffer.concat([PNG_MAGIC, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** Puts a chunk right behind the header of a PNG. */
export function withChunk(png: Buffer, type: string, data: Buffer): Buffer {
  return Buffer.concat([png.subarray(0, 33), chunk(type, data), png.subarray(33)]);
}

/** PNGs with a quarter of a megabyte that unpacks to a quarter of a gigabyte where a profile or a text would be. */
export function packedBombs(png: Buffer): Buffer[] {
  const packed = Buffer.concat([Buffer.from('x\0\0', 'latin1'), deflateSync(Buffer.alloc(250_000_000), { level: 9 })]);
  return ['iCCP', 'zTXt'].map((type) => withChunk(png, type, packed));
}

/** Two frames, as WebP keeps them. */
export async function animatedWebp(options: WebpOptions = {}): Promise<Buffer> {
  const frames = await Promise.all(
    ['#ff0000', '#0000ff'].map((background) =>
      sharp({ create: { width: 64, height: 64, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(frames, { join: { animated: true } })
    .webp(options)
    .toBuffer();
}

/** An AVIF whose size in the header is a lie: what is decoded is 3000 x 3000. */
export async function lyingAvif(): Promise<Buffer> {
  const background = '#336699';
  const bytes = await sharp({ create: { width: 3_000, height: 3_000, channels: 3, background } })
    .avif({ effort: 0, quality: 30 })
    .toBuffer();
  for (let at = bytes.indexOf('ispe'); at > 0; at = bytes.indexOf('ispe', at + 4)) {
    bytes.writeUInt32BE(512, at + 8);
    bytes.writeUInt32BE(512, at + 12);
  }
  return bytes;
}

export const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>';

/** Files of kinds that are not taken, by what a refusal calls them. */
export const FOREIGN: readonly (readonly [found: string, bytes: Buffer])[] = (
  [
    ['an SVG drawing', SVG],
    [
      'an SVG drawing',
      `\xef\xbb\xbf <?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>${SVG}`,
    ],
    ['a page of HTML or XML', '<!doctype html><title>Not found</title>'],
    ['JSON', '{"error":"not found"}'],
    ['a GIF picture', `GIF89a${'\0'.repeat(40)}`],
    ['a TIFF picture', 'II*\0\x08\0\0\0'],
    ['a TIFF picture', 'MM\0*\0\0\0\x08'],
    ['a HEIC picture', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
    ['a HEIF picture', '\0\0\0\x18ftypmif1\0\0\0\0mif1heic'],
    ['a video', '\0\0\0\x18ftypisom\0\0\0\0isomavc1'],
    ['a video', '\x1aE\xdf\xa3\x01\0\0\0'],
    ['a BMP picture', 'BM\x36\0\0\0\0\0\0\0'],
    ['an icon (ICO)', '\0\0\x01\0\x01\0\x10\x10'],
    ['a Photoshop file (PSD)', '8BPS\0\x01'],
    ['a JPEG XL picture', '\xff\x0a\0\0'],
    ['a JPEG 2000 picture', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['a PDF document', '%PDF-1.7\n'],
    ['a PostScript file', '%!PS-Adobe-3.0 EPSF-3.0'],
    ['a ZIP archive', 'PK\x03\x04\x14\0'],
    ['gzip-compressed bytes', '\x1f\x8b\x08\0'],
    ['of a kind that we do not know', 'a poem about a picture'],
    ['of a kind that we do not know', '\0'.repeat(1_000)],
    ['of a kind that we do not know', '\x89PNG\n\n\x1a\n'],
    ['of a kind that we do not know', '\xff'],
  ] as const
).map(([found, text]) => [found, Buffer.from(text, 'latin1')]);
