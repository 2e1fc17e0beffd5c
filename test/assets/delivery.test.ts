import { describe, expect, it, vi } from 'vitest';
import { CONTENT, deliveryServer, headersOf, SAFETY_HEADERS } from './delivery-server.ts';

describe('delivering a picture', () => {
  const server = deliveryServer();

  /** 12:01:30 lies in the window from 12:00; its addresses end at 12:15. */
  const wholeHeaders = () => ({
    ...SAFETY_HEADERS,
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=810, immutable',
    'content-disposition': `inline; filename="${server().asset.id}.png"`,
    'content-length': '20',
    'content-type': 'image/png',
    etag: `"${server().asset.sha256}"`,
    'last-modified': 'Sun, 05 May 2030 12:01:30 GMT',
  });

  it('sends the bytes with exactly these headers', async () => {
    const response = await server().get();
    expect(response.status).toBe(200);
    expect(headersOf(response)).toEqual(wholeHeaders());
    expect(await response.text()).toBe(CONTENT);
    expect(server().logged).toEqual([]);
  });

  it('answers HEAD with the same headers, no body, and without opening the file', async () => {
    const open = vi.spyOn(server().library.storage, 'open');
    const response = await server().get({ range: 'bytes=0-3' }, 'HEAD');
    expect(response.status).toBe(200);
    expect(headersOf(response)).toEqual(wholeHeaders());
    expect(await response.text()).toBe('');
    expect(open).not.toHaveBeenCalled();
  });

  describe('when the client has a copy', () => {
    const matching: [string, () => Record<string, string>][] = [
      ['its tag', () => ({ 'if-none-match': `"${server().asset.sha256}"` })],
      ['its tag, weakened by a proxy', () => ({ 'if-none-match': `W/"${server().asset.sha256}"` })],
      ['its tag among others', () => ({ 'if-none-match': `"other", "${server().asset.sha256}"` })],
      ['any tag', () => ({ 'if-none-match': '*' })],
      ['its date', () => ({ 'if-modified-since': 'Sun, 05 May 2030 12:01:30 GMT' })],
      [
        'its tag and an old date',
        () => ({
          'if-none-match': `"${server().asset.sha256}"`,
          'if-modified-since': 'Sun, 05 May 2020 12:01:30 GMT',
        }),
      ],
      ['its tag and a range', () => ({ 'if-none-match': `"${server().asset.sha256}"`, range: 'bytes=0-3' })],
    ];
    it.each(matching)('says that it is still good, by %s', async (_what, headers) => {
      const response = await server().get(headers());
      expect(response.status).toBe(304);
      const { 'content-length': _length, ...expected } = wholeHeaders();
      expect(headersOf(response)).toEqual(expected);
      expect(await response.text()).toBe('');
    });

    it.each([
      ['another tag', { 'if-none-match': '"other"' }],
      [
        'another tag and a good date',
        {
          'if-none-match': '"other"',
          'if-modified-since': 'Sun, 05 May 2030 12:01:30 GMT',
        },
      ],
      ['an older date', { 'if-modified-since': 'Sun, 05 May 2030 12:01:29 GMT' }],
      ['no date at all', { 'if-modified-since': 'yesterday' }],
    ])('sends the bytes for %s', async (_what, headers) => {
      const response = await server().get(headers as Record<string, string>);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(CONTENT);
    });
  });

  describe('in parts', () => {
    it.each([
      ['bytes=0-3', '0123', 'bytes 0-3/20'],
      ['bytes=16-', 'ghij', 'bytes 16-19/20'],
      ['bytes=-4', 'ghij', 'bytes 16-19/20'],
      ['bytes=18-1000', 'ij', 'bytes 18-19/20'],
      ['bytes=-1000', CONTENT, 'bytes 0-19/20'],
      ['bytes=19-19', 'j', 'bytes 19-19/20'],
      ['BYTES=0-0', '0', 'bytes 0-0/20'],
    ])('sends %s', async (range, body, contentRange) => {
      const response = await server().get({ range });
      expect(response.status).toBe(206);
      expect(headersOf(response)).toEqual({
        ...wholeHeaders(),
        'content-length': String(body.length),
        'content-range': contentRange,
      });
      expect(await response.text()).toBe(body);
    });

    it.each(['bytes=20-', 'bytes=20-25', 'bytes=-0', 'bytes=99999999999999999999-'])(
      'refuses %s, which lies behind the end',
      async (range) => {
        const response = await server().get({ range });
        expect(response.status).toBe(416);
        expect(headersOf(response)).toMatchObject({
          ...SAFETY_HEADERS,
          'cache-control': 'no-store',
          'content-range': 'bytes */20',
          'content-type': 'application/json; charset=utf-8',
        });
        expect(response.headers.get('etag')).toBeNull();
        expect(await response.json()).toEqual({
          error: { code: 'BAD_USER_INPUT', message: 'Range lies behind the end: the picture has 20 bytes.' },
        });
      },
    );

    it.each(['bytes=0-1,5-6', 'bytes=4-2', 'bytes=a-b', 'bytes=-', 'bytes', 'lines=0-3', 'bytes=1-2-3', 'bytes=0x1-2'])(
      'sends the whole for %s',
      async (range) => {
        const response = await server().get({ range });
        expect(response.status).toBe(200);
        expect(headersOf(response)).toEqual(wholeHeaders());
        expect(await response.text()).toBe(CONTENT);
      },
    );

    it('continues a copy only of the same bytes', async () => {
      const status = async (ifRange: string) =>
        (await server().get({ range: 'bytes=0-3', 'if-range': ifRange })).status;
      expect(await status(`"${server().asset.sha256}"`)).toBe(206);
      expect(await status('Sun, 05 May 2030 12:01:30 GMT')).toBe(206);
      expect(await status(`W/"${server().asset.sha256}"`)).toBe(200);
      expect(await status('"other"')).toBe(200);
      expect(await status('Sun, 05 May 2030 12:01:31 GMT')).toBe(200);
    });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('does not allow %s', async (method) => {
    const body = method === 'OPTIONS' ? null : 'x'.repeat(5_000_000);
    const response = await fetch(server().urlOf(), {
      method,
      body,
      headers: { 'content-type': 'application/x-unknown' },
    });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(await response.json()).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
    expect(await server().library.service.isIntact(server().asset)).toBe(true);
  });

  it('serves many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => (await server().get()).text()));
    expect(new Set(answers)).toEqual(new Set([CONTENT]));
  });
});
