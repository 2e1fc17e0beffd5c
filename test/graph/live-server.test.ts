import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema } from 'graphql';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Accounts } from '../../src/accounts/accounts.service.ts';
import { type LiveOptions, LiveServer } from '../../src/graph/live-server.ts';
import { createLog } from '../../src/platform/log.ts';
import { type LiveSocket, openAdmitted, openSocket } from '../support/live.ts';

let server: Server;
let live: LiveServer;
let url: string;
let failure: Error | null;
/** What every look at a key waits for. */
let gate: Promise<void>;

const accounts = {
  authenticate: async () => {
    await gate;
    if (failure) throw failure;
    return { id: 'account_1' };
  },
} as unknown as Accounts;

function options(more: Partial<LiveOptions> = {}): LiveOptions {
  return {
    schema: buildSchema('type Query { a: Int } type Subscription { a: Int }'),
    introspection: true,
    accounts,
    loaderServices: {} as LiveOptions['loaderServices'],
    sources: {} as LiveOptions['sources'],
    reads: null,
    log: createLog('silent'),
    ...more,
  };
}

async function start(more: Partial<LiveOptions> = {}): Promise<void> {
  live = new LiveServer(options(more));
  server.on('upgrade', (request, socket, head) => live.upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  failure = null;
  gate = Promise.resolve();
  server = createServer();
});
afterEach(async () => {
  await live.stop();
  await new Promise((resolve) => server.close(resolve));
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Waits until a ping has been there and back. */
async function pinged({ socket }: LiveSocket): Promise<void> {
  const ping = new Promise((resolve) => socket.once('ping', resolve));
  vi.advanceTimersByTime(12_000);
  await ping;
  const pong = new Promise((resolve) => socket.once('pong', resolve));
  socket.ping();
  await pong;
}

test('a client that answers pings stays, one that does not is gone at the second', async () => {
  await start();
  const [alive, dead] = [await openAdmitted(url, 'k'), await openAdmitted(url, 'k', { autoPong: false })];
  await pinged(alive);
  await pinged(alive);
  expect(await dead.closed).toEqual({ code: 1006, reason: '' });
  expect(alive.socket.readyState).toBe(alive.socket.OPEN);
});

test('what goes wrong on our side while a client is let in is masked behind an id', async () => {
  await start();
  failure = new Error('relation "accounts" does not exist');
  const socket = await openSocket(url);
  socket.send({ type: 'connection_init', payload: { authorization: 'Bearer k' } });
  expect(await socket.closed).toEqual({
    code: 4500,
    reason: expect.stringMatching(/^Something went wrong on our side \(error [0-9a-f-]{36}\)\.$/),
  });
});

test('a database that is away is told as such, with a code after which clients try again', async () => {
  await start();
  failure = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const socket = await openSocket(url);
  socket.send({ type: 'connection_init', payload: { authorization: 'Bearer k' } });
  expect(await socket.closed).toEqual({ code: 1013, reason: expect.stringContaining('cannot reach its database') });
});

test('a key that cannot be looked up again turns nobody out', async () => {
  await start();
  const socket = await openAdmitted(url, 'k');
  failure = new Error('the database is away');
  await vi.advanceTimersByTimeAsync(3_000);
  await pinged(socket);
  expect(socket.socket.readyState).toBe(socket.socket.OPEN);
});

test('a client that has gone before its key was looked up takes no place', async () => {
  await start();
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  const gone = await Promise.all(Array.from({ length: 50 }, () => openSocket(url)));
  for (const { send } of gone) send({ type: 'connection_init', payload: { authorization: 'Bearer k' } });
  for (const { socket } of gone) socket.close();
  await Promise.all(gone.map(({ closed }) => closed));
  resolve();
  await openAdmitted(url, 'k');
});

test('a process has room for so many WebSockets and says so to the next', async () => {
  await start({ connectionsMax: 2 });
  const two = [await openSocket(url), await openSocket(url)];
  await expect(openSocket(url)).rejects.toThrow('Unexpected server response: 503');
  two[0]?.socket.close();
  await two[0]?.closed;
  await openSocket(url);
});

test('strangers who show no key do not keep out those who have one', async () => {
  await start({ strangersMax: 1 });
  const stranger = await openSocket(url);
  await expect(openSocket(url)).rejects.toThrow('Unexpected server response: 503');
  stranger.socket.close();
  await stranger.closed;
  await openAdmitted(url, 'k');
  await openAdmitted(url, 'k');
});

test('a stopped server refuses new connections', async () => {
  await start();
  await live.stop();
  await expect(openSocket(url)).rejects.toThrow('Unexpected server response: 503');
});
