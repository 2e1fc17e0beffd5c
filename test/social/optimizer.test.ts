import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { CROPS } from '../../src/social/optimize-request.ts';
import { type HowToOptimize, optimizePicture } from '../../src/social/optimizer.ts';
import { PLATFORM_LIMITS, SOCIAL_FORMATS } from '../../src/social/social-formats.ts';
import { grainy } from '../assets/library.ts';
import { drawing, format, map, pictureOf, pixelsAt } from './drawings.ts';

const CENTER: HowToOptimize = { crop: 'CENTER', focalPoint: null, padding: null, outputFormat: 'PNG' };
const SQUARE = format('instagram-feed-square');
const how = (change: Partial<HowToOptimize>): HowToOptimize => ({ ...CENTER, ...change });
const one = async (bytes: Buffer, change: Partial<HowToOptimize> = {}, target = SQUARE) =>
  pictureOf((await optimizePicture(async () => bytes, [target], how(change)))[0]);

const HOW_TO_CROP = {
  SMART: how({ crop: 'SMART' }),
  CENTER,
  FOCAL: how({ crop: 'FOCAL', focalPoint: { x: 0.9, y: 0.1 } }),
  FIT: how({ crop: 'FIT', padding: 'BLUR' }),
};

describe('every format', () => {
  test.each(CROPS.flatMap((crop) => [[crop, 1301, 1153] as const, [crop, 2741, 967] as const]))(
    'comes out of %s in exactly its size, from a picture of %i x %i',
    async (crop, width, height) => {
      const source = await map(width, height).png({ compressionLevel: 1 }).toBuffer();
      const optimized = await optimizePicture(async () => source, SOCIAL_FORMATS, {
        ...HOW_TO_CROP[crop],
        outputFormat: 'JPEG',
      });
      expect(optimized.map(({ format: made }) => made)).toEqual(SOCIAL_FORMATS);
      for (const { format: made, picture, failure } of optimized) {
        expect(failure).toBeNull();
        const { bytes = Buffer.alloc(0), ...facts } = picture ?? {};
        expect(facts).toEqual({
          width: made.width,
          height: made.height,
          contentType: 'image/jpeg',
          sha256: createHash('sha256').update(bytes).digest('hex'),
          transparent: false,
        });
        expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', width: made.width, height: made.height });
        expect(bytes.length).toBeLessThanOrEqual(PLATFORM_LIMITS[made.platform].bytesMax);
      }
    },
  );

  test('of one wish gives the same bytes every time, and the same as alone', async () => {
    const source = await grainy(1300, 1150).jpeg().toBuffer();
    const targets = [SQUARE, format('youtube-thumbnail'), format('pinterest-pin')];
    for (const crop of CROPS) {
      const wish = { ...HOW_TO_CROP[crop], outputFormat: 'JPEG' } as const;
      const [together, again] = [
        await optimizePicture(async () => source, targets, wish),
        await optimizePicture(async () => source, targets, wish),
      ];
      const alone = await Promise.all(
        targets.map(async (target) => (await optimizePicture(async () => source, [target], wish))[0]),
      );
      const hashes = (all: readonly Parameters<typeof pictureOf>[0][]) => all.map((made) => pictureOf(made).sha256);
      expect(hashes(again)).toEqual(hashes(together));
      expect(hashes(alone)).toEqual(hashes(together));
      expect(new Set(hashes(together)).size).toBe(targets.length);
    }
  });

  test.each([
    ['PNG', 'png', 'image/png'],
    ['JPEG', 'jpeg', 'image/jpeg'],
    ['WEBP', 'webp', 'image/webp'],
  ] as const)('can be had as %s', async (outputFormat, kind, contentType) => {
    const source = await map(1000, 800).png().toBuffer();
    const picture = await one(source, { outputFormat }, format('twitter-post'));
    expect(picture.contentType).toBe(contentType);
    expect(await sharp(picture.bytes).metadata()).toMatchObject({ format: kind, space: 'srgb', channels: 3 });
  });
});

