import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CIRCUIT_SETTINGS } from '../../src/routing/circuit.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { runOperation, upload } from '../support/operations.ts';
import { scene } from '../support/pixels.ts';
import { generate, open } from '../support/stories.ts';

/** What the schema promises. */
interface Rule {
  readonly event: string;
  readonly credits: string;
  readonly vendorCost: string;
  readonly next: string;
  readonly sameVendorAgain: boolean;
  readonly failureCode: string | null;
}

let gateway: TestGateway;
let key: string;
function house(options: TestGatewayOptions): void {
  beforeAll(async () => {
    gateway = await startTestGateway(options);
  });
  beforeEach(async () => {
    key = await open(gateway, { tier: 'PRO' });
  });
  afterAll(async () => {
    await expectLawsHold(gateway.database.db);
    await gateway.stop();
  });
}

async function ruleOf(event: string): Promise<Rule> {
  const { data } = await gateway.ask<{ settlementPolicy: Rule[] }>(
    { key },
    '{ settlementPolicy { event credits vendorCost next sameVendorAgain failureCode } }',
  );
  const rule = data?.settlementPolicy.find((each) => each.event === event);
  if (!rule) throw new Error(`the schema shows no rule for ${event}`);
  return rule;
}

interface Row {
  readonly status: string;
  readonly failure: string | null;
  readonly captured: bigint | null;
  readonly held: bigint;
  readonly vendors: readonly string[];
  readonly cost: bigint | null;
}

/** How the last image of the job ended, and what stands in our books for it. */
async function endOf(jobId: string): Promise<Row> {
  const { rows } = await sql<Row>`
    select i.status, i.failure_code as failure, h.amount as held,
      case when h.settled_at is null then null
        else coalesce((select sum(e.amount) from ledger_entries e where e.image_id = i.id and e.bucket = 'captured'), 0)::bigint end as captured,
      array(select split_part(a.route_id, '/', 1) from job_attempts a where a.image_id = i.id order by a.id) as vendors,
      (select sum(vendor_cost_micros)::bigint from job_attempts a where a.image_id = i.id) as cost
    from job_images i join jobs j on j.id = i.job_id join credit_holds h on h.id = j.hold_id
    where j.id = ${jobId} order by i.index desc limit 1`.execute(gateway.database.db);
  const [row] = rows;
  if (!row) throw new Error(`there is no job ${jobId}`);
  return row;
}

/** The job's last image was settled as the rule for `event` says. */
async function expectSettledBy(event: string, jobId: string, { billed = false } = {}): Promise<void> {
  const rule = await ruleOf(event);
  const row = await endOf(jobId);
  expect({
    credits: row.captured === null ? 'STILL_HELD' : row.captured > 0n ? 'CAPTURED' : 'RELEASED',
    isBooked: (row.cost ?? 0n) > 0n,
    failureCode: row.failure,
  }).toEqual({
    credits: rule.credits,
    isBooked: rule.vendorCost === 'BOOKED' || (rule.vendorCost === 'BOOKED_IF_BILLED' && billed),
    failureCode: rule.failureCode,
  });
  if (rule.next === 'END') expect(row.vendors.length).toBeLessThanOrEqual(1);
  if (!rule.sameVendorAgain) expect(new Set(row.vendors).size).toBe(row.vendors.length);
}

const QWEN = 'wavespeed/qwen-image';
const draw = async (prompt: string, more: Record<string, unknown> = { model: QWEN }, waitSeconds = 30) =>
  (await generate(gateway, key, { prompt, ...more }, { waitSeconds })).job.id;

const cancel = (id: string) => gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { id } }', { id });

