import sharp, { type Sharp } from 'sharp';
import type { Direction, EditOf, Light } from './edit.ts';
import { CHANNELS, layerOf, type Raster, rasterOf } from './rasters.ts';
import { diceOf, labelsFor, markFor, type Subject, sceneOf } from './scene.ts';
import { subjectOf } from './selections.ts';
import type { Size } from './sent.ts';

interface Captioned extends Subject {
  readonly caption: string;
}

const imageFrom = (raster: Raster): Sharp => {
  const { input, raw } = layerOf(raster);
  return sharp(input, { raw });
};

/** The subject with its own colours, and nothing at all where the background was. */
export async function drawCutOut({ image }: EditOf<'remove-background'>): Promise<Raster> {
  const picture = await rasterOf(image.image());
  const subject = subjectOf(picture);
  for (let pixel = 0; pixel < subject.data.length; pixel += 1) {
    if (subject.data[pixel] === 0) picture.data.fill(0, pixel * CHANNELS, (pixel + 1) * CHANNELS);
  }
  return picture;
}

/** New surroundings need no detail, and a canvas can have fifty million pixels: they are drawn small and enlarged. */
const SURROUNDINGS_PIXELS_MAX = 1_000_000;

async function surroundings({ image, margins }: EditOf<'outpaint'>, subject: Subject, canvas: Size): Promise<Raster> {
  const scale = Math.min(0.5, Math.sqrt(SURROUNDINGS_PIXELS_MAX / (canvas.width * canvas.height)));
  const scaled = (length: number) => Math.max(1, Math.round(length * scale));
  const small = await rasterOf(
    image.image().flatten({ background: '#808080' }).resize(scaled(image.width), scaled(image.height), { fit: 'fill' }),
  );
  const { left, right, up, down } = margins;
  const mirrored = await rasterOf(
    imageFrom(small).extend({
      ...{ left: Math.round(left * scale), right: Math.round(right * scale) },
      ...{ top: Math.round(up * scale), bottom: Math.round(down * scale) },
      extendWith: 'mirror',
    }),
  );
  const { width, height } = mirrored;
  const scene = await sharp(Buffer.from(sceneOf({ ...subject, width, height }, null)))
    .removeAlpha()
    .toBuffer();
  const veil = await sharp(scene).ensureAlpha(0.4).png().toBuffer();
  return rasterOf(
    imageFrom(mirrored)
      .blur(8)
      .composite([{ input: veil }]),
  );
}

/** Where the mark fits between the image and the edge of the canvas: in the middle of the widest margin, if at all. */
function markInMargin({ image, margins }: EditOf<'outpaint'>, canvas: Size) {
  const { left, right, up, down } = margins;
  const { width, height } = canvas;
  const bands = [
    { left: 0, top: 0, width: left, height },
    { left: left + image.width, top: 0, width: right, height },
    { left: 0, top: 0, width, height: up },
    { left: 0, top: up + image.height, width, height: down },
  ];
  const fitting = bands
    .map((band) => ({ band, mark: markFor(band) }))
    .filter(({ band, mark }) => mark.width <= band.width && mark.height <= band.height);
  return fitting.slice(0, 1).map(({ band, mark }) => ({
    input: Buffer.from(mark.svg),
    left: band.left + Math.floor((band.width - mark.width) / 2),
    top: band.top + Math.floor((band.height - mark.height) / 2),
  }));
}

/** The image as it is, with more around it. */
export async function drawOutpainted(edit: EditOf<'outpaint'>, subject: Subject): Promise<Sharp> {
  const { image, margins } = edit;
  const canvas = {
    width: margins.left + image.width + margins.right,
    height: margins.up + image.height + margins.down,
  };
  const around = await surroundings(edit, subject, canvas);
  const original = layerOf(await rasterOf(image.image()));
  return imageFrom(around)
    .removeAlpha()
    .resize(canvas.width, canvas.height, { fit: 'fill', kernel: 'cubic' })
    .composite([{ ...original, left: margins.left, top: margins.up }, ...markInMargin(edit, canvas)]);
}

const TOWARDS: Record<Direction, string> = {
  left: 'x1="0" y1="0" x2="1" y2="0"',
  right: 'x1="1" y1="0" x2="0" y2="0"',
  above: 'x1="0" y1="0" x2="0" y2="1"',
  below: 'x1="0" y1="1" x2="0" y2="0"',
};

async function lightOver({ width, height }: Size, { direction, reference }: Light, strength: number) {
  if ((direction === null && reference === null) || strength === 0) return [];
  const { dominant } = reference ? await reference.image().stats() : { dominant: { r: 255, g: 255, b: 255 } };
  const light = `stop-color="rgb(${dominant.r},${dominant.g},${dominant.b})"`;
  // Light fades into nothing and nothing into shadow, so that no mixture of the two colours is seen between them.
  const stops =
    `<stop offset="0" ${light} stop-opacity="${0.8 * strength}"/><stop offset="0.5" ${light} stop-opacity="0"/>` +
    `<stop offset="0.5" stop-opacity="0"/><stop offset="1" stop-opacity="${0.7 * strength}"/>`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<defs><linearGradient id="light" ${TOWARDS[direction ?? 'above']}>${stops}</linearGradient></defs>` +
    `<rect width="${width}" height="${height}" fill="url(#light)"/></svg>`;
  return [{ input: Buffer.from(svg) }];
}

/** The subject before another background, in a light that falls on both. */
export async function drawRelit(edit: EditOf<'relight'>, { caption, ...subject }: Captioned): Promise<Sharp> {
  const { image, background, keepsBackground, light, preservation } = edit;
  const { width, height } = image;
  const behind = () => {
    if (keepsBackground) return image.image();
    if (background) return background.image().resize(width, height, { fit: 'cover' });
    return sharp(Buffer.from(sceneOf({ ...subject, width, height }, null)));
  };
  const ground = await rasterOf(behind().flatten({ background: '#808080' }));
  const front = layerOf(await drawCutOut({ kind: 'remove-background', image }));
  return imageFrom(ground)
    .removeAlpha()
    .composite([
      ...(await lightOver(image, light, light.strength)),
      front,
      ...(await lightOver(image, light, light.strength * (1 - preservation))),
      { input: Buffer.from(labelsFor(image, caption)) },
    ]);
}

/** The image in other colours, which depend on the prompt and the seed: changed for all to see, and still itself. */
export async function drawGraded({ image }: EditOf<'general'>, { caption, ...subject }: Captioned): Promise<Sharp> {
  const { width, height } = subject;
  const dice = diceOf(subject);
  const gain = () => 0.65 + 0.5 * dice();
  const graded = await rasterOf(
    image
      .image()
      .flatten({ background: '#fff' })
      .resize(width, height, { fit: 'cover' })
      .modulate({ hue: Math.round(60 + 240 * dice()) }),
  );
  const gains: [number, number, number] = [gain(), gain(), gain()];
  const tinted = layerOf(await rasterOf(imageFrom(graded).removeAlpha().linear(gains, [8, 8, 8])));
  return sharp(tinted.input, { raw: tinted.raw })
    .removeAlpha()
    .composite([{ input: Buffer.from(labelsFor(subject, caption)) }]);
}

/** The image in the size of the subject; `detail` makes it crisper than it was. */
export function drawUpscaled({ image, detail }: EditOf<'upscale'>, { width, height }: Subject): Sharp {
  const larger = image.image().resize(width, height, { fit: 'fill', kernel: 'lanczos3' });
  return detail > 0 ? larger.sharpen({ sigma: 1, m1: detail, m2: 2 * detail }) : larger;
}
