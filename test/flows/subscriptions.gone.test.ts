import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { createLog } from '../../src/platform/log.ts';
import { startTestGateway } from '../support/gateway.ts';
import { LogLines } from '../support/log-lines.ts';

test('clients that vanish while they are told something are nobody’s failure, and nothing of them stays', async () => {
  const lines = new LogLines();
  const gateway = await startTestGateway({ log: createLog('warn', { to: lines }) });
  try {
    /** Subscribes ten times over, and is gone before the answers can all have left. */
    const visit = () =>
      new Promise<void>((resolve, reject) => {
        const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        const authorization = `Bearer ${gateway.demoKeys?.BASIC}`;
        socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } })));
        socket.once('message', () => {
          const payload = { query: 'subscription { balance { available } }' };
          for (let id = 0; id < 10; id++) socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }));
          setTimeout(() => socket.terminate(), randomInt(20));
        });
        socket.once('error', reject);
        socket.once('close', () => resolve());
      });
    for (let round = 0; round < 8; round++) await Promise.all(Array.from({ length: 40 }, visit));
    const open = async () => {
      const text = await (await fetch(`${gateway.url}/metrics`)).text();
      return [/^gateway_websockets_open (\d+)/m, /^gateway_subscriptions_open (\d+)/m].map((of) => of.exec(text)?.[1]);
    };
    await expect.poll(open, { timeout: 10_000 }).toEqual(['0', '0']);
    expect(lines.text).toEqual([]);
  } finally {
    await gateway.stop();
  }
});