describe('a crop', () => {
  /** Of the map: how far from left and from top a pixel was, from 0 to 255. */
  const cornersOf = async (bytes: Buffer) => {
    const [topLeft, bottomRight] = await pixelsAt(bytes, [
      [0, 0],
      [1079, 1079],
    ]);
    return [topLeft?.[0], topLeft?.[1], bottomRight?.[0], bottomRight?.[1]];
  };

  test('of CENTER takes as much from both sides', async () => {
    expect(await cornersOf((await one(await map(2000, 1000).png().toBuffer())).bytes)).toEqual([64, 0, 191, 255]);
    expect(await cornersOf((await one(await map(1000, 2000).png().toBuffer())).bytes)).toEqual([0, 64, 255, 191]);
  });

  test.each([
    [{ x: 0, y: 0.5 }, [0, 0, 127, 255]],
    [{ x: 0.4, y: 0.5 }, [38, 0, 166, 255]],
    [{ x: 1, y: 0 }, [128, 0, 255, 255]],
  ])('of FOCAL has its middle at %j as far as the picture reaches', async (focalPoint, corners) => {
    const { bytes } = await one(await map(2000, 1000).png().toBuffer(), { crop: 'FOCAL', focalPoint });
    const found = await cornersOf(bytes);
    found.forEach((value, i) => {
      expect(Math.abs((value ?? -9) - (corners[i] ?? 0))).toBeLessThanOrEqual(1);
    });
  });
});

describe('FIT', () => {
  const MARKS = ['#ff0000', '#00ff00', '#0000ff', '#ffff00'] as const;
  const RGB = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 0],
  ];
  /** A grey picture with a mark of another colour in each corner. */
  const marked = (width: number, height: number) => {
    const mark = { width: 40, height: 40 };
    return drawing(width, height, '#808080', [
      { colour: MARKS[0], left: 0, top: 0, ...mark },
      { colour: MARKS[1], left: width - 40, top: 0, ...mark },
      { colour: MARKS[2], left: 0, top: height - 40, ...mark },
      { colour: MARKS[3], left: width - 40, top: height - 40, ...mark },
    ])
      .png()
      .toBuffer();
  };
  const shapes = [
    ['wide', 1600, 800, { left: 0, top: 270, right: 1079, bottom: 809 }],
    ['tall', 800, 1600, { left: 270, top: 0, right: 809, bottom: 1079 }],
    ['small', 540, 270, { left: 0, top: 270, right: 1079, bottom: 809 }],
  ] as const;

  test.each(shapes)('shows the whole of a %s picture, with the very colour around it', async (_, width, height, at) => {
    const { bytes } = await one(await marked(width, height), { crop: 'FIT', padding: '#12ab9f' });
    const inside = 3;
    expect(
      await pixelsAt(bytes, [
        [at.left + inside, at.top + inside],
        [at.right - inside, at.top + inside],
        [at.left + inside, at.bottom - inside],
        [at.right - inside, at.bottom - inside],
      ]),
    ).toEqual(RGB);
    const { data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    const padding = { all: 0, exact: 0 };
    for (let y = 0; y < 1080; y++) {
      for (let x = 0; x < 1080; x++) {
        if (x >= at.left && x <= at.right && y >= at.top && y <= at.bottom) continue;
        const pixel = (y * 1080 + x) * 3;
        padding.all++;
        if (data[pixel] === 0x12 && data[pixel + 1] === 0xab && data[pixel + 2] === 0x9f) padding.exact++;
      }
    }
    expect(padding).toEqual({ all: 1080 * 540, exact: 1080 * 540 });
  });

  test.each(shapes)('shows the whole of a %s picture on a blurred one', async (_, width, height, at) => {
    const source = await marked(width, height);
    const { bytes } = await one(source, { crop: 'FIT', padding: 'BLUR' });
    const size = { width: at.right - at.left + 1, height: at.bottom - at.top + 1 };
    const inside = await sharp(bytes)
      .extract({ left: at.left, top: at.top, ...size })
      .raw()
      .toBuffer();
    const whole = await sharp(source).resize(size.width, size.height).raw().toBuffer();
    expect(inside.equals(whole)).toBe(true);
  });

  test('makes its blurred padding of the picture itself, without an edge in it', async () => {
    const halves = await drawing(1600, 800, '#ff0000', [
      { colour: '#0000ff', left: 800, top: 0, width: 800, height: 800 },
    ])
      .png()
      .toBuffer();
    const { bytes } = await one(halves, { crop: 'FIT', padding: 'BLUR' });
    const line = await sharp(bytes).extract({ left: 0, top: 100, width: 1080, height: 1 }).raw().toBuffer();
    const red = [...Array(1080).keys()].map((x) => line[x * 3] ?? 0);
    expect(red[0]).toBeGreaterThan(240);
    expect(red[1079]).toBeLessThan(15);
    expect(Math.max(...red.slice(1).map((value, x) => Math.abs(value - (red[x] ?? 0))))).toBeLessThan(10);
  });
});

