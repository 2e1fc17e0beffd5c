import sharp from 'sharp';
import { toneAt, toned, toneIn } from './colours.ts';
import type { EditOf } from './edit.ts';
import { type Box, blend, boundsOf, grown, isSolid, type Mask, maskFrom, maskInAlpha } from './masks.ts';
import { CHANNELS, layerOf, type Raster, rasterOf } from './rasters.ts';
import { diceOf, markFor, type Subject, sceneOf } from './scene.ts';
import { rgbAt, selectionOf } from './selections.ts';
import type { Size } from './sent.ts';

/** The surroundings are looked at in a quarter of the size: what fills a hole has no detail anyway. */
const COARSE = 4;
const COARSER_MAX = 256;

const reduced = ({ width, height }: Size, factor: number) =>
  [Math.max(1, Math.ceil(width / factor)), Math.max(1, Math.ceil(height / factor))] as const;

/** The picture with everything that is edited filled from what lies around it, far and wide where the hole is large. */
async function filledFromAround(picture: Raster, mask: Mask): Promise<Raster> {
  const holed: Raster = { ...picture, data: Buffer.from(picture.data) };
  for (let pixel = 0; pixel < mask.data.length; pixel += 1) {
    holed.data[pixel * CHANNELS + CHANNELS - 1] = (mask.data[pixel] ?? 0) > 0 ? 0 : 255;
  }
  const shrunk = async (of: Raster, factor: number) => {
    const { input, raw } = layerOf(of);
    return rasterOf(sharp(input, { raw }).resize(...reduced(of, factor), { fit: 'fill', kernel: 'linear' }));
  };
  const coarse = await shrunk(holed, COARSE);
  const layers = [layerOf(coarse)];
  for (let factor = COARSE; factor <= COARSER_MAX; factor *= COARSE) {
    const { input, raw } = layerOf(await shrunk(coarse, factor));
    const stretched = sharp(input, { raw }).resize(coarse.width, coarse.height, { fit: 'fill', kernel: 'linear' });
    // The coarser lies below the finer, and is seen where that one has nothing to say.
    layers.unshift(layerOf(await rasterOf(stretched)));
  }
  const { width, height } = coarse;
  const ground = sharp({ create: { width, height, channels: 3, background: '#808080' } }).composite(layers);
  const { input, raw } = layerOf(await rasterOf(ground));
  return rasterOf(sharp(input, { raw }).resize(picture.width, picture.height, { fit: 'fill', kernel: 'linear' }));
}

function cutOut(picture: Raster, { left, top, width, height }: Box): Raster {
  const data = Buffer.alloc(width * height * CHANNELS);
  for (let y = 0; y < height; y += 1) {
    const from = ((top + y) * picture.width + left) * CHANNELS;
    picture.data.copy(data, y * width * CHANNELS, from, from + width * CHANNELS);
  }
  return { data, width, height };
}

/** What is to be laid over a region, with the mark in its middle if all of the mark lies where nothing of the old is kept. */
async function marked(over: Raster, mask: Mask, bounds: Box): Promise<Raster> {
  const mark = markFor(bounds);
  const left = Math.floor((bounds.width - mark.width) / 2);
  const top = Math.floor((bounds.height - mark.height) / 2);
  const place = { ...mark, left: bounds.left + left, top: bounds.top + top };
  if (left < 0 || top < 0 || !isSolid(mask, place)) return over;
  const { input, raw } = layerOf(over);
  return rasterOf(sharp(input, { raw }).composite([{ input: Buffer.from(mark.svg), left, top }]));
}

/** Draws over a region; nothing outside of it changes by even one value. */
async function drawOver(picture: Raster, mask: Mask, draw: (bounds: Box) => Promise<Raster>): Promise<Raster> {
  const bounds = boundsOf(mask);
  if (bounds) blend(picture, await marked(await draw(bounds), mask, bounds), mask, bounds);
  return picture;
}

function sceneIn(subject: Subject): (bounds: Size) => Promise<Raster> {
  return ({ width, height }) => rasterOf(sharp(Buffer.from(sceneOf({ ...subject, width, height }, null))));
}

/** Erases or repaints what the client's mask says. */
export async function drawMasked(edit: EditOf<'erase' | 'inpaint'>, subject: Subject): Promise<Raster> {
  const picture = await rasterOf(edit.image.image());
  const given = edit.mask ? await maskFrom(edit.mask, picture) : maskInAlpha(picture);
  const mask = grown(given, edit.growMask);
  if (edit.kind === 'inpaint') return drawOver(picture, mask, sceneIn(subject));
  return drawOver(picture, mask, async (bounds) => cutOut(await filledFromAround(picture, mask), bounds));
}

/** Draws something else in the place of what the words mean. */
export async function drawReplaced(edit: EditOf<'replace'>, subject: Subject): Promise<Raster> {
  const picture = await rasterOf(edit.image.image());
  return drawOver(picture, grown(selectionOf(picture, edit.words), edit.growMask), sceneIn(subject));
}

/** Gives what the words mean the colour that the prompt names, or one that depends on the prompt. Nothing is marked. */
export async function drawRecoloured(edit: EditOf<'recolour'>, subject: Subject): Promise<Raster> {
  const picture = await rasterOf(edit.image.image());
  const { data } = grown(selectionOf(picture, edit.words), edit.growMask);
  const tone = toneIn(subject.prompt) ?? toneAt(diceOf(subject)() * 360);
  for (let pixel = 0; pixel < data.length; pixel += 1) {
    if (data[pixel] !== 0) picture.data.set(toned(tone, rgbAt(picture, pixel)).map(Math.round), pixel * CHANNELS);
  }
  return picture;
}
