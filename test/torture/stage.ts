import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DemoKeys } from '../../src/demo-accounts.ts';
import type { Db } from '../../src/platform/database.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres.ts';
import { launchRedis } from '../support/redis.ts';
import { findProgram, freePort } from '../support/server-process.ts';

export type Engine = 'postgres' | 'pglite';
export type Role = 'gateway' | 'worker' | 'all';

export interface StageOptions {
  readonly engine: Engine;
  readonly redis: boolean;
  readonly faults: string;
  readonly seed: number;
  /** How long vendors take, of what they usually do. */
  readonly latency: number;
  /** How long gateways wait for them, of what they usually do. */
  readonly patience?: number;
  /** How many orders a worker has out at a vendor at once. */
  readonly concurrency?: number;
}

/** Redis, which may be killed. */
export interface OwnRedis {
  readonly url: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** One place for a process, which is started there again and again. */
export interface Slot {
  readonly name: string;
  readonly role: Role;
  readonly port: number;
}

/** What the gateways stand on, and the vendors that outlive them. */
export interface Stage {
  readonly engine: Engine;
  readonly folder: string;
  readonly storage: string;
  readonly slots: readonly Slot[];
  readonly postgres: OwnPostgres | null;
  readonly redis: OwnRedis | null;
  readonly vendors: Sandbox;
  environmentOf(slot: Slot): Record<string, string>;
  logOf(slot: Slot): string;
  /** Writes beside what the processes write. */
  log(text: string): void;
  /** The operator's key, once a gateway has run. */
  operatorKey(): string;
  /** Looks at the database; the embedded one only while nobody runs on it. */
  look<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** Ends everything. The folder with what the processes have written stays unless `isForgotten`. */
  close(isForgotten: boolean): Promise<void>;
}

const SLOTS: Readonly<Record<Engine, readonly Omit<Slot, 'port'>[]>> = {
  postgres: [
    { name: 'gateway-1', role: 'gateway' },
    { name: 'gateway-2', role: 'gateway' },
    { name: 'worker-1', role: 'worker' },
    { name: 'worker-2', role: 'worker' },
  ],
  pglite: [{ name: 'all-in-one', role: 'all' }],
};

/** @throws when there is no PostgreSQL, or no Redis, although it was asked for. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const { engine, latency } = options;
  const folder = mkdtempSync(join(tmpdir(), 'gateway-torture-'));
  const storage = join(folder, 'pictures');
  mkdirSync(join(folder, 'logs'));
  const vendors = await startSandbox({
    journalFile: join(folder, 'journal.jsonl'),
    latency,
    faults: options.faults,
    faultSeed: options.seed,
  });
  const postgres = engine === 'postgres' ? needed(await startOwnPostgres()) : null;
  const redis = options.redis ? await startOwnRedis() : null;
  const slots: Slot[] = [];
  for (const slot of SLOTS[engine]) slots.push({ ...slot, port: await freePort() });
  const doors = slots.filter(({ role }) => role !== 'worker').map(addressOf);
  const shared: Record<string, string> = {
    ...livingOn(vendors.origin, options.concurrency ?? CONCURRENCY),
    DATA_DIR: folder,
    // Processes are started by the hundred.
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    STORAGE: storage,
    ...(options.patience !== undefined && { TORTURE_PATIENCE: String(options.patience) }),
    SIGNING_KEYS: randomBytes(32).toString('hex'),
    ...(postgres && { DATABASE_URL: postgres.url, DATABASE_POOL_MAX: '8' }),
    ...(redis && { REDIS_URL: redis.url }),
  };
  const books = await openBooks(folder, postgres);
  return {
    engine,
    folder,
    storage,
    slots,
    postgres,
    redis,
    vendors,
    environmentOf: (slot) => ({
      ...shared,
      ROLE: slot.role,
      PORT: String(slot.port),
      // Vendors report to a gateway, also what a worker has ordered.
      PUBLIC_URL: doors[slots.indexOf(slot) % doors.length] ?? addressOf(slot),
    }),
    log: (text) => appendFileSync(join(folder, 'logs', 'torture.log'), `${new Date().toISOString()} ${text}\n`),
    logOf: ({ name }) => join(folder, 'logs', `${name}.log`),
    operatorKey: () => (JSON.parse(readFileSync(join(folder, 'demo-keys.json'), 'utf8')) as DemoKeys).OPERATOR,
    look: books.look,
    async close(isForgotten) {
      await books.close();
      await vendors.close();
      await redis?.kill();
      await postgres?.stop();
      if (isForgotten) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function addressOf({ port }: Slot): string {
  return `http://127.0.0.1:${port}`;
}

function needed<T extends object>(server: T | { readonly missing: string }): T {
  if ('missing' in server) throw new Error(server.missing);
  return server;
}

const VENDORS = ['STABILITY', 'WAVESPEED', 'HF', 'GEMINI'] as const;
const CONCURRENCY = 16;

/** All four vendors live, at one address. */
function livingOn(origin: string, concurrency: number): Record<string, string> {
  return {
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    READS_PER_MINUTE: '0',
    PLAYGROUND: 'false',
    WEBHOOKS: 'true',
    OUTBOUND_ALLOW: new URL(origin).host,
    STABILITY_API_KEY: 'sk-house',
    WAVESPEED_API_KEY: 'house',
    HF_TOKEN: 'hf_house',
    GEMINI_API_KEY: 'house',
    ...Object.fromEntries(VENDORS.map((name) => [`${name}_BASE_URL`, origin])),
    ...Object.fromEntries(VENDORS.map((name) => [`${name}_CONCURRENCY`, String(concurrency)])),
  };
}

async function startOwnRedis(): Promise<OwnRedis> {
  const program = findProgram('redis-server') ?? findProgram('valkey-server');
  if (program === null) throw new Error('no redis-server is installed: leave it out with --no-redis');
  const port = await freePort();
  let server = await launchRedis(program, port);
  return {
    url: server.url,
    kill: () => server.stop(),
    async restart() {
      server = await launchRedis(program, port);
    },
  };
}

/** From the compiled program, because its files are written in a way that Node does not run as they are. */
async function openBooks(folder: string, postgres: OwnPostgres | null) {
  const compiled = join(import.meta.dirname, '..', '..', 'dist', 'platform');
  const { openPglite, openPostgres } = (await import(
    `${compiled}/database.js`
  )) as typeof import('../../src/platform/database.ts');
  const { createLog } = (await import(`${compiled}/log.js`)) as typeof import('../../src/platform/log.ts');
  if (postgres) {
    const database = openPostgres({ url: postgres.url, poolMax: 4, log: createLog('silent') });
    return { look: <T>(work: (db: Db) => Promise<T>) => work(database.db), close: () => database.close() };
  }
  return {
    async look<T>(work: (db: Db) => Promise<T>): Promise<T> {
      const database = await openPglite(folder);
      try {
        return await work(database.db);
      } finally {
        await database.close();
      }
    },
    close: async () => undefined,
  };
}
