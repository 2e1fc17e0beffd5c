import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { Outbound } from '../../src/platform/outbound.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientOf(host: string): Outbound {
  const client = new Outbound({ allow: [host] });
  cleanups.push(() => client.close());
  return client;
}

/** A server that hands each connection to `talk` as soon as the first bytes of a request have come. */
async function rawServer(talk: (socket: Socket) => unknown) {
  const counted = { connections: 0, requests: 0 };
  const host = await listening(
    createServer((socket) => {
      counted.connections++;
      socket.on('data', (bytes) => {
        if (!/^(?:GET|POST) /.test(bytes.toString('latin1'))) return;
        counted.requests++;
        talk(socket);
      });
    }),
  );
  return { client: clientOf(host), url: `http://${host}/`, counted };
}

async function httpServer(answer: RequestListener) {
  const host = await listening(createHttpServer(answer));
  return { client: clientOf(host), url: `http://${host}/` };
}

const get = { method: 'GET', timeoutMs: 5_000, bytesMax: 10_000 } as const;
const post = { ...get, method: 'POST', body: '{"buy":1}' } as const;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await request.toArray());
}

describe('what is sent', () => {
  test('is exactly the request asked for', async () => {
    const { client, url } = await httpServer(async (request, response) => {
      const { method, url: path, headers } = request;
      response.end(JSON.stringify({ method, path, headers, body: (await bodyOf(request)).toString() }));
    });
    const answer = await client.send({ ...post, url: `${url}a/b?c=d%20e#f`, headers: { 'x-key': 'k' } });
    expect(JSON.parse(answer.body.toString())).toEqual({
      method: 'POST',
      path: '/a/b?c=d%20e',
      headers: {
        host: new URL(url).host,
        connection: 'keep-alive',
        'user-agent': 'image-studio-gateway',
        'accept-encoding': 'identity',
        'x-key': 'k',
        'content-length': '9',
      },
      body: '{"buy":1}',
    });
  });

  test('is a form with quoted names, a boundary and a known length', async () => {
    const { client, url } = await httpServer(async (request, response) => {
      const body = await bodyOf(request);
      response.end(JSON.stringify({ headers: request.headers, body: body.toString('latin1'), bytes: body.length }));
    });
    const form = new FormData();
    form.set('prompt', 'a "fox"');
    form.set('image', new Blob([Buffer.from([1, 2, 3])], { type: 'image/png' }), 'in.png');
    const got = JSON.parse((await client.send({ ...post, url, body: form })).body.toString());
    const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(got.headers['content-type'])?.[1];
    expect(boundary).toBeTruthy();
    expect(got.headers['content-length']).toBe(String(got.bytes));
    expect(got.headers['transfer-encoding']).toBeUndefined();
    expect(got.body).toContain(`--${boundary}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na "fox"\r\n`);
    expect(got.body).toContain(
      '; name="image"; filename="in.png"\r\nContent-Type: image/png\r\n\r\n\u0001\u0002\u0003',
    );
  });
});

describe('what is answered', () => {
  test.each([200, 204, 302, 404, 429, 500, 503])('status %i is an answer like any other', async (status) => {
    const { client, url } = await httpServer((_request, response) => {
      response
        .writeHead(status, { 'Retry-After': '7', 'set-cookie': ['a=1', 'b=2'] })
        .end(status === 204 ? '' : 'body');
    });
    const answer = await client.send({ ...get, url });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ 'retry-after': '7', 'set-cookie': 'a=1, b=2' });
    expect(answer.body.toString()).toBe(status === 204 ? '' : 'body');
  });

  test('a packed body is not unpacked, so a bomb stays as small as it came', async () => {
    const packed = gzipSync(Buffer.alloc(1_000_000));
    const { client, url } = await httpServer((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    });
    expect((await client.send({ ...get, url })).body).toEqual(packed);
  });

  test('a body of exactly bytesMax is taken', async () => {
    const { client, url } = await httpServer((_request, response) => response.end(Buffer.alloc(10_000)));
    expect((await client.send({ ...get, url })).body).toHaveLength(10_000);
  });
});

