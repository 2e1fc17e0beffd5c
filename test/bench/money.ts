import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import type { Submitted } from '../../src/jobs/acceptances.ts';
import type { JobImage } from '../../src/jobs/job.ts';
import { startOwnPostgres } from '../support/postgres.ts';
import { run } from '../support/server-process.ts';
import { median, rangeOf } from './servers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** The program as it was built. */
const built = async <T>(path: string): Promise<T> => (await import(pathToFileURL(join(ROOT, 'dist', path)).href)) as T;
const { Credits } = await built<typeof import('../../src/credits/credits.service.ts')>('credits/credits.service.js');
const { CreditsStore } = await built<typeof import('../../src/credits/credits.store.ts')>('credits/credits.store.js');
const { BudgetsStore } = await built<typeof import('../../src/credits/budgets.store.ts')>('credits/budgets.store.js');
const { HoldsStore } = await built<typeof import('../../src/credits/holds.store.ts')>('credits/holds.store.js');
const { Acceptances } = await built<typeof import('../../src/jobs/acceptances.ts')>('jobs/acceptances.js');
const { endJob } = await built<typeof import('../../src/jobs/end-job.ts')>('jobs/end-job.js');
const { IdempotencyStore } =
  await built<typeof import('../../src/jobs/idempotency.store.ts')>('jobs/idempotency.store.js');
const { JobsStore } = await built<typeof import('../../src/jobs/jobs.store.ts')>('jobs/jobs.store.js');
const { inTransaction, migrate, openPostgres } =
  await built<typeof import('../../src/platform/database.ts')>('platform/database.js');
const { newId } = await built<typeof import('../../src/platform/ids.ts')>('platform/ids.js');
const { createLog } = await built<typeof import('../../src/platform/log.ts')>('platform/log.js');
const { DatabaseQueue } = await built<typeof import('../../src/platform/queue.ts')>('platform/queue.js');

const ROUNDS = 9;
const SECONDS = 2;
const IN_FLIGHT = 50;
const CONNECTIONS = 16;
const ACCOUNTS = 1_000;
const CREDITS = 1_000_000_000_000n;

const started = await startOwnPostgres({ fsync: 'on' });
if ('missing' in started) throw new Error(started.missing);
const postgres = started;
const pgbench = join(postgres.binaries, 'pgbench');
const database = openPostgres({ url: postgres.url, poolMax: CONNECTIONS, log: createLog('silent') });
const { db } = database;
await migrate(db);
const queue = new DatabaseQueue(database, postgres.url, createLog('silent'));
await queue.start();
const credits = new Credits(db, new CreditsStore(db), new HoldsStore(db), new BudgetsStore());
const store = new JobsStore(db);
const acceptances = new Acceptances({ db, keys: new IdempotencyStore(db), store, queue, credits });

const OPENED = new Date();
const accounts = Array.from({ length: ACCOUNTS }, () => newId('account'));
for (const accountId of accounts)
  await inTransaction(db, (tx) =>
    credits.open(tx, { accountId, monthly: CREDITS, postpaid: false, spendCap: null, openedAt: OPENED }),
  );

const REQUEST = {
  operation: 'GENERATE',
  prompt: 'a lighthouse at dawn, oil on canvas',
  quality: 'STANDARD',
  size: { width: 1024, height: 1024 },
  count: 1,
} as unknown as Submitted['job']['request'];

/** One paid picture with an idempotency key, as the service next door would hand it over. */
function submitted(accountId: string): Submitted {
  const [jobId, holdId, now] = [newId('job'), newId('hold'), new Date()];
  const image: JobImage = {
    id: newId('image'),
    jobId,
    index: 0,
    step: 0,
    run: 0,
    status: 'WAITING',
    size: { width: 1024, height: 1024 },
    format: null,
    sourceAssetId: null,
    sourceImageId: null,
    credits: 4_000n,
    allowance: null,
    assetId: null,
    failureCode: null,
    failureMessage: null,
    finishedAt: null,
  };
  return {
    job: {
      id: jobId,
      accountId,
      operation: 'GENERATE',
      status: 'QUEUED',
      request: REQUEST,
      holdId,
      priceVersion: 1,
      credits: 4_000n,
      priority: 2,
      createdAt: now,
      startedAt: null,
      finishedAt: null,
      traceParent: null,
      runningMax: 16,
    },
    images: [image],
    hold: {
      holdId,
      accountId,
      jobId,
      amount: 4_000n,
      priceVersion: 1,
      openHoldsMax: 1_000_000_000,
      allowances: [],
      budgetId: null,
    },
    claim: {
      accountId,
      key: randomUUID(),
      inputHash: 'a hash of the input, 64 characters long in earnest, as here 12345',
      jobId,
      claimedAt: now,
    },
  };
}

