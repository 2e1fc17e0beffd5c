import { join } from 'node:path';
import type { Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { Jobs } from '../../src/jobs/jobs.service.ts';
import { freshDatabase, hasPostgres } from '../support/databases.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { type LiveAnswer, liveClient, subscribe } from '../support/live.ts';
import { generate, open, openAccount } from '../support/stories.ts';

let gateway: TestGateway;
let clients: Client[];
beforeAll(async () => {
  gateway = await startTestGateway();
});
beforeEach(() => {
  clients = [];
  gateway.sandbox?.faults.clear();
});
afterEach(async () => {
  for (const client of clients) await client.dispose();
});
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

function connect(key: string): Client {
  const client = liveClient(gateway.url, key);
  clients.push(client);
  return client;
}

interface JobShown {
  readonly job: {
    readonly id: string;
    readonly status: string;
    readonly position: number | null;
    readonly images: readonly {
      readonly status: string;
      readonly attempts: readonly { readonly outcome: string | null }[];
      readonly asset: { readonly width: number; readonly cost: number } | null;
    }[];
    readonly receipt: { readonly captured: number; readonly released: number; readonly settled: boolean };
  };
}

const WATCH_JOB = `subscription ($id: ID!) { job(id: $id) { id status position
  images { status attempts { outcome } asset { width cost } } receipt { captured released settled } } }`;
const CANCEL = 'mutation ($id: ID!) { cancelJob(id: $id) { status } }';
const NEVER = { prompt: 'it never comes [sandbox:never]', model: 'stability/core' };
const INPUT = { prompt: 'a ferry', model: 'stability/core' };

/** A state in few words, such as "RUNNING RUNNING/out DELIVERED/delivered". */
function told({ data }: LiveAnswer<JobShown>): string {
  const { job } = data ?? {};
  if (!job) return 'nothing';
  const images = job.images.map(({ status, attempts }) =>
    [status, ...attempts.map(({ outcome }) => outcome ?? 'out')].join('/'),
  );
  return [job.status, ...(job.position === null ? [] : [job.position]), ...images].join(' ');
}

const shown = (answers: readonly LiveAnswer<JobShown>[], start: string) =>
  answers.map(told).filter((words) => words.startsWith(start));

async function cancel(key: string, id: string): Promise<void> {
  const { data } = await gateway.ask({ key }, CANCEL, { id });
  expect(data).toEqual({ cancelJob: { status: 'CANCELLED' } });
}

describe('a job that is watched', () => {
  test('tells its whole story: its place in the queue, its begin, each call, each image, its end; no state twice', async () => {
    const { key } = await openAccount(gateway, { tier: 'PRO', limits: { runningJobs: 1 } });
    const [first, second] = [await generate(gateway, key, NEVER), await generate(gateway, key, INPUT)];
    const { job } = await generate(gateway, key, { ...INPUT, count: 2 });
    const { answers, ended } = subscribe<JobShown>(connect(key), WATCH_JOB, { id: job.id });
    await answers.until((answer) => told(answer) === 'QUEUED 2 WAITING WAITING');
    await cancel(key, second.job.id);
    await answers.until((answer) => told(answer) === 'QUEUED 1 WAITING WAITING');
    gateway.sandbox?.faults.next('stability', 'slow-headers=300');
    gateway.sandbox?.faults.next('stability', 'slow-headers=1200');
    await cancel(key, first.job.id);
    expect(await ended).toBeNull();

    expect(shown(answers.all, 'QUEUED')).toEqual(['QUEUED 2 WAITING WAITING', 'QUEUED 1 WAITING WAITING']);
    const running = shown(answers.all, 'RUNNING');
    expect(running).toContain('RUNNING RUNNING/out RUNNING/out');
    expect(running.slice(running.indexOf('RUNNING RUNNING/out RUNNING/out') + 1)[0]).toMatch(
      /^RUNNING (RUNNING\/out DELIVERED\/delivered|DELIVERED\/delivered RUNNING\/out)$/,
    );
    expect(told(answers.all.at(-1) ?? {})).toBe('SUCCEEDED DELIVERED/delivered DELIVERED/delivered');
    expect(answers.all.filter((answer, index) => told(answer) === told(answers.all[index - 1] ?? {}))).toEqual([]);
    expect(answers.all.flatMap(({ errors = [] }) => errors)).toEqual([]);
  });

  test('shows in every state what is true then: pictures and receipt come with the end, not before', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const { job } = await generate(gateway, key, { ...INPUT, prompt: 'a pier [sandbox:slow-headers=300]' });
    const { answers, ended } = subscribe<JobShown>(connect(key), WATCH_JOB, { id: job.id });
    expect(await ended).toBeNull();
    expect(answers.all[0]?.data?.job).toMatchObject({
      images: [{ asset: null }],
      receipt: { captured: 0, settled: false },
    });
    expect(answers.all.at(-1)?.data?.job).toMatchObject({
      status: 'SUCCEEDED',
      images: [{ asset: { width: 1024, cost: 3 } }],
      receipt: { captured: 3, released: 0, settled: true },
    });
  });

  test('shows a late subscriber the state of now and then what follows', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const { job } = await generate(gateway, key, NEVER);
    const early = subscribe<JobShown>(connect(key), WATCH_JOB, { id: job.id });
    await early.answers.until((answer) => told(answer) === 'RUNNING RUNNING/out');
    const late = subscribe<JobShown>(connect(key), WATCH_JOB, { id: job.id });
    await late.answers.until(() => true);
    await cancel(key, job.id);
    expect(await Promise.all([early.ended, late.ended])).toEqual([null, null]);
    expect(late.answers.all.map(told)[0]).toBe('RUNNING RUNNING/out');
    for (const { all } of [early.answers, late.answers])
      expect(all.at(-1)?.data?.job).toMatchObject({ status: 'CANCELLED', receipt: { captured: 0, released: 3 } });
  });

  test('that has ended is one state and complete', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const { job } = await generate(gateway, key, INPUT, { waitSeconds: 30 });
    const { answers, ended } = subscribe<JobShown>(connect(key), WATCH_JOB, { id: job.id });
    expect(await ended).toBeNull();
    expect(answers.all.map(told)).toEqual(['SUCCEEDED DELIVERED/delivered']);
  });

  test('is shown exactly as it was read and compared: its images and attempts are not read a second time', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const { job } = await generate(gateway, key, { ...INPUT, count: 2 }, { waitSeconds: 30 });
    const reads = [vi.spyOn(Jobs.prototype, 'imagesOf'), vi.spyOn(Jobs.prototype, 'attemptsOf')];
    expect(await subscribe<JobShown>(connect(key), WATCH_JOB, { id: job.id }).ended).toBeNull();
    expect(reads.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    for (const read of reads) read.mockRestore();
  });

  test('shows an image that nobody would draw, and what was released', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const { job } = await generate(gateway, key, {
      ...INPUT,
      prompt: 'x [sandbox:moderated] [sandbox:slow-headers=200]',
    });
    const { answers, ended } = subscribe<JobShown>(connect(key), WATCH_JOB, { id: job.id });
    expect(await ended).toBeNull();
    expect(answers.all.at(-1)?.data?.job).toMatchObject({ status: 'FAILED', receipt: { captured: 0, released: 3 } });
  });

  test.each(['unknown', 'foreign'])(
    'with an id that is %s gets the very error of the query, in the same bytes',
    async (kind) => {
      const key = await open(gateway, { tier: 'PRO' });
      const other = await open(gateway, { tier: 'PRO' });
      const { job } = await generate(gateway, other, INPUT);
      const id = kind === 'foreign' ? job.id : 'job_01h455vb4pex5vsknk084sn02q';
      const field = '\n  job(id: $id) { id }\n}';
      const { errors } = await gateway.ask({ key }, `query ($id: ID!) {${field}`, { id });
      const { answers, ended } = subscribe<JobShown>(connect(key), `subscription ($id: ID!) {${field}`, { id });
      expect(await ended).toBeNull();
      expect(answers.all.map((answer) => JSON.stringify(answer))).toEqual([JSON.stringify({ errors })]);
      expect(errors?.[0]?.extensions?.code).toBe('NOT_FOUND');
    },
  );
});

