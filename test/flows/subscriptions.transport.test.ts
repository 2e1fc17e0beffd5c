import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import {
  countListeners,
  type LiveSocket,
  openAdmitted,
  openSocket,
  type SocketOptions,
  watchSends,
} from '../support/live.ts';
import { generate, open, openAccount } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
let sockets: LiveSocket[];
beforeAll(async () => {
  gateway = await startTestGateway();
});
beforeEach(async () => {
  sockets = [];
  key = await open(gateway, { tier: 'PRO' });
});
afterEach(() => {
  for (const { socket } of sockets) socket.terminate();
});
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

const BALANCE = 'subscription { balance { available } }';
const CANCEL = 'mutation ($id: ID!) { cancelJob(id: $id) { id } }';
const NEVER = { prompt: 'it never comes [sandbox:never]', model: 'stability/core' };

function kept(socket: LiveSocket): LiveSocket {
  sockets.push(socket);
  return socket;
}
const bare = async (options?: SocketOptions) => kept(await openSocket(gateway.url, options));
const admitted = async (whose = key, options?: SocketOptions) => kept(await openAdmitted(gateway.url, whose, options));

/** Sends an operation and answers the first message about it. */
function answerTo(socket: LiveSocket, query: string, id = 'one', more: Record<string, unknown> = {}) {
  socket.send({ id, type: 'subscribe', payload: { query, ...more } });
  return socket.messages.until((message) => message.id === id);
}

describe('a connection', () => {
  test.each<[string, SocketOptions, unknown]>([
    ['its parameters', {}, { authorization: 'KEY' }],
    ['its parameters, however the name is written', {}, { AUTHORIZATION: 'KEY' }],
    ['the Authorization header of its request', { headers: { authorization: 'KEY' } }, undefined],
    [
      'both, the parameters before the header',
      { headers: { authorization: 'Bearer nonsense' } },
      { authorization: 'KEY' },
    ],
  ])('is let in with the key in %s', async (_, { headers = {} }, payload) => {
    const filled = JSON.parse(JSON.stringify({ headers, payload }).replaceAll('KEY', `Bearer ${key}`));
    const socket = await bare({ headers: filled.headers });
    socket.send({ type: 'connection_init', payload: filled.payload });
    expect(await socket.messages.until(() => true)).toEqual({ type: 'connection_ack' });
    expect(await answerTo(socket, BALANCE)).toMatchObject({
      type: 'next',
      payload: { data: { balance: { available: 2000 } } },
    });
  });

  test.each<[string, Record<string, unknown> | undefined, number, RegExp]>([
    ['without a key', undefined, 4401, /^Send \{"authorization": "Bearer <key>"\}/],
    ['with other parameters', { token: 'x' }, 4401, /connection_init/],
    ['with an unknown key', { authorization: `Bearer isg_${'A'.repeat(43)}` }, 4403, /^This API key is not valid/],
    ['with another scheme', { authorization: 'Basic abc' }, 4403, /must be "Bearer <key>"/],
    ['with a key that is no text', { authorization: { a: 1 } }, 4403, /must be "Bearer <key>"/],
  ])('%s is closed with the reason and nothing else', async (_, payload, code, reason) => {
    const socket = await bare();
    socket.send({ type: 'connection_init', ...(payload && { payload }) });
    expect(await socket.closed).toEqual({ code, reason: expect.stringMatching(reason) });
    expect(socket.messages.all).toEqual([]);
  });

  test('that subscribes before it is let in is closed', async () => {
    const socket = await bare();
    socket.send({ id: 'one', type: 'subscribe', payload: { query: BALANCE } });
    expect(await socket.closed).toMatchObject({ code: 4401 });
    expect(socket.messages.all).toEqual([]);
  });

  test('that does not say who it is within five seconds is closed', async () => {
    const began = performance.now();
    expect(await (await bare()).closed).toEqual({ code: 4408, reason: 'Connection initialisation timeout' });
    expect(performance.now() - began).toBeGreaterThan(4_900);
  });

  test('speaks graphql-transport-ws and nothing else', async () => {
    const socket = await bare({ protocol: 'graphql-ws' }).catch((error: Error) => error.message);
    expect(socket).toBe('Server sent no subprotocol');
  });

  test('is closed for a message of more than 64 KB, and the gateway goes on', async () => {
    const socket = await admitted();
    socket.send({ id: 'one', type: 'subscribe', payload: { query: `${BALANCE} #${'x'.repeat(64 * 1024)}` } });
    expect(await socket.closed).toMatchObject({ code: 1009 });
    expect(await answerTo(await admitted(), BALANCE)).toMatchObject({ type: 'next' });
  });

  test.each(['', 'no JSON', '[]', '{"type":"unheard of"}', '{"type":"subscribe"}', '\0'])(
    'is closed for %j instead of a message',
    async (text) => {
      const socket = await admitted();
      socket.socket.send(text);
      expect(await socket.closed).toEqual({ code: 4400, reason: 'Invalid message received' });
    },
  );

  test('whose key is revoked is closed within two seconds, and the others of the account stay', async () => {
    const { id, key: revoked, keyId } = await openAccount(gateway, { tier: 'PRO' });
    const issued = await gateway.ask<{ createApiKey: { secret: string } }>(
      'OPERATOR',
      'mutation ($account: ID!) { createApiKey(account: $account, label: "another") { secret } }',
      { account: id },
    );
    const [closing, staying] = [await admitted(revoked), await admitted(issued.data?.createApiKey.secret ?? '')];
    for (const socket of [closing, staying]) await answerTo(socket, BALANCE);
    const began = performance.now();
    await gateway.ask('OPERATOR', 'mutation ($id: ID!) { revokeApiKey(id: $id) }', { id: keyId });
    expect(await closing.closed).toEqual({ code: 4403, reason: expect.stringContaining('not valid') });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await answerTo(staying, BALANCE, 'two')).toMatchObject({ type: 'next' });
  });

  test('is one of fifty that an account may have; a closed one makes room', async () => {
    const fifty = await Promise.all(Array.from({ length: 50 }, () => admitted()));
    const refused = await bare();
    refused.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    expect(await refused.closed).toEqual({
      code: 1013,
      reason: 'This account has 50 WebSockets open, the most it may. Close one first.',
    });
    await admitted(await open(gateway, { tier: 'PRO' }));
    fifty[0]?.socket.close();
    await fifty[0]?.closed;
    expect(await answerTo(await admitted(), BALANCE)).toMatchObject({ type: 'next' });
  });
});

