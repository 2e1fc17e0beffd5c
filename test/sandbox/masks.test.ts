import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { blend, boundsOf, grown, isSolid, type Mask, maskFrom, maskInAlpha } from '../../src/sandbox/masks.ts';
import { sentPicture } from '../../src/sandbox/sent.ts';

const rows = ({ data, width, height }: Mask) =>
  Array.from({ length: height }, (_, y) => [...data.subarray(y * width, (y + 1) * width)]);

function maskOfRows(...lines: readonly (readonly number[])[]): Mask {
  return { data: Uint8Array.from(lines.flat()), width: lines[0]?.length ?? 0, height: lines.length };
}

/** One strong pixel in the middle of nothing. */
function dot(side: number, strength = 255): Mask {
  const data = new Uint8Array(side * side);
  data[(side >> 1) * side + (side >> 1)] = strength;
  return { data, width: side, height: side };
}

async function sent(lines: readonly (readonly number[])[], size: { width: number; height: number }): Promise<Mask> {
  const [width, height] = [lines[0]?.length ?? 0, lines.length];
  const png = await sharp(Buffer.from(lines.flat()), { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  const picture = await sentPicture(png);
  if (!picture) throw new Error('the mask is not a picture');
  return maskFrom(picture, size);
}

describe('a mask', () => {
  test('is as strong as the picture is bright', async () => {
    const lines = [
      [0, 1, 127],
      [128, 254, 255],
    ];
    expect(rows(await sent(lines, { width: 3, height: 2 }))).toEqual(lines);
  });

  test('is stretched without new strengths between the old', async () => {
    expect(rows(await sent([[0, 255]], { width: 4, height: 2 }))).toEqual([
      [0, 0, 255, 255],
      [0, 0, 255, 255],
    ]);
  });

  test('keeps where the picture of it is transparent', async () => {
    const picture = await sentPicture(
      await sharp({ create: { width: 2, height: 2, channels: 4, background: { r: 255, g: 255, b: 255, alpha: 0 } } })
        .png()
        .toBuffer(),
    );
    expect(picture && [...(await maskFrom(picture, { width: 2, height: 2 })).data]).toEqual([0, 0, 0, 0]);
  });

  test('in an alpha channel edits what is transparent', () => {
    const data = Buffer.from([1, 2, 3, 255, 1, 2, 3, 0, 1, 2, 3, 100]);
    expect([...maskInAlpha({ data, width: 3, height: 1 }).data]).toEqual([0, 255, 155]);
  });

  test.each([0, 1, 2, 3, 4, 5, 13, 14, 19, 20, 41, 100])('grows by exactly %i pixels', (pixels) => {
    const side = 2 * pixels + 5;
    const all = rows(grown(dot(side), pixels));
    const edited = all.flatMap((line, y) => line.flatMap((each, x) => (each > 0 ? [[x, y]] : [])));
    expect(edited).toHaveLength((2 * pixels + 1) ** 2);
    expect([edited[0], edited.at(-1)]).toEqual([
      [2, 2],
      [side - 3, side - 3],
    ]);
  });

  test('grows as strong as it is, weak beside strong, and not around the edges of the picture', () => {
    expect(rows(grown(maskOfRows([0, 100, 0, 0, 255]), 1))).toEqual([[100, 100, 100, 255, 255]]);
    expect(rows(grown(maskOfRows([255, 0, 0], [0, 0, 0]), 1))).toEqual([
      [255, 255, 0],
      [255, 255, 0],
    ]);
    expect(rows(grown(maskOfRows([0, 0, 255], [0, 0, 0]), 1))).toEqual([
      [0, 255, 255],
      [0, 255, 255],
    ]);
  });

  test('has the smallest bounds around all that is edited, however weakly, and none where nothing is', () => {
    expect(boundsOf(maskOfRows([0, 0, 0, 0], [0, 1, 0, 255], [0, 0, 0, 0]))).toEqual({
      left: 1,
      top: 1,
      width: 3,
      height: 1,
    });
    expect(boundsOf(maskOfRows([0, 0]))).toBeNull();
  });

  test('is solid only where nothing of the old is kept', () => {
    const mask = maskOfRows([255, 255, 0], [255, 254, 255]);
    expect(isSolid(mask, { left: 0, top: 0, width: 2, height: 1 })).toBe(true);
    expect(isSolid(mask, { left: 0, top: 0, width: 2, height: 2 })).toBe(false);
  });

  test('keeps at 0, replaces at 255, and blends between', () => {
    const picture = { data: Buffer.alloc(3 * 4, 10), width: 3, height: 1 };
    const over = { data: Buffer.alloc(2 * 4, 210), width: 2, height: 1 };
    blend(picture, over, maskOfRows([255, 0, 51]), { left: 1, top: 0, width: 2, height: 1 });
    expect([...picture.data]).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 50, 50, 50, 50]);
  });
});

describe('what is sent as a picture', () => {
  const png = () =>
    sharp({ create: { width: 30, height: 20, channels: 3, background: '#123' } })
      .png()
      .toBuffer();

  test('is measured, and stands for itself by what is in it', async () => {
    const [one, same] = [await sentPicture(await png()), await sentPicture(await png())];
    expect(one).toMatchObject({ width: 30, height: 20, hasAlpha: false });
    expect(JSON.stringify(one)).toBe(JSON.stringify(same));
    expect(JSON.stringify(one).length).toBeLessThan(50);
  });

  test('is none when it declares more pixels than anybody takes, whatever it weighs', async () => {
    const bomb = await png();
    bomb.writeUInt32BE(30_000, 16);
    bomb.writeUInt32BE(30_000, 20);
    expect(await sentPicture(bomb)).toBeNull();
  });
});
