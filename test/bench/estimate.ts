import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import {
  asAccount,
  type Load,
  measure,
  median,
  type Round,
  rangeOf,
  type Server,
  startGateway,
  startServer,
  stopServer,
} from './servers.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const WARM_UP_SECONDS = 5;

const QUERY = `query ($input: GenerateInput!) { estimateGenerate(input: $input) {
  credits lines { kind label quantity unitCredits credits } quote quoteExpiresAt priceVersion
  balanceBefore balanceAfter affordableCount expectedSeconds preflight { ok refusals { message } } } }`;
const LOAD: Load = {
  body: JSON.stringify({ query: QUERY, variables: { input: { prompt: 'a lighthouse at dawn', count: 2 } } }),
  connections: 50,
  isRight: (body) => body.includes('"ok":true'),
};

function report(server: Server, rounds: readonly Round[], floor: readonly Round[]): string {
  const ratiosOf = (figure: (round: Round) => number) =>
    rounds.map((round, i) => figure(round) / figure(floor[i] ?? round));
  const ratios = ratiosOf(({ requestsPerSecond }) => requestsPerSecond);
  const cpu = ratiosOf(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest);
  return [
    server.name.padEnd(34),
    `${median(rounds.map(({ requestsPerSecond }) => requestsPerSecond)).toFixed(0)} req/s`.padStart(12),
    `${median(ratios).toFixed(3)}x raw ${rangeOf(ratios, 3)}`.padStart(30),
    `CPU ${median(cpu).toFixed(2)}x ${rangeOf(cpu, 2)}`.padStart(24),
    `p50 ${median(rounds.map(({ p50 }) => p50))} ms, p99 ${median(rounds.map(({ p99 }) => p99))} ms`.padStart(24),
  ].join('  ');
}

/** An estimate, against a bare server that answers the same bytes. */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const stoppable: (() => Promise<void>)[] = [];
  try {
    const started = async (name: string, environment: Record<string, string>) => {
      const { server, keys } = await startGateway(name, environment, folder);
      stoppable.push(() => stopServer(server));
      return asAccount(server, keys.PRO);
    };
    const embedded = await started('gateway, embedded database', {});
    const answer = await fetch(embedded.url, { method: 'POST', headers: embedded.headers, body: LOAD.body });
    const bytes = Buffer.from(await answer.arrayBuffer());
    writeFileSync(join(folder, 'answer.json'), bytes);
    const raw = await startServer('raw node:http, the same bytes', [
      join(import.meta.dirname, 'raw-server.ts'),
      join(folder, 'answer.json'),
    ]);
    stoppable.push(() => stopServer(raw));
    const [postgres, redis] = [await startPostgres(), await startRedis()];
    for (const server of [postgres, redis]) if ('url' in server) stoppable.unshift(() => server.stop());
    const servers = [raw, embedded];
    if ('url' in postgres && 'url' in redis)
      servers.push(
        await started('gateway, PostgreSQL and Redis', { DATABASE_URL: postgres.url, REDIS_URL: redis.url }),
      );
    process.stdout.write(
      `estimateGenerate, authenticated, ${bytes.length} bytes, ${LOAD.connections} connections, ${ROUNDS} rounds of ${SECONDS} s, interleaved\n` +
        `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}; command: npm run bench\n\n`,
    );
    for (const server of servers) await measure(server, LOAD, WARM_UP_SECONDS);
    const rounds = new Map<Server, Round[]>(servers.map((server) => [server, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [server, measured] of rounds) measured.push(await measure(server, LOAD, SECONDS));
    }
    for (const [server, measured] of rounds)
      process.stdout.write(`${report(server, measured, rounds.get(raw) ?? [])}\n`);
  } finally {
    for (const stop of stoppable.reverse()) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
