import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const KEY = 'k'.repeat(32);

/** Everything that production cannot do without. */
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://gateway:secret@db/gateway',
  REDIS_URL: 'redis://redis:6379',
  SIGNING_KEYS: KEY,
  PUBLIC_URL: 'https://images.example.com',
  STORAGE: '/var/lib/pictures',
  STABILITY_API_KEY: 'sk-1',
  WAVESPEED_API_KEY: 'ws-1',
  HF_TOKEN: 'hf_1',
  GEMINI_API_KEY: 'g-1',
};

/** What start would print, line by line. */
function problemsOf(environment: Record<string, string | undefined>): string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('with nothing set', () => {
  test('everything has a default that works on a laptop: embedded, sandboxed, listening to itself only', () => {
    const dataDir = resolve(process.cwd(), 'data');
    expect(readConfig({})).toEqual({
      environment: 'development',
      role: 'all',
      host: '127.0.0.1',
      port: 4000,
      publicUrl: null,
      dataDir,
      databaseUrl: null,
      databasePoolMax: 16,
      redisUrl: null,
      storage: join(dataDir, 'assets'),
      signingKeys: null,
      providers: {
        stability: { mode: 'SANDBOX' },
        wavespeed: { mode: 'SANDBOX' },
        huggingface: { mode: 'SANDBOX' },
        gemini: { mode: 'SANDBOX' },
      },
      vertex: null,
      concurrency: { stability: 16, wavespeed: 3, huggingface: 16, gemini: 16 },
      webhooks: false,
      outboundAllow: [],
      importAllow: [],
      sandboxLatency: 1,
      sandboxFaults: null,
      trashDays: 30,
      creditValueUsd: 0.01,
      readsPerMinute: 6000,
      playground: true,
      introspection: true,
      logLevel: 'info',
      logPrompts: false,
      traceEndpoint: null,
      startedByNpm: false,
    });
  });

  test('what is empty or blank counts as not set, and space around a value as not meant', () => {
    expect(readConfig({ PORT: '', HOST: '   ', REDIS_URL: '\n', DATABASE_URL: undefined })).toEqual(readConfig({}));
    expect(readConfig({ PORT: ' 5000 ', HF_TOKEN: 'hf_1\n' })).toMatchObject({
      port: 5000,
      providers: { huggingface: { apiKey: 'hf_1' } },
    });
  });

  test('the configuration cannot be changed afterwards', () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });
});

