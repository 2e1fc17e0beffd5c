import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { hasPostgres } from '../support/databases.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { openAccount, submit } from '../support/stories.ts';

const redis = inject('redis');
const LIMITS = { submissionsPerMinute: 1_000_000, runningJobs: 1_000 };

describe.skipIf(!hasPostgres)('on PostgreSQL, with two gateways on the same database', { timeout: 120_000 }, () => {
  let first: TestGateway;
  let second: TestGateway;
  beforeAll(async () => {
    const environment = 'url' in redis ? { REDIS_URL: redis.url } : undefined;
    first = await startTestGateway({ engine: 'postgres', ...(environment && { environment }) });
    second = await startTestGateway({ database: first.database, ...(environment && { environment }) });
  });
  afterAll(async () => {
    await expectLawsHold(first.database.db);
    await second.stop();
    await first.stop();
  });

  /** An account of the FREE tier with exactly so many credits. */
  async function accountWith(credits: number): Promise<{ id: string; key: string }> {
    const account = await openAccount(first, { tier: 'FREE', limits: LIMITS });
    const spend = 25 - credits;
    if (spend < 0)
      await first.ask(
        'OPERATOR',
        'mutation ($account: ID!, $credits: Credits!) { grantCredits(account: $account, credits: $credits) { id } }',
        { account: account.id, credits: -spend },
      );
    for (let left = spend; left > 0; left--)
      await submit(
        first,
        account.key,
        { prompt: 'spent', model: 'qwen-image', width: 256, height: 256 },
        { waitSeconds: 30 },
      );
    return account;
  }

  test('200 parallel submissions on a balance for 10 are accepted exactly 10 times', async () => {
    const { key } = await accountWith(10);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        submit(i % 2 ? first : second, key, { prompt: `a crowd ${i}`, model: 'qwen-image', width: 256, height: 256 }),
      ),
    );
    const kinds = answers.map(({ data }) => data?.generate.__typename);
    expect(kinds.filter((kind) => kind === 'Submission')).toHaveLength(10);
    expect(kinds.filter((kind) => kind === 'Refused')).toHaveLength(190);
    const reasons = answers.flatMap(({ data }) =>
      data?.generate.__typename === 'Refused' ? data.generate.refusals.map(({ __typename }) => __typename) : [],
    );
    expect(new Set(reasons)).toEqual(new Set(['InsufficientCredits']));
    await expect
      .poll(
        async () =>
          (
            await first.ask<{ jobs: { nodes: { status: string }[] } }>(
              { key },
              '{ jobs(first: 100) { nodes { status } } }',
            )
          ).data?.jobs.nodes.filter(({ status }) => status === 'SUCCEEDED').length,
        { timeout: 20_000 },
      )
      .toBe(25);
    const { data } = await first.ask({ key }, '{ viewer { balance held credits { spent openJobs } } }');
    expect(data).toEqual({ viewer: { balance: 0, held: 0, credits: { spent: 25, openJobs: 0 } } });
  });

  test('a hundred submissions with one key over two gateways make one job and one hold', async () => {
    const { id, key } = await openAccount(first, { tier: 'PRO', limits: LIMITS });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        submit(i % 2 ? first : second, key, { prompt: 'once', model: 'qwen-image' }, { idempotencyKey: 'one' }),
      ),
    );
    const jobs = answers.map(({ data }) =>
      data?.generate.__typename === 'Submission' ? data.generate.job.id : 'refused',
    );
    expect(new Set(jobs).size).toBe(1);
    const { rows } = await sql`select count(*)::int as holds from credit_holds where account_id = ${id}`.execute(
      first.database.db,
    );
    expect(rows).toEqual([{ holds: 1 }]);
  });

  test('a price book published on one gateway is used by the other within a second', async () => {
    interface History {
      priceHistory: { document: { generateByQuality: Record<string, unknown> } }[];
    }
    const history = await first.ask<History>('OPERATOR', '{ priceHistory(first: 1) { document } }');
    const before = history.data?.priceHistory[0]?.document;
    const document = {
      ...before,
      generateByQuality: { ...before?.generateByQuality, DRAFT: { S: 1.5, M: 2.25, L: 2.5 } },
    };
    const publish = 'mutation ($document: JSONObject!) { publishPriceBook(document: $document) { version } }';
    const { data, errors } = await first.ask<{ publishPriceBook: { version: number } }>('OPERATOR', publish, {
      document,
    });
    expect(errors).toBeUndefined();
    const { key } = await openAccount(second, { tier: 'PRO' });
    const priced = () =>
      second.ask<{ estimateGenerate: { credits: number; priceVersion: number } }>(
        { key },
        '{ estimateGenerate(input: { prompt: "x", quality: DRAFT }) { credits priceVersion } }',
      );
    await expect
      .poll(async () => (await priced()).data?.estimateGenerate, {
        timeout: 'url' in redis ? 1_000 : 5_000,
        interval: 20,
      })
      .toEqual({ credits: 2.25, priceVersion: data?.publishPriceBook.version });
    await first.ask('OPERATOR', publish, { document: before });
  });
});
