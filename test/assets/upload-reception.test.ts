import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BodyLimits } from '../../src/assets/inbox.ts';
import type { Upload } from '../../src/assets/upload.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { freshDatabase } from '../support/databases.ts';
import { declaringPng, SVG, withChunk } from './hostile-pictures.ts';
import { grainy, NOW } from './library.ts';
import { UploadServer } from './upload-server.ts';

let database: Database;
let picture: Buffer;
beforeAll(async () => {
  database = await freshDatabase('pglite');
  picture = await grainy(64, 48).png().toBuffer();
});
afterAll(() => database.close());

let server: UploadServer;
let account: string;
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

async function start(limits: Partial<BodyLimits> = {}): Promise<Upload> {
  server = await UploadServer.start(database.db, limits);
  account = newId('account');
  return server.create(account);
}

const urlOf = (upload: Upload) => server.uploads.signedUrl(upload);
const put = (upload: Upload, body: Buffer | string, headers: Record<string, string> = {}) =>
  fetch(urlOf(upload), { method: 'PUT', body, headers });
const stateOf = async ({ id }: Upload) => (await server.uploads.get(account, id)).status;
const errorOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return [response.status, error.code, error.reason ?? null];
};

/** A connection on which the head of a PUT has been sent, and nothing else. */
async function begin(upload: Upload, head: string): Promise<Socket> {
  const { pathname, search } = new URL(urlOf(upload));
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`);
  return socket;
}

/** Everything that the server says before the connection ends, however it ends. */
function heard(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let said = '';
  socket.on('data', (bytes) => {
    said += bytes;
  });
  socket.on('error', () => undefined).on('close', () => resolve(said));
  return promise;
}

const arriving = () => vi.waitFor(async () => expect(await readdir(server.inboxFolder)).toHaveLength(1));

describe('sending a picture', () => {
  it('answers 201 with what was kept', async () => {
    const upload = await start();
    const response = await put(upload, picture);
    const { asset } = (await response.json()) as { asset: Record<string, unknown> };
    const [kept] = await server.library.service.byIds(account, [upload.id]);
    expect([response.status, response.headers.get('cache-control'), asset]).toEqual([
      201,
      'no-store',
      { id: upload.id, width: 64, height: 48, contentType: 'image/png', bytes: kept?.byteCount, sha256: kept?.sha256 },
    ]);
  });

  it.each([
    'text/html',
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'image/gif',
    'image/svg+xml; charset=utf-8',
    'not a media type at all',
    ';;;',
    'a'.repeat(1_000),
  ])('believes no content type: %.40s', async (type) => {
    expect((await put(await start(), picture, { 'content-type': type })).status).toBe(201);
  });

  it('believes no name and no encoding either', async () => {
    const upload = await start();
    const headers = {
      'content-disposition': 'attachment; filename="../../etc/passwd\\u0000.svg"',
      'content-encoding': 'gzip',
    };
    expect((await put(upload, picture, headers)).status).toBe(201);
    expect(await server.library.service.byIds(account, [upload.id])).toMatchObject([
      { storageKey: expect.stringMatching(/^asset_[a-z0-9]{26}$/) },
    ]);
  });

  it('takes a picture in pieces without a length', async () => {
    const upload = await start();
    const socket = await begin(upload, 'transfer-encoding: chunked\r\nconnection: close');
    const answer = heard(socket);
    for (let at = 0; at < picture.length; at += 1_000) {
      const piece = picture.subarray(at, at + 1_000);
      socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      socket.write('\r\n');
    }
    socket.write('0\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('takes one of ten that are sent at once, and tells the others that it did', async () => {
    const upload = await start();
    const answers = await Promise.all(Array.from({ length: 10 }, () => put(upload, picture)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    expect(await errorOf(await put(upload, picture))).toEqual([409, 'USED', null]);
    expect(await server.library.lists.count(account)).toBe(1);
  });
});

describe('a refusal', () => {
  it.each([
    [415, 'UNSUPPORTED', () => Buffer.from(SVG)],
    [415, 'ANIMATED', () => withChunk(picture, 'acTL', Buffer.alloc(8))],
    [422, 'UNREADABLE', () => picture.subarray(0, 1_000)],
    [422, 'TOO_MANY_PIXELS', () => declaringPng(30_000, 30_000)],
    [422, 'TOO_SMALL', () => declaringPng(31, 400)],
    [422, 'EMPTY', () => Buffer.alloc(0)],
  ])('is %i for %s, names the rule, and ends the upload', async (status, reason, bytes) => {
    const upload = await start();
    const response = await put(upload, bytes());
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect([response.status, error]).toEqual([
      status,
      {
        code: 'BAD_USER_INPUT',
        reason,
        field: 'body',
        limit: expect.any(String),
        message: expect.stringMatching(/Nothing was kept and nothing was charged\..*create another one/),
      },
    ]);
    expect((await server.uploads.get(account, upload.id)).rejection).toEqual({ code: reason, message: error.message });
    expect(await errorOf(await put(upload, picture))).toEqual([409, 'USED', null]);
  });

  it('is 413 for a length beyond the limit, before a byte of it was read', async () => {
    const upload = await start();
    const socket = await begin(upload, 'content-length: 26214401');
    expect(await heard(socket)).toMatch(/^HTTP\/1\.1 413 .*"reason":"TOO_LARGE"/s);
    expect(await stateOf(upload)).toBe('REJECTED');
  });

  it('is 413 for a body that goes on without a length, cut off at the limit with memory flat', async () => {
    const upload = await start();
    const socket = await begin(upload, 'transfer-encoding: chunked');
    const answer = heard(socket);
    const megabyte = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1024 * 1024), Buffer.from('\r\n')]);
    const before = process.memoryUsage.rss();
    let sent = 0;
    let peak = 0;
    while (sent < 10_240 && socket.writable) {
      sent++;
      peak = Math.max(peak, process.memoryUsage.rss() - before);
      const drained = Promise.withResolvers<void>();
      if (!socket.write(megabyte, () => drained.resolve())) await Promise.race([drained.promise, answer]);
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 413 .*"reason":"TOO_LARGE"/s);
    expect(sent).toBeLessThan(10_240);
    expect(peak).toBeLessThan(200 * 1024 * 1024);
    expect(await stateOf(upload)).toBe('REJECTED');
    expect(await readdir(server.inboxFolder)).toEqual([]);
  });

  const tampered: [string, (url: URL) => unknown][] = [
    ['of another upload', (url) => Object.assign(url, { pathname: `/uploads/${newId('asset')}` })],
    [
      'in capitals',
      (url) => Object.assign(url, { pathname: url.pathname.toUpperCase().replace('/UPLOADS', '/uploads') }),
    ],
    ['that leads upwards', (url) => Object.assign(url, { pathname: '/uploads/..%2f..%2fetc%2fpasswd' })],
    ['with a NUL', (url) => Object.assign(url, { pathname: `${url.pathname}%00` })],
    [
      'that lasts longer',
      (url) => url.searchParams.set('expires', String(Number(url.searchParams.get('expires')) + 1)),
    ],
    ['without expiry', (url) => url.searchParams.delete('expires')],
    ['without signature', (url) => url.searchParams.delete('signature')],
    ['with two signatures', (url) => url.searchParams.append('signature', url.searchParams.get('signature') ?? '')],
    [
      'with rubbish behind its signature',
      (url) => url.searchParams.set('signature', `${url.searchParams.get('signature')}==`),
    ],
  ];
  it.each(tampered)('is 403 for an address %s', async (_, tamper) => {
    const upload = await start();
    const url = new URL(urlOf(upload));
    tamper(url);
    const response = await fetch(url, { method: 'PUT', body: picture });
    expect(await errorOf(response)).toEqual([403, 'FORBIDDEN', null]);
    expect(await stateOf(upload)).toBe('PENDING');
    expect((await put(upload, picture)).status).toBe(201);
  });

  it('is 403 for a signature that was made for looking at the picture', async () => {
    const upload = await start();
    const expires = new URL(urlOf(upload)).searchParams.get('expires') ?? '';
    const words = `/uploads/${upload.id}\n${expires}`;
    const signed = (purpose: string) =>
      `${server.library.publicUrl}/uploads/${upload.id}?expires=${expires}&signature=${server.library.signer.sign(purpose, words)}`;
    expect((await fetch(signed('asset-url'), { method: 'PUT', body: picture })).status).toBe(403);
    expect((await fetch(signed('upload-url'), { method: 'PUT', body: picture })).status).toBe(201);
  });

  it('is 410 from the second on that the address expires, and 201 before', async () => {
    const upload = await start();
    const other = await server.create(account);
    server.library.now = new Date(upload.expiresAt.getTime() - 1);
    expect((await put(upload, picture)).status).toBe(201);
    server.library.now = upload.expiresAt;
    expect(await errorOf(await put(other, picture))).toEqual([410, 'EXPIRED', null]);
    server.library.now = NOW;
  });

  it('is 405 for every other method, naming those that there are', async () => {
    const upload = await start();
    for (const method of ['GET', 'POST', 'DELETE', 'PATCH']) {
      const response = await fetch(urlOf(upload), { method, ...(method !== 'GET' && { body: picture }) });
      expect([method, response.headers.get('allow'), ...(await errorOf(response))]).toEqual([
        method,
        'PUT, OPTIONS',
        405,
        'METHOD_NOT_ALLOWED',
        null,
      ]);
    }
    expect(await stateOf(upload)).toBe('PENDING');
  });

  it('is 503 when we cannot store it, without a path, and the same address takes it later', async () => {
    const upload = await start();
    vi.spyOn(server.library.storage, 'put').mockRejectedValueOnce(new Error(`ENOSPC: ${server.library.folder}`));
    const response = await put(upload, picture);
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        error: {
          code: 'UNAVAILABLE',
          message: 'The picture cannot be stored just now. Send it to the same address again in a few seconds.',
        },
      },
    ]);
    expect(server.logged).toMatchObject([{ level: 50, msg: 'a picture could not be taken in' }]);
    expect((await put(upload, picture)).status).toBe(201);
  });
});

describe('a page of another origin', () => {
  it('may send a picture: the address is the permission', async () => {
    const upload = await start();
    const preflight = await fetch(urlOf(upload), {
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type',
      },
    });
    const headers = Object.fromEntries([...preflight.headers].filter(([name]) => name.startsWith('access-control')));
    expect([preflight.status, await preflight.text(), headers]).toEqual([
      204,
      '',
      {
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'PUT',
        'access-control-allow-headers': '*',
        'access-control-max-age': '86400',
      },
    ]);
    const sent = await put(upload, picture, { origin: 'https://shop.example' });
    expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([201, '*']);
  });
});

describe('a sender', () => {
  it('who is cut off half-way may send again', async () => {
    const upload = await start();
    const socket = await begin(upload, `content-length: ${picture.length}`);
    socket.write(picture.subarray(0, 2_000));
    await arriving();
    expect(await errorOf(await put(upload, picture))).toEqual([409, 'BUSY', null]);
    socket.destroy();
    await vi.waitFor(async () => expect((await put(upload, picture)).status).toBe(201));
    expect(await readdir(server.inboxFolder)).toEqual([]);
    expect(server.logged).toEqual([]);
  });

  it('who is slower than the least pace is told so, is cut off, and may send again', async () => {
    const upload = await start({ paceMs: 50, paceBytesMin: 1_000 });
    const socket = await begin(upload, `content-length: ${picture.length}`);
    socket.write(picture.subarray(0, 20));
    expect(await heard(socket)).toMatch(/^HTTP\/1\.1 408 .*"code":"TOO_SLOW"/s);
    expect(await stateOf(upload)).toBe('PENDING');
    expect((await put(upload, picture)).status).toBe(201);
  });

  it('who sends nothing at all is cut off by the same pace', async () => {
    const upload = await start({ paceMs: 50 });
    const socket = await begin(upload, `content-length: ${picture.length}`);
    expect(await heard(socket)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('who keeps the pace but not the time is cut off too', async () => {
    const upload = await start({ paceMs: 50, paceBytesMin: 1, timeMaxMs: 300 });
    const socket = await begin(upload, 'content-length: 1000000');
    const drip = setInterval(() => socket.write('x'), 10);
    expect(await heard(socket)).toMatch(/^HTTP\/1\.1 408 .*"code":"TOO_SLOW"/s);
    clearInterval(drip);
    expect(await stateOf(upload)).toBe('PENDING');
  });

  it('is told to try again when the server stops, which does not wait for him', async () => {
    const upload = await start();
    const socket = await begin(upload, `content-length: ${picture.length}`);
    const answer = heard(socket);
    socket.write(picture.subarray(0, 2_000));
    await arriving();
    await server.app.close();
    expect(await answer).toMatch(/^HTTP\/1\.1 503 .*"code":"STOPPING"/s);
    expect(await stateOf(upload)).toBe('PENDING');
  });

  it('is not alone: twenty slow ones cost the next one nothing', async () => {
    const upload = await start();
    const warned = vi.fn();
    process.on('warning', warned);
    const others = await Promise.all(Array.from({ length: 20 }, () => server.create(account)));
    const sockets = await Promise.all(others.map((other) => begin(other, `content-length: ${picture.length}`)));
    await vi.waitFor(async () => expect(await readdir(server.inboxFolder)).toHaveLength(20));
    expect((await put(upload, picture)).status).toBe(201);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect(await readdir(server.inboxFolder)).toEqual([]));
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
  });
});