describe('an image is settled as the settlement policy of the schema says', () => {
  house({});

  test.each([
    ['DELIVERED', 'a reef', {}],
    ['REJECTED', 'a reef [sandbox:status=400]', {}],
    ['VENDOR_FAILED', 'a reef [sandbox:poll-failed]', {}],
    ['WITHHELD', 'a reef [sandbox:moderated]', {}],
    ['WITHHELD', 'a reef [sandbox:black]', { billed: true }],
    ['BROKEN', 'a reef [sandbox:truncated-picture]', {}],
    ['UNKNOWN', 'a reef [sandbox:status=500]', {}],
  ])('%s, after "%s"', async (event, prompt, how) => {
    await expectSettledBy(event, await draw(prompt), how);
  });

  test('an event after which another route is asked ends nothing as long as there is one', async () => {
    const job = await draw('a reef [sandbox:status=500 at=huggingface]', {});
    expect(await endOf(job)).toMatchObject({ status: 'DELIVERED', captured: 4_000n, failure: null });
    expect((await endOf(job)).vendors).toEqual(['huggingface', 'stability']);
  });

  test('NOT_STORABLE', async () => {
    const pictures = join(gateway.dataDir, 'assets');
    await rename(pictures, `${pictures}-away`);
    await writeFile(pictures, '');
    const job = await draw('nowhere to keep it', { model: 'stability/core' });
    await rm(pictures);
    await rename(`${pictures}-away`, pictures);
    await expectSettledBy('NOT_STORABLE', job);
  });

  test('SOURCE_FAILED', async () => {
    const job = await runOperation(gateway, key, 'workflow', null, {
      steps: [
        { id: 'draw', operation: { generate: { prompt: 'a reef [sandbox:moderated]', model: QWEN } } },
        { id: 'cut', from: 'draw', operation: { edit: { removeBackground: {} } } },
      ],
    });
    await expectSettledBy('SOURCE_FAILED', job.id);
  });

  test('SOURCE_UNUSABLE', async () => {
    const source = await upload(gateway, key, await scene(256, 256));
    await gateway.removeBytes(source);
    const job = await runOperation(gateway, key, 'edit', source, { removeBackground: {} });
    await expectSettledBy('SOURCE_UNUSABLE', job.id);
  });

  test('CANCELLED_BEFORE_CALL', async () => {
    key = await open(gateway, { tier: 'FREE' });
    const first = await draw('a reef [sandbox:never]', { model: QWEN }, 0);
    const second = await draw('a reef', { model: QWEN }, 0);
    await cancel(second);
    await expectSettledBy('CANCELLED_BEFORE_CALL', second);
    expect((await endOf(second)).vendors).toEqual([]);
    await cancel(first);
  });

  test('CANCELLED_DURING_CALL', async () => {
    const job = await draw('a reef [sandbox:never]', { model: QWEN }, 0);
    await expect.poll(async () => (await endOf(job)).vendors).toEqual(['wavespeed']);
    await cancel(job);
    // The call is cut off, and its end written down, after the answer to the cancel.
    await expect.poll(async () => (await endOf(job)).cost).toBeGreaterThan(0n);
    await expectSettledBy('CANCELLED_DURING_CALL', job);
  });
});

describe('and where vendors are shut or slow', () => {
  house({ circuits: CIRCUIT_SETTINGS, patience: 0.043 });

  test('DEADLINE_PASSED', async () => {
    // 4.128 s for the image, of which the vendor's pause leaves less than the model needs.
    gateway.sandbox?.faults.next('stability', 'status=429 retry-after=4');
    await expectSettledBy('DEADLINE_PASSED', await draw('a reef', { model: 'stability/core' }));
  });

  test('NO_ROUTE_OPEN', async () => {
    const busy = await open(gateway, { tier: 'FREE' });
    const asBusy = async (prompt: string, model: string) => (await generate(gateway, busy, { prompt, model })).job.id;
    const first = await asBusy('a reef [sandbox:never]', QWEN);
    const waiting = await asBusy('a reef', 'huggingface/flux-krea-dev');
    // The vendor says that it does not have this model, which shuts its route for minutes.
    await draw('a reef [sandbox:status=404]', { model: 'huggingface/flux-krea-dev' });
    key = busy;
    await cancel(first);
    await expect.poll(async () => (await endOf(waiting)).status, { timeout: 10_000 }).toBe('FAILED');
    await expectSettledBy('NO_ROUTE_OPEN', waiting);
    expect((await endOf(waiting)).vendors).toEqual([]);
  });
});