describe('what shows through', () => {
  /** Red behind a transparent left half, blue and opaque on the right. */
  const cutout = () =>
    sharp({ create: { width: 1400, height: 1200, channels: 4, background: '#ff000000' } })
      .composite([
        { input: { create: { width: 700, height: 1200, channels: 4, background: '#0000ff' } }, left: 700, top: 0 },
      ])
      .png()
      .toBuffer();
  const places = [
    [100, 300],
    [1000, 300],
  ] as const;

  test.each([
    ['PNG', 'instagram-feed-square'],
    ['WEBP', 'pinterest-pin'],
  ] as const)('does so in a %s', async (outputFormat, id) => {
    const picture = await one(await cutout(), { outputFormat }, format(id));
    const [left, right] = await pixelsAt(picture.bytes, [places[0], [900, 300]]);
    expect(left?.[3]).toBe(0);
    expect(right?.[3]).toBe(255);
    expect(picture.transparent).toBe(true);
  });

  test('is white in a JPEG, whatever colour hides there', async () => {
    const picture = await one(await cutout(), { outputFormat: 'JPEG' });
    const [left, right] = await pixelsAt(picture.bytes, places);
    expect(left).toEqual([255, 255, 255]);
    expect(right?.[2]).toBeGreaterThan(250);
    expect(picture.transparent).toBe(false);
  });

  test.each(['PNG', 'JPEG'] as const)('is the colour of the padding in a %s', async (outputFormat) => {
    const picture = await one(await cutout(), { crop: 'FIT', padding: '#00ff00', outputFormat });
    const [left] = await pixelsAt(picture.bytes, places);
    expect(left?.length).toBe(3);
    expect(Math.abs((left?.[1] ?? 0) - 255)).toBeLessThan(3);
    expect(left?.[0]).toBeLessThan(3);
    expect(picture.transparent).toBe(false);
  });

  test('does so within blurred padding too', async () => {
    const picture = await one(await cutout(), { crop: 'FIT', padding: 'BLUR' }, format('instagram-story'));
    const [left, right] = await pixelsAt(picture.bytes, [
      [100, 960],
      [1000, 960],
    ]);
    expect([left?.[3], right]).toEqual([0, [0, 0, 255, 255]]);
    expect(picture.transparent).toBe(true);
  });

  test('is not claimed where it was cut off, or was never there', async () => {
    const right = await one(await cutout(), { crop: 'FOCAL', focalPoint: { x: 1, y: 0.5 } }, format('instagram-story'));
    expect(right.transparent).toBe(false);
    const opaque = await map(1200, 1200).ensureAlpha().png().toBuffer();
    expect((await one(opaque)).transparent).toBe(false);
  });
});

