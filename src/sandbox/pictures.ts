import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { Edit } from './edit.ts';
import { drawEdit } from './edits.ts';
import { type Subject, sceneOf } from './scene.ts';

/** The formats that vendors deliver. */
export type PictureFormat = 'png' | 'jpeg' | 'webp';

/** How each format is declared in HTTP. */
export const CONTENT_TYPES: Record<PictureFormat, string> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
};

/** A picture to draw: what is on it, and as what bytes it comes. */
export interface Recipe extends Subject {
  readonly format: PictureFormat;
  /** The words drawn on the picture. They are not part of the subject, so that a caption changes nothing else. */
  readonly caption: string;
  /** What is done to pictures that were sent along; a picture without it is drawn from its words alone. */
  readonly edit?: Edit;
}

function encoded(image: Sharp, format: PictureFormat): Promise<Buffer> {
  // Level 3 takes the same time as level 1 here and a third fewer bytes; WebP's default effort would take ten times
  // as long as the drawing itself.
  if (format === 'png') return image.png({ compressionLevel: 3 }).toBuffer();
  if (format === 'webp') return image.webp({ quality: 85, effort: 1 }).toBuffer();
  return image.flatten({ background: '#fff' }).jpeg({ quality: 90 }).toBuffer();
}

/** Draws a picture: the same recipe gives the same bytes, of exactly the recipe's size and format. */
export async function drawPicture(recipe: Recipe): Promise<Buffer> {
  const { edit, caption, format } = recipe;
  const image = edit ? await drawEdit(edit, recipe) : sharp(Buffer.from(sceneOf(recipe, caption))).removeAlpha();
  return encoded(image, format);
}

/** How far a blurred picture is reduced and enlarged again: nothing of the subject can be recognised. */
const BLUR_FACTOR = 64;

async function drawBlurred(recipe: Recipe): Promise<Buffer> {
  const { width, height } = recipe;
  // The picture goes through bytes of its own between the steps: two resizes of one pipeline would be merged into one.
  const small = await sharp(await drawPicture({ ...recipe, format: 'png' }))
    .resize(Math.ceil(width / BLUR_FACTOR), Math.ceil(height / BLUR_FACTOR), { fit: 'fill' })
    .png()
    .toBuffer();
  return encoded(sharp(small).resize(width, height, { fit: 'fill', kernel: 'cubic' }), recipe.format);
}

function drawBlack({ width, height, format }: Recipe): Promise<Buffer> {
  return encoded(sharp({ create: { width, height, channels: 3, background: '#000' } }), format);
}

async function drawTruncated(recipe: Recipe): Promise<Buffer> {
  const whole = await drawPicture(recipe);
  return whole.subarray(0, Math.floor(whole.length / 2));
}

async function drawHalfSize(recipe: Recipe): Promise<Buffer> {
  const whole = sharp(await drawPicture({ ...recipe, format: 'png' }));
  const half = (side: number) => Math.max(1, Math.floor(side / 2));
  return encoded(whole.resize(half(recipe.width), half(recipe.height), { fit: 'fill' }), recipe.format);
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const BOMB_SIDE = 30_000;

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** A few bytes that declare 900 million pixels: whoever trusts the header asks for gigabytes. */
function bomb(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(BOMB_SIDE, 0);
  header.writeUInt32BE(BOMB_SIDE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    PNG_SIGNATURE,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(1024))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

async function drawPadded(recipe: Recipe, megabytes: number): Promise<Buffer> {
  return Buffer.concat([await drawPicture(recipe), Buffer.alloc(megabytes * 1_000_000)]);
}

/** What can be wrong with the bytes of a picture. */
export const FLAWS = {
  blurred: drawBlurred,
  black: drawBlack,
  truncated: drawTruncated,
  'half-size': drawHalfSize,
  bomb: () => Promise.resolve(bomb()),
  huge: drawPadded,
} as const satisfies Record<string, (recipe: Recipe, amount: number) => Promise<Buffer>>;

/** One way in which a picture can be wrong. */
export type Flaw = keyof typeof FLAWS;

/** Draws a picture with something wrong with it; `amount` is the size of `huge` in megabytes. */
export function drawFlawed(recipe: Recipe, flaw: Flaw, amount: number): Promise<Buffer> {
  const draw: (recipe: Recipe, amount: number) => Promise<Buffer> = FLAWS[flaw];
  return draw(recipe, amount);
}