describe('may have been sent: the request was written, and then', () => {
  const drip = (head: string, text: string) => (socket: Socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write(text), 20);
    socket.on('close', () => clearInterval(timer));
  };
  const cases: [string, (socket: Socket) => unknown, string][] = [
    ['silence', () => undefined, 'timeout'],
    ['endless headers, slowly', drip('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'), 'timeout'],
    ['a body a byte at a time', drip('HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n', 'x'), 'timeout'],
    ['a reset', (socket) => socket.resetAndDestroy(), 'reset'],
    ['half a header', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'), 'reset'],
    ['half a body', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf'), 'truncated'],
    [
      'a reset within the body',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf', () => socket.resetAndDestroy()),
      'truncated',
    ],
    [
      'a chunked body without its end',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
      'truncated',
    ],
    ['nonsense', (socket) => socket.end('SSH-2.0-OpenSSH\r\n'), 'malformed'],
    ['20 KiB of headers', (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n`), 'malformed'],
    [
      'a body that says it has 5 GB',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\nx'),
      'too-large',
    ],
    ['a body without end', drip('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(4_000)), 'too-large'],
  ];
  test.each(cases)('%s', async (_name, talk, reason) => {
    const { client, url, counted } = await rawServer(talk);
    const startedAt = performance.now();
    const answer = client.send({ ...post, url, timeoutMs: 300 });
    await expect(answer).rejects.toMatchObject({ name: 'OutboundError', kind: 'maybe-sent', reason });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await sleep(50);
    expect(counted.requests).toBe(1);
  });

  test('the caller gave up', async () => {
    const controller = new AbortController();
    const { client, url, counted } = await rawServer(() => controller.abort());
    const answer = client.send({ ...post, url, signal: controller.signal });
    await expect(answer).rejects.toMatchObject({ kind: 'maybe-sent', reason: 'aborted' });
    expect(counted.requests).toBe(1);
  });

  test('we were closed', async () => {
    const { client, url } = await rawServer(() => client.close());
    await expect(client.send({ ...post, url })).rejects.toMatchObject({ kind: 'maybe-sent', reason: 'closed' });
  });

  test('a kept connection broke under it, and it is not sent again', async () => {
    const { client, url, counted } = await rawServer((socket) => {
      if (counted.requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else socket.destroy();
    });
    expect((await client.send({ ...post, url })).body.toString()).toBe('ok');
    await sleep(20);
    await expect(client.send({ ...post, url })).rejects.toMatchObject({ kind: 'maybe-sent', reason: 'reset' });
    await sleep(50);
    expect(counted).toEqual({ connections: 1, requests: 2 });
  });
});

describe('was not sent', () => {
  test('when nobody listens', async () => {
    const { client, url } = await httpServer(() => undefined);
    await cleanups[0]?.();
    await expect(client.send({ ...post, url })).rejects.toMatchObject({ kind: 'not-sent', reason: 'connect' });
  });

  test.each([
    ['does not speak TLS', () => createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['has no certificate', () => createTlsServer({})],
  ])('when the other side %s', async (_name, create) => {
    const host = await listening(create());
    const answer = clientOf(host).send({ ...post, url: `https://${host}/` });
    await expect(answer).rejects.toMatchObject({ kind: 'not-sent', reason: 'tls' });
  });

  test('when the name does not resolve', async () => {
    const client = new Outbound({
      allow: [],
      lookup: (hostname, _options, callback) => callback(Object.assign(new Error(hostname), { code: 'ENOTFOUND' }), []),
    });
    cleanups.push(() => client.close());
    const answer = client.send({ ...post, url: 'https://nowhere.example.com/secret?key=k' });
    await expect(answer).rejects.toMatchObject({ kind: 'not-sent', reason: 'dns' });
    await expect(answer).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
  });

  test.each(['timeout', 'aborted'])(
    'when the name does not resolve in time (%s), and it never will be',
    async (how) => {
      let resolve: (() => void) | undefined;
      const { url, counted } = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
      const { port } = new URL(url);
      const client = new Outbound({
        allow: [`slow.test:${port}`],
        lookup: (_hostname, _options, callback) => {
          resolve = () => callback(null, [{ address: '127.0.0.1', family: 4 }]);
        },
      });
      cleanups.push(() => client.close());
      const timeoutMs = how === 'timeout' ? 100 : 5_000;
      const signal = how === 'aborted' ? AbortSignal.timeout(100) : undefined;
      const answer = client.send({ ...post, url: `http://slow.test:${port}/`, timeoutMs, ...(signal && { signal }) });
      await expect(answer).rejects.toMatchObject({ kind: 'not-sent', reason: how });
      resolve?.();
      await sleep(100);
      expect(counted).toEqual({ connections: 1, requests: 0 });
    },
  );

  test('when the caller had already given up: not even a connection', async () => {
    const { client, url, counted } = await rawServer(() => undefined);
    const answer = client.send({ ...post, url, signal: AbortSignal.abort() });
    await expect(answer).rejects.toMatchObject({ kind: 'not-sent', reason: 'aborted' });
    await sleep(20);
    expect(counted.connections).toBe(0);
  });

  test('after we were closed', async () => {
    const { client, url } = await httpServer((_request, response) => response.end());
    await client.close();
    await expect(client.send({ ...post, url })).rejects.toMatchObject({ kind: 'not-sent', reason: 'closed' });
  });
});

describe('connections', () => {
  test('are kept for the next call', async () => {
    const { client, url, counted } = await rawServer((socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'),
    );
    for (let call = 0; call < 5; call++) {
      await client.send({ ...get, url });
      await sleep(5);
    }
    expect(counted).toEqual({ connections: 1, requests: 5 });
  });

  test('serve 500 calls at once', async () => {
    const { client, url } = await httpServer((request, response) => setTimeout(() => response.end(request.url), 20));
    const paths = Array.from({ length: 500 }, (_none, index) => `call-${index}`);
    const answers = await Promise.all(paths.map((path) => client.send({ ...get, url: url + path, timeoutMs: 20_000 })));
    expect(answers.map(({ body }) => body.toString())).toEqual(paths.map((path) => `/${path}`));
  });
});