describe('an operation', () => {
  test.each([
    ['query', '{ viewer { id } }'],
    ['mutation', 'mutation { generate(input: { prompt: "over a socket" }) { __typename } }'],
  ])('that is a %s is told to be posted, and does not run', async (kind, query) => {
    const socket = await admitted();
    expect(await answerTo(socket, query)).toEqual({
      id: 'one',
      type: 'error',
      payload: [
        {
          message: `Only subscriptions run over a WebSocket. Send a ${kind} to /graphql by POST. Nothing was run and nothing was charged.`,
          extensions: { code: 'BAD_REQUEST' },
        },
      ],
    });
    const { data } = await gateway.ask({ key }, '{ jobs { nodes { id } } }');
    expect(data).toEqual({ jobs: { nodes: [] } });
  });

  test('that is a subscription is told, when it is posted, to come by WebSocket', async () => {
    const { data, errors } = await gateway.ask({ key }, BALANCE);
    expect(data).toBeUndefined();
    expect(errors).toEqual([
      {
        message:
          'Subscriptions are not answered to a POST: open a WebSocket at /graphql with the subprotocol graphql-transport-ws and subscribe there.',
        locations: [{ line: 1, column: 1 }],
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ]);
  });

  test.each<[string, string, Record<string, unknown>, string, RegExp]>([
    ['cannot be read', 'subscription { balance {', {}, 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    ['is too long', `subscription { balance { ${'held '.repeat(2_000)} } }`, {}, 'GRAPHQL_PARSE_FAILED', /2000 tokens/],
    [
      'asks for what there is not',
      'subscription { balance { hold } }',
      {},
      'GRAPHQL_VALIDATION_FAILED',
      /"hold".*Did you mean/,
    ],
    [
      'has two roots',
      'subscription { a: balance { held } b: balance { held } }',
      {},
      'GRAPHQL_VALIDATION_FAILED',
      /one top level field/,
    ],
    [
      'has too many aliases',
      `subscription { balance { ${Array.from({ length: 31 }, (_, i) => `a${i}: held`).join(' ')} } }`,
      {},
      'GRAPHQL_VALIDATION_FAILED',
      /aliases come to 31/,
    ],
    ['lacks a variable', 'subscription ($id: ID!) { job(id: $id) { id } }', {}, 'BAD_USER_INPUT', /\$id/],
    ['is not the one that is named', BALANCE, { operationName: 'Other' }, 'OPERATION_RESOLUTION_FAILURE', /"Other"/],
    [
      'is one of several, and none is named',
      'subscription A { balance { held } } subscription B { balance { held } }',
      {},
      'OPERATION_RESOLUTION_FAILURE',
      /operationName/,
    ],
  ])('that %s is refused by the rules of a POST', async (_, query, more, code, message) => {
    const answer = await answerTo(await admitted(), query, 'one', more);
    expect(answer).toMatchObject({
      type: 'error',
      payload: [{ message: expect.stringMatching(message), extensions: { code } }],
    });
  });

  test('is told five mistakes at most', async () => {
    const answer = await answerTo(await admitted(), 'subscription { balance { a b c d e f g } }');
    expect(answer.payload).toHaveLength(5);
  });

  test('is one of fifty of its connection; a completed one makes room', async () => {
    const socket = await admitted();
    for (let i = 0; i < 50; i++) await answerTo(socket, BALANCE, `n${i}`);
    const limit = {
      message: expect.stringContaining('50 subscriptions'),
      extensions: { code: 'TOO_MANY_REQUESTS', limit: 50 },
    };
    expect(await answerTo(socket, BALANCE, 'n50')).toMatchObject({ type: 'next', payload: { errors: [limit] } });
    socket.send({ id: 'n0', type: 'complete' });
    expect(await answerTo(socket, BALANCE, 'n51')).toMatchObject({
      payload: { data: { balance: { available: 2000 } } },
    });
  });

  test('that fails for a reason of our own is masked behind an id', async () => {
    const { job } = await generate(gateway, key, { prompt: 'a buoy' }, { waitSeconds: 30 });
    const { pglite } = gateway.database;
    await pglite?.query('alter table jobs rename to jobs_gone');
    try {
      const { payload } = await answerTo(await admitted(), `subscription { job(id: "${job.id}") { id } }`);
      expect(payload).toMatchObject({
        errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: expect.stringMatching(/^[0-9a-f-]{36}$/) } }],
      });
      expect(JSON.stringify(payload)).not.toMatch(/relation|jobs_gone|select|Error:/i);
    } finally {
      await pglite?.query('alter table jobs_gone rename to jobs');
    }
  });
});

