import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { AttemptsStore } from '../../src/jobs/attempts.store.ts';
import { freshDatabase, hasPostgres } from '../support/databases.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { generate, open } from '../support/stories.ts';

const started: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of started.splice(0).reverse()) await gateway.stop();
});

async function start(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startTestGateway(options);
  started.push(gateway);
  return gateway;
}

interface AttemptRow {
  readonly id: string;
  readonly vendor_id: string | null;
  readonly outcome: string | null;
  readonly cost: string | null;
}

async function attemptsOf({ database }: Pick<TestGateway, 'database'>): Promise<AttemptRow[]> {
  const { rows } = await sql<AttemptRow>`
    select id, vendor_id, outcome, vendor_cost_micros::text as cost from job_attempts order by id`.execute(database.db);
  return rows;
}

/** Looks again until there is something to see. */
async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    await delay(10);
  }
}

const QWEN = 'wavespeed/qwen-image';
const cancel = 'mutation ($id: ID!) { cancelJob(id: $id) { status } }';

test('a vendor that asks a look to wait longer than its time is looked at once more when that is over', async () => {
  const gateway = await start({ patience: 0.02 });
  const key = await open(gateway, { tier: 'ENTERPRISE' });
  const prompt = 'a reef [sandbox:status=429 retry-after=3600 on=poll times=1] [sandbox:webhook-none]';
  const { job } = await generate(gateway, key, { prompt, model: QWEN }, { waitSeconds: 30 });
  expect(job).toMatchObject({ status: 'SUCCEEDED', receipt: { captured: 2 } });
  expect(gateway.sandbox?.journal()).toHaveLength(1);
});

test('a report is kept for its own job at the vendor alone, also when it comes before the id is known', async () => {
  const gateway = await start();
  const key = await open(gateway, { tier: 'ENTERPRISE' });
  await generate(gateway, key, { prompt: 'a reef [sandbox:never] [sandbox:webhook-none]', model: QWEN });
  const { id } = await until(async () => (await attemptsOf(gateway))[0]);
  const attempts = new AttemptsStore(gateway.database.db);
  const report = { id: 'p1', status: 'completed' };
  expect(await attempts.keepReport(id, 'stability', 'p1', report)).toBe(false);
  expect(await attempts.keepReport(id, 'wavespeed', 'p1', report)).toBe(true);
  expect(await attempts.keepReport(id, 'wavespeed', 'p1', report)).toBe(false);
  // Whoever takes the job up after a crash finds the vendor's id with it.
  expect((await attemptsOf(gateway))[0]).toMatchObject({ vendor_id: 'p1', outcome: null });
  expect(await attempts.report(id, 'p1')).toEqual(report);
  // By the answer to the order it was another one: what was repeated to us is worth nothing, and the true one is kept.
  await attempts.accept(id, 'p2');
  expect(await attempts.report(id, 'p2')).toBeNull();
  expect(await attempts.keepReport(id, 'wavespeed', 'p1', report)).toBe(false);
  expect(await attempts.keepReport(id, 'wavespeed', 'p2', { ...report, id: 'p2' })).toBe(true);
  expect(await attempts.report(id, 'p2')).toEqual({ ...report, id: 'p2' });
});