describe('a source', () => {
  /** For each orientation of EXIF, the place in the upright picture of what is stored at column u, line v. */
  const STORED_AT: Record<number, (u: number, v: number, right: number, bottom: number) => [x: number, y: number]> = {
    1: (u, v) => [u, v],
    2: (u, v, right) => [right - u, v],
    3: (u, v, right, bottom) => [right - u, bottom - v],
    4: (u, v, _, bottom) => [u, bottom - v],
    5: (u, v) => [v, u],
    6: (u, v, right) => [right - v, u],
    7: (u, v, right, bottom) => [right - v, bottom - u],
    8: (u, v, _, bottom) => [v, bottom - u],
  };

  test.each(Object.entries(STORED_AT))(
    'stored in orientation %s is turned upright first',
    async (orientation, placeOf) => {
      const [width, height] = [900, 600];
      const upright = await map(width, height).raw().toBuffer();
      const [storedWidth, storedHeight] = Number(orientation) < 5 ? [width, height] : [height, width];
      const stored = Buffer.alloc(upright.length);
      for (let v = 0; v < storedHeight; v++) {
        for (let u = 0; u < storedWidth; u++) {
          const [x, y] = placeOf(u, v, width - 1, height - 1);
          upright.copy(stored, (v * storedWidth + u) * 3, (y * width + x) * 3, (y * width + x) * 3 + 3);
        }
      }
      const source = await sharp(stored, { raw: { width: storedWidth, height: storedHeight, channels: 3 } })
        .withMetadata({ orientation: Number(orientation) })
        .png()
        .toBuffer();
      const straight = await map(width, height).png().toBuffer();
      const target = format('twitter-card');
      expect((await one(source, {}, target)).sha256).toBe((await one(straight, {}, target)).sha256);
      expect((await sharp((await one(source, {}, target)).bytes).metadata()).orientation).toBeUndefined();
    },
  );

  test('leaves no metadata behind, and deep, grey and CMYK ones become plain sRGB', async () => {
    const picture = await map(700, 700).png().toBuffer();
    const sources = {
      gps: await sharp(picture)
        .withExif({ IFD3: { GPSLatitudeRef: 'N' } })
        .withIccProfile('p3')
        .jpeg()
        .toBuffer(),
      deep: await sharp(picture).toColourspace('rgb16').png().toBuffer(),
      grey: await sharp(picture).toColourspace('b-w').png().toBuffer(),
      greyWithAlpha: await sharp(picture).toColourspace('b-w').ensureAlpha().png().toBuffer(),
      cmyk: await sharp(picture).toColourspace('cmyk').jpeg().toBuffer(),
      palette: await sharp(picture).png({ palette: true }).toBuffer(),
      avif: await sharp(picture).avif({ effort: 0 }).toBuffer(),
    };
    for (const [name, bytes] of Object.entries(sources)) {
      const { bytes: made } = await one(bytes, { outputFormat: 'JPEG' });
      const metadata = await sharp(made).metadata();
      expect([name, metadata]).toMatchObject([name, { space: 'srgb', depth: 'uchar', channels: 3, width: 1080 }]);
      expect([metadata.exif, metadata.icc, metadata.xmp, metadata.iptc]).toEqual(Array(4).fill(undefined));
      const [corner] = await pixelsAt(made, [[1070, 10]]);
      if (name.startsWith('grey')) expect(corner?.every((value) => Math.abs(value - (corner[0] ?? 0)) < 3)).toBe(true);
      else expect((corner?.[0] ?? 0) > 200 && (corner?.[1] ?? 255) < 60).toBe(true);
    }
  });

  test.each(['png', 'jpeg', 'webp', 'avif'] as const)(
    'that is a truncated %s is refused, even where the crop cuts the missing part off',
    async (kind) => {
      const whole = await grainy(1200, 1800)
        .toFormat(kind, kind === 'avif' ? { effort: 0 } : {})
        .toBuffer();
      const target = format('linkedin-company-cover');
      await expect(one(whole, {}, target)).resolves.toMatchObject({ width: 1128 });
      for (const left of [whole.length - 20, Math.floor(whole.length * 0.9), 40]) {
        await expect(optimizePicture(async () => whole.subarray(0, left), [target], CENTER)).rejects.toMatchObject({
          name: 'PictureError',
          reason: 'UNREADABLE',
        });
      }
    },
  );

  test.each([
    ['nothing', Buffer.alloc(0), 'UNREADABLE'],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"/>'), 'UNSUPPORTED'],
  ])('that is %s is refused', async (_, bytes, reason) => {
    await expect(optimizePicture(async () => bytes, [SQUARE], CENTER)).rejects.toMatchObject({
      name: 'PictureError',
      reason,
    });
  });

  test('of more than 40 megapixels is refused by its header, without decoding it', async () => {
    const large = await sharp({ create: { width: 8_000, height: 5_001, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    await expect(optimizePicture(async () => large, [SQUARE], CENTER)).rejects.toMatchObject({
      reason: 'TOO_LARGE',
      message: expect.stringContaining('8000x5001'),
    });
  });
});

describe('a format that can not be made', () => {
  test('because the picture is too small fails alone, and says both sizes', async () => {
    const source = await map(600, 600).png().toBuffer();
    const targets = [format('youtube-channel-art'), SQUARE, format('instagram-story')];
    const [art, square, story] = await optimizePicture(async () => source, targets, CENTER);
    expect(art).toMatchObject({
      picture: null,
      failure: { reason: 'TOO_SMALL', message: expect.stringMatching(/600x600.*2560x1440.*2 times/) },
    });
    expect(pictureOf(square)).toMatchObject({ width: 1080, height: 1080 });
    expect(story?.failure?.reason).toBe('TOO_SMALL');
    const fitted = await optimizePicture(async () => source, targets, how({ crop: 'FIT', padding: 'BLUR' }));
    expect(fitted.map(({ failure }) => failure?.reason ?? null)).toEqual(['TOO_SMALL', null, null]);
  });

  test('within the bytes that its platform takes fails alone, and says how many it needs', async () => {
    const source = await grainy(2560, 1440).png({ compressionLevel: 1 }).toBuffer();
    const targets = [format('youtube-channel-art'), format('facebook-cover')];
    const [art, cover] = await optimizePicture(async () => source, targets, CENTER);
    expect(art).toMatchObject({
      picture: null,
      failure: {
        reason: 'TOO_MANY_BYTES',
        message: expect.stringMatching(/youtube-channel-art has \d{7,} bytes.*YOUTUBE takes at most 2000000.*JPEG/),
      },
    });
    expect(cover?.failure).toBeNull();
    const asJpeg = await one(source, { outputFormat: 'JPEG' }, format('youtube-channel-art'));
    expect(asJpeg.bytes.length).toBeLessThanOrEqual(2_000_000);
  });
});
