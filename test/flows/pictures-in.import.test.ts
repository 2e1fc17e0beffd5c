import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { animatedWebp, declaringPng, FOREIGN, SVG } from '../assets/hostile-pictures.ts';
import { grainy } from '../assets/library.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type PictureServer, startPictureServer } from '../support/picture-server.ts';
import { openAccount } from '../support/stories.ts';

let gateway: TestGateway;
/** One that the operator lets us call, and one inside that nobody may. */
let outside: PictureServer;
let inside: PictureServer;
let key: string;
let picture: Buffer;
beforeAll(async () => {
  outside = await startPictureServer();
  inside = await startPictureServer();
  gateway = await startTestGateway({ environment: { OUTBOUND_ALLOW: outside.host } });
  picture = await grainy(80, 64).png().toBuffer();
  for (const server of [outside, inside]) server.answers.set('/a.png', (response) => response.end(picture));
});
afterAll(async () => {
  await gateway.stop();
  await outside.close();
  await inside.close();
});
beforeEach(async () => {
  ({ key } = await openAccount(gateway, { tier: 'PRO' }));
  outside.asked.length = 0;
  inside.asked.length = 0;
});

interface Imported {
  importImage: {
    id: string;
    kind: string;
    url: string;
    width: number;
    height: number;
    contentType: string;
    cost: number;
  };
}

const importFrom = (url: string, as = key) =>
  gateway.ask<Imported>(
    { key: as },
    'mutation ($url: String!) { importImage(url: $url) { id kind url width height contentType cost } }',
    { url },
  );

const countOf = async (as = key) => {
  const { data } = await gateway.ask<{ assets: { nodes: { id: string }[] } }>(
    { key: as },
    '{ assets { nodes { id } } }',
  );
  return data?.assets.nodes.length;
};

async function refusalOf(url: string): Promise<Record<string, unknown> & { readonly message: string }> {
  const { data, errors } = await importFrom(url);
  expect(data ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  const { message = '', extensions } = errors?.[0] ?? {};
  expect(message).toMatch(/Nothing was kept and nothing was charged\./);
  return { message, ...extensions };
}

describe('a picture from the internet', () => {
  test.each(['png', 'jpeg', 'webp', 'avif'] as const)('becomes an asset: %s', async (format) => {
    const bytes = await sharp(picture).toFormat(format).toBuffer();
    outside.answers.set('/picture', (response) => response.setHeader('content-type', 'text/html').end(bytes));
    const { data, errors } = await importFrom(`${outside.url}/picture`);
    expect(errors).toBeUndefined();
    const asset = data?.importImage;
    expect(asset).toMatchObject({ kind: 'INPUT', width: 80, height: 64, contentType: `image/${format}`, cost: 0 });
    const got = await fetch(asset?.url ?? '');
    const [a, b] = [
      await sharp(bytes).raw().toBuffer(),
      await sharp(Buffer.from(await got.arrayBuffer()))
        .raw()
        .toBuffer(),
    ];
    const off = a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
    expect([a.length, off < 4]).toEqual([b.length, true]);
    const sent = outside.asked[0]?.headers ?? {};
    expect(Object.keys(sent).sort()).toEqual(['accept-encoding', 'connection', 'host', 'user-agent']);
  });

  test('is followed through three redirects, each checked, and not through a fourth', async () => {
    for (const hop of [1, 2, 3, 4]) {
      outside.answers.set(`/hop${hop}`, (response) =>
        response.writeHead(302, { location: hop === 1 ? '/a.png' : `/hop${hop - 1}` }).end(),
      );
    }
    expect((await importFrom(`${outside.url}/hop3`)).errors).toBeUndefined();
    expect(await refusalOf(`${outside.url}/hop4`)).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'url',
      reason: 'redirect',
    });
  });

  test('belongs to whoever imported it, and is answered to others like none', async () => {
    const { data } = await importFrom(`${outside.url}/a.png`);
    const id = data?.importImage.id ?? '';
    const stranger = await openAccount(gateway, { tier: 'PRO' });
    const answers = await Promise.all(
      [id, 'asset_01m82c31mrfqcsd2a1682fhjer'].map(
        async (asked) =>
          JSON.stringify(
            await gateway.ask({ key: stranger.key }, `{ node(id: "${asked}") { id } nodes(ids: ["${asked}"]) { id } }`),
          ).replaceAll(asked, 'ID') +
          JSON.stringify(await gateway.ask({ key: stranger.key }, `{ asset(id: "${asked}") { id } }`)).replaceAll(
            asked,
            'ID',
          ),
      ),
    );
    expect(answers[0]).toBe(answers[1]);
    expect(await countOf(stranger.key)).toBe(0);
  });
});

