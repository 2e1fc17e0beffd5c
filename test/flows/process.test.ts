import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DemoKeys } from '../../src/demo-accounts.ts';
import { migrate, openPglite } from '../../src/platform/database.ts';
import { usedFolder } from '../support/databases.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { type Program, runProgram, startProgram } from '../support/program.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gateway-process-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function ask(program: Program, key: string, query: string): Promise<Record<string, never>> {
  const response = await fetch(`${program.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: Record<string, never>; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

const JOB =
  '{ jobs(first: 5) { nodes { id status receipt { quoted captured released settled } images { status attempts { outcome } asset { id width } } } } viewer { balance held } }';

interface State {
  jobs: {
    nodes: {
      id: string;
      status: string;
      receipt: { captured: number; released: number; settled: boolean };
      images: { asset: { id: string } | null }[];
    }[];
  };
  viewer: { balance: number; held: number };
}

describe('the program on its embedded parts', { timeout: 120_000 }, () => {
  test('starts in an empty folder, prints commands that work as they stand, and keeps its keys to itself', async () => {
    const program = await startProgram({ DATA_DIR: join(folder, 'first'), SANDBOX_LATENCY: '0' });
    try {
      const keysFile = join(folder, 'first', 'demo-keys.json');
      expect(statSync(keysFile).mode & 0o777).toBe(0o600);
      const keys = JSON.parse(readFileSync(keysFile, 'utf8')) as DemoKeys;
      expect(Object.keys(keys)).toEqual(['FREE', 'BASIC', 'PRO', 'ENTERPRISE', 'OPERATOR']);
      for (const key of Object.values(keys)) expect(program.printed()).toContain(key);
      const bodies = [...program.printed().matchAll(/-d '(\{.*\})'/g)].map(
        (match) => JSON.parse(match[1] ?? '{}') as { query: string },
      );
      expect(bodies).toHaveLength(2);
      const [estimate, generated] = [
        await ask(program, keys.PRO, bodies[0]?.query ?? ''),
        await ask(program, keys.PRO, bodies[1]?.query ?? ''),
      ];
      expect(estimate).toMatchObject({ estimateGenerate: { credits: 8, preflight: { ok: true } } });
      expect(generated).toMatchObject({
        generate: { job: { status: 'SUCCEEDED', receipt: { quoted: 4, captured: 4, released: 0 } } },
      });
    } finally {
      await program.end('SIGTERM');
    }
    expect(program.process.exitCode).toBe(0);
  });

  test('stopped, or killed in the middle of a job, it goes on where it was: accounts, balances, jobs and pictures', async () => {
    const environment = { DATA_DIR: usedFolder(join(folder, 'second')) };
    const first = await startProgram({ ...environment, SANDBOX_LATENCY: '0' });
    const keys = JSON.parse(readFileSync(join(folder, 'second', 'demo-keys.json'), 'utf8')) as DemoKeys;
    await ask(
      first,
      keys.PRO,
      'mutation { generate(input: { prompt: "kept", model: "stability/core" }, waitSeconds: 30) { __typename } }',
    );
    const before = (await ask(first, keys.PRO, JOB)) as unknown as State;
    expect(before.viewer).toEqual({ balance: 1997, held: 0 });
    await first.end('SIGTERM');

    // The vendor takes its time, so the job is certainly out when the process is killed.
    const second = await startProgram({ ...environment, SANDBOX_LATENCY: '5' });
    expect(await ask(second, keys.PRO, JOB)).toEqual(before);
    await ask(
      second,
      keys.PRO,
      'mutation { generate(input: { prompt: "interrupted", model: "stability/core", count: 2 }) { __typename } }',
    );
    await expect
      .poll(async () => ((await ask(second, keys.PRO, JOB)) as unknown as State).jobs.nodes[0]?.status)
      .toBe('RUNNING');
    await second.end('SIGKILL');

    const third = await startProgram({ ...environment, SANDBOX_LATENCY: '0' });
    await expect
      .poll(async () => ((await ask(third, keys.PRO, JOB)) as unknown as State).jobs.nodes[0]?.receipt.settled, {
        timeout: 20_000,
      })
      .toBe(true);
    const after = (await ask(third, keys.PRO, JOB)) as unknown as State;
    expect(after.jobs.nodes[1]).toEqual(before.jobs.nodes[0]);
    const { captured, released } = after.jobs.nodes[0]?.receipt ?? { captured: 0, released: 0 };
    expect(captured + released).toBe(6);
    expect(after.viewer).toEqual({ balance: 1997 - captured, held: 0 });
    const url = (
      (await ask(
        third,
        keys.PRO,
        `{ asset(id: "${before.jobs.nodes[0]?.images[0]?.asset?.id}") { url } }`,
      )) as unknown as { asset: { url: string } }
    ).asset.url;
    expect((await fetch(url)).status).toBe(200);
    await third.end('SIGTERM');

    const database = await openPglite(environment.DATA_DIR);
    await migrate(database.db);
    await expectLawsHold(database.db);
    await database.close();
  });

  test('a second program on the same folder is turned away and harms nothing', async () => {
    const environment = { DATA_DIR: usedFolder(join(folder, 'third')), SANDBOX_LATENCY: '0', PORT: '0' };
    const first = await startProgram(environment);
    const second = await runProgram(environment);
    expect(second.code).toBe(1);
    expect(second.printed).toMatch(/Another gateway is running on the data folder .*third/);
    expect((await fetch(`${first.url}/ready`)).status).toBe(200);
    await first.end('SIGTERM');
  });
});

describe('a configuration that is not right', { timeout: 60_000 }, () => {
  test.each([
    [{ PORT: 'eighty' }, ['PORT="eighty"']],
    [{ PORT: '70000', LOG_LEVEL: 'loud' }, ['PORT="70000"', 'LOG_LEVEL="loud"']],
    [{ DATABASE_URL: 'mysql://secret@host/x' }, ['DATABASE_URL=(hidden)']],
    [
      { NODE_ENV: 'production' },
      [
        'DATABASE_URL',
        'REDIS_URL',
        'SIGNING_KEYS',
        'PUBLIC_URL',
        'STORAGE',
        'STABILITY_API_KEY',
        'WAVESPEED_API_KEY',
        'HF_TOKEN',
        'GEMINI_API_KEY',
      ],
    ],
  ])('%j is named, nothing is started, and the process fails', async (environment, named) => {
    const dataDir = join(folder, `bad-${named.length}-${named[0]?.length}`);
    const { code, printed } = await runProgram({ DATA_DIR: dataDir, ...environment });
    expect(code).toBe(1);
    for (const name of named) expect(printed).toContain(name);
    expect(printed).not.toContain('secret');
    expect(existsSync(dataDir)).toBe(false);
  });
});

test('npm start, told to stop, leaves nothing running and lets go of the data folder', {
  timeout: 120_000,
}, async () => {
  const dataDir = usedFolder(join(folder, 'by-npm'));
  const npm = spawn('npm', ['start', '--ignore-scripts'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, DATA_DIR: dataDir, PORT: '0', SANDBOX_LATENCY: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  npm.stdout.on('data', (data: Buffer) => (printed += data.toString()));
  await expect.poll(() => printed, { timeout: 60_000 }).toContain('Draw one');
  npm.kill('SIGTERM');
  await expect
    .poll(async () => (await openPglite(dataDir).catch(() => null))?.close().then(() => 'free'), { timeout: 20_000 })
    .toBe('free');
});
