import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type FastifyInstance, fastify } from 'fastify';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLAYGROUND_TABS } from '../../src/web/examples.ts';
import { createPlayground, playgroundPage, wantsPlayground } from '../../src/web/playground.ts';

const OPTIONS = { endpoint: '/graphql', demoKey: 'demo-key', tabs: PLAYGROUND_TABS };

const settingsOf = (page: string) =>
  JSON.parse(/<script type="application\/json" id="settings">(.*)<\/script>/.exec(page)?.[1] ?? 'null');

describe('who gets the playground', () => {
  it.each(['text/html', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'])(
    'a browser does: %s',
    (accept) => {
      expect(wantsPlayground({ accept })).toBe(true);
    },
  );

  it.each([
    undefined,
    '',
    '*/*',
    'application/json',
    'application/graphql-response+json, application/json;q=0.9',
    'application/json, text/html',
    'image/png',
  ])('a program does not: %s', (accept) => {
    expect(wantsPlayground({ accept })).toBe(false);
  });
});

describe('the page', () => {
  it('weighs little and names no other server', () => {
    const page = playgroundPage(OPTIONS);
    expect(Buffer.byteLength(page)).toBeLessThan(16 * 1024);
    expect(page.match(/https?:|src="\/\/|href="\/\//g)).toBeNull();
  });

  it('puts the demo key into every tab', () => {
    const { defaultTabs, headers } = settingsOf(playgroundPage(OPTIONS));
    expect(defaultTabs).toHaveLength(PLAYGROUND_TABS.length);
    for (const tab of defaultTabs) expect(JSON.parse(tab.headers)).toEqual({ Authorization: 'Bearer demo-key' });
    expect(JSON.parse(headers)).toEqual({ Authorization: 'Bearer demo-key' });
  });

  it('has no headers at all where there is no demo key', () => {
    const page = playgroundPage({ ...OPTIONS, demoKey: null });
    expect(page).not.toContain('Authorization');
    expect(page).not.toContain('null');
  });

  it('cannot be broken out of by what it carries', () => {
    const evil = '</script><script>alert(1)</script><!--';
    const page = playgroundPage({ ...OPTIONS, demoKey: evil, tabs: [{ query: evil }] });
    expect(page).not.toContain(evil);
    expect(page.match(/<script/g)).toHaveLength(4);
    expect(settingsOf(page).defaultTabs[0].query).toBe(evil);
  });

  it('remembers apart what belongs to another key or other examples', () => {
    const memory = (options: Partial<typeof OPTIONS>) =>
      settingsOf(playgroundPage({ ...OPTIONS, ...options })).memory as string;
    const memories = [memory({}), memory({ demoKey: 'other' }), memory({ tabs: [{ query: '{ a }' }] })];
    expect(new Set(memories).size).toBe(3);
    expect(memory({})).toBe(memories[0]);
    expect(memories.join()).not.toContain('demo-key');
  });
});

describe('the examples', () => {
  it('are well formed, and every operation has a name to choose it by', () => {
    const names = PLAYGROUND_TABS.map(({ query }) => {
      const operations = parse(query).definitions.filter((definition) => definition.kind === 'OperationDefinition');
      return operations.map(({ name }) => name?.value);
    });
    expect(names).toEqual([
      ['EstimateOneImage'],
      ['GuideExamples'],
      ['GenerateAndReadReceipt'],
      ['SocialCampaign', 'BlogFeaturedImage', 'ProductPhotography', 'ContentLibrary', 'QuickPost', 'BrandAssets'],
      ['EstimateEdit', 'RemoveBackground'],
      ['WatchJob'],
      ['WatchBalance'],
      ['MyAccount'],
      ['EveryCredit'],
      ['PriceBook'],
    ]);
  });
});

describe('the server of the playground', () => {
  let app: FastifyInstance;
  let base: string;

  beforeAll(async () => {
    const playground = createPlayground(OPTIONS);
    app = fastify();
    await app.register(playground.files);
    app.get('/graphql', (_request, reply) => playground.send(reply));
    base = settingsOf(playgroundPage(OPTIONS)).base;
  });
  afterAll(() => app.close());

  it('sends the page uncached, and lets it load from this server alone', async () => {
    const { headers, statusCode } = await app.inject('/graphql');
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'accept',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe-eval|https?:|\*|script-src[^;]*unsafe/);
  });

  const NAMES = [
    'boot.js',
    'icon.svg',
    'graphql-ws.js',
    'graphiql.js',
    'graphiql.css',
    'editor.worker.js',
    'json.worker.js',
  ];
  it.each([...NAMES, 'graphql.worker.js'])(
    'serves %s the same however it is compressed, to be cached for ever',
    async (name) => {
      const get = (encoding: string) => app.inject({ url: base + name, headers: { 'accept-encoding': encoding } });
      const [plain, gzipped, brotli] = await Promise.all([
        get(''),
        get('gzip, deflate'),
        get('gzip, deflate, br, zstd'),
      ]);
      expect(plain.statusCode).toBe(200);
      expect(plain.rawPayload.length).toBeGreaterThan(100);
      expect(gunzipSync(gzipped.rawPayload).equals(plain.rawPayload)).toBe(true);
      expect(brotliDecompressSync(brotli.rawPayload).equals(plain.rawPayload)).toBe(true);
      expect([plain, gzipped, brotli].map(({ headers }) => headers['content-encoding'])).toEqual([
        undefined,
        'gzip',
        'br',
      ]);
      for (const { headers } of [plain, gzipped, brotli]) {
        expect(headers).toMatchObject({
          'cache-control': 'public, max-age=31536000, immutable',
          vary: 'accept-encoding',
          'x-content-type-options': 'nosniff',
        });
      }
    },
  );

  it('respects a client that refuses an encoding', async () => {
    const get = (encoding: string) => app.inject({ url: `${base}boot.js`, headers: { 'accept-encoding': encoding } });
    expect((await get('br;q=0, gzip;q=0.5')).headers['content-encoding']).toBe('gzip');
    expect((await get('br; q=0.0, gzip;q=0')).headers['content-encoding']).toBeUndefined();
  });

  it('weighs less than two and a half megabytes on the way, workers included', async () => {
    const sizes = await Promise.all(
      [...NAMES, 'graphql.worker.js'].map(async (name) => {
        const response = await app.inject({ url: base + name, headers: { 'accept-encoding': 'br' } });
        return response.rawPayload.length;
      }),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2.5 * 1024 * 1024);
  });

  it.each(['unknown.js', '__proto__', 'constructor', '..%2fplayground.js', ''])(
    'has nothing called %j',
    async (name) => {
      expect((await app.inject(base + name)).statusCode).toBe(404);
    },
  );
});