/** Jobs that were accepted and not ended yet, by how they were spread. */
const open = { hot: [] as string[], spread: [] as string[] };
type Spread = keyof typeof open;
const accountFor = (spread: Spread, number: number) => accounts[spread === 'hot' ? 0 : number % ACCOUNTS] ?? '';

/** Keeps as many calls in flight as `IN_FLIGHT` until the time is over; answers how many ended a second. */
async function rate(call: (number: number) => Promise<boolean>): Promise<number> {
  const began = performance.now();
  const endsAt = began + SECONDS * 1_000;
  let done = 0;
  let next = 0;
  const caller = async () => {
    while (performance.now() < endsAt)
      if (await call(next++)) done++;
      else return;
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return done / ((performance.now() - began) / 1_000);
}

const submission = (spread: Spread) => () =>
  rate(async (number) => {
    const each = submitted(accountFor(spread, number));
    const { kind } = await acceptances.accept(each);
    if (kind !== 'accepted') throw new Error(`a submission was ${kind}`);
    open[spread].push(each.job.id);
    return true;
  });

/** Delivers every image at once, outside the measured time, so that what is measured is the settlement alone. */
const deliverAll = `update job_images set status = 'DELIVERED', asset_id = 'asset of ' || id where status = 'WAITING'`;

const capture = (spread: Spread) => async () => {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(deliverAll);
  await client.end();
  return rate(async () => {
    const jobId = open[spread].pop();
    if (jobId === undefined) return false;
    const end = await inTransaction(db, (tx) => endJob(tx, store, credits, jobId, new Date()));
    if (end?.captured !== 4_000n) throw new Error('a job was not captured');
    return true;
  });
};

/** pgbench's simple-update: one update, one select, one insert and a commit a client, the usual yardstick. */
async function simpleUpdate(): Promise<number> {
  const args = ['-N', '-n', '-M', 'prepared', '-c', String(IN_FLIGHT), '-j', '2', '-T', String(SECONDS), postgres.url];
  const printed = await run(pgbench, args);
  const perSecond = Number(/tps = ([\d.]+)/.exec(printed)?.[1]);
  if (!(perSecond > 0)) throw new Error(`pgbench said nothing of its speed:\n${printed}`);
  return perSecond;
}

const FLOOR = 'pgbench simple-update';
const CONTENDERS: readonly (readonly [string, () => Promise<number>])[] = [
  [FLOOR, simpleUpdate],
  ['submission, one hot account', submission('hot')],
  [`submission, ${ACCOUNTS} accounts`, submission('spread')],
  ['capture, one hot account', capture('hot')],
  [`capture, ${ACCOUNTS} accounts`, capture('spread')],
];

/** The real transactions of money against pgbench's simple-update, on the same server, as many clients, interleaved. */
async function main(): Promise<void> {
  await run(pgbench, ['-i', '-q', '-s', '20', postgres.url]);
  process.stdout.write(
    `\nsubmission (key, job, wake-up, hold) and capture, ${IN_FLIGHT} in flight on ${CONNECTIONS} connections, fsync on, ${ROUNDS} rounds of ${SECONDS} s, interleaved\n` +
      `Node ${process.version}, ${(await run(pgbench, ['--version'])).trim()}, ${cpus().length} x ${cpus()[0]?.model}; command: npm run bench:money\n\n`,
  );
  const rounds = new Map(CONTENDERS.map(([name]) => [name, [] as number[]]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, measure] of CONTENDERS) {
      const result = await measure();
      if (round >= 0) rounds.get(name)?.push(result);
    }
  }
  const floor = rounds.get(FLOOR) ?? [];
  for (const [name, measured] of rounds) {
    const ratios = measured.map((each, round) => each / (floor[round] ?? Number.NaN));
    process.stdout.write(
      `${name.padEnd(30)}${`${median(measured).toFixed(0)} a second`.padStart(16)}${`${median(ratios).toFixed(2)}x ${rangeOf(ratios, 2)}`.padStart(24)}\n`,
    );
  }
}

try {
  await main();
} finally {
  await queue.stop();
  await database.close();
  await postgres.stop();
}