describe('an address that is not called', () => {
  const portOf = (server: PictureServer) => server.host.split(':')[1];
  const forms = (port: string | undefined) => [
    `http://2130706433:${port}/a.png`,
    `http://0x7f000001:${port}/a.png`,
    `http://0177.0.0.1:${port}/a.png`,
    `http://127.1:${port}/a.png`,
    `http://0:${port}/a.png`,
    `http://[::1]:${port}/a.png`,
    `http://[::ffff:127.0.0.1]:${port}/a.png`,
    `http://[::ffff:7f00:1]:${port}/a.png`,
    `http://[64:ff9b::7f00:1]:${port}/a.png`,
    `http://[2002:7f00:1::]:${port}/a.png`,
    `http://①②⑦.⓪.⓪.①:${port}/a.png`,
    `http://127。0。0。1:${port}/a.png`,
    `http:\\\\127.0.0.1:${port}\\a.png`,
    `https://127.0.0.1:${port}/a.png`,
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/a.png',
    'https://192.168.1.1/a.png',
    'https://localhost/a.png',
    'https://localhost./a.png',
    'https://no-such-name.invalid/a.png',
  ];

  test('because it leads inside, in every spelling, is refused in the same words, and nothing is called', async () => {
    const refusals = await Promise.all(forms(portOf(inside)).map((url) => refusalOf(url)));
    expect(new Set(refusals.map((refusal) => JSON.stringify(refusal)))).toEqual(
      new Set([
        JSON.stringify({
          message:
            'The url is one that leads to no public address, but it must be one whose host has public addresses only. Nothing was kept and nothing was charged. See whether it opens without a login, or send the file with createUpload.',
          field: 'url',
          value: 'one that leads to no public address',
          limit: 'one whose host has public addresses only',
          reason: 'address',
          code: 'BAD_USER_INPUT',
        }),
      ]),
    );
    expect([inside.asked, outside.asked, await countOf()]).toEqual([[], [], 0]);
  });

  test.each([
    ['file:///etc/passwd', 'scheme'],
    ['gopher://example.com/_x', 'scheme'],
    ['ftp://example.com/a.png', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['http://example.com/a.png', 'scheme'],
    ['https://example.com:22/', 'port'],
    ['https://example.com:6379/', 'port'],
    ['https://example.com:8443/', 'port'],
    ['https://someone@127.0.0.1/a.png', 'userinfo'],
    ['https://someone:word@example.com/a.png', 'userinfo'],
    ['', 'url'],
    ['a.png', 'url'],
    ['https://', 'url'],
    ['https://exa mple.com/', 'url'],
    ['https://a\u0000b/', 'url'],
    [`https://example.com/${'a'.repeat(2_030)}`, 'length'],
  ])('%s is refused by its %s', async (url, reason) => {
    expect(await refusalOf(url)).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'url',
      limit: expect.any(String),
      reason,
    });
  });

  test('a data: URL is told where bytes go', async () => {
    const refusal = await refusalOf(` data:image/png;base64,${picture.toString('base64').slice(0, 1_000)}`);
    expect(refusal).toMatchObject({ field: 'url', value: 'a data: URL', reason: 'scheme' });
    expect(refusal.message).toContain('createUpload');
  });

  test('nor is it after a redirect', async () => {
    const targets = [
      `http://${inside.host}/a.png`,
      `https://${inside.host}/a.png`,
      `//${inside.host}/a.png`,
      'http://169.254.169.254/',
      'file:///etc/passwd',
      'http://example.com/',
      'https://me@example.com/',
      'https://[bad/',
    ];
    for (const location of targets) {
      outside.answers.set('/away', (response) => response.writeHead(302, { location }).end());
      expect(await refusalOf(`${outside.url}/away`)).toMatchObject({ code: 'BAD_USER_INPUT', field: 'url' });
    }
    outside.answers.set('/away', (response) => response.writeHead(302).end());
    expect(await refusalOf(`${outside.url}/away`)).toMatchObject({ reason: 'redirect' });
    expect([inside.asked, await countOf()]).toEqual([[], 0]);
  });

  test('the sandbox, which stands in for the vendors, is not called for a user either', async () => {
    const origin = gateway.sandbox?.origin ?? '';
    const before = gateway.sandbox?.journal().length;
    expect(await refusalOf(`${origin}/_sandbox/journal`)).toMatchObject({ reason: 'address' });
    expect(gateway.sandbox?.journal().length).toBe(before);
  });

  test('nothing that is said repeats what may be secret in it', async () => {
    const secrets = 'token=SECRET-TOKEN&signature=SECRET-TOKEN';
    const urls = [
      `https://SECRET-TOKEN:SECRET-TOKEN@example.com/?${secrets}`,
      `http://example.com/SECRET-TOKEN?${secrets}`,
      `http://${inside.host}/?${secrets}`,
      `${outside.url}/missing?${secrets}`,
      `SECRET-TOKEN`,
      `https://example.com/${'SECRET-TOKEN'.repeat(300)}`,
    ];
    for (const url of urls) expect(JSON.stringify(await refusalOf(url))).not.toContain('SECRET-TOKEN');
  });
});

