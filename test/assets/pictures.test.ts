import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { admitPicture } from '../../src/assets/intake.ts';
import { finishPicture, inFreeTurn, type PictureErrorReason } from '../../src/assets/pictures.ts';
import { preparePicture } from '../../src/assets/sent-pictures.ts';
import { optimizePicture } from '../../src/social/optimizer.ts';
import { SOCIAL_FORMATS } from '../../src/social/social-formats.ts';
import { animatedWebp, declaringPng, PNG_MAGIC, withChunk } from './hostile-pictures.ts';
import { grainy } from './library.ts';

const FULL = { width: 256, height: 192 };
const AS_IT_IS = { canvas: null, reducedTo: null, sentAs: 'image/png', bytesMax: 1e9, opaque: false } as const;

/** As one word: a difference in pixels, written out, would fill the screen for minutes. */
async function samePixels(one: Buffer, other: Buffer): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((bytes) => sharp(bytes).raw().toBuffer()));
  return first !== undefined && second !== undefined && first.equals(second);
}

describe('finishing a picture', () => {
  let png: Buffer;
  let jpeg: Buffer;
  let webp: Buffer;
  let avif: Buffer;

  beforeAll(async () => {
    const picture = await grainy(FULL.width, FULL.height).png().toBuffer();
    png = picture;
    jpeg = await sharp(picture).jpeg().toBuffer();
    webp = await sharp(picture).webp().toBuffer();
    avif = await sharp(picture).avif({ effort: 0 }).toBuffer();
  });

  const refused = (bytes: Buffer, reason: PictureErrorReason, target = FULL) =>
    expect(finishPicture(bytes, target)).rejects.toMatchObject({ name: 'PictureError', reason });

  it('keeps the very bytes of a PNG that is already what was sold', async () => {
    const finished = await finishPicture(png, FULL);
    expect(finished.bytes).toBe(png);
    expect({ ...finished, bytes: null }).toEqual({
      bytes: null,
      ...FULL,
      contentType: 'image/png',
      sha256: createHash('sha256').update(png).digest('hex'),
      transparent: false,
    });
  });

  it.each(['jpeg', 'webp', 'avif'] as const)('turns %s into PNG of the same size', async (format) => {
    const bytes = { jpeg, webp, avif }[format];
    const finished = await finishPicture(bytes, FULL);
    expect(await sharp(finished.bytes).metadata()).toMatchObject({ format: 'png', ...FULL, space: 'srgb' });
    expect(finished.contentType).toBe('image/png');
    expect(finished.sha256).toBe(createHash('sha256').update(finished.bytes).digest('hex'));
  });

  it.each([
    { width: 128, height: 96 },
    { width: 300, height: 100 },
    { width: 100, height: 300 },
    { width: 512, height: 384 },
    { width: 64, height: 64 },
    { width: 257, height: 193 },
  ])('brings a picture to exactly $width x $height', async (target) => {
    const finished = await finishPicture(png, target);
    expect(finished).toMatchObject(target);
    expect(await sharp(finished.bytes).metadata()).toMatchObject({ format: 'png', ...target });
  });

  it('cuts the same from both sides', async () => {
    const bar = (background: string) => ({ create: { width: 100, height: 100, channels: 3 as const, background } });
    const flag = await sharp({ create: { width: 300, height: 100, channels: 3, background: '#000' } })
      .composite([
        { input: bar('#ff0000'), left: 0, top: 0 },
        { input: bar('#00ff00'), left: 100, top: 0 },
        { input: bar('#0000ff'), left: 200, top: 0 },
      ])
      .removeAlpha()
      .png()
      .toBuffer();
    const { bytes } = await finishPicture(flag, { width: 100, height: 100 });
    const { data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(0, 3)]).toEqual([0, 255, 0]);
    expect([...data.subarray(-3)]).toEqual([0, 255, 0]);
  });

  it('turns a picture upright, and measures it upright', async () => {
    const halves = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#ff0000' } })
      .composite([
        { input: { create: { width: 100, height: 100, channels: 3, background: '#0000ff' } }, left: 100, top: 0 },
      ])
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const { bytes } = await finishPicture(halves, { width: 100, height: 200 });
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 100, height: 200 });
    const { data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    const [top, bottom] = [[...data.subarray(0, 3)], [...data.subarray(-3)]];
    expect(top[0]).toBeGreaterThan(250);
    expect(bottom[2]).toBeGreaterThan(250);
  });

  it('turns a PNG upright even when its size already fits', async () => {
    const sideways = await sharp(png).withMetadata({ orientation: 3 }).png().toBuffer();
    const { bytes } = await finishPicture(sideways, FULL);
    expect((await sharp(bytes).metadata()).orientation).toBeUndefined();
    expect(await samePixels(bytes, await sharp(png).rotate(180).png().toBuffer())).toBe(true);
  });

  it('keeps transparency', async () => {
    const cutout = await sharp({ create: { width: 100, height: 100, channels: 4, background: '#ff000000' } })
      .png()
      .toBuffer();
    const { bytes, transparent } = await finishPicture(cutout, { width: 50, height: 50 });
    expect(await sharp(bytes).metadata()).toMatchObject({ channels: 4, hasAlpha: true });
    expect(transparent).toBe(true);
  });

  it('carries no metadata over, and turns 16 bits, grey and CMYK into plain sRGB', async () => {
    const sources = {
      gps: await sharp(png)
        .withExif({ IFD3: { GPSLatitudeRef: 'N' } })
        .jpeg()
        .toBuffer(),
      deep: await sharp(png).toColourspace('rgb16').png().toBuffer(),
      grey: await sharp(png).toColourspace('b-w').jpeg().toBuffer(),
      cmyk: await sharp(png).toColourspace('cmyk').jpeg().toBuffer(),
    };
    for (const bytes of Object.values(sources)) {
      const finished = await finishPicture(bytes, { width: 200, height: 150 });
      const metadata = await sharp(finished.bytes).metadata();
      expect(metadata).toMatchObject({ space: 'srgb', depth: 'uchar', channels: 3 });
      expect([metadata.exif, metadata.icc, metadata.xmp, metadata.iptc]).toEqual(Array(4).fill(undefined));
    }
  });

  it('keeps nothing that hides behind or beside the picture', async () => {
    const polyglot = Buffer.concat([png, Buffer.from('<script>alert(1)</script>')]);
    const animated = withChunk(png, 'acTL', Buffer.alloc(8));
    for (const bytes of [polyglot, animated]) {
      const finished = await finishPicture(bytes, FULL);
      expect(finished.bytes.includes('<script>')).toBe(false);
      expect(finished.bytes.includes('acTL')).toBe(false);
      expect(await samePixels(finished.bytes, png)).toBe(true);
    }
  });

  it('keeps the first frame of an animation', async () => {
    const { bytes } = await finishPicture(await animatedWebp({ lossless: true }), { width: 64, height: 64 });
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect(info).toMatchObject({ width: 64, height: 64 });
  });

  it.each(['png', 'jpeg', 'webp', 'avif'] as const)('refuses a truncated %s', async (format) => {
    const bytes = { png, jpeg, webp, avif }[format];
    for (const left of [bytes.length - 13, Math.ceil(bytes.length / 2), 40]) {
      await refused(bytes.subarray(0, left), 'UNREADABLE');
    }
  });

  it('refuses a truncated picture even when a crop would have cut the missing part off', async () => {
    const narrow = { width: 256, height: 64 };
    await expect(finishPicture(png, narrow)).resolves.toMatchObject(narrow);
    await refused(png.subarray(0, Math.floor(png.length * 0.9)), 'UNREADABLE', narrow);
    await refused(jpeg.subarray(0, Math.floor(jpeg.length * 0.9)), 'UNREADABLE', narrow);
  });

  it('refuses a picture with a damaged part', async () => {
    const damaged = Buffer.from(png);
    damaged[Math.floor(png.length / 2)] = (damaged[Math.floor(png.length / 2)] ?? 0) ^ 0xff;
    await refused(damaged, 'UNREADABLE');
  });

  it('forgives damaged metadata, which it drops anyway', async () => {
    const profile = withChunk(png, 'iCCP', Buffer.from('zzzz'));
    const exif = withChunk(png, 'eXIf', Buffer.from('MM\0*garbage-garbage'));
    for (const bytes of [profile, exif]) {
      await expect(finishPicture(bytes, { width: 128, height: 96 })).resolves.toMatchObject({ width: 128 });
    }
  });

  it.each([
    [30_000, 30_000],
    [50_000, 50_000],
    [1_000_000, 41],
    [8_000, 5_001],
  ])('refuses a few bytes that declare %i x %i pixels, without decoding them', async (width, height) => {
    const bomb = declaringPng(width, height);
    expect(bomb.length).toBeLessThan(1_000);
    const before = process.memoryUsage.rss();
    await refused(bomb, 'TOO_LARGE', { width: 1024, height: 1024 });
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('refuses more bytes than it reads, by their number alone', async () => {
    await refused(Buffer.alloc(80 * 1024 * 1024 + 1), 'TOO_LARGE');
  });

  it('enlarges up to twice a side and not a pixel more', async () => {
    const twice = { width: FULL.width * 2, height: FULL.height * 2 };
    await expect(finishPicture(png, twice)).resolves.toMatchObject(twice);
    await refused(png, 'TOO_SMALL', { ...twice, width: twice.width + 1 });
    await refused(png, 'TOO_SMALL', { ...twice, height: twice.height + 1 });
    await refused(png, 'TOO_SMALL', { width: 64, height: twice.height + 1 });
  });

  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="192"><rect width="9" height="9"/></svg>';
  it.each([
    ['SVG', Buffer.from(svg)],
    ['SVG behind an XML declaration', Buffer.from(`<?xml version="1.0"?>${svg}`)],
    ['PDF', Buffer.from('%PDF-1.7\n')],
    ['HTML', Buffer.from('<!doctype html><title>503</title>')],
    ['JSON', Buffer.from('{"error":"overloaded"}')],
    ['PSD', Buffer.from('8BPS\0\x01')],
    ['ICO', Buffer.from('0000010001001010', 'hex')],
    ['HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')],
    ['zeroes', Buffer.alloc(1_000)],
  ])('refuses %s, whatever it was called', (_format, bytes) => refused(bytes, 'UNSUPPORTED'));

  it.each(['gif', 'tiff'] as const)('refuses %s', async (format) => {
    await refused(await sharp(png).toFormat(format).toBuffer(), 'UNSUPPORTED');
  });

  it('refuses nothing at all, and a signature with nothing behind it', async () => {
    await refused(Buffer.alloc(0), 'UNREADABLE');
    await refused(PNG_MAGIC, 'UNREADABLE');
    await refused(declaringPng(0, 0), 'UNREADABLE');
    await refused(Buffer.concat([PNG_MAGIC, Buffer.from(svg)]), 'UNREADABLE');
  });

  it('goes on after refusals, many at a time', async () => {
    const work = Array.from({ length: 12 }, (_, i) =>
      finishPicture(i % 2 ? jpeg : jpeg.subarray(0, 2_000), FULL).then(
        () => 'finished',
        (error) => error.reason,
      ),
    );
    expect(await Promise.all(work)).toEqual(Array.from({ length: 12 }, (_, i) => (i % 2 ? 'finished' : 'UNREADABLE')));
  });
});