describe('the place of a waiting job', () => {
  test('is answered to queries too: by age, for every job of a page, and null for one that does not wait', async () => {
    const { key } = await openAccount(gateway, { tier: 'PRO', limits: { runningJobs: 1 } });
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push((await generate(gateway, key, NEVER)).job.id);
    await subscribe<JobShown>(connect(key), WATCH_JOB, { id: ids[0] ?? '' }).answers.until(
      ({ data }) => data?.job.status === 'RUNNING',
    );
    await cancel(key, ids[2] ?? '');
    const { data } = await gateway.ask({ key }, '{ jobs { nodes { id status position } } }');
    expect(data).toEqual({
      jobs: {
        nodes: [
          { id: ids[3], status: 'QUEUED', position: 2 },
          { id: ids[2], status: 'CANCELLED', position: null },
          { id: ids[1], status: 'QUEUED', position: 1 },
          { id: ids[0], status: 'RUNNING', position: null },
        ],
      },
    });
    for (const id of [ids[1], ids[3], ids[0]]) await cancel(key, id ?? '');
  });

  test('moves up at once: when a job before it is cancelled, and when the next one is begun', async () => {
    const { key } = await openAccount(gateway, { tier: 'PRO', limits: { runningJobs: 1 } });
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push((await generate(gateway, key, NEVER)).job.id);
    const { answers } = subscribe<JobShown>(connect(key), WATCH_JOB, { id: ids[3] ?? '' });
    await answers.until((answer) => told(answer) === 'QUEUED 3 WAITING');
    const began = performance.now();
    await cancel(key, ids[1] ?? '');
    await answers.until((answer) => told(answer) === 'QUEUED 2 WAITING');
    await cancel(key, ids[0] ?? '');
    await answers.until((answer) => told(answer) === 'QUEUED 1 WAITING');
    // Without word of it, it would be seen when the job is looked at again, after ten seconds.
    expect(performance.now() - began).toBeLessThan(5_000);
    for (const id of [ids[3], ids[2]]) await cancel(key, id ?? '');
  });

  test('counts the jobs of its own account alone', async () => {
    const [mine, theirs] = [
      await openAccount(gateway, { tier: 'PRO', limits: { runningJobs: 1 } }),
      await openAccount(gateway, { tier: 'PRO', limits: { runningJobs: 1 } }),
    ];
    const ids: [string, string][] = [];
    for (const { key } of [theirs, theirs, theirs, mine, mine])
      ids.push([key, (await generate(gateway, key, NEVER)).job.id]);
    const { data } = await gateway.ask({ key: mine.key }, 'query ($id: ID!) { job(id: $id) { position } }', {
      id: ids.at(-1)?.[1] ?? '',
    });
    expect(data).toEqual({ job: { position: 1 } });
    for (const [key, id] of ids.reverse()) await cancel(key, id);
  });
});

