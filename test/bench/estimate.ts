import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { endProcess, type TestServer } from '../support/server-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CONNECTIONS = 50;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const WARM_UP_SECONDS = 5;
const CLOCK_TICKS_A_SECOND = 100;

const QUERY = `query ($input: GenerateInput!) { estimateGenerate(input: $input) {
  credits lines { kind label quantity unitCredits credits } quote quoteExpiresAt priceVersion
  balanceBefore balanceAfter affordableCount expectedSeconds preflight { ok refusals { message } } } }`;
const BODY = JSON.stringify({ query: QUERY, variables: { input: { prompt: 'a lighthouse at dawn', count: 2 } } });

interface Server {
  readonly name: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly process: ChildProcess;
}

interface Round {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
  readonly p50: number;
  readonly p99: number;
}

async function start(
  name: string,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<Server & { printed: string }> {
  const child = spawn(process.execPath, [...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString();
      const ready = /ready at (\S+\/graphql)/.exec(printed);
      if (ready?.[1]) resolve(ready[1].replace('localhost', '127.0.0.1'));
    });
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return { name, url, headers: { 'content-type': 'application/json' }, process: child, printed };
}

async function startGateway(name: string, environment: Record<string, string>, folder: string): Promise<Server> {
  const dataDir = join(folder, name.replaceAll(/\W+/g, '-'));
  const server = await start(name, [join(ROOT, 'dist', 'main.js')], {
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'warn',
    READS_PER_MINUTE: '0',
    SANDBOX_LATENCY: '0',
    ...environment,
  });
  const keys = JSON.parse(readFileSync(join(dataDir, 'demo-keys.json'), 'utf8')) as { PRO: string };
  return { ...server, headers: { ...server.headers, authorization: `Bearer ${keys.PRO}` } };
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

async function measure(server: Server, seconds: number): Promise<Round> {
  const before = cpuSeconds(server.process.pid);
  const result = await autocannon({
    url: server.url,
    method: 'POST',
    headers: server.headers,
    body: BODY,
    connections: CONNECTIONS,
    duration: seconds,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${server.name}: ${result.non2xx} bad answers, ${result.errors} errors`);
  const cpu = cpuSeconds(server.process.pid) - before;
  return {
    requestsPerSecond: result.requests.average,
    cpuMicrosPerRequest: (cpu * 1e6) / result.requests.total,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
const range = (values: readonly number[], digits: number) =>
  `[${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}]`;

function report(server: Server, rounds: readonly Round[], floor: readonly Round[]): string {
  const ratios = rounds.map(
    ({ requestsPerSecond }, i) => requestsPerSecond / (floor[i]?.requestsPerSecond ?? Number.NaN),
  );
  const cpu = rounds.map(
    ({ cpuMicrosPerRequest }, i) => cpuMicrosPerRequest / (floor[i]?.cpuMicrosPerRequest ?? Number.NaN),
  );
  return [
    server.name.padEnd(34),
    `${median(rounds.map(({ requestsPerSecond }) => requestsPerSecond)).toFixed(0)} req/s`.padStart(12),
    `${median(ratios).toFixed(3)}x raw ${range(ratios, 3)}`.padStart(30),
    `CPU ${median(cpu).toFixed(2)}x ${range(cpu, 2)}`.padStart(24),
    `p50 ${median(rounds.map(({ p50 }) => p50))} ms, p99 ${median(rounds.map(({ p99 }) => p99))} ms`.padStart(24),
  ].join('  ');
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const stoppable: (() => Promise<void>)[] = [];
  const environmentOf = (postgres: TestServer, redis: TestServer) =>
    'url' in postgres && 'url' in redis ? { DATABASE_URL: postgres.url, REDIS_URL: redis.url } : null;
  try {
    const embedded = await startGateway('gateway, embedded database', {}, folder);
    stoppable.push(() => endProcess(embedded.process, 'SIGTERM'));
    const answer = await fetch(embedded.url, { method: 'POST', headers: embedded.headers, body: BODY });
    const bytes = Buffer.from(await answer.arrayBuffer());
    writeFileSync(join(folder, 'answer.json'), bytes);
    const raw = await start(
      'raw node:http, the same bytes',
      [join(import.meta.dirname, 'raw-server.ts'), join(folder, 'answer.json')],
      {},
    );
    stoppable.push(() => endProcess(raw.process, 'SIGTERM'));
    const [postgres, redis] = [await startPostgres(), await startRedis()];
    for (const server of [postgres, redis]) if ('url' in server) stoppable.unshift(() => server.stop());
    const environment = environmentOf(postgres, redis);
    const servers: Server[] = [embedded];
    if (environment) {
      const onServers = await startGateway('gateway, PostgreSQL and Redis', environment, folder);
      stoppable.push(() => endProcess(onServers.process, 'SIGTERM'));
      servers.push(onServers);
    }
    process.stdout.write(
      `estimateGenerate, authenticated, ${bytes.length} bytes, ${CONNECTIONS} connections, ${ROUNDS} rounds of ${SECONDS} s, interleaved\n` +
        `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}; command: npm run bench\n\n`,
    );
    for (const server of [raw, ...servers]) await measure(server, WARM_UP_SECONDS);
    const rounds = new Map<Server, Round[]>([raw, ...servers].map((server) => [server, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [server, measured] of rounds) measured.push(await measure(server, SECONDS));
    }
    for (const [server, measured] of rounds)
      process.stdout.write(`${report(server, measured, rounds.get(raw) ?? [])}\n`);
  } finally {
    for (const stop of stoppable.reverse()) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
