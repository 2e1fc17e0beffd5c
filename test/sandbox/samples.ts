import sharp from 'sharp';

/** Red, green, blue and opacity of every pixel, row by row. */
export interface Pixels {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): readonly number[];
}

export async function pixelsOf(picture: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(picture)
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return { data, width, height, at: (x, y) => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)] };
}

/** A PNG of one colour. */
export function flat(width: number, height: number, background: string): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** A PNG in which no two neighbours are alike, so that no change of any pixel can go unnoticed. */
export function speckled(width: number, height: number): Promise<Buffer> {
  const data = Buffer.alloc(width * height * 3);
  let state = 12_345;
  for (let at = 0; at < data.length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    data[at] = state >>> 24;
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** A PNG with shapes on a ground, from their SVG. */
export function shapes(width: number, height: number, ground: string, svg: string): Promise<Buffer> {
  const body = `<rect width="${width}" height="${height}" fill="${ground}"/>${svg}`;
  const all = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" shape-rendering="crispEdges">${body}</svg>`;
  return sharp(Buffer.from(all)).removeAlpha().png().toBuffer();
}

export const box = (x: number, y: number, width: number, height: number, fill: string) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;

/** A mask that edits one box. */
export const maskOf = (width: number, height: number, ...rect: [number, number, number, number]) =>
  shapes(width, height, '#000', box(...rect, '#fff'));

/** The numbers of the pixels that differ between two pictures of the same size. */
export function differing(one: Pixels, other: Pixels): [x: number, y: number][] {
  if (one.width !== other.width || one.height !== other.height) throw new Error('the sizes differ');
  const found: [number, number][] = [];
  for (let pixel = 0; pixel < one.width * one.height; pixel += 1) {
    const [from, to] = [pixel * 4, pixel * 4 + 4];
    if (one.data.compare(other.data, from, to, from, to) === 0) continue;
    found.push([pixel % one.width, Math.floor(pixel / one.width)]);
  }
  return found;
}

/** The smallest box around some pixels, as left, top, right and bottom, all of them within. */
export function around(pixels: readonly (readonly [number, number])[]): readonly number[] {
  const [xs, ys] = [pixels.map(([x]) => x), pixels.map(([, y]) => y)];
  const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return [least(xs), least(ys), most(xs), most(ys)];
}

/** How much two pictures have in common when both are reduced to the same few pixels: 0 is everything. */
export async function unlikeness(one: Buffer, other: Buffer): Promise<number> {
  const small = (picture: Buffer) => sharp(picture).removeAlpha().resize(16, 16, { fit: 'fill' }).raw().toBuffer();
  const [a, b] = await Promise.all([small(one), small(other)]);
  return a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / a.length;
}
