import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import type { AddressInfo, LookupFunction } from 'node:net';
import { createServer, connect as openSocket, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Outbound } from '../../src/platform/outbound.ts';
import { guardLookup, isPublicAddress, parseAllowList } from '../../src/platform/outbound-guard.ts';

/** Counts every attempt of this process to open a TCP connection, whichever library makes it. */
let connects = 0;
const counter = createHook({
  init(_id, type) {
    if (type === 'TCPCONNECTWRAP') connects++;
  },
});

let inside: Server;
let insidePort: number;
const opened: Outbound[] = [];

function outbound(options: { allow?: string[]; lookup?: LookupFunction } = {}): Outbound {
  const made = new Outbound({ allow: options.allow ?? [], ...(options.lookup && { lookup: options.lookup }) });
  opened.push(made);
  return made;
}

/** A resolver that gives these addresses to whatever name, and counts how often it is asked. */
function resolvingTo(...answers: string[][]): LookupFunction & { asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _options, callback) => {
    asked.push(hostname);
    const addresses = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    setImmediate(() =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    );
  };
  return Object.assign(lookup, { asked });
}

const get = { method: 'GET', timeoutMs: 3_000, bytesMax: 1_000 } as const;

beforeAll(async () => {
  inside = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret'));
  }).listen(0, '127.0.0.1');
  await once(inside, 'listening');
  insidePort = (inside.address() as AddressInfo).port;
  counter.enable();
});
beforeEach(() => {
  connects = 0;
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
afterAll(() => {
  counter.disable();
  inside.close();
});

test('the counter of connections sees one', async () => {
  const socket = openSocket(insidePort, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  expect(connects).toBe(1);
});

describe('an address inside is refused, and nothing is connected', () => {
  const forms = [
    'http://2130706433',
    'http://0x7f000001',
    'http://0177.0.0.1',
    'http://127.1',
    'http://0',
    'http://127.0.0.1',
    'http://127.0.0.1.',
    'http:\\\\127.0.0.1',
    'http:127.0.0.1',
    'http://①②⑦.⓪.⓪.①',
    'http://127。0。0。1',
    'http://%31%32%37.0.0.1',
    'http://[::1]',
    'http://[::]',
    'http://[::ffff:127.0.0.1]',
    'http://[::ffff:7f00:1]',
    'http://[::127.0.0.1]',
    'http://[64:ff9b::7f00:1]',
    'http://[64:ff9b:1::7f00:1]',
    'http://[2002:7f00:1::]',
    'http://[2001:0:7f00:1::]',
    'http://[fd00::1]',
    'http://[fe80::1]',
    'http://[fec0::1]',
    'http://[ff02::1]',
    'http://10.0.0.1',
    'http://172.16.0.1',
    'http://192.168.1.1',
    'http://100.64.0.1',
    'http://169.254.169.254',
    'http://198.18.0.1',
    'http://192.0.2.1',
    'http://224.0.0.1',
    'http://240.0.0.1',
    'http://255.255.255.255',
  ];
  test.each(forms.flatMap((form) => [form, form.replace('http:', 'https:')]))('%s', async (form) => {
    for (const url of [form, `${form}:${insidePort}`, `${form}/latest/meta-data?a=b`]) {
      await expect(outbound().send({ ...get, url })).rejects.toMatchObject({ kind: 'refused', reason: 'address' });
      await expect(outbound().download(url, get)).rejects.toMatchObject({ kind: 'refused', reason: 'address' });
    }
    expect(connects).toBe(0);
  });
});

describe('other ways in are refused, and nothing is connected', () => {
  test.each([
    ['file:///etc/passwd', 'scheme'],
    ['gopher://example.com/_x', 'scheme'],
    ['ftp://example.com/', 'scheme'],
    ['data:text/plain,hello', 'scheme'],
    ['blob:https://example.com/1', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['http://example.com/', 'scheme'],
    ['https://user@example.com/', 'userinfo'],
    ['https://user:word@example.com/', 'userinfo'],
    ['https://user@127.0.0.1/', 'userinfo'],
    ['https://example.com:22/', 'port'],
    ['https://example.com:25/', 'port'],
    ['https://example.com:80/', 'port'],
    ['https://example.com:5432/', 'port'],
    ['https://example.com:6379/', 'port'],
    ['https://example.com:8443/', 'port'],
    ['', 'url'],
    ['/relative', 'url'],
    ['https://', 'url'],
    ['https://exa mple.com/', 'url'],
    ['https://example.com:99999/', 'url'],
    ['https://[::1', 'url'],
  ])('%s (%s)', async (url, reason) => {
    const lookup = resolvingTo(['127.0.0.1']);
    await expect(outbound({ lookup }).send({ ...get, url })).rejects.toMatchObject({ kind: 'refused', reason });
    expect(lookup.asked).toEqual([]);
    expect(connects).toBe(0);
  });
});

describe('a name is refused by what it resolves to, and nothing is connected', () => {
  test.each([
    ['localhost', ['127.0.0.1']],
    ['localhost.', ['127.0.0.1', '::1']],
    ['metadata.google.internal', ['169.254.169.254']],
    ['inside.example.com', ['10.1.2.3']],
    ['half.example.com', ['93.184.215.14', '::1']],
    ['half.example.com', ['93.184.215.14', '10.0.0.1']],
    ['mapped.example.com', ['::ffff:127.0.0.1']],
    ['nat64.example.com', ['64:ff9b::7f00:1']],
    ['sixtofour.example.com', ['2002:7f00:1::']],
    ['garbage.example.com', ['not an address']],
  ])('%s -> %j', async (name, addresses) => {
    const lookup = resolvingTo(addresses);
    const answer = outbound({ lookup }).send({ ...get, url: `https://${name}/` });
    await expect(answer).rejects.toMatchObject({ kind: 'refused', reason: 'address' });
    expect(lookup.asked).toEqual([name]);
    expect(connects).toBe(0);
  });

  test('the real resolver leads localhost inside', async () => {
    await expect(outbound().send({ ...get, url: 'https://localhost/' })).rejects.toMatchObject({ kind: 'refused' });
    expect(connects).toBe(0);
  });

  test('a name without addresses was never sent to', async () => {
    const answer = outbound({ lookup: resolvingTo([]) }).send({ ...get, url: 'https://nothing.example.com/' });
    await expect(answer).rejects.toMatchObject({ kind: 'not-sent', reason: 'dns' });
    expect(connects).toBe(0);
  });
});

describe('a name that changes its address between two looks', () => {
  test('is looked at once, and the socket gets that very answer', async () => {
    const lookup = resolvingTo(['93.184.215.14'], ['127.0.0.1']);
    const guarded = guardLookup(lookup);
    const ask = (all: boolean) =>
      new Promise((resolve) => guarded('rebind.example.com', { all }, (...answer) => resolve(answer)));
    expect(await ask(true)).toEqual([null, [{ address: '93.184.215.14', family: 4 }]]);
    expect(lookup.asked).toHaveLength(1);
    expect(await ask(true)).toEqual([expect.objectContaining({ reason: 'address' }), []]);
  });

  test('gets one address where one is asked for', async () => {
    const guarded = guardLookup(resolvingTo(['2606:4700::1111', '1.1.1.1']));
    const answer = await new Promise((resolve) => guarded('two.example.com', {}, (...given) => resolve(given)));
    expect(answer).toEqual([null, '2606:4700::1111', 6]);
  });
});

describe('the allow-list', () => {
  test('lets a listed pair through, in every spelling of it, and not the next port', async () => {
    const client = outbound({ allow: [`127.0.0.1:${insidePort}`] });
    for (const host of ['127.0.0.1', '2130706433', '127.1']) {
      const answer = await client.send({ ...get, url: `http://${host}:${insidePort}/` });
      expect(answer.body.toString()).toBe('secret');
    }
    connects = 0;
    const other = client.send({ ...get, url: `http://127.0.0.1:${insidePort + 1}/` });
    await expect(other).rejects.toMatchObject({ kind: 'refused', reason: 'address' });
    expect(connects).toBe(0);
  });

  test('lets a listed name lead inside, by the resolver given', async () => {
    const lookup = resolvingTo(['127.0.0.1']);
    const client = outbound({ allow: [`vendor.test:${insidePort}`], lookup });
    const answer = await client.send({ ...get, url: `http://vendor.test:${insidePort}/` });
    expect(answer.body.toString()).toBe('secret');
    expect(lookup.asked).toEqual(['vendor.test']);
  });

  test('does not let a login through', async () => {
    const client = outbound({ allow: [`127.0.0.1:${insidePort}`] });
    const answer = client.send({ ...get, url: `http://me@127.0.0.1:${insidePort}/` });
    await expect(answer).rejects.toMatchObject({ kind: 'refused', reason: 'userinfo' });
  });

  test('knows the pairs that URLs do not spell out', () => {
    expect([...parseAllowList(['[::1]:80', 'LOCALHOST:5555', 'example.com:443'])]).toEqual([
      '[::1]:80',
      'localhost:5555',
      'example.com:443',
    ]);
  });

  test.each(['127.0.0.1', 'http://127.0.0.1:80', 'a b:80', 'host:', ':80', 'user@host:80', 'host/path:80'])(
    'refuses the entry %j',
    (entry) => expect(() => parseAllowList([entry])).toThrow('not a host:port pair'),
  );
});

test.each([
  ['1.1.1.1', true],
  ['93.184.215.14', true],
  ['2606:4700:4700::1111', true],
  ['::ffff:8.8.8.8', false],
  ['0.0.0.0', false],
  ['5f00::1', false],
  ['4000::1', false],
  ['nonsense', false],
])('%s is public: %s', (address, expected) => expect(isPublicAddress(address)).toBe(expected));
