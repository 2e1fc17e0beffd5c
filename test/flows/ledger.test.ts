import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALL_LAWS } from '../../src/laws.ts';
import { inSnapshot, openPglite } from '../../src/platform/database.ts';
import { checkAll } from '../../src/platform/laws.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { askProgram, runProgram, startProgram } from '../support/program.ts';
import { generate, open, openAccount } from '../support/stories.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

interface Entry {
  readonly transactionId: string;
  readonly kind: string;
  readonly reason: string;
  readonly bucket: string;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly jobId: string | null;
  readonly imageId: string | null;
  readonly priceVersion: number | null;
  readonly job: { readonly id: string } | null;
}

interface Page {
  readonly nodes: readonly Entry[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const LEDGER = `query ($first: Int!, $after: String) { ledger(first: $first, after: $after) {
  nodes { transactionId kind reason bucket amount balanceAfter jobId imageId priceVersion job { id } }
  pageInfo { hasNextPage endCursor } } }`;

async function page(key: string, first: number, after: string | null = null): Promise<Page> {
  const { data, errors } = await gateway.ask<{ ledger: Page }>({ key }, LEDGER, { first, after });
  expect(errors).toBeUndefined();
  if (!data) throw new Error('there is no ledger');
  return data.ledger;
}

/** `kind bucket amount -> balance after`. */
const lineOf = ({ kind, bucket, amount, balanceAfter }: Entry) => `${kind} ${bucket} ${amount} -> ${balanceAfter}`;

describe('the ledger of an account', () => {
  test('has every movement, newest first, with its reason, job, image, price version and the balance after it', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const input = { prompt: 'one of two [sandbox:moderated]', model: 'stability/core', count: 1 };
    const failed = (await generate(gateway, key, input, { waitSeconds: 30 })).job;
    const { job } = await generate(gateway, key, { ...input, prompt: 'a bridge' }, { waitSeconds: 30 });
    const { nodes, pageInfo } = await page(key, 100);
    expect(pageInfo.hasNextPage).toBe(false);
    expect(nodes.map(lineOf)).toEqual([
      'CAPTURE captured 3 -> 3',
      'CAPTURE held -3 -> 0',
      'HOLD held 3 -> 3',
      'HOLD monthly -3 -> 1997',
      'RELEASE monthly 3 -> 2000',
      'RELEASE held -3 -> 0',
      'HOLD held 3 -> 3',
      'HOLD monthly -3 -> 1997',
      'GRANT monthly 2000 -> 2000',
      'GRANT issued -2000 -> -2000',
    ]);
    const [capture] = nodes;
    const image = job.images[0]?.id;
    expect(capture).toMatchObject({ jobId: job.id, job: { id: job.id }, imageId: image, priceVersion: 1 });
    expect(capture?.reason).toBe('Delivered images');
    expect(nodes[4]).toMatchObject({ jobId: failed.id, imageId: null, reason: 'Images that were not delivered' });
    expect(nodes.at(-1)).toMatchObject({ jobId: null, job: null, imageId: null, priceVersion: null });
  });

  test('read page by page is complete and without a repetition, also when it grows meanwhile', async () => {
    const key = await open(gateway, { tier: 'PRO' });
    const draw = () =>
      generate(gateway, key, { prompt: 'a bridge', model: 'stability/core', seed: 7, count: 2 }, { waitSeconds: 30 });
    await draw();
    const whole = (await page(key, 100)).nodes;
    const read: Entry[] = [];
    for (let after: string | null = null; ; ) {
      const { nodes, pageInfo }: Page = await page(key, 3, after);
      read.push(...nodes);
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
      if (read.length === 3) await draw();
    }
    expect(read).toEqual(whole);
  });

  test("is the account's own: nobody else's entries, and another's cursor leads nowhere", async () => {
    const [mine, theirs] = [await open(gateway, { tier: 'PRO' }), await open(gateway, { tier: 'BASIC' })];
    const { nodes, pageInfo } = await page(theirs, 1);
    expect(nodes.map(lineOf)).toEqual(['GRANT monthly 300 -> 300']);
    expect(await page(mine, 100, pageInfo.endCursor)).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false } });
    expect((await page(mine, 100)).nodes.map(({ amount }) => amount)).toEqual([2000, -2000]);
  });

  test.each([
    [{ first: 0 }, 'first', 'a whole number from 1 to 100'],
    [{ first: 101 }, 'first', 'a whole number from 1 to 100'],
    [{ first: 1, after: 'bGVkZ2VyOnR4XzE' }, 'after', 'a cursor that this list has given out'],
    [
      { first: 1, after: Buffer.from('jobs:job_01m82eabn4fvg9xtjx195gx65x').toString('base64url') },
      'after',
      'a cursor',
    ],
  ])('%j is refused, naming field and limit', async (variables, field, limit) => {
    const key = await open(gateway, { tier: 'PRO' });
    const { errors } = await gateway.ask({ key }, LEDGER, variables);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(errors?.[0]?.extensions?.limit).toContain(limit);
  });
});