describe('the turns of decoding', () => {
  const ORDINARY = { crop: 'CENTER', focalPoint: null, padding: null, outputFormat: 'JPEG' } as const;

  it('are others for what is paid for than for what is free, however much of that there is', async () => {
    const png = await grainy(FULL.width, FULL.height).png().toBuffer();
    const gate = Promise.withResolvers<void>();
    const [square] = SOCIAL_FORMATS;
    if (!square) throw new Error('there are no social formats');
    const read = vi.fn(async () => png);
    const held = Array.from({ length: 64 }, () => inFreeTurn(() => gate.promise));
    const ended = vi.fn();
    const free = [
      admitPicture(png, { field: 'url', again: '' }).finally(ended),
      optimizePicture(read, [square], ORDINARY).finally(ended),
    ];
    await finishPicture(png, FULL);
    await preparePicture(async () => png, { ...FULL, contentType: 'image/png' }, AS_IT_IS);
    expect(ended).not.toHaveBeenCalled();
    expect(read).not.toHaveBeenCalled();
    gate.resolve();
    await Promise.all([...held, ...free]);
    expect(read).toHaveBeenCalledTimes(1);
  });
});

describe('a picture that is black all over', () => {
  it.each([
    ['black', 0],
    ['as good as black', 2],
  ])('%s is refused by that name, because vendors withhold pictures so', async (_, value) => {
    const black = await sharp({
      create: { width: 300, height: 200, channels: 3, background: { r: value, g: value, b: value } },
    })
      .png()
      .toBuffer();
    await expect(finishPicture(black, { width: 300, height: 200 })).rejects.toMatchObject({ reason: 'BLACK' });
  });

  it('but one small light in the dark is a picture', async () => {
    const star = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    const night = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#000' } })
      .composite([{ input: star, left: 40, top: 40 }])
      .png()
      .toBuffer();
    expect(await finishPicture(night, { width: 300, height: 200 })).toMatchObject({ width: 300, height: 200 });
  });

  describe('with a frame', () => {
    /** A white cross in the middle of a picture that was extended from 300x200 to 300x260 and drawn at half of that. */
    const drawn = async (width: number, height: number) => {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 300 260" preserveAspectRatio="none">
        <rect width="300" height="260" fill="#204080"/><rect x="140" y="120" width="20" height="20" fill="#fff"/></svg>`;
      return sharp(Buffer.from(svg)).removeAlpha().png().toBuffer();
    };
    const frame = { width: 300, height: 260 };
    const target = { width: 300, height: 200 };

    it.each([
      [150, 130],
      [600, 520],
      [320, 260],
    ])('cuts its middle out of %ix%i, and everything stays in its place', async (width, height) => {
      const { bytes } = await finishPicture(await drawn(width, height), target, { frame });
      const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([300, 200]);
      const redAt = (x: number, y: number) => data[(y * 300 + x) * info.channels] ?? 0;
      expect([redAt(150, 100), redAt(145, 95), redAt(154, 104)].every((red) => red > 200)).toBe(true);
      expect([redAt(130, 100), redAt(170, 100), redAt(150, 80), redAt(150, 120)].every((red) => red < 80)).toBe(true);
    });

    it('refuses a picture of another shape', async () => {
      await expect(finishPicture(await drawn(300, 300), target, { frame })).rejects.toMatchObject({
        reason: 'WRONG_SHAPE',
        message: 'The picture is 300x300, which is not the shape of 300x260',
      });
    });
  });

  it.each(['image/jpeg', 'image/webp'] as const)('is stored as %s where that is asked for', async (contentType) => {
    const half = sharp({ create: { width: 40, height: 40, channels: 4, background: '#ff000080' } });
    const finished = await finishPicture(await half.png().toBuffer(), { width: 40, height: 40 }, { contentType });
    expect(finished).toMatchObject({ contentType, transparent: contentType === 'image/webp' });
    expect((await sharp(finished.bytes).metadata()).format).toBe(contentType.slice(6));
    const [red = 0, green = 0] = (await sharp(finished.bytes).raw().toBuffer()).subarray(0, 2);
    // What cannot be transparent lies on white.
    if (contentType === 'image/jpeg') expect([red > 240, green > 110 && green < 145]).toEqual([true, true]);
  });
});
