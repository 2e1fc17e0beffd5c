import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { Outbound } from '../../src/platform/outbound.ts';

const opened: Outbound[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

function outbound(...allow: string[]): Outbound {
  const made = new Outbound({ allow });
  opened.push(made);
  return made;
}

/** A server that gives every request the same answer, and remembers the requests. */
async function answering(head: string, body = '', afterMs = 0) {
  const seen: string[] = [];
  const server = createServer((socket) => {
    seen.push('');
    socket.on('error', () => undefined);
    socket.once('data', async (bytes) => {
      seen.splice(-1, 1, bytes.toString());
      await sleep(afterMs);
      socket.end(`HTTP/1.1 ${head}\r\nconnection: close\r\n\r\n${body}`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, seen, [Symbol.dispose]: () => server.close() };
}

function redirecting(location: string | null, status = 302, afterMs = 0) {
  const header = location === null ? '' : `\r\nlocation: ${location}`;
  return answering(`${status} Elsewhere\r\ncontent-length: 0${header}`, '', afterMs);
}

const get = { method: 'GET', timeoutMs: 3_000, bytesMax: 1_000 } as const;

describe('redirects', () => {
  test.each([
    ['http://INSIDE/', 'address'],
    ['https://INSIDE/', 'address'],
    ['//INSIDE/', 'address'],
    ['http://2130706433/', 'address'],
    ['http://[::1]/', 'address'],
    ['http://169.254.169.254/latest/meta-data', 'address'],
    ['file:///etc/passwd', 'scheme'],
    ['http://example.com/', 'scheme'],
    ['https://me@example.com/', 'userinfo'],
    ['https://example.com:22/', 'port'],
    ['https://exa mple.com/', 'redirect'],
    [null, 'redirect'],
  ])('to %s are refused (%s)', async (location, reason) => {
    using inside = await answering('200 OK\r\ncontent-length: 6', 'secret');
    using outside = await redirecting(location?.replace('INSIDE', inside.host) ?? null);
    const answer = outbound(outside.host).download(`http://${outside.host}/`, get);
    await expect(answer).rejects.toMatchObject({ kind: 'refused', reason });
    expect(outside.seen).toHaveLength(1);
    expect(inside.seen).toEqual([]);
  });

  test('are followed three times and no more', async () => {
    using outside = await redirecting('/again');
    const answer = outbound(outside.host).download(`http://${outside.host}/`, get);
    await expect(answer).rejects.toMatchObject({ kind: 'refused', reason: 'redirect' });
    expect(outside.seen.map((request) => request.split('\r\n')[0])).toEqual([
      'GET / HTTP/1.1',
      'GET /again HTTP/1.1',
      'GET /again HTTP/1.1',
      'GET /again HTTP/1.1',
    ]);
  });

  test.each([301, 302, 303, 307, 308])(
    'with status %i lead to the picture when every hop may be called',
    async (status) => {
      using inside = await answering('200 OK\r\ncontent-length: 6', 'secret');
      using outside = await redirecting(`http://${inside.host}/picture`, status);
      const client = outbound(outside.host, inside.host);
      const answer = await client.download(`http://${outside.host}/`, get);
      expect(answer.body.toString()).toBe('secret');
      expect(outside.seen.join()).not.toMatch(/authorization|cookie|referer/i);
    },
  );

  test('are not followed by send', async () => {
    using outside = await redirecting('/again');
    const answer = await outbound(outside.host).send({ ...get, url: `http://${outside.host}/` });
    expect(answer).toMatchObject({ status: 302, headers: { location: '/again' } });
    expect(outside.seen).toHaveLength(1);
  });
});

test('a download has one total time for all its redirects', async () => {
  using outside = await redirecting('/next', 302, 200);
  const answer = outbound(outside.host).download(`http://${outside.host}/`, { timeoutMs: 500, bytesMax: 1_000 });
  await expect(answer).rejects.toMatchObject({ kind: 'maybe-sent', reason: 'timeout' });
});
