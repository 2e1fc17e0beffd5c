import type { Sharp } from 'sharp';
import type { ContentType } from './asset.ts';
import { PNG_OPTIONS } from './pictures.ts';

/** Encoders for pictures that are looked at and not worked on. */
export type Encoding = (drawing: Sharp) => Sharp;

export const png: Encoding = (drawing) => drawing.png(PNG_OPTIONS);

/**
 * Measured on 1080 x 1080 photograph-like pictures: without optimised Huffman tables JPEG takes less than half the time
 * for 4 % more bytes; trellis quantisation takes 5 times as long as with them for 7 % fewer, all of mozjpeg 9 times for
 * 13 %. Networks encode again in 4:2:0 whatever they get, so finer colour would be lost there.
 */
export const jpeg =
  (quality: number): Encoding =>
  (drawing) =>
    drawing.jpeg({ quality, optimiseCoding: false });

/** Measured likewise: effort 4, the default, takes 2.2 times as long as 2 for 2 % fewer bytes. */
export const webp =
  (quality: number): Encoding =>
  (drawing) =>
    drawing.webp({ quality, effort: 2 });

const avif =
  (quality: number): Encoding =>
  (drawing) =>
    drawing.avif({ quality, chromaSubsampling: '4:4:4', effort: 0 });

/** At a quality that looks right wherever a page shows it. JPEG has no transparency: what shows through is put on white. */
export const FOR_PAGES: Readonly<Record<ContentType, Encoding>> = {
  'image/png': png,
  'image/jpeg': (drawing) => jpeg(90)(drawing.flatten({ background: '#fff' })),
  'image/webp': webp(88),
  'image/avif': avif(75),
};
