import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { createPostgresDatabase, hasPostgres } from '../support/databases.ts';
import { startTestGateway } from '../support/gateway.ts';
import { type Program, startProgram } from '../support/program.ts';
import { freePort } from '../support/server-process.ts';
import { generate, open } from '../support/stories.ts';

const redis = inject('redis');

describe('vendors that have a key', () => {
  let vendors: Sandbox;
  beforeAll(async () => {
    vendors = await startSandbox({});
  });
  afterAll(() => vendors.close());

  const PROVIDERS = '{ providers { name mode } }';

  test('go live one by one, at the address that is set, and the others stay in the sandbox', async () => {
    const gateway = await startTestGateway({
      environment: {
        STABILITY_API_KEY: 'sk-live',
        STABILITY_BASE_URL: `${vendors.origin}/`,
        OUTBOUND_ALLOW: new URL(vendors.origin).host,
      },
    });
    const { data } = await gateway.ask('PRO', PROVIDERS);
    expect(data).toEqual({
      providers: [
        { name: 'STABILITY', mode: 'LIVE' },
        { name: 'WAVESPEED', mode: 'SANDBOX' },
        { name: 'HUGGINGFACE', mode: 'SANDBOX' },
        { name: 'GEMINI', mode: 'SANDBOX' },
      ],
    });
    const key = await open(gateway, { tier: 'PRO' });
    const live = await generate(gateway, key, { prompt: 'drawn live', model: 'stability/core' }, { waitSeconds: 30 });
    const sandboxed = await generate(
      gateway,
      key,
      { prompt: 'drawn in the sandbox', model: 'gemini/nano-banana' },
      { waitSeconds: 30 },
    );
    expect([live.job.status, sandboxed.job.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(vendors.journal().map(({ prompt }) => prompt)).toEqual(['drawn live']);
    expect(gateway.sandbox?.journal().map(({ prompt }) => prompt)).toEqual(['drawn in the sandbox']);
    await gateway.stop();
  });

  test('at a private address that is not allowed are never called', async () => {
    const before = vendors.journal().length;
    const gateway = await startTestGateway({
      environment: { STABILITY_API_KEY: 'sk-live', STABILITY_BASE_URL: vendors.origin },
    });
    const key = await open(gateway, { tier: 'PRO' });
    const { job } = await generate(
      gateway,
      key,
      { prompt: 'nobody hears', model: 'stability/core' },
      { waitSeconds: 30 },
    );
    expect(job).toMatchObject({ status: 'FAILED', receipt: { captured: 0, released: 3 } });
    expect(job.images[0]?.attempts).toEqual([{ route: 'stability/core', outcome: 'rejected' }]);
    expect(vendors.journal()).toHaveLength(before);
    await gateway.stop();
  });
});

describe.skipIf(!hasPostgres || !('url' in redis))('in production', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-production-'));
  let vendors: Sandbox;
  let database: Awaited<ReturnType<typeof createPostgresDatabase>>;
  let environment: Record<string, string>;
  const programs: Program[] = [];

  beforeAll(async () => {
    vendors = await startSandbox({});
    database = await createPostgresDatabase();
    environment = {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      DATABASE_URL: database.url,
      REDIS_URL: 'url' in redis ? redis.url : '',
      SIGNING_KEYS: 'a-signing-key-of-at-least-32-characters,an-older-signing-key-of-32-characters',
      STORAGE: join(folder, 'pictures'),
      DATA_DIR: join(folder, 'data'),
      PROVIDERS: 'stability',
      STABILITY_API_KEY: 'sk-live',
      STABILITY_BASE_URL: vendors.origin,
      OUTBOUND_ALLOW: new URL(vendors.origin).host,
    };
  });
  afterAll(async () => {
    for (const program of programs) await program.end('SIGTERM');
    await vendors.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function createOperator(): Promise<string> {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../../dist/main.js'), 'operator:create', 'First', 'operator'],
      {
        env: { PATH: process.env.PATH, ...environment, PUBLIC_URL: 'http://localhost:1' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let printed = '';
    child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    return printed.trim().split('\n').at(-1) ?? '';
  }

  async function start(role: string): Promise<Program> {
    const port = await freePort();
    const program = await startProgram({
      ...environment,
      ROLE: role,
      PORT: String(port),
      PUBLIC_URL: `http://localhost:${port}`,
    });
    programs.push(program);
    return program;
  }

  test('a gateway and a worker serve together, with one operator, no demo account and nothing to explore', async () => {
    const operator = await createOperator();
    const [gateway, worker] = [await start('gateway'), await start('worker')];
    const ask = async (key: string, query: string) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify({ query }),
      });
      return (await response.json()) as { data: Record<string, never>; errors?: { message: string }[] };
    };
    expect(gateway.printed()).not.toMatch(/isg_/);
    const opened = (await ask(
      operator,
      'mutation { createAccount(input: { name: "Customer", tier: PRO }) { issued { secret } } }',
    )) as unknown as { data: { createAccount: { issued: { secret: string } } } };
    const key = opened.data.createAccount.issued.secret;
    const audit = await ask(
      operator,
      '{ auditLog { nodes { action accountId keyId requestId after } } viewer { id } }',
    );
    expect(audit.data).toMatchObject({
      auditLog: {
        nodes: [
          { action: 'createAccount', accountId: expect.stringMatching(/^account_/), after: { name: 'Customer' } },
          {
            action: 'createAccount',
            accountId: null,
            keyId: null,
            requestId: null,
            after: { name: 'First operator', role: 'OPERATOR' },
          },
        ],
      },
    });
    expect(JSON.stringify(audit)).not.toContain(operator);
    const done = await ask(
      key,
      'mutation { generate(input: { prompt: "for real", model: "stability/core" }, waitSeconds: 30) { ... on Submission { job { status images { asset { url } } } } } }',
    );
    expect(done).toMatchObject({ data: { generate: { job: { status: 'SUCCEEDED' } } } });
    expect(vendors.journal().map(({ prompt }) => prompt)).toEqual(['for real']);
    const providers = await ask(key, '{ providers { name mode } }');
    expect(providers.data).toMatchObject({
      providers: [{ mode: 'LIVE' }, { mode: 'OFF' }, { mode: 'OFF' }, { mode: 'OFF' }],
    });
    const off = await ask(
      key,
      '{ estimateGenerate(input: { prompt: "x", provider: GEMINI }) { preflight { refusals { __typename } } } }',
    );
    expect(off.data).toMatchObject({
      estimateGenerate: { preflight: { refusals: [{ __typename: 'ProviderUnavailable' }] } },
    });
    expect((await ask(key, '{ __schema { types { name } } }')).errors).toHaveLength(1);
    expect(
      (await fetch(`${gateway.url}/graphql`, { headers: { accept: 'text/html' } })).headers.get('content-type'),
    ).not.toContain('html');
    expect((await fetch(`${worker.url}/ready`)).status).toBe(200);
  });
});
