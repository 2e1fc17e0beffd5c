import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { endProcess } from '../support/server-process.ts';

export const ROOT = join(import.meta.dirname, '..', '..');
const CLOCK_TICKS_A_SECOND = 100;

/** A server in a process of its own. */
export interface Server {
  readonly name: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly process: ChildProcess;
}

/** What is sent to a server again and again. */
export interface Load {
  readonly body: string;
  readonly connections: number;
  /** Whether an answer is the one that is meant: a quick refusal must not pass for speed. */
  readonly isRight: (body: string) => boolean;
}

export interface Round {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
  readonly p50: number;
  readonly p99: number;
}

/** Starts a program that prints `ready at <url>`. */
export async function startServer(
  name: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Server> {
  const child = spawn(process.execPath, [...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString();
      const ready = /ready at (\S+)/.exec(printed);
      if (ready?.[1]) resolve(ready[1].replace('localhost', '127.0.0.1'));
    });
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return { name, url, headers: { 'content-type': 'application/json' }, process: child };
}

/** The gateway as it was built, with the demo accounts that `folder` then holds the keys of. */
export async function startGateway(name: string, environment: Record<string, string>, folder: string) {
  const dataDir = join(folder, name.replaceAll(/\W+/g, '-'));
  const server = await startServer(name, [join(ROOT, 'dist', 'main.js')], {
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'warn',
    READS_PER_MINUTE: '0',
    SANDBOX_LATENCY: '0',
    ...environment,
  });
  const keys = JSON.parse(readFileSync(join(dataDir, 'demo-keys.json'), 'utf8')) as { PRO: string; OPERATOR: string };
  return { server, keys };
}

export function asAccount(server: Server, key: string): Server {
  return { ...server, headers: { ...server.headers, authorization: `Bearer ${key}` } };
}

export async function stopServer({ process: child }: Server): Promise<void> {
  await endProcess(child, 'SIGTERM');
}

/** Processor time of a process so far, in seconds; Linux only, NaN elsewhere. */
function cpuSeconds(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_A_SECOND;
  } catch {
    return Number.NaN;
  }
}

/** Loads a server for so many seconds. @throws when any answer is not the right one. */
export async function measure(server: Server, load: Load, seconds: number): Promise<Round> {
  const before = cpuSeconds(server.process.pid);
  let wrong = '';
  const result = await autocannon({
    url: server.url,
    method: 'POST',
    headers: server.headers,
    body: load.body,
    connections: load.connections,
    duration: seconds,
    verifyBody: (body) => {
      const isRight = load.isRight(String(body));
      if (!isRight) wrong = String(body).slice(0, 500);
      return isRight;
    },
  });
  const { non2xx, errors, mismatches } = result;
  if (non2xx + errors + mismatches > 0)
    throw new Error(`${server.name}: ${non2xx} bad statuses, ${errors} errors, ${mismatches} wrong answers: ${wrong}`);
  const cpu = cpuSeconds(server.process.pid) - before;
  return {
    requestsPerSecond: result.requests.average,
    cpuMicrosPerRequest: (cpu * 1e6) / result.requests.total,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** The smallest and the largest, as `[0.1-0.2]`. */
export function rangeOf(values: readonly number[], digits: number): string {
  return `[${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}]`;
}
