import { CHANNELS, type Raster, rasterOf } from './rasters.ts';
import type { SentPicture, Size } from './sent.ts';

/** How much each pixel is edited, row by row: 0 keeps it as it is, 255 replaces it. */
export interface Mask extends Size {
  readonly data: Uint8Array;
}

/** A part of a picture, in pixels from its top left corner. */
export interface Box extends Size {
  readonly left: number;
  readonly top: number;
}

export const EDITED = 255;

/** A mask of which every pixel is decided alone, by its number in the picture. */
export function maskWhere({ width, height }: Size, isEdited: (pixel: number) => boolean): Mask {
  const data = new Uint8Array(width * height);
  for (let pixel = 0; pixel < data.length; pixel += 1) if (isEdited(pixel)) data[pixel] = EDITED;
  return { data, width, height };
}

/** A mask that was sent as a picture, brought to `size`: white is edited, black is kept, greys are between. */
export async function maskFrom(picture: SentPicture, { width, height }: Size): Promise<Mask> {
  // The nearest pixel, because every other way of resizing would edit a little where the mask says not at all.
  const fitted = picture
    .image()
    .flatten({ background: '#000' })
    .resize(width, height, { fit: 'fill', kernel: 'nearest' });
  const { data: pixels } = await rasterOf(fitted);
  const data = new Uint8Array(width * height);
  for (let pixel = 0, at = 0; pixel < data.length; pixel += 1, at += CHANNELS) {
    // Weights of brightness that add up to 256, so that a grey stays the grey that it is.
    data[pixel] = ((pixels[at] ?? 0) * 54 + (pixels[at + 1] ?? 0) * 183 + (pixels[at + 2] ?? 0) * 19) >> 8;
  }
  return { data, width, height };
}

/** The mask that a picture carries in its alpha channel: what is transparent is edited. */
export function maskInAlpha({ data: pixels, width, height }: Raster): Mask {
  const data = new Uint8Array(width * height);
  for (let pixel = 0; pixel < data.length; pixel += 1) {
    data[pixel] = EDITED - (pixels[pixel * CHANNELS + CHANNELS - 1] ?? 0);
  }
  return { data, width, height };
}

/** Each pixel as strong as the strongest of itself and the two that lie `step` pixels before and behind it. */
function spread({ data, width, height }: Mask, step: number, along: 'x' | 'y'): Mask {
  const grown = new Uint8Array(data);
  const stride = along === 'x' ? 1 : width;
  for (let y = 0, pixel = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, pixel += 1) {
      const [at, end] = along === 'x' ? [x, width] : [y, height];
      let strongest = data[pixel] ?? 0;
      if (at >= step) strongest = Math.max(strongest, data[pixel - step * stride] ?? 0);
      if (at + step < end) strongest = Math.max(strongest, data[pixel + step * stride] ?? 0);
      grown[pixel] = strongest;
    }
  }
  return { data: grown, width, height };
}

/** The mask, larger by so many pixels on every side. */
export function grown(mask: Mask, pixels: number): Mask {
  let current = mask;
  let done = 0;
  while (done < pixels) {
    // Three times as wide at every step: as far as no pixel between the old places and the new is left out.
    const step = Math.min(pixels - done, 2 * done + 1);
    current = spread(spread(current, step, 'x'), step, 'y');
    done += step;
  }
  return current;
}

/** The smallest box around everything that is edited, or null when nothing is. */
export function boundsOf({ data, width, height }: Mask): Box | null {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0, pixel = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, pixel += 1) {
      if (data[pixel] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Whether all of a box is replaced. */
export function isSolid({ data, width }: Mask, box: Box): boolean {
  for (let y = box.top; y < box.top + box.height; y += 1) {
    for (let x = box.left; x < box.left + box.width; x += 1) if (data[y * width + x] !== EDITED) return false;
  }
  return true;
}

/** Changes a picture into another where the mask says so, and as much as it says. `over` lies at the corner of `box`. */
export function blend(picture: Raster, over: Raster, mask: Mask, { left, top, width, height }: Box): void {
  const { data } = picture;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const pixel = (top + y) * picture.width + left + x;
      const strength = mask.data[pixel] ?? 0;
      if (strength === 0) continue;
      const [to, from] = [pixel * CHANNELS, (y * over.width + x) * CHANNELS];
      for (let channel = 0; channel < CHANNELS; channel += 1) {
        const [old, wanted] = [data[to + channel] ?? 0, over.data[from + channel] ?? 0];
        data[to + channel] = Math.round(old + ((wanted - old) * strength) / EDITED);
      }
    }
  }
}
