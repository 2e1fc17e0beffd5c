import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fastify } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { limitBodies, OWN_BODY_DEADLINE } from '../../src/platform/body-deadline.ts';

const app = { current: fastify() };
afterEach(() => app.current.close());

async function begin(path: string, sent: string) {
  app.current = fastify({ forceCloseConnections: true });
  limitBodies(app.current, 100);
  app.current.post('/short', async ({ body }) => ({ body }));
  app.current.post('/long', { config: OWN_BODY_DEADLINE }, async ({ body }) => ({ body }));
  await app.current.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect((app.current.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n`);
  socket.write(`content-length: 7\r\n\r\n${sent}`);
  return socket;
}

test('a body that does not come is answered 408 and cut off, however steadily it drips', async () => {
  const socket = await begin('/short', '{');
  const drip = setInterval(() => socket.write(' '), 40);
  const answer = await text(socket);
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"REQUEST_TIMEOUT"/s);
});

test('a body that is there in time is answered', async () => {
  const socket = await begin('/short', '{"a":1}');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"body":\{"a":1\}\}$/s);
});

test('a route with a deadline of its own is left alone', async () => {
  const socket = await begin('/long', '{"a"');
  setTimeout(() => socket.write(':1}'), 300);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"body":\{"a":1\}\}$/s);
});