describe('with introspection off and reads limited', () => {
  let closed: TestGateway;
  beforeAll(async () => {
    closed = await startTestGateway({ environment: { INTROSPECTION: 'false', READS_PER_MINUTE: '3' } });
  });
  afterAll(() => closed.stop());

  test('a typing mistake tells nothing of the schema, and a subscription counts as a read', async () => {
    const customer = await open(closed, { tier: 'PRO' });
    const socket = kept(await openAdmitted(closed.url, customer));
    const typo = await answerTo(socket, 'subscription { balanc { held } }', 'a');
    expect(typo).toMatchObject({
      type: 'error',
      payload: [{ message: 'Cannot query field "balanc" on type "Subscription".' }],
    });
    const schema = await answerTo(
      socket,
      'subscription { balance { held } } query Q { __schema { types { name } } }',
      'b',
      {
        operationName: 'Q',
      },
    );
    expect(schema).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'BAD_REQUEST' } }] });
    const beside = await answerTo(
      socket,
      'subscription S { balance { held } } query Q { __schema { types { name } } }',
      'c',
      { operationName: 'S' },
    );
    expect(beside.payload).toMatchObject([
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' }, message: expect.stringContaining('"__schema"') },
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ]);
    const fourth = await answerTo(socket, BALANCE, 'd');
    expect(fourth).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'TOO_MANY_REQUESTS', limit: 3 } }] });
  });
});

describe('a client that goes away', () => {
  let listeners: ReturnType<typeof countListeners>;
  beforeAll(() => {
    listeners = countListeners();
  });
  afterAll(() => listeners.restore());

  test.each<[string, (socket: LiveSocket) => void]>([
    ['completing', (socket) => ['a', 'b', 'c'].forEach((id) => void socket.send({ id, type: 'complete' }))],
    ['closing', ({ socket }) => socket.close()],
    ['without a word', ({ socket }) => socket.terminate()],
  ])('%s leaves no listener behind', async (_, leave) => {
    const { job } = await generate(gateway, key, NEVER);
    const before = listeners.count();
    const socket = await admitted();
    await answerTo(socket, BALANCE, 'a');
    await answerTo(socket, `subscription { job(id: "${job.id}") { status } }`, 'b');
    await answerTo(socket, 'subscription { job(id: "job_01h455vb4pex5vsknk084sn02q") { status } }', 'c');
    expect(listeners.count()).toBe(before + 3);
    leave(socket);
    await expect.poll(listeners.count).toBe(before);
    await gateway.ask({ key }, CANCEL, { id: job.id });
  });

  test('whose subscriptions were opened and completed in one breath, all under one id, leaves no listener behind', async () => {
    const before = listeners.count();
    const socket = await admitted();
    for (let i = 0; i < 40; i++) {
      socket.send({ id: 'same', type: 'subscribe', payload: { query: BALANCE } });
      socket.send({ id: 'same', type: 'complete' });
    }
    await answerTo(socket, BALANCE, 'same');
    await answerTo(socket, BALANCE, 'last');
    socket.socket.close();
    await socket.closed;
    await expect.poll(listeners.count).toBe(before);
  });
});

