import { createHash } from 'node:crypto';
import type { Sharp } from 'sharp';
import { FOR_PAGES } from './encodings.ts';
import { decoder, inFreeTurn, type PictureSize, pictureKind, readable } from './pictures.ts';
import { type RenditionSpec, within } from './rendition.ts';

const WHITE = '#fff';
const CLEAR = { r: 0, g: 0, b: 0, alpha: 0 } as const;

/**
 * Draws a picture of the library anew: upright, one frame, sRGB, exactly the size of `spec`, no metadata. That its bytes are those
 * which were stored, and so can be decoded to the last line, is for the caller to know.
 * @throws PictureError when the original cannot be decoded.
 */
export function drawRendition(
  original: Buffer,
  size: PictureSize,
  spec: RenditionSpec,
): Promise<{ readonly bytes: Buffer; readonly sha256: string }> {
  return inFreeTurn(async () => {
    pictureKind(original);
    const bytes = await readable(() => {
      const drawing = fitted(decoder(original).autoOrient(), size, spec).toColourspace('srgb');
      return FOR_PAGES[spec.contentType](drawing).toBuffer();
    });
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
}

function fitted(upright: Sharp, size: PictureSize, { fit, width, height, contentType }: RenditionSpec): Sharp {
  switch (fit) {
    case 'INSIDE':
      return upright.resize({ width, height, fit: 'fill' });
    case 'COVER':
      return upright.resize({ width, height, fit: 'cover', position: 'centre' });
    case 'CONTAIN': {
      const inner = within(size, { width, height });
      const left = Math.floor((width - inner.width) / 2);
      const top = Math.floor((height - inner.height) / 2);
      const edges = { left, top, right: width - inner.width - left, bottom: height - inner.height - top };
      const background = contentType === 'image/jpeg' ? WHITE : CLEAR;
      return upright.resize({ ...inner, fit: 'fill' }).extend({ ...edges, background });
    }
  }
}