describe('a balance that is watched', () => {
  interface BalanceShown {
    readonly balance: { readonly available: number; readonly held: number; readonly openJobs: number };
  }
  const WATCH_BALANCE = 'subscription { balance { available held openJobs } }';

  test('moves when credits are held and when they are captured, shows nothing twice, and goes on', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const { answers, ended, stop } = subscribe<BalanceShown>(connect(key), WATCH_BALANCE);
    await answers.until(() => true);
    const { job } = await generate(gateway, key, { ...INPUT, prompt: 'a quay [sandbox:slow-headers=300]' });
    const watched = subscribe<JobShown>(connect(key), WATCH_JOB, { id: job.id });
    expect(await watched.ended).toBeNull();
    await answers.until(({ data }) => data?.balance.available === 1997 && data.balance.held === 0);
    expect(answers.all.map(({ data }) => data?.balance)).toEqual([
      { available: 2000, held: 0, openJobs: 0 },
      { available: 1997, held: 3, openJobs: 1 },
      { available: 1997, held: 0, openJobs: 0 },
    ]);
    stop();
    expect(await ended).toBeNull();
  });

  test('shows a grant, and nothing of what happens to other accounts', async () => {
    const mine = await openAccount(gateway, { tier: 'PRO' });
    const theirs = await openAccount(gateway, { tier: 'PRO' });
    const { answers } = subscribe<BalanceShown>(connect(mine.key), WATCH_BALANCE);
    await answers.until(() => true);
    const grant =
      'mutation ($account: ID!, $credits: Credits!) { grantCredits(account: $account, credits: $credits) { id } }';
    expect((await gateway.ask('OPERATOR', grant, { account: theirs.id, credits: 5 })).errors).toBeUndefined();
    expect((await gateway.ask('OPERATOR', grant, { account: mine.id, credits: 7 })).errors).toBeUndefined();
    await answers.until(({ data }) => data?.balance.available === 2007);
    expect(answers.all.map(({ data }) => data?.balance.available)).toEqual([2000, 2007]);
  });
});

const redis = inject('redis');

describe.skipIf(!hasPostgres || !('url' in redis))('with a gateway and a worker that share Redis', () => {
  test('a job that runs in the one is watched at the other, from the queue to the end, and so is the balance', async () => {
    const database = await freshDatabase('postgres');
    const environment = (ROLE: string) => ({
      ROLE,
      REDIS_URL: 'url' in redis ? redis.url : '',
      DATABASE_URL: database.url ?? '',
      STORAGE: join(gateway.dataDir, 'shared'),
    });
    const front = await startTestGateway({ database, environment: environment('gateway') });
    const key = await open(front, { tier: 'PRO' });
    const client = liveClient(front.url, key);
    const { job } = await generate(front, key, { ...INPUT, prompt: 'a dock [sandbox:slow-headers=300]' });
    const watched = subscribe<JobShown>(client, WATCH_JOB, { id: job.id });
    const balance = subscribe<{ balance: { held: number } }>(client, 'subscription { balance { held } }');
    await watched.answers.until((answer) => told(answer) === 'QUEUED 1 WAITING');
    await balance.answers.until(({ data }) => data?.balance.held === 3);

    const began = performance.now();
    const worker = await startTestGateway({ database, environment: environment('worker') });
    expect(await watched.ended).toBeNull();
    await balance.answers.until(({ data }) => data?.balance.held === 0);
    // Far sooner than by looking again unasked, which would be after ten and twenty seconds.
    expect(performance.now() - began).toBeLessThan(9_000);
    expect(watched.answers.all.map(told)).toContain('RUNNING RUNNING/out');
    expect(told(watched.answers.all.at(-1) ?? {})).toBe('SUCCEEDED DELIVERED/delivered');
    await client.dispose();
    await front.stop();
    await worker.stop();
    await database.close();
  });
});
