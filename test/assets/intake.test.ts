import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { admitPicture, INTAKE_BYTES_MAX, IntakeRefusal } from '../../src/assets/intake.ts';
import { animatedWebp, declaringPng, FOREIGN, lyingAvif, packedBombs, SVG, withChunk } from './hostile-pictures.ts';
import { grainy } from './library.ts';

const SIZE = { width: 160, height: 96 };
const FORMATS = ['png', 'jpeg', 'webp', 'avif'] as const;
type Format = (typeof FORMATS)[number];

const admit = (bytes: Buffer) => admitPicture(bytes, { field: 'body', again: 'Then send it again.' });

/** As one number: the mean difference of a channel, of 255. */
async function difference(one: Buffer, other: Buffer): Promise<number> {
  const [a, b] = await Promise.all([one, other].map((bytes) => sharp(bytes).ensureAlpha().raw().toBuffer()));
  if (!a || !b || a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

describe('a picture from outside', () => {
  const picture = {} as Record<Format, Buffer>;
  let source: Sharp;
  beforeAll(async () => {
    source = sharp(await grainy(SIZE.width, SIZE.height).blur(1).png().toBuffer());
    for (const format of FORMATS) picture[format] = await source.clone().toFormat(format).toBuffer();
  });

  const refusal = async (bytes: Buffer): Promise<IntakeRefusal> => {
    const error = await admit(bytes).then(
      () => null,
      (caught: unknown) => caught,
    );
    if (!(error instanceof IntakeRefusal)) throw new Error(`not refused: ${error}`);
    return error;
  };

  describe('that is taken in', () => {
    it.each(FORMATS)('stays %s, looks as before, and none of its own bytes are kept', async (format) => {
      const admitted = await admit(picture[format]);
      expect({ ...admitted, bytes: null }).toEqual({
        bytes: null,
        ...SIZE,
        contentType: `image/${format}`,
        sha256: createHash('sha256').update(admitted.bytes).digest('hex'),
        transparent: false,
      });
      const metadata = await sharp(admitted.bytes).metadata();
      expect(metadata).toMatchObject({
        mediaType: `image/${format}`,
        ...SIZE,
        space: 'srgb',
        depth: 'uchar',
        channels: 3,
      });
      expect(await difference(admitted.bytes, picture[format])).toBeLessThan(format === 'png' ? 1e-9 : 2);
      expect(admitted.bytes.equals(picture[format])).toBe(false);
    });

    it('keeps a lossless WebP lossless, and a lossy one small', async () => {
      const lossless = await source.clone().webp({ lossless: true }).toBuffer();
      const labelled = await source
        .clone()
        .webp({ lossless: true })
        .withExif({ IFD0: { Copyright: 'x' } })
        .toBuffer();
      for (const bytes of [lossless, labelled]) expect(await difference((await admit(bytes)).bytes, bytes)).toBe(0);
      const lossy = await admit(picture.webp);
      expect(lossy.bytes.subarray(12, 16).toString()).toBe('VP8 ');
    });

    it.each([1, 2, 3, 4, 5, 6, 7, 8])(
      'is turned upright where its EXIF says %i, and measured upright',
      async (orientation) => {
        const turned = await source.clone().withMetadata({ orientation }).jpeg({ quality: 100 }).toBuffer();
        const upright = await sharp(turned).autoOrient().png().toBuffer();
        const admitted = await admit(turned);
        const metadata = await sharp(admitted.bytes).metadata();
        const lies = orientation > 4;
        expect([admitted.width, admitted.height]).toEqual(lies ? [96, 160] : [160, 96]);
        expect(metadata.orientation).toBeUndefined();
        expect([metadata.width, metadata.height]).toEqual([admitted.width, admitted.height]);
        expect(await difference(admitted.bytes, upright)).toBeLessThan(2);
      },
    );

    it.each(FORMATS)(
      'loses the place where it was taken, and everything else that is not to be seen: %s',
      async (format) => {
        const telling = await source
          .clone()
          .withExif({
            IFD0: { Artist: 'SECRET-NAME' },
            IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' },
          })
          .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET-NAME</x:xmpmeta>')
          .withIccProfile('p3')
          .toFormat(format)
          .toBuffer();
        expect(telling.includes('SECRET-NAME')).toBe(true);
        const { bytes } = await admit(telling);
        const metadata = await sharp(bytes).metadata();
        expect([metadata.exif, metadata.icc, metadata.xmp, metadata.iptc]).toEqual(Array(4).fill(undefined));
        expect(bytes.includes('SECRET-NAME')).toBe(false);
        expect(bytes.includes('GPS')).toBe(false);
      },
    );

    it('shows the same colours in sRGB that its own profile meant', async () => {
      const wide = await sharp({ create: { ...SIZE, channels: 3, background: '#30c060' } })
        .withIccProfile('p3')
        .png()
        .toBuffer();
      const stored = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
      const { bytes } = await admit(wide);
      const seen = await sharp(bytes).raw().toBuffer();
      expect([...stored.subarray(0, 3)]).not.toEqual([0x30, 0xc0, 0x60]);
      expect([0x30, 0xc0, 0x60].map((value, i) => Math.abs(value - (seen[i] ?? 0))).every((off) => off <= 2)).toBe(
        true,
      );
    });

    it('becomes plain sRGB with 8 bits a channel from CMYK, 16 bits, 12 bits, grey, and a palette', async () => {
      const sources = {
        cmyk: source.clone().toColourspace('cmyk').jpeg(),
        deep: source.clone().toColourspace('rgb16').png(),
        deepAvif: source.clone().avif({ bitdepth: 12 }),
        grey: source.clone().toColourspace('b-w').png(),
        palette: source.clone().png({ palette: true }),
        progressive: source.clone().jpeg({ progressive: true }),
        interlaced: source.clone().png({ progressive: true }),
      };
      for (const [name, each] of Object.entries(sources)) {
        const { bytes, width, height } = await admit(await each.toBuffer());
        const { space, depth, channels } = await sharp(bytes).metadata();
        expect({ name, space, depth, channels, width, height }).toEqual({
          name,
          space: 'srgb',
          depth: 'uchar',
          channels: 3,
          ...SIZE,
        });
      }
    });

    it.each(['png', 'webp', 'avif'] as const)(
      'keeps what shows through a %s, and says that something does',
      async (format) => {
        const half = { create: { width: 80, height: 96, channels: 4 as const, background: '#ff000000' } };
        const cutout = await source
          .clone()
          .ensureAlpha()
          .composite([{ input: half, left: 0, top: 0, blend: 'dest-in' }])
          .toFormat(format)
          .toBuffer();
        const admitted = await admit(cutout);
        expect(admitted.transparent).toBe(true);
        const { data } = await sharp(admitted.bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
        expect([data[3], data[159 * 4 + 3]].map((alpha) => (alpha ?? 0) > 127)).toEqual([false, false]);
        expect(await sharp(admitted.bytes).metadata()).toMatchObject({ hasAlpha: true });
      },
    );

    it('is not called transparent for an alpha channel that hides nothing', async () => {
      expect((await admit(await source.clone().ensureAlpha().png().toBuffer())).transparent).toBe(false);
      const palette = await sharp({ create: { ...SIZE, channels: 4, background: '#33669900' } })
        .png({ palette: true })
        .toBuffer();
      expect((await admit(palette)).transparent).toBe(true);
    });

    it.each([
      ['a script', Buffer.from('<script>alert(1)</script>')],
      ['an archive', Buffer.from('PK\x03\x04 the rest of a ZIP PK\x05\x06', 'latin1')],
      ['another picture', Buffer.from(SVG)],
    ])('loses %s that hides behind its end', async (_, hidden) => {
      for (const format of FORMATS) {
        const { bytes } = await admit(Buffer.concat([picture[format], hidden]));
        expect(bytes.includes(hidden)).toBe(false);
        expect(await difference(bytes, picture[format])).toBeLessThan(2);
      }
    });

    it('is not stopped by metadata that is damaged, or that unpacks to a quarter of a gigabyte, and memory stays flat', async () => {
      const bombs = packedBombs(picture.png);
      const before = process.memoryUsage.rss();
      const damaged = [
        withChunk(picture.png, 'iCCP', Buffer.from('zzzz')),
        withChunk(picture.png, 'eXIf', Buffer.from('MM\0*garbage')),
      ];
      for (const bytes of [...damaged, ...bombs]) expect(await admit(bytes)).toMatchObject(SIZE);
      expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
    });

    it.each([
      [32, 32],
      [32, 16_384],
      [16_384, 32],
    ])('may be as small as %i x %i', async (width, height) => {
      const bytes = await sharp({ create: { width, height, channels: 3, background: '#777' } })
        .png()
        .toBuffer();
      expect(await admit(bytes)).toMatchObject({ width, height });
    });

    it('may be black all over', async () => {
      const black = await sharp({ create: { ...SIZE, channels: 3, background: '#000' } })
        .png()
        .toBuffer();
      expect(await admit(black)).toMatchObject(SIZE);
    });
  });

  describe('that is refused', () => {
    it('is refused by field, value and limit, and told what it cost and what to do', async () => {
      const error = await refusal(Buffer.from(SVG));
      expect(error.message).toBe(
        'The picture is an SVG drawing, but it must be a PNG, JPEG, WebP or AVIF picture. Nothing was kept and nothing was charged. Its content counts, not its name: save it as one of these. Then send it again.',
      );
      expect([error.code, error.details]).toEqual([
        'BAD_USER_INPUT',
        {
          field: 'body',
          value: 'an SVG drawing',
          limit: 'a PNG, JPEG, WebP or AVIF picture',
          reason: 'UNSUPPORTED',
        },
      ]);
    });

    it.each(FOREIGN)('is called by its name: %s', async (found, bytes) => {
      expect((await refusal(bytes)).details).toMatchObject({ value: found, reason: 'UNSUPPORTED' });
    });

    it.each(['gif', 'tiff'] as const)('is no real %s either', async (format) => {
      expect(await refusal(await source.clone().toFormat(format).toBuffer())).toMatchObject({ reason: 'UNSUPPORTED' });
    });

    it('is no animation: PNG, WebP, AVIF', async () => {
      const sequence = Buffer.from(picture.avif);
      sequence.write('avis', 8, 'latin1');
      const compatible = Buffer.from(picture.avif);
      compatible.write('avis', 20, 'latin1');
      const cases: [string, Buffer][] = [
        ['an animated PNG', withChunk(picture.png, 'acTL', Buffer.alloc(8))],
        ['an animated PNG', withChunk(withChunk(picture.png, 'acTL', Buffer.alloc(8)), 'tEXt', Buffer.from('x\0y'))],
        ['an animated WebP', await animatedWebp()],
        ['an animated AVIF', sequence],
        ['an animated AVIF', compatible],
      ];
      for (const [found, bytes] of cases) {
        expect((await refusal(bytes)).details).toMatchObject({
          value: found,
          limit: 'a still picture',
          reason: 'ANIMATED',
        });
      }
    });

    it.each(FORMATS)('is not cut off anywhere: %s', async (format) => {
      const whole = picture[format];
      for (const share of [0.1, 0.25, 0.5, 0.75, 0.95]) {
        const cut = whole.subarray(0, Math.floor(whole.length * share));
        expect([share, (await refusal(cut)).reason]).toEqual([share, 'UNREADABLE']);
      }
      expect((await refusal(whole.subarray(0, 12))).reason).toBe('UNREADABLE');
    });

    it('is not damaged in the middle', async () => {
      const damaged = Buffer.from(picture.png);
      const middle = Math.floor(damaged.length / 2);
      damaged[middle] = (damaged[middle] ?? 0) ^ 0xff;
      expect((await refusal(damaged)).details).toMatchObject({ value: 'truncated or corrupt', reason: 'UNREADABLE' });
    });

    it('has bytes, and pixels', async () => {
      expect((await refusal(Buffer.alloc(0))).details).toMatchObject({ value: 'empty', reason: 'EMPTY' });
      expect((await refusal(declaringPng(0, 0))).reason).toBe('UNREADABLE');
      expect((await refusal(declaringPng(0, 100))).reason).toBe('UNREADABLE');
    });

    it.each([
      [30_000, 30_000],
      [50_000, 50_000],
      [16_000, 16_000],
      [16_385, 32],
      [32, 16_385],
      [8_000, 5_001],
    ])('is no bomb: %i x %i, seen before anything is decoded', async (width, height) => {
      const bomb = declaringPng(width, height);
      expect(bomb.length).toBeLessThan(1_000);
      const before = process.memoryUsage.rss();
      expect((await refusal(bomb)).details).toEqual({
        field: 'body',
        value: `${width}x${height} pixels`,
        limit: 'at most 16384 pixels on each side and 40000000 in all',
        reason: 'TOO_MANY_PIXELS',
      });
      expect(process.memoryUsage.rss() - before).toBeLessThan(32 * 1024 * 1024);
    });

    it.each([
      [31, 400],
      [400, 31],
      [1, 1],
    ])('is not smaller than anything can be done with: %i x %i', async (width, height) => {
      const bytes = await sharp({ create: { width, height, channels: 3, background: '#777' } })
        .png()
        .toBuffer();
      expect((await refusal(bytes)).details).toMatchObject({
        value: `${width}x${height} pixels`,
        limit: 'at least 32 pixels on each side',
        reason: 'TOO_SMALL',
      });
    });

    it('does not lie about its size: an AVIF that declares 512 x 512 and holds 9 megapixels', async () => {
      const bytes = await lyingAvif();
      expect(await sharp(bytes).metadata()).toMatchObject({ width: 512, height: 512 });
      const before = process.memoryUsage.rss();
      expect((await refusal(bytes)).reason).toBe('UNREADABLE');
      expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
    });

    it('is at most 25 MiB long, and a byte more is refused by the number alone', async () => {
      const bytes = Buffer.concat([picture.png, Buffer.alloc(INTAKE_BYTES_MAX - picture.png.length)]);
      expect(await admit(bytes)).toMatchObject(SIZE);
      expect((await refusal(Buffer.concat([bytes, Buffer.alloc(1)]))).details).toEqual({
        field: 'body',
        value: '26214401 bytes long',
        limit: 'at most 26214400 bytes long',
        reason: 'TOO_LARGE',
      });
    });
  });
});
