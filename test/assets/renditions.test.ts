import sharp from 'sharp';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Asset } from '../../src/assets/asset.ts';
import type { RenditionFormat, RenditionWish } from '../../src/assets/rendition.ts';
import { at, pixelsOf } from '../support/pixels.ts';
import { deliveryServer, headersOf, SAFETY_HEADERS } from './delivery-server.ts';
import { grainy, realPicture } from './library.ts';

const server = deliveryServer();
let asset: Asset;
beforeEach(async () => {
  asset = await server().keep(await realPicture(grainy(160, 120).png()));
});

const urlOf = (wish: RenditionWish, of: Asset = asset) => server().library.renditions.signedUrl(of, wish);

async function fetched(wish: RenditionWish, of: Asset = asset): Promise<Buffer> {
  const response = await fetch(urlOf(wish, of));
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

describe('a picture in another size or format', () => {
  it('without a wish has the very address of the original', () => {
    expect(urlOf({})).toBe(server().library.service.signedUrl(asset));
    expect(urlOf({ fit: 'INSIDE', width: null })).toBe(server().library.service.signedUrl(asset));
  });

  it.each<[RenditionFormat, string, string]>([
    ['PNG', 'png', 'image/png'],
    ['JPEG', 'jpeg', 'image/jpeg'],
    ['WEBP', 'webp', 'image/webp'],
    ['AVIF', 'heif', 'image/avif'],
  ])('is a whole %s of exactly the size, whichever way it is fitted', async (format, decoded, contentType) => {
    const wishes: [RenditionWish, number, number][] = [
      [{ width: 80 }, 80, 60],
      [{ width: 50, height: 50, fit: 'COVER' }, 50, 50],
      [{ width: 50, height: 90, fit: 'CONTAIN' }, 50, 90],
      [{}, 160, 120],
      [{ width: 4096, height: 4096, fit: 'COVER' }, 120, 120],
      [{ width: 4096, height: 4096, fit: 'CONTAIN' }, 160, 160],
      [{ width: 17, height: 16, fit: 'COVER' }, 17, 16],
    ];
    for (const [wish, width, height] of wishes) {
      const response = await fetch(urlOf({ ...wish, format }));
      expect([response.status, response.headers.get('content-type')]).toEqual([200, contentType]);
      const bytes = Buffer.from(await response.arrayBuffer());
      const metadata = await sharp(bytes).metadata();
      expect([metadata.format, metadata.width, metadata.height]).toEqual([decoded, width, height]);
      await sharp(bytes, { failOn: 'warning' }).stats();
    }
  });

  it('keeps the format of the original when none is asked for', async () => {
    for (const [drawing, type, format] of [
      [grainy(64, 64).jpeg(), 'image/jpeg', 'jpeg'],
      [grainy(64, 64).webp(), 'image/webp', 'webp'],
      [grainy(64, 64).avif(), 'image/avif', 'heif'],
    ] as const) {
      const kept = await server().keep(await realPicture(drawing, type));
      expect((await sharp(await fetched({ width: 32 }, kept)).metadata()).format).toBe(format);
    }
  });

  /** Left half red, right half blue. */
  const halves = async (width: number, height: number) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="50%" height="100%" fill="#f00"/><rect x="50%" width="50%" height="100%" fill="#00f"/></svg>`;
    return server().keep(await realPicture(sharp(Buffer.from(svg)).removeAlpha().png()));
  };

  it('shows the whole INSIDE, the middle with COVER, and the whole on a clear ground with CONTAIN', async () => {
    const wide = await halves(200, 100);
    const [red, blue, clear] = [
      [255, 0, 0, 255],
      [0, 0, 255, 255],
      [0, 0, 0, 0],
    ];
    const corners = async (wish: RenditionWish) => {
      const pixels = await pixelsOf(await fetched({ ...wish, format: 'PNG' }, wide));
      return [at(pixels, 0, 0), at(pixels, pixels.width - 1, pixels.height - 1), at(pixels, 2, pixels.height / 2)];
    };
    expect(await corners({ width: 100, height: 100 })).toEqual([red, blue, red]);
    expect(await corners({ width: 50, height: 50, fit: 'COVER' })).toEqual([red, blue, red]);
    expect(await corners({ width: 100, height: 100, fit: 'CONTAIN' })).toEqual([clear, clear, red]);
    const white = await pixelsOf(await fetched({ width: 100, height: 100, fit: 'CONTAIN', format: 'JPEG' }, wide));
    expect(at(white, 0, 0)).toEqual([255, 255, 255, 255]);
    expect(at(white, 99, 99)).toEqual([255, 255, 255, 255]);
  });

  it('puts what shows through on white in a JPEG, and keeps it showing through elsewhere', async () => {
    const ground = { r: 0, g: 0, b: 0, alpha: 0 };
    const clear = sharp({ create: { width: 64, height: 64, channels: 4, background: ground } });
    const kept = await server().keep(await realPicture(clear.png()));
    for (const fit of ['INSIDE', 'COVER', 'CONTAIN'] as const) {
      const pixel = async (format: RenditionFormat) =>
        at(await pixelsOf(await fetched({ width: 32, height: 32, fit, format }, kept)), 16, 16);
      expect(await pixel('JPEG')).toEqual([255, 255, 255, 255]);
      for (const format of ['PNG', 'WEBP', 'AVIF'] as const) expect((await pixel(format))[3]).toBe(0);
    }
  });

  it('carries nothing of what the original said beside its pixels, and stands upright', async () => {
    const exif = { IFD0: { Copyright: 'somebody', Make: 'a camera' }, IFD3: { GPSLatitudeRef: 'N' } };
    const turned = grainy(80, 40).withExif(exif).withMetadata({ orientation: 6 }).jpeg();
    const kept = await server().keep(await realPicture(turned, 'image/jpeg'));
    expect((await sharp(await bytesOf(kept)).metadata()).exif).toBeDefined();
    for (const format of ['PNG', 'JPEG', 'WEBP', 'AVIF'] as const) {
      const bytes = await fetched({ format }, kept);
      const { exif: none, icc, xmp, iptc, orientation, width, height } = await sharp(bytes).metadata();
      expect([none, icc, xmp, iptc, orientation ?? 1]).toEqual([undefined, undefined, undefined, undefined, 1]);
      expect([width, height]).toEqual([40, 80]);
      expect(bytes.includes('somebody')).toBe(false);
    }
  });
  const bytesOf = (of: Asset) => server().library.service.read(of);

  it('is sRGB with 8 bits a channel, whatever the original is', async () => {
    const deep = grainy(64, 64).toColourspace('rgb16').withIccProfile('p3').png();
    const kept = await server().keep(await realPicture(deep));
    expect((await sharp(await bytesOf(kept)).metadata()).depth).toBe('ushort');
    const { depth, space, icc } = await sharp(await fetched({ width: 32 }, kept)).metadata();
    expect([depth, space, icc]).toEqual(['uchar', 'srgb', undefined]);
  });
});

describe('delivering it', () => {
  const wish = { width: 80, format: 'WEBP' } as const;

  async function wholeHeaders() {
    const bytes = await fetched(wish);
    const [row] = (await server().library.renditionsOf(asset)).filter(({ spec }) => spec === 'inside-80x60.webp');
    return {
      ...SAFETY_HEADERS,
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=810, immutable',
      'content-disposition': `inline; filename="${asset.id}-80x60.webp"`,
      'content-length': String(bytes.length),
      'content-type': 'image/webp',
      etag: `"${row?.sha256}"`,
      'last-modified': 'Sun, 05 May 2030 12:01:30 GMT',
    };
  }

  it('sends exactly these headers, also for HEAD, which draws it too', async () => {
    const head = await fetch(urlOf(wish), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(headersOf(head)).toEqual(await wholeHeaders());
    const whole = await fetch(urlOf(wish));
    expect(headersOf(whole)).toEqual(await wholeHeaders());
    expect(headersOf(whole).etag).not.toBe(`"${asset.sha256}"`);
  });

  it('says that a copy is still good, and sends a part', async () => {
    const { etag, ...headers } = await wholeHeaders();
    const again = await fetch(urlOf(wish), { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text(), headersOf(again).etag]).toEqual([304, '', etag]);
    const other = await fetch(urlOf(wish), { headers: { 'if-none-match': `"${asset.sha256}"` } });
    expect(other.status).toBe(200);
    const part = await fetch(urlOf(wish), { headers: { range: 'bytes=8-11', 'if-range': etag } });
    expect([part.status, await part.text()]).toEqual([206, 'WEBP']);
    expect(part.headers.get('content-range')).toBe(`bytes 8-11/${headers['content-length']}`);
    const behind = await fetch(urlOf(wish), { headers: { range: 'bytes=9999999-' } });
    expect([behind.status, behind.headers.get('etag')]).toEqual([416, null]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('does not allow %s', async (method) => {
    const response = await fetch(urlOf(wish), { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await server().library.renditionsOf(asset)).toEqual([]);
  });

  it('has one address within five minutes, and opens it until its second', async () => {
    const { library } = server();
    const first = urlOf(wish);
    library.now = new Date('2030-05-05T12:04:59.999Z');
    expect(urlOf(wish)).toBe(first);
    library.now = new Date('2030-05-05T12:05:00.000Z');
    expect(urlOf(wish)).not.toBe(first);
    library.now = new Date('2030-05-05T12:14:59.999Z');
    expect((await fetch(first)).headers.get('cache-control')).toBe('private, max-age=1, immutable');
    library.now = new Date('2030-05-05T12:15:00.000Z');
    expect((await fetch(first)).status).toBe(403);
  });

  describe('without the right to it', () => {
    const path = (url: URL, from: string, to: string) =>
      Object.assign(url, { pathname: url.pathname.replace(from, to) });
    const tampered: [string, (url: URL, other: Asset) => unknown][] = [
      ['another width', (url) => path(url, '80x60', '81x60')],
      ['another fit', (url) => path(url, 'inside', 'cover')],
      ['another format', (url) => path(url, '.webp', '.png')],
      ['a size spelt otherwise', (url) => path(url, '80x60', '080x60')],
      ['capitals', (url) => path(url, 'inside', 'INSIDE')],
      ['no spec', (url) => path(url, '/inside-80x60.webp', '')],
      ['more behind the spec', (url) => path(url, '.webp', '.webp%00')],
      ['the spec inside of the id', (url) => path(url, '/inside', '%2Finside')],
      ['another asset', (url, other) => path(url, asset.id, other.id)],
      ['the signature of the original', (url) => url.searchParams.set('signature', originalSignature())],
      ['a later expiry', (url) => url.searchParams.set('expires', '2000000000')],
      ['two signatures', (url) => url.searchParams.append('signature', url.searchParams.get('signature') ?? '')],
      ['two expiries', (url) => url.searchParams.append('expires', url.searchParams.get('expires') ?? '')],
      ['no signature', (url) => url.searchParams.delete('signature')],
    ];
    const originalSignature = () => new URL(urlOf({})).searchParams.get('signature') ?? '';

    it.each(tampered)('refuses an address with %s, and draws nothing', async (_what, tamper) => {
      const other = await server().keep(await realPicture(grainy(160, 120).png()));
      const url = new URL(urlOf(wish));
      tamper(url, other);
      const response = await fetch(url);
      expect([response.status, response.headers.get('cache-control')]).toEqual([403, 'no-store']);
      expect(await response.json()).toMatchObject({ error: { code: 'FORBIDDEN' } });
      expect([
        ...(await server().library.renditionsOf(asset)),
        ...(await server().library.renditionsOf(other)),
      ]).toEqual([]);
    });

    it('does not mind the order of the query, nor words of others in it, and takes none of them for a wish', async () => {
      const url = new URL(urlOf(wish));
      const { expires = '', signature = '' } = Object.fromEntries(url.searchParams);
      url.search = `?width=4000&utm_source=mail&signature=${signature}&expires=${expires}`;
      const metadata = await sharp(Buffer.from(await (await fetch(url)).arrayBuffer())).metadata();
      expect([metadata.width, metadata.height]).toEqual([80, 60]);
    });
  });
});

describe('asked for by 50 at the same time', () => {
  // Enough places for each of them to draw one of its own.
  const roomy = deliveryServer({ atOnce: 50, waiting: 0, waitMs: 60_000 });

  it('is drawn once, and not again for those that come later', async () => {
    const { storage, renditions } = roomy().library;
    const kept = await roomy().keep(await realPicture(grainy(160, 120).png()));
    const put = storage.put.bind(storage);
    const arrived = Promise.withResolvers<void>();
    let requests = 0;
    roomy().app.server.on('request', () => ++requests === 50 && arrived.resolve());
    const spy = vi.spyOn(storage, 'put').mockImplementation(async (key, bytes) => {
      await arrived.promise;
      await put(key, bytes);
    });
    const url = renditions.signedUrl(kept, { width: 100, format: 'JPEG' });
    const tags = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(url)).headers.get('etag')));
    expect([new Set(tags).size, spy.mock.calls.length]).toEqual([1, 1]);
    expect((await fetch(url)).headers.get('etag')).toBe(tags[0]);
    expect(spy).toHaveBeenCalledTimes(1);
    expect(await roomy().library.renditionsOf(kept)).toHaveLength(1);
  });
});