describe('a client that does not read', () => {
  test('has one state at most on its way, misses those in between, and sees the last one', async () => {
    const { key: busy } = await openAccount(gateway, {
      tier: 'ENTERPRISE',
      limits: { runningJobs: 10, submissionsPerMinute: 1_000 },
    });
    const ids: string[] = [];
    for (let i = 0; i < 150; i++) ids.push((await generate(gateway, busy, NEVER)).job.id);
    const wordy = { ...NEVER, prompt: `${NEVER.prompt} ${'long '.repeat(1_900)}` };
    const { job } = await generate(gateway, busy, wordy);
    const fields = Array.from({ length: 29 }, (_, i) => `p${i}: prompt`).join(' ');
    const socket = await admitted(busy);
    const first = await answerTo(socket, `subscription { job(id: "${job.id}") { status position ${fields} } }`);
    const bytes = JSON.stringify(first).length;
    expect(bytes).toBeGreaterThan(250_000);

    const sends = watchSends();
    socket.socket.pause();
    for (const id of ids.reverse()) expect((await gateway.ask({ key: busy }, CANCEL, { id })).errors).toBeUndefined();
    socket.socket.resume();
    await gateway.ask({ key: busy }, CANCEL, { id: job.id });
    await socket.messages.until(({ type }) => type === 'complete');
    sends.restore();

    const states = socket.messages.all.filter(({ type }) => type === 'next');
    expect(sends.unsentBefore.length).toBeGreaterThan(2);
    expect(Math.max(...sends.unsentBefore)).toBe(0);
    // What the operating system takes in on both sides is some megabytes; of 151 changes it gets about 20.
    expect(states.length).toBeLessThan(100);
    expect(states.at(-1)).toMatchObject({ payload: { data: { job: { status: 'CANCELLED' } } } });
  });

  test('but only talks is cut off before its answers fill our memory', async () => {
    const socket = await admitted();
    socket.socket.pause();
    const payload = { text: 'x'.repeat(60_000) };
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    socket.socket.once('error', () => undefined);
    socket.socket.once('close', () => resolve());
    let sent = 0;
    while (socket.socket.readyState === socket.socket.OPEN && sent < 2_000) {
      await new Promise((done) => socket.socket.send(JSON.stringify({ type: 'ping', payload }), done));
      sent++;
    }
    socket.socket.resume();
    await gone;
    expect(sent).toBeLessThan(2_000);
  });
});

describe('a request to become something else', () => {
  function answered(path: string, method: string, headers: Record<string, string>, body: string) {
    const { promise, resolve, reject } = Promise.withResolvers<[number | undefined, string]>();
    const sent = request(
      `${gateway.url}${path}`,
      { method, headers: { connection: 'Upgrade', ...headers } },
      (response) => {
        let text = '';
        response.on('data', (data) => (text += String(data)));
        response.on('end', () => resolve([response.statusCode, text]));
      },
    );
    sent.on('error', reject).end(body);
    return promise;
  }

  test('a WebSocket at another path, is refused by name', async () => {
    const headers = { upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'a'.repeat(22) };
    expect(await answered('/live', 'GET', headers, '')).toEqual([
      404,
      '{"errors":[{"message":"There is no WebSocket here. Open one at /graphql."}]}',
    ]);
  });

  test('HTTP/2, is answered as the request that it also is', async () => {
    const headers = { upgrade: 'h2c', 'content-type': 'application/json', authorization: `Bearer ${key}` };
    expect(await answered('/graphql', 'POST', headers, '{"query":"{ __typename }"}')).toEqual([
      200,
      '{"data":{"__typename":"Query"}}\n',
    ]);
  });
});

test('a gateway that stops closes its connections with 1001 and does not wait for what is subscribed', async () => {
  const stopping = await startTestGateway();
  const customer = await open(stopping, { tier: 'PRO' });
  const { job } = await generate(stopping, customer, { prompt: 'a slip' }, { waitSeconds: 30 });
  const [attentive, deaf] = [await openAdmitted(stopping.url, customer), await openAdmitted(stopping.url, customer)];
  for (const socket of [attentive, deaf]) await answerTo(socket, BALANCE);
  expect(job.status).toBe('SUCCEEDED');
  deaf.socket.pause();
  const began = performance.now();
  await stopping.stop();
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(await attentive.closed).toEqual({ code: 1001, reason: 'The gateway is stopping. Connect again.' });
  deaf.socket.terminate();
});