describe('a server that misbehaves', () => {
  const answering = async (answer: (response: ServerResponse) => unknown) => {
    outside.answers.set('/x', answer);
    const refusal = await refusalOf(`${outside.url}/x`);
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', field: 'url', limit: expect.any(String) });
    expect(await countOf()).toBe(0);
    return [refusal.reason, refusal.value];
  };

  test.each([204, 206, 304, 401, 403, 404, 410, 429, 500, 503])('with status %i', async (status) => {
    const answer = await answering((response) =>
      response.writeHead(status).end([204, 304].includes(status) ? undefined : picture),
    );
    expect(answer).toEqual(['status', `answered with status ${status}`]);
  });

  test('by declaring too much, or sending too much without declaring it', async () => {
    const tooLong = ['TOO_LARGE', 'longer than 26214400 bytes'];
    expect(
      await answering((response) => response.writeHead(200, { 'content-length': 5_000_000_000 }).flushHeaders()),
    ).toEqual(tooLong);
    const megabyte = Buffer.alloc(1024 * 1024);
    const endless = (response: ServerResponse) => {
      const more = () => {
        while (!response.destroyed && response.write(megabyte));
      };
      response.on('drain', more);
      more();
    };
    const before = process.memoryUsage.rss();
    expect(await answering(endless)).toEqual(tooLong);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
  });

  test('by sending less than it declares, nothing, or breaking off', async () => {
    const half = picture.subarray(0, picture.length / 2);
    const short = (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': picture.length });
      response.write(half, () => response.socket?.end());
    };
    expect(await answering(short)).toEqual(['truncated', 'answered with less than was announced']);
    expect(await answering((response) => response.end(half))).toEqual(['UNREADABLE', 'truncated or corrupt']);
    expect(await answering((response) => response.end())).toEqual(['EMPTY', 'empty']);
    expect(await answering((response) => response.socket?.destroy())).toEqual([
      'reset',
      'one whose server ended the connection',
    ]);
    expect(await answering((response) => response.socket?.end('SSH-2.0-OpenSSH\r\n'))).toEqual([
      'malformed',
      'answered with what is not HTTP',
    ]);
  });

  test('by sending what is no picture, whatever it calls it', async () => {
    const as = (type: string, bytes: Buffer | string) =>
      answering((response) => response.setHeader('content-type', type).end(bytes));
    expect(await as('image/png', '<!doctype html><title>Log in</title>')).toEqual([
      'UNSUPPORTED',
      'a page of HTML or XML',
    ]);
    expect(await as('image/png', SVG)).toEqual(['UNSUPPORTED', 'an SVG drawing']);
    expect(await as('image/png', FOREIGN.find(([name]) => name.includes('HEIC'))?.[1] ?? '')).toEqual([
      'UNSUPPORTED',
      'a HEIC picture',
    ]);
    expect(await as('image/webp', await animatedWebp())).toEqual(['ANIMATED', 'an animated WebP']);
    expect(await as('image/png', declaringPng(50_000, 50_000))).toEqual(['TOO_MANY_PIXELS', '50000x50000 pixels']);
    outside.answers.set('/x', (response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(100_000_000))),
    );
    expect(await refusalOf(`${outside.url}/x`)).toMatchObject({ value: 'gzip-compressed bytes' });
  });
});

test('a minute has sixty imports of an account, whatever came of them, and the next is refused before anything is called', async () => {
  const { key: other } = await openAccount(gateway, { tier: 'PRO' });
  await Promise.all(Array.from({ length: 60 }, () => importFrom('nonsense')));
  const { errors } = await importFrom(`${outside.url}/a.png`);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'TOO_MANY_REQUESTS', limit: 60, resetsAt: expect.any(String) });
  expect(outside.asked).toEqual([]);
  expect((await importFrom(`${outside.url}/a.png`, other)).errors).toBeUndefined();
});
