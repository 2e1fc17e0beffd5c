import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HoldRequest } from '../../src/credits/balance.ts';
import { type AcceptanceParts, Acceptances, type Submitted } from '../../src/jobs/acceptances.ts';
import { IdempotencyStore } from '../../src/jobs/idempotency.store.ts';
import type { JobImage } from '../../src/jobs/job.ts';
import { JobsStore } from '../../src/jobs/jobs.store.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import type { WorkQueue } from '../../src/platform/queue.ts';
import { OPENED, TestLedger } from '../credits/ledger.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { expectLawsHold } from '../support/invariants.ts';

describe.each(ENGINES)('what is submitted at once on %s', (engine) => {
  let database: Database;
  let ledger: TestLedger;
  let parts: AcceptanceParts;
  let acceptances: Acceptances;
  const woken: string[][] = [];
  const queue: Pick<WorkQueue, 'enqueue'> = {
    enqueue: async (wakes) => void woken.push(wakes.map(({ id }) => id)),
  };
  beforeAll(async () => {
    database = await freshDatabase(engine);
    const { db } = database;
    ledger = new TestLedger(db);
    parts = {
      db,
      keys: new IdempotencyStore(db),
      store: new JobsStore(db),
      queue: queue as WorkQueue,
      credits: ledger.credits,
    };
    acceptances = new Acceptances(parts);
  });
  afterAll(() => database.close());
  afterEach(async () => {
    woken.splice(0);
    await expectLawsHold(database.db);
  });

  function submitted(accountId: string, { key = '', images = 1, hold = {} as Partial<HoldRequest> } = {}): Submitted {
    const [jobId, holdId] = [newId('job'), newId('hold')];
    const image = (index: number): JobImage => ({
      id: newId('image'),
      jobId,
      index,
      step: 0,
      run: index,
      status: 'WAITING',
      size: { width: 64, height: 64 },
      format: null,
      sourceAssetId: null,
      sourceImageId: null,
      credits: 1n,
      allowance: null,
      assetId: null,
      failureCode: null,
      failureMessage: null,
      finishedAt: null,
    });
    const credits = BigInt(images);
    return {
      job: {
        id: jobId,
        accountId,
        operation: 'GENERATE',
        status: 'QUEUED',
        request: { operation: 'GENERATE', prompt: 'a “reef” \\ with\nlines and 🐠' } as Submitted['job']['request'],
        holdId,
        priceVersion: 1,
        credits,
        priority: 1,
        createdAt: OPENED,
        startedAt: null,
        finishedAt: null,
        traceParent: null,
        runningMax: 1,
      },
      images: Array.from({ length: images }, (_, index) => image(index)),
      hold: {
        holdId,
        accountId,
        jobId,
        amount: credits,
        priceVersion: 1,
        openHoldsMax: 1_000,
        allowances: [],
        budgetId: null,
        ...hold,
      },
      claim: key === '' ? null : { accountId, key, inputHash: 'h', jobId, claimedAt: OPENED },
    };
  }

  const acceptAll = (all: readonly Submitted[]) => Promise.all(all.map((each) => acceptances.accept(each)));
  const jobsOf = async (accountId: string) =>
    (
      await sql<{ id: string; transaction: string }>`
      select id, xmin::text as transaction from jobs where account_id = ${accountId}`.execute(database.db)
    ).rows;

  test('is accepted whole, shares transactions, and keeps every word and number of it', async () => {
    const account = await ledger.open({ monthly: 1_000n });
    const all = Array.from({ length: 60 }, (_, number) => submitted(account, { key: `k${number}`, images: 2 }));
    expect(await acceptAll(all)).toEqual(Array(60).fill({ kind: 'accepted' }));
    const jobs = await jobsOf(account);
    expect(jobs.map(({ id }) => id).sort()).toEqual(all.map(({ job }) => job.id).sort());
    // Two were alone because nothing else was there yet; the others came while those were under way.
    expect(new Set(jobs.map(({ transaction }) => transaction)).size).toBeLessThanOrEqual(5);
    expect(woken.flat().sort()).toEqual(all.map(({ job }) => job.id).sort());
    expect(await ledger.buckets(account)).toEqual({ monthly: 880n, held: 120n, issued: -1_000n });
    const store = new JobsStore(database.db);
    const [first] = all;
    expect(await store.byIds(account, [first?.job.id ?? ''])).toEqual([{ ...first?.job, runningMax: undefined }]);
    expect(await store.images([first?.job.id ?? ''])).toEqual(first?.images);
  });

  test('with one among it that cannot be: the others are accepted, and nothing of that one is kept', async () => {
    const [rich, poor] = [await ledger.open({ monthly: 1_000n }), await ledger.open({ monthly: 1n })];
    const all = Array.from({ length: 30 }, (_, number) =>
      number === 17 ? submitted(poor, { key: 'mine', images: 2 }) : submitted(rich, { key: `k${number}` }),
    );
    const before = await ledger.everythingOf(poor);
    const answers = await acceptAll(all);
    expect(answers[17]).toEqual({ kind: 'refused', refusal: 'INSUFFICIENT' });
    expect(answers.filter(({ kind }) => kind === 'accepted')).toHaveLength(29);
    expect(await ledger.everythingOf(poor)).toEqual(before);
    expect(await jobsOf(poor)).toEqual([]);
    // A key of what was refused is free.
    expect(await acceptances.accept(submitted(poor, { key: 'mine' }))).toEqual({ kind: 'accepted' });
  });

  test('under one key is accepted once, and the others are told whose it is', async () => {
    const account = await ledger.open({ monthly: 1_000n });
    const answers = await acceptAll(Array.from({ length: 40 }, () => submitted(account, { key: 'one' })));
    const [job, ...more] = await jobsOf(account);
    expect(more).toEqual([]);
    expect(answers.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'key-taken')).toEqual(
      Array(39).fill({ kind: 'key-taken', holder: { jobId: job?.id, inputHash: 'h' } }),
    );
    expect((await ledger.credits.balance(account)).held).toBe(1n);
  });

  test('on a balance for ten is accepted exactly ten times, however it is put together', async () => {
    const account = await ledger.open({ monthly: 10n });
    const answers = await acceptAll(Array.from({ length: 100 }, () => submitted(account)));
    expect(answers.filter(({ kind }) => kind === 'accepted')).toHaveLength(10);
    expect(answers.filter((answer) => answer.kind === 'refused' && answer.refusal === 'INSUFFICIENT')).toHaveLength(90);
    expect(await jobsOf(account)).toHaveLength(10);
  });

  test('of many images is spread over as many transactions as it needs', async () => {
    const account = await ledger.open({ monthly: 10_000n });
    const answers = await acceptAll(Array.from({ length: 12 }, () => submitted(account, { images: 480 })));
    expect(answers).toEqual(Array(12).fill({ kind: 'accepted' }));
    expect(new Set((await jobsOf(account)).map(({ transaction }) => transaction)).size).toBe(12);
  });

  test('while the database is away fails with what is wrong, and nobody is told anything else', async () => {
    const account = await ledger.open({ monthly: 10n });
    const away = Object.assign(new Error('the database system is shutting down'), { code: '57P01' });
    const db = { transaction: () => ({ execute: () => Promise.reject(away) }) } as unknown as Database['db'];
    const none = new Acceptances({ ...parts, db });
    const answers = await Promise.allSettled([1, 2, 3, 4].map(() => none.accept(submitted(account))));
    expect(answers).toEqual(Array(4).fill({ status: 'rejected', reason: away }));
    expect(await jobsOf(account)).toEqual([]);
  });
});
