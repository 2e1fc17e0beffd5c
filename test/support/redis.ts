import { spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { endProcess, findProgram, freePort, run, type TestServer } from './server-process.ts';

/** A real Redis: the one that REDIS_URL names, or a new one of an installed version, or Debian's where it may be installed. */
export async function startRedis(): Promise<TestServer> {
  if (process.env.REDIS_URL) return { url: process.env.REDIS_URL, stop: async () => undefined };
  const program = findProgram('redis-server') ?? findProgram('valkey-server') ?? (await installDebian());
  if (program === null) return { missing: 'no redis-server is installed; set REDIS_URL or install one' };
  return launchRedis(program, await freePort());
}

/** Starts a Redis that keeps nothing, on this port. */
export async function launchRedis(program: string, port: number): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  });
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 25 });
  client.on('error', () => undefined);
  await client.ping();
  client.disconnect();
  return { url, stop: () => endProcess(child, 'SIGKILL') };
}

async function installDebian(): Promise<string | null> {
  if (process.getuid?.() !== 0 || findProgram('apt-get') === null) return null;
  try {
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server']);
    return findProgram('redis-server');
  } catch {
    return null;
  }
}
