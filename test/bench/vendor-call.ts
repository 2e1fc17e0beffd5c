import { mkdtempSync, rmSync } from 'node:fs';
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

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const IN_FLIGHT = 32;
/** What the highest tier has a month. */
const FREE_IMAGES = 100;

/** One picture, as it is ordered from the vendor itself and through us. The seed makes it the same picture every time. */
interface Order {
  readonly name: string;
  readonly prompt: string;
  readonly side: number;
}
const ORDERS: readonly Order[] = [
  { name: 'a small picture', prompt: 'a lighthouse at dawn', side: 256 },
  { name: 'a picture of 1 MB', prompt: 'a lighthouse at dawn [sandbox:huge=1]', side: 512 },
];

function ask(order: Order, connections: number): { direct: Load; through: Load } {
  const { prompt, side } = order;
  const query = `mutation ($input: GenerateInput!) { generate(input: $input, waitSeconds: 30) {
    ... on Submission { job { status images { asset { url } } } } ... on Refused { refusals { message } } } }`;
  const input = { prompt, model: 'huggingface/flux-schnell', width: side, height: side, seed: 7 };
  return {
    direct: {
      body: JSON.stringify({ inputs: prompt, parameters: { width: side, height: side, seed: 7 } }),
      connections,
      isRight: (body) => body.length > 1_000 && !body.startsWith('{'),
    },
    through: {
      body: JSON.stringify({ query, variables: { input } }),
      connections,
      isRight: (body) => body.includes('"status":"SUCCEEDED"'),
    },
  };
}

/** An account that no limit slows down, and whose free images, which race for the last one, are used up. */
async function unlimited(server: Server, operatorKey: string): Promise<Server> {
  const { createAccount } = await post<{ createAccount: { issued: { secret: string } } }>(
    asAccount(server, operatorKey),
    'mutation { createAccount(input: { name: "bench", tier: ENTERPRISE, limits: { submissionsPerMinute: 1000000, runningJobs: 64 } }) { issued { secret } } }',
  );
  const account = asAccount(server, createAccount.issued.secret);
  for (let free = 0; free < FREE_IMAGES; free += 10) {
    await post(
      account,
      'mutation { generate(input: { prompt: "free", model: "huggingface/flux-schnell", width: 64, height: 64, seed: 7, count: 10 }, waitSeconds: 30) { __typename } }',
    );
  }
  return account;
}

async function post<T>({ url, headers }: Server, query: string): Promise<T> {
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  const { data, errors } = (await answer.json()) as { data: T; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Rounds of the vendor alone and of the gateway in front of it, turn by turn. */
async function compare(order: Order, connections: number, vendor: Server, gateways: readonly Server[]): Promise<void> {
  const { direct, through } = ask(order, connections);
  const rounds = new Map<Server, Round[]>([vendor, ...gateways].map((server) => [server, []]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [server, measured] of rounds) {
      const result = await measure(server, server === vendor ? direct : through, round < 0 ? 2 : SECONDS);
      if (round >= 0) measured.push(result);
    }
  }
  const floor = rounds.get(vendor) ?? [];
  process.stdout.write(`${order.name}, ${connections} in flight\n`);
  for (const [server, measured] of rounds) {
    const ratios = measured.map((round, i) => round.requestsPerSecond / (floor[i]?.requestsPerSecond ?? Number.NaN));
    const added = measured.map((round, i) => round.p50 - (floor[i]?.p50 ?? Number.NaN));
    const figures = [
      `${median(measured.map(({ requestsPerSecond }) => requestsPerSecond)).toFixed(0)} a second`.padStart(14),
      `${median(ratios).toFixed(3)}x direct ${rangeOf(ratios, 3)}`.padStart(32),
      `p50 ${median(measured.map(({ p50 }) => p50))} ms`.padStart(12),
      `added p50 ${median(added)} ms ${rangeOf(added, 0)}`.padStart(28),
      `CPU ${(median(measured.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest)) / 1_000).toFixed(2)} ms a picture`,
    ];
    process.stdout.write(`  ${server.name.padEnd(32)}${figures.join('  ')}\n`);
  }
}

/**
 * What the gateway adds to a vendor's call, with all that it is for: estimate, hold, queue, check of the picture, storage
 * and settlement in the database. The vendor is the sandbox in a process of its own.
 */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const stoppable: (() => Promise<void>)[] = [];
  try {
    const sandbox = await startServer('the vendor alone', [join(import.meta.dirname, 'sandbox-server.ts')]);
    stoppable.push(() => stopServer(sandbox));
    const started = async (name: string, environment: Record<string, string>) => {
      const { server, keys } = await startGateway(
        name,
        {
          HF_TOKEN: 'hf_bench',
          HF_BASE_URL: sandbox.url,
          HF_CONCURRENCY: '64',
          OUTBOUND_ALLOW: new URL(sandbox.url).host,
          ...environment,
        },
        folder,
      );
      stoppable.push(() => stopServer(server));
      return unlimited(server, keys.OPERATOR);
    };
    const gateways = [await started('gateway, embedded database', {})];
    const [postgres, redis] = [await startPostgres(), await startRedis()];
    for (const server of [postgres, redis]) if ('url' in server) stoppable.unshift(() => server.stop());
    if ('url' in postgres && 'url' in redis)
      gateways.push(
        await started('gateway, PostgreSQL and Redis', { DATABASE_URL: postgres.url, REDIS_URL: redis.url }),
      );
    const vendor: Server = {
      ...sandbox,
      url: `${sandbox.url}/hf-inference/models/black-forest-labs/FLUX.1-schnell`,
      headers: { ...sandbox.headers, authorization: 'Bearer hf_bench', accept: 'image/png' },
    };
    process.stdout.write(
      `\ngenerate and wait for the picture, ${ROUNDS} rounds of ${SECONDS} s, interleaved\n` +
        `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}; command: npm run bench\n\n`,
    );
    for (const order of ORDERS) {
      for (const connections of [1, IN_FLIGHT]) await compare(order, connections, vendor, gateways);
    }
  } finally {
    for (const stop of stoppable.reverse()) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