test('a report to an address that we did not give out is for nobody', async () => {
  const gateway = await start();
  const key = await open(gateway, { tier: 'ENTERPRISE' });
  await generate(gateway, key, { prompt: 'a reef [sandbox:never] [sandbox:webhook-none]', model: QWEN });
  const { id } = await until(async () => (await attemptsOf(gateway))[0]);
  for (const path of [id, `${id}/`, `${id}/${'A'.repeat(43)}`]) {
    const answer = await fetch(`${gateway.url}/webhooks/wavespeed/${path}`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(404);
  }
  expect((await attemptsOf(gateway))[0]).toMatchObject({ vendor_id: null, outcome: null });
});

test('an account that keeps a slow vendor busy does not keep others from a quick one', async () => {
  const gateway = await start();
  const greedy = await open(gateway, { tier: 'ENTERPRISE' });
  const modest = await open(gateway, { tier: 'PRO' });
  const never = { prompt: 'a reef [sandbox:never]', model: QWEN };
  await Promise.all(Array.from({ length: 100 }, () => generate(gateway, greedy, never)));
  const { job } = await generate(gateway, modest, { prompt: 'a reef', model: 'stability/core' }, { waitSeconds: 30 });
  expect(job.status).toBe('SUCCEEDED');
});

test('a job that is cancelled while its process stops leaves no attempt open, and its cost is booked', async () => {
  const database = await freshDatabase('pglite');
  const gateway = await startTestGateway({ database });
  try {
    const key = await open(gateway, { tier: 'ENTERPRISE' });
    const { job } = await generate(gateway, key, { prompt: 'a reef [sandbox:never]', model: 'stability/core' });
    await until(async () => (await attemptsOf(gateway)).length === 1);
    const stopped = gateway.stop();
    await gateway.ask({ key }, cancel, { id: job.id });
    await stopped;
    expect(await attemptsOf({ database })).toMatchObject([{ outcome: 'discarded', cost: '30000' }]);
    await expectLawsHold(database.db);
  } finally {
    await database.close();
  }
});

test('what a process left behind when it died over a cancel is booked by the next one', async () => {
  const database = await freshDatabase('pglite');
  try {
    const first = await startTestGateway({ database });
    const key = await open(first, { tier: 'ENTERPRISE' });
    const ask = () => generate(first, key, { prompt: 'a reef', model: 'stability/core' }, { waitSeconds: 30 });
    expect([(await ask()).job.status, (await ask()).job.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    await first.stop();
    // As a kill leaves them: the jobs have ended, the calls have not; one of them may still be out.
    const [old, young] = await attemptsOf({ database });
    await sql`update job_attempts set outcome = null, vendor_cost_micros = null, finished_at = null`.execute(
      database.db,
    );
    await sql`update job_attempts set started_at = started_at - interval '11 minutes' where id = ${old?.id}`.execute(
      database.db,
    );
    await start({ database });
    expect(await attemptsOf({ database })).toMatchObject([
      { id: old?.id, outcome: 'discarded', cost: '30000' },
      { id: young?.id, outcome: null, cost: null },
    ]);
  } finally {
    for (const gateway of started.splice(0)) await gateway.stop();
    await database.close();
  }
});

test.skipIf(!hasPostgres)(
  'a cancel and an end that nobody was told of reach who waits for them all the same',
  { timeout: 60_000 },
  async () => {
    const database = await freshDatabase('postgres');
    try {
      // Without Redis the two cannot tell each other anything.
      const worker = await start({ database, environment: { DATABASE_URL: database.url ?? '' } });
      const other = await start({ database, environment: { DATABASE_URL: database.url ?? '', ROLE: 'gateway' } });
      const key = await open(worker, { tier: 'ENTERPRISE' });

      const asked = performance.now();
      const done = await generate(other, key, { prompt: 'a reef', model: 'stability/core' }, { waitSeconds: 30 });
      expect(done.job.status).toBe('SUCCEEDED');
      expect(performance.now() - asked).toBeLessThan(20_000);

      const { job } = await generate(other, key, { prompt: 'a reef [sandbox:never]', model: 'stability/core' });
      await until(async () => (await attemptsOf({ database })).length === 2);
      await other.ask({ key }, cancel, { id: job.id });
      const left = await until(async () => {
        const last = (await attemptsOf({ database })).at(-1);
        return last?.outcome != null && last;
      });
      expect(left).toMatchObject({ outcome: 'discarded', cost: '30000' });
    } finally {
      for (const gateway of started.splice(0).reverse()) await gateway.stop();
      await database.close();
    }
  },
);