describe('verifyLedger', () => {
  const VERIFY =
    '{ verifyLedger { ok checkedAt totals { accounts entries held lossUsd } laws { law violations examples } } }';
  interface Report {
    readonly verifyLedger: {
      readonly ok: boolean;
      readonly totals: Record<string, number>;
      readonly laws: readonly { readonly law: string; readonly violations: number; readonly examples: unknown[] }[];
    };
  }

  test('is for operators alone', async () => {
    const { data, errors } = await gateway.ask({ key: await open(gateway, { tier: 'ENTERPRISE' }) }, VERIFY);
    expect([data, errors?.[0]?.extensions?.code]).toEqual([null, 'FORBIDDEN']);
  });

  test('says of every law whether it holds, and shows what breaks it', async () => {
    const account = await openAccount(gateway, { tier: 'PRO' });
    await generate(
      gateway,
      account.key,
      { prompt: 'lost [sandbox:status=500]', model: 'stability/core' },
      { waitSeconds: 30 },
    );
    const { data } = await gateway.ask<Report>('OPERATOR', VERIFY);
    expect(data?.verifyLedger).toMatchObject({ ok: true, totals: { held: 0, lossUsd: expect.any(Number) } });
    expect(data?.verifyLedger.totals.lossUsd).toBeGreaterThan(0);
    const laws = await inSnapshot(gateway.database.db, (tx) => checkAll(tx, ALL_LAWS));
    expect(data?.verifyLedger.laws.map(({ law }) => law)).toEqual(laws.map(({ law }) => law));

    // What no statement of ours does: credits out of nothing, balanced so that the database itself lets it pass.
    const change = (amount: number) =>
      sql`update credit_balances set monthly = monthly + ${amount}, issued = issued - ${amount} where account_id = ${account.id}`.execute(
        gateway.database.db,
      );
    await change(1_000);
    const broken = await gateway.ask<Report>('OPERATOR', VERIFY);
    await change(-1_000);
    expect(broken.data?.verifyLedger.ok).toBe(false);
    expect(broken.data?.verifyLedger.laws.filter(({ violations }) => violations > 0)).toEqual([
      {
        law: 'every balance is the sum of its entries',
        violations: 2,
        examples: [
          { account: account.id, bucket: 'issued', balance: -2_001_000, sum: -2_000_000 },
          { account: account.id, bucket: 'monthly', balance: 2_001_000, sum: 2_000_000 },
        ],
      },
    ]);
    expect((await gateway.ask<Report>('OPERATOR', VERIFY)).data?.verifyLedger.ok).toBe(true);
  });
});

test('npm run ledger:check checks the ledger of a database from outside, changes nothing, and fails when a law is broken', {
  timeout: 90_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-ledger-'));
  try {
    const program = await startProgram({ DATA_DIR: folder, SANDBOX_LATENCY: '0' });
    const input = '{ prompt: "a bridge", model: "stability/core" }';
    await askProgram(program, folder, `mutation { generate(input: ${input}, waitSeconds: 30) { __typename } }`);
    await program.end('SIGTERM');

    const sound = await runProgram({ DATA_DIR: folder }, ['ledger:check']);
    expect(sound.printed).toContain('1 jobs, 0 of them open');
    expect(sound.printed).toMatch(/\nAll \d+ laws hold\.\n$/);
    expect(sound.code).toBe(0);

    const { db, close } = await openPglite(folder);
    await sql`update credit_holds set captured = captured - 1`.execute(db);
    await close();
    const broken = await runProgram({ DATA_DIR: folder }, ['ledger:check']);
    expect(broken.printed).toContain('BROKEN  captured is the price of the delivered images: 1 times, such as\n');
    expect(broken.printed).toMatch(/\n\d of \d+ laws are broken\. Nothing was changed\.\n$/);
    expect(broken.code).toBe(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