describe('what is set', () => {
  test('is read in its own form', () => {
    const config = readConfig({
      PORT: '0',
      HOST: '::1',
      PUBLIC_URL: 'https://images.example.com/',
      DATA_DIR: '/srv/data',
      SIGNING_KEYS: ` ${KEY} , ${'n'.repeat(40)},`,
      OUTBOUND_ALLOW: '127.0.0.1:5555, [::1]:80,proxy.example.com:3128',
      VERTEX_PROJECT: 'pictures-1',
      VERTEX_LOCATION: 'europe-west4',
      WAVESPEED_CONCURRENCY: '100',
      SANDBOX_LATENCY: '0.5',
      SANDBOX_FAULTS: '5% status=503',
      LOG_PROMPTS: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      READS_PER_MINUTE: '0',
      PLAYGROUND: 'false',
      INTROSPECTION: 'false',
      LOG_LEVEL: 'silent',
    });
    expect(config).toMatchObject({
      port: 0,
      host: '::1',
      publicUrl: 'https://images.example.com',
      dataDir: '/srv/data',
      storage: '/srv/data/assets',
      signingKeys: [KEY, 'n'.repeat(40)],
      outboundAllow: ['127.0.0.1:5555', '[::1]:80', 'proxy.example.com:3128'],
      importAllow: ['127.0.0.1:5555', '[::1]:80', 'proxy.example.com:3128'],
      vertex: { project: 'pictures-1', location: 'europe-west4', baseUrl: null },
      concurrency: { stability: 16, wavespeed: 100, huggingface: 16, gemini: 16 },
      webhooks: true,
      sandboxLatency: 0.5,
      sandboxFaults: '5% status=503',
      logPrompts: true,
      traceEndpoint: 'http://collector:4318',
      readsPerMinute: 0,
      playground: false,
      introspection: false,
      logLevel: 'silent',
    });
  });

  test.each([
    ['NODE_ENV', 'prod'],
    ['ROLE', 'master'],
    ['PORT', 'http'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PUBLIC_URL', 'images.example.com'],
    ['PUBLIC_URL', 'ftp://images.example.com'],
    ['DATABASE_URL', 'mysql://db'],
    ['DATABASE_POOL_MAX', '1'],
    ['REDIS_URL', 'http://redis'],
    ['STORAGE', 's3://bucket'],
    ['SIGNING_KEYS', 'short'],
    ['SIGNING_KEYS', `${KEY},short`],
    ['SIGNING_KEYS', ','],
    ['PROVIDERS', 'stability,openai'],
    ['PROVIDERS', ','],
    ['STABILITY_BASE_URL', 'file:///etc/passwd'],
    ['OUTBOUND_ALLOW', '127.0.0.1'],
    ['OUTBOUND_ALLOW', '127.0.0.1:80,http://x:80'],
    ['VERTEX_PROJECT', 'My Project'],
    ['VERTEX_LOCATION', 'us/central1'],
    ['VERTEX_BASE_URL', 'vertex'],
    ['GEMINI_CONCURRENCY', '0'],
    ['GEMINI_CONCURRENCY', '1.5'],
    ['WEBHOOKS', 'maybe'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['SANDBOX_LATENCY', '-1'],
    ['SANDBOX_LATENCY', '11'],
    ['READS_PER_MINUTE', 'many'],
    ['PLAYGROUND', 'yes'],
    ['INTROSPECTION', '1'],
    ['LOG_LEVEL', 'verbose'],
  ])('wrongly is named: %s=%s', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}\\b`));
  });

  test('wrongly is shown so that it can be found, unless it may hold a secret', () => {
    expect(problemsOf({ PORT: 'http' })).toEqual([expect.stringMatching(/^PORT="http": .+/)]);
    const secret = 's3cr3t-value';
    for (const [name, value] of [
      ['DATABASE_URL', `mysql://user:${secret}@db`],
      ['REDIS_URL', `http://:${secret}@redis`],
      ['PUBLIC_URL', `ftp://user:${secret}@host`],
      ['STABILITY_BASE_URL', `file://${secret}`],
      ['HF_BASE_URL', secret],
      ['SIGNING_KEYS', secret],
    ] as const) {
      const problems = problemsOf({ [name]: value, NODE_ENV: 'production' });
      expect(problems.some((problem) => problem.startsWith(name))).toBe(true);
      expect(problems.join('\n')).not.toContain(secret);
    }
  });
});

describe('what belongs together', () => {
  test.each([
    [{ VERTEX_PROJECT: 'pictures-1' }, 'VERTEX_LOCATION'],
    [{ VERTEX_LOCATION: 'global' }, 'VERTEX_PROJECT'],
    [{ VERTEX_BASE_URL: 'https://vertex.example.com' }, 'VERTEX_BASE_URL'],
    [{ WEBHOOKS: 'true' }, 'PUBLIC_URL'],
    [
      {
        ...PRODUCTION,
        GEMINI_API_KEY: undefined,
        PROVIDERS: 'stability',
        VERTEX_PROJECT: 'pictures-1',
        VERTEX_LOCATION: 'global',
      },
      'GEMINI_API_KEY',
    ],
  ])('%o is not enough: %s is named', (environment, missing) => {
    expect(problemsOf(environment)).toEqual([expect.stringMatching(`^${missing} `)]);
  });

  test('live vendors report only where they can be expected to reach us', () => {
    expect(readConfig({ PUBLIC_URL: 'http://images.example.com' }).webhooks).toBe(false);
    expect(readConfig({ PUBLIC_URL: 'https://images.example.com', WEBHOOKS: 'false' }).webhooks).toBe(false);
    expect(readConfig({ PUBLIC_URL: 'http://images.example.com', WEBHOOKS: 'true' }).webhooks).toBe(true);
  });
});

