import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { askService, measured, stabilityResult, useSandbox } from './ask.ts';
import { around, box, differing, flat, maskOf, pixelsOf, shapes, speckled, unlikeness } from './samples.ts';

const sandbox = useSandbox();

type Sent = Record<string, string | number | Buffer>;

async function edited(path: string, fields: Sent): Promise<Buffer> {
  const reply = await askService(sandbox(), path, fields);
  expect([reply.status, path, reply.status === 200 ? '' : reply.text]).toEqual([200, path, '']);
  return reply.bytes;
}

async function changed(path: string, image: Buffer, fields: Sent) {
  const bytes = await edited(path, { image, ...fields });
  const [before, after] = await Promise.all([pixelsOf(image), pixelsOf(bytes)]);
  return { bytes, before, after, pixels: differing(before, after) };
}

describe.each([
  ['erase', { seed: 7 }],
  ['inpaint', { seed: 7, prompt: 'a castle' }],
])('%s', (name, words) => {
  const path = `edit/${name}`;

  test('changes the pixels under the mask, and outside of it not one value', async () => {
    const image = await speckled(160, 120);
    const { pixels, after } = await changed(path, image, {
      ...words,
      mask: await maskOf(160, 120, 40, 30, 50, 40),
      grow_mask: 0,
    });
    expect([after.width, after.height]).toEqual([160, 120]);
    expect(around(pixels)).toEqual([40, 30, 89, 69]);
    expect(pixels.length).toBeGreaterThan(50 * 40 * 0.99);
  });

  test.each([
    [undefined, [35, 25, 94, 74]],
    [9, [31, 21, 98, 78]],
    [20, [20, 10, 109, 89]],
  ])('grows the mask by %j pixels on every side', async (grow_mask, box) => {
    const image = await speckled(160, 120);
    const mask = await maskOf(160, 120, 40, 30, 50, 40);
    const { pixels } = await changed(path, image, { ...words, mask, ...(grow_mask !== undefined && { grow_mask }) });
    expect(around(pixels)).toEqual(box);
  });

  test('takes the transparent part of the image where there is no mask, and leaves nothing transparent', async () => {
    const opaque = await speckled(160, 120);
    const hole = await maskOf(160, 120, 40, 30, 50, 40);
    const image = await sharp(opaque)
      .joinChannel(await sharp(hole).negate().toColourspace('b-w').raw().toBuffer(), {
        raw: { width: 160, height: 120, channels: 1 },
      })
      .png()
      .toBuffer();
    expect((await sharp(image).metadata()).hasAlpha).toBe(true);
    const bytes = await edited(path, { image, ...words, grow_mask: 0 });
    const [before, after] = await Promise.all([pixelsOf(opaque), pixelsOf(bytes)]);
    expect(around(differing(before, after))).toEqual([40, 30, 89, 69]);
    expect((await sharp(bytes).metadata()).hasAlpha).toBe(false);
  });

  test('takes the mask rather than the transparent part, and keeps what is transparent elsewhere', async () => {
    const image = await sharp(await speckled(160, 120))
      .ensureAlpha(0.5)
      .png()
      .toBuffer();
    const { pixels, after } = await changed(path, image, {
      ...words,
      mask: await maskOf(160, 120, 0, 0, 10, 10),
      grow_mask: 0,
    });
    expect(around(pixels)).toEqual([0, 0, 9, 9]);
    expect([after.at(5, 5)[3], after.at(50, 50)[3]]).toEqual([255, 127]);
  });

  test('resizes a mask of another size to the image', async () => {
    const image = await speckled(160, 120);
    const { pixels } = await changed(path, image, {
      ...words,
      mask: await maskOf(80, 60, 20, 15, 25, 20),
      grow_mask: 0,
    });
    expect(around(pixels)).toEqual([40, 30, 89, 69]);
  });

  test('blends where the mask is grey', async () => {
    const image = await flat(160, 120, '#ff0000');
    const drawn = async (grey: string) => {
      const mask = await shapes(160, 120, '#000', box(10, 10, 80, 80, grey));
      return pixelsOf(await edited(path, { image, mask, grow_mask: 0, ...words }));
    };
    const [whole, half] = [await drawn('#ffffff'), await drawn('#808080')];
    const expected = whole
      .at(20, 20)
      .map((value, channel) => Math.round((([255, 0, 0, 255][channel] ?? 0) * 127 + value * 128) / 255));
    expect(half.at(20, 20).map((value, channel) => Math.abs(value - (expected[channel] ?? 0)) <= 1)).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  test('of a black mask is the image as it was', async () => {
    const { pixels } = await changed(path, await speckled(80, 80), { ...words, mask: await flat(80, 80, '#000') });
    expect(pixels).toEqual([]);
  });

  test('keeps a picture in shades of grey, and changes nothing else in it', async () => {
    const grey = await sharp(await speckled(100, 100))
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const { pixels } = await changed(path, grey, {
      ...words,
      mask: await maskOf(100, 100, 20, 20, 30, 30),
      grow_mask: 0,
    });
    expect(around(pixels).every((side, at) => (at < 2 ? side >= 20 : side <= 49))).toBe(true);
  });

  test('leaves the values of pixels alone that come with a profile of colours', async () => {
    const image = await sharp(await speckled(64, 64))
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const values = await sharp(image, { ignoreIcc: true }).raw().toBuffer();
    const bytes = await edited(path, { image, ...words, mask: await maskOf(64, 64, 0, 0, 10, 10), grow_mask: 0 });
    const after = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    const untouched = 64 * 3 * 10;
    expect(after.subarray(untouched).equals(values.subarray(untouched))).toBe(true);
  });

  test('carries the mark inside the mask when all of it fits, and none when it does not', async () => {
    const image = await flat(300, 200, '#2060c0');
    // The letter S begins five dots inside of the mark, and its middle row is white there.
    const hasMark = async (width: number, fill = '#fff') => {
      const mask = await shapes(300, 200, '#000', box(100, 60, width, 60, fill));
      const { at } = await pixelsOf(await edited(path, { image, mask, grow_mask: 0, ...words }));
      const inMark = at(100 + Math.floor((width - 49) / 2) + 5, 60 + Math.floor((60 - 15) / 2) + 7);
      return inMark.slice(0, 3).every((value) => value > 225);
    };
    expect([await hasMark(120), await hasMark(48), await hasMark(120, '#fefefe')]).toEqual([true, false, false]);
  });
});

test('erase fills a hole with what lies around it', async () => {
  const image = await shapes(240, 160, '#2050d0', box(100, 60, 40, 40, '#e02020'));
  const { after } = await changed('edit/erase', image, { mask: await maskOf(240, 160, 100, 60, 40, 40) });
  const [red = 0, green = 0, blue = 0] = after.at(120, 65);
  expect(Math.hypot(red - 0x20, green - 0x50, blue - 0xd0)).toBeLessThan(12);
});

test('inpaint draws another scene for another prompt', async () => {
  const image = await flat(160, 120, '#888888');
  const mask = await maskOf(160, 120, 40, 30, 50, 40);
  const [castle, ship] = [
    await edited('edit/inpaint', { image, mask, prompt: 'a castle', seed: 7 }),
    await edited('edit/inpaint', { image, mask, prompt: 'a ship', seed: 7 }),
  ];
  expect(castle.equals(ship)).toBe(false);
  const again = await edited('edit/inpaint', { image, mask, prompt: 'a castle', seed: 7 });
  expect(again.equals(castle)).toBe(true);
});

describe('outpaint', () => {
  test.each([[{ left: 70, right: 11, up: 3, down: 40 }], [{ left: 300 }], [{ down: 1 }], [{ right: 200, up: 500 }]])(
    'adds exactly the margins %j and leaves the image as it is, pixel for pixel',
    async (given) => {
      const { left, right, up, down } = { left: 0, right: 0, up: 0, down: 0, ...given };
      const image = await speckled(120, 90);
      const bytes = await edited('edit/outpaint', { image, prompt: 'the sea', ...given });
      expect(await measured(bytes)).toMatchObject({ width: left + 120 + right, height: up + 90 + down });
      const inner = await sharp(bytes).extract({ left, top: up, width: 120, height: 90 }).png().toBuffer();
      expect(differing(await pixelsOf(image), await pixelsOf(inner))).toEqual([]);
    },
  );

  test('draws something in every margin', async () => {
    const image = await speckled(120, 90);
    const bytes = await edited('edit/outpaint', { image, left: 80, right: 80, up: 80, down: 80, seed: 7 });
    for (const [left, top] of [
      [0, 80],
      [200, 80],
      [80, 0],
      [80, 170],
    ] as const) {
      const { channels } = await sharp(
        await sharp(bytes).extract({ left, top, width: 80, height: 80 }).png().toBuffer(),
      ).stats();
      expect(Math.max(...channels.map(({ stdev }) => stdev))).toBeGreaterThan(2);
    }
  });
});

describe('remove-background', () => {
  test('leaves the subject opaque in its own colours, and nothing of the background', async () => {
    const subject = box(60, 40, 70, 50, '#d02020') + box(80, 55, 10, 10, '#3070c0');
    const image = await shapes(200, 150, '#3070c0', subject);
    const bytes = await edited('edit/remove-background', { image });
    const after = await pixelsOf(bytes);
    expect([after.width, after.height, (await sharp(bytes).metadata()).hasAlpha]).toEqual([200, 150, true]);
    const opaque: [number, number][] = [];
    for (let y = 0; y < 150; y += 1) {
      for (let x = 0; x < 200; x += 1) if (after.at(x, y)[3] !== 0) opaque.push([x, y]);
    }
    expect([around(opaque), opaque.length]).toEqual([[60, 40, 129, 89], 70 * 50]);
    expect([after.at(60, 40), after.at(129, 89), after.at(84, 60)]).toEqual([
      [0xd0, 0x20, 0x20, 255],
      [0xd0, 0x20, 0x20, 255],
      // The colour of the background, but no way leads to it from the border: a hole in the subject is none.
      [0x30, 0x70, 0xc0, 255],
    ]);
    expect(after.at(0, 0)).toEqual([0, 0, 0, 0]);
  });

  test.each([
    ['a flat colour', () => flat(64, 64, '#808080')],
    ['noise', () => speckled(90, 70)],
    ['two halves', () => shapes(80, 80, '#fff', box(0, 0, 40, 80, '#000'))],
    [
      'a gradient',
      () =>
        shapes(
          200,
          100,
          '#000',
          '<defs><linearGradient id="g"><stop offset="0" stop-color="#103"/><stop offset="1" stop-color="#fe8"/></linearGradient></defs><rect width="200" height="100" fill="url(#g)"/>',
        ),
    ],
  ])('has something opaque and something transparent for %s', async (_, image) => {
    const { data } = await pixelsOf(await edited('edit/remove-background', { image: await image() }));
    const alphas = new Set(data.filter((_value, at) => at % 4 === 3));
    expect(alphas).toEqual(new Set([0, 255]));
  });

  test('keeps its transparency as WebP', async () => {
    const image = await shapes(200, 150, '#3070c0', box(60, 40, 70, 50, '#d02020'));
    const bytes = await edited('edit/remove-background', { image, output_format: 'webp' });
    const after = await pixelsOf(bytes);
    expect([(await measured(bytes)).format, after.at(0, 0)[3], after.at(90, 60)[3]]).toEqual(['webp', 0, 255]);
  });
});

/** The hue of a pixel in degrees. */
function hueOf([red = 0, green = 0, blue = 0]: readonly number[]): number {
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  const chroma = most - least || 1;
  if (most === red) return (((green - blue) / chroma + 6) % 6) * 60;
  return (most === green ? (blue - red) / chroma + 2 : (red - green) / chroma + 4) * 60;
}

describe('search-and-recolor', () => {
  const twoBoxes = () => shapes(200, 150, '#e8e8e8', box(20, 20, 40, 40, '#c02828') + box(100, 60, 60, 60, '#28a040'));
  const recolour = async (fields: Sent) =>
    changed('edit/search-and-recolor', await twoBoxes(), { grow_mask: 0, ...fields });

  test('moves the hue of what the words name to the colour of the prompt, and of nothing else', async () => {
    const { pixels, after } = await recolour({ select_prompt: 'the red car', prompt: 'bright blue' });
    expect([around(pixels), pixels.length]).toEqual([[20, 20, 59, 59], 1600]);
    expect(hueOf(after.at(40, 40))).toBeCloseTo(225, -1);
  });

  test('takes another thing for another word', async () => {
    const { pixels, after } = await recolour({ select_prompt: 'green grass', prompt: 'turn it purple' });
    expect(around(pixels)).toEqual([100, 60, 159, 119]);
    expect(hueOf(after.at(120, 90))).toBeCloseTo(270, -1);
  });

  test('takes the largest thing where no colour is named', async () => {
    const { pixels } = await recolour({ select_prompt: 'the car', prompt: 'orange' });
    expect(around(pixels)).toEqual([100, 60, 159, 119]);
  });

  test('grows what it has found by three pixels, or by as many as asked', async () => {
    const usual = await changed('edit/search-and-recolor', await twoBoxes(), { select_prompt: 'red', prompt: 'blue' });
    expect(around(usual.pixels)).toEqual([17, 17, 62, 62]);
    expect(around((await recolour({ select_prompt: 'red', prompt: 'blue', grow_mask: 20 })).pixels)).toEqual([
      0, 0, 79, 79,
    ]);
  });

  test('does not take a speck for what is meant, though it has the colour that is named', async () => {
    const image = await shapes(200, 150, '#e8e8e8', box(20, 20, 2, 2, '#c02828') + box(100, 60, 60, 60, '#28a040'));
    const fields = { select_prompt: 'the red car', prompt: 'blue', grow_mask: 0 };
    expect(around((await changed('edit/search-and-recolor', image, fields)).pixels)).toEqual([100, 60, 159, 119]);
  });

  test('takes a disc that depends on the words where nothing stands out', async () => {
    const image = await flat(120, 120, '#707070');
    const places = [];
    for (const select_prompt of ['the car', 'the house', 'the car']) {
      const { pixels } = await changed('edit/search-and-recolor', image, {
        select_prompt,
        prompt: 'red',
        grow_mask: 0,
      });
      expect(pixels.length).toBeGreaterThan(1000);
      expect(pixels.length).toBeLessThan(120 * 120 * 0.5);
      places.push(around(pixels));
    }
    expect(places[2]).toEqual(places[0]);
    expect(places[1]).not.toEqual(places[0]);
  });

  test.each([
    ['white', (level: number) => level >= 205],
    ['black', (level: number) => level <= 51],
  ])('makes %s what is to be so', async (prompt, fits) => {
    const { after } = await recolour({ select_prompt: 'red', prompt });
    expect(after.at(40, 40).slice(0, 3).every(fits)).toBe(true);
  });
});

test('search-and-replace draws over what the words mean and leaves the rest as it is, pixel for pixel', async () => {
  const image = await shapes(200, 150, '#e8e8e8', box(20, 20, 40, 40, '#c02828') + box(100, 60, 60, 60, '#28a040'));
  const replace = (fields: Sent) => changed('edit/search-and-replace', image, { prompt: 'a moon', seed: 7, ...fields });
  const { pixels } = await replace({ search_prompt: 'red car', grow_mask: 0 });
  expect([around(pixels), pixels.length > 1500]).toEqual([[20, 20, 59, 59], true]);
  expect(around((await replace({ search_prompt: 'the largest' })).pixels)).toEqual([97, 57, 162, 122]);
});

describe('replace-background-and-relight', () => {
  const subject = () => shapes(200, 150, '#3070c0', box(60, 40, 70, 50, '#d02020'));
  const relit = async (fields: Sent) => {
    const accepted = await askService(sandbox(), 'edit/replace-background-and-relight', {
      subject_image: await subject(),
      seed: 3,
      ...fields,
    });
    const reply = await stabilityResult(sandbox(), accepted);
    expect(reply.status).toBe(200);
    return pixelsOf(reply.bytes);
  };

  test('keeps the subject, and draws another background', async () => {
    const { at, width, height } = await relit({ background_prompt: 'a beach' });
    expect([width, height, at(90, 60)]).toEqual([200, 150, [0xd0, 0x20, 0x20, 255]]);
    expect(at(180, 20)).not.toEqual([0x30, 0x70, 0xc0, 255]);
  });

  test('takes the background from a picture', async () => {
    const { at } = await relit({ background_reference: await flat(50, 80, '#10c030') });
    expect([at(180, 20), at(90, 60)]).toEqual([
      [0x10, 0xc0, 0x30, 255],
      [0xd0, 0x20, 0x20, 255],
    ]);
  });

  test('keeps the background when that is asked', async () => {
    const { at } = await relit({ background_prompt: 'a beach', keep_original_background: 'true' });
    expect(at(180, 20)).toEqual([0x30, 0x70, 0xc0, 255]);
  });

  test.each([
    ['left', [10, 75], [190, 75]],
    ['right', [190, 75], [10, 75]],
    ['above', [150, 5], [150, 145]],
    ['below', [150, 145], [150, 5]],
  ] as const)('is lighter on the side that the light comes from: %s', async (direction, near, far) => {
    const { at } = await relit({
      background_reference: await flat(50, 80, '#808080'),
      light_source_direction: direction,
      light_source_strength: 0.8,
    });
    expect(at(near[0], near[1])[0]).toBeGreaterThan(0xa0);
    expect(at(far[0], far[1])[0]).toBeLessThan(0x60);
  });

  test('lets light of the colour of a picture fall on it', async () => {
    const background_reference = await flat(50, 80, '#808080');
    const { at } = await relit({
      background_reference,
      light_reference: await flat(70, 70, '#ff0000'),
      light_source_strength: 1,
    });
    const [red = 0, green = 0] = at(180, 3);
    expect([red > 0xc0, green < 0x60]).toEqual([true, true]);
  });

  test('lets less of the light fall on a subject that is to be preserved', async () => {
    const light = { background_prompt: 'a beach', light_source_direction: 'left', light_source_strength: 1 };
    const whole = await relit({ ...light, preserve_original_subject: 1 });
    const none = await relit({ ...light, preserve_original_subject: 0 });
    expect(whole.at(62, 60)).toEqual([0xd0, 0x20, 0x20, 255]);
    expect(none.at(62, 60)[2]).toBeGreaterThan(0x40);
  });
});

describe('upscale', () => {
  test.each([
    [100, 60],
    [33, 47],
  ])('fast makes %i by %i exactly four times as wide and high, of the same picture', async (width, height) => {
    const image = await shapes(width, height, '#3070c0', box(10, 10, 20, 20, '#d02020'));
    const bytes = await edited('upscale/fast', { image });
    expect(await measured(bytes)).toEqual({ format: 'png', width: 4 * width, height: 4 * height });
    expect(await unlikeness(image, bytes)).toBeLessThan(3);
  });

  test.each([
    [1024, 1024, 2048, 2048],
    [64, 64, 2048, 2048],
    [160, 64, 3238, 1295],
    [300, 200, 2508, 1672],
  ])('conservative makes four megapixels of %i by %i, in its ratio', async (width, height, wider, higher) => {
    const image = await shapes(width, height, '#3070c0', box(10, 10, 20, 20, '#d02020'));
    const bytes = await edited('upscale/conservative', { image, prompt: 'a box' });
    expect(await measured(bytes)).toEqual({ format: 'png', width: wider, height: higher });
    expect(wider * higher).toBeLessThanOrEqual(4_194_304);
    expect(await unlikeness(image, bytes)).toBeLessThan(3);
  });

  test('creative makes as many, and adds some detail', async () => {
    const image = await sharp(await shapes(128, 128, '#3070c0', box(30, 30, 60, 60, '#d02020')))
      .blur(3)
      .png()
      .toBuffer();
    const creative = await stabilityResult(
      sandbox(),
      await askService(sandbox(), 'upscale/creative', { image, prompt: 'a box', creativity: 0.5 }),
    );
    expect(await measured(creative.bytes)).toEqual({ format: 'png', width: 2048, height: 2048 });
    expect(await unlikeness(image, creative.bytes)).toBeLessThan(5);
    const plain = await edited('upscale/conservative', { image, prompt: 'a box' });
    expect(differing(await pixelsOf(plain), await pixelsOf(creative.bytes)).length).toBeGreaterThan(0);
  });

  test('keeps what is transparent', async () => {
    const image = await sharp(await flat(64, 64, '#3070c0'))
      .ensureAlpha(0.5)
      .png()
      .toBuffer();
    expect((await pixelsOf(await edited('upscale/fast', { image }))).at(100, 100)[3]).toBe(127);
  });
});

describe('edits are quick', () => {
  /** The least of three times in milliseconds, of the processor: other work on the machine must not fail this. */
  async function least(path: string, fields: (turn: number) => Promise<Sent>): Promise<number> {
    const times: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const sent = await fields(turn);
      const start = process.cpuUsage();
      await edited(path, sent);
      const { user, system } = process.cpuUsage(start);
      times.push((user + system) / 1000);
    }
    return Math.min(...times);
  }

  // Another picture every time, so that none is remembered.
  const image = (turn: number) => shapes(1024, 1024, '#3070c0', box(300, 300, 400 + turn, 400, '#d02020'));

  test('an edit of a megapixel takes less than a second', async () => {
    const mask = await maskOf(1024, 1024, 200, 200, 600, 600);
    expect(
      await least('edit/inpaint', async (turn) => ({ image: await image(turn), mask, prompt: 'a castle' })),
    ).toBeLessThan(1000);
  });

  test('the largest of fast upscales takes less than two', async () => {
    expect(await least('upscale/fast', async (turn) => ({ image: await image(turn) }))).toBeLessThan(2000);
  });
});