describe('whatever is wrong is named at once', () => {
  test('what cannot be read beside what is missing, each setting once', () => {
    const problems = problemsOf({ NODE_ENV: 'production', PORT: 'x', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://db' });
    expect(problems.map((problem) => /^[A-Z_]+/.exec(problem)?.[0])).toEqual([
      'PORT',
      'DATABASE_URL',
      'LOG_LEVEL',
      'REDIS_URL',
      'SIGNING_KEYS',
      'PUBLIC_URL',
      'STORAGE',
      'STABILITY_API_KEY',
      'WAVESPEED_API_KEY',
      'HF_TOKEN',
      'GEMINI_API_KEY',
    ]);
  });

  test('several things wrong with one list are still one problem', () => {
    expect(problemsOf({ PROVIDERS: 'openai,midjourney' })).toHaveLength(1);
  });
});

describe('production', () => {
  test('lets users reach nothing of what it may itself call in its own network', () => {
    const OUTBOUND_ALLOW = '127.0.0.1:5555';
    expect(readConfig({ ...PRODUCTION, OUTBOUND_ALLOW })).toMatchObject({
      outboundAllow: [OUTBOUND_ALLOW],
      importAllow: [],
    });
  });

  test('starts when it has everything, closed by default', () => {
    expect(readConfig(PRODUCTION)).toMatchObject({
      environment: 'production',
      host: '0.0.0.0',
      playground: false,
      introspection: false,
      storage: '/var/lib/pictures',
    });
  });

  test.each(['DATABASE_URL', 'REDIS_URL', 'SIGNING_KEYS', 'PUBLIC_URL', 'STORAGE'])(
    'never falls back silently: without %s it does not start, and says what for',
    (name) => {
      expect(problemsOf({ ...PRODUCTION, [name]: undefined })).toEqual([
        expect.stringMatching(new RegExp(`^${name} is missing: production needs `)),
      ]);
    },
  );

  test.each([
    ['STABILITY_API_KEY', 'stability'],
    ['WAVESPEED_API_KEY', 'wavespeed'],
    ['HF_TOKEN', 'huggingface'],
    ['GEMINI_API_KEY', 'gemini'],
  ])(
    'without %s it does not start, unless PROVIDERS leaves %s out, which is then off and not a sandbox',
    (name, vendor) => {
      expect(problemsOf({ ...PRODUCTION, [name]: undefined })).toEqual([
        `${name} is missing: ${vendor} must be live, or name in PROVIDERS the vendors to use without it`,
      ]);
      const others = ['stability', 'wavespeed', 'huggingface', 'gemini'].filter((other) => other !== vendor);
      const { providers } = readConfig({ ...PRODUCTION, [name]: undefined, PROVIDERS: others.join(',') });
      expect(Object.entries(providers).map(([other, { mode }]) => [other, mode])).toEqual([
        ...['stability', 'wavespeed', 'huggingface', 'gemini'].map((other) => [
          other,
          other === vendor ? 'OFF' : 'LIVE',
        ]),
      ]);
    },
  );
});

describe('PROVIDERS', () => {
  test('names who must be live: without a key for one of them nothing starts, in development neither', () => {
    expect(problemsOf({ PROVIDERS: 'stability, gemini', GEMINI_API_KEY: 'g-1' })).toEqual([
      'STABILITY_API_KEY is missing: stability must be live',
    ]);
  });

  test('leaves the others to the sandbox in development', () => {
    expect(readConfig({ PROVIDERS: 'gemini', GEMINI_API_KEY: 'g-1' }).providers).toEqual({
      stability: { mode: 'SANDBOX' },
      wavespeed: { mode: 'SANDBOX' },
      huggingface: { mode: 'SANDBOX' },
      gemini: { mode: 'LIVE', apiKey: 'g-1', baseUrl: null },
    });
  });

  test('a vendor with a key is live, with its own base URL where one is given', () => {
    expect(
      readConfig({ STABILITY_API_KEY: 'sk-1', STABILITY_BASE_URL: 'http://127.0.0.1:5555/' }).providers.stability,
    ).toEqual({ mode: 'LIVE', apiKey: 'sk-1', baseUrl: 'http://127.0.0.1:5555' });
  });
});

describe('ROLE', () => {
  test.each(['gateway', 'worker'])('%s needs a database that several processes can share', (role) => {
    expect(problemsOf({ ROLE: role })).toEqual([
      `ROLE=${role}: several processes need DATABASE_URL, because the embedded database serves one process only`,
    ]);
    expect(readConfig({ ROLE: role, DATABASE_URL: 'postgres://db/gateway' })).toMatchObject({ role });
  });
});
