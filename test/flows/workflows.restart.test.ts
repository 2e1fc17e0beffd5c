import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, openPglite } from '../../src/platform/database.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { usedFolder } from '../support/databases.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { askProgram, newestJob, type Program, startProgram } from '../support/program.ts';

/** Vendors in a process of their own, which live on when the gateway dies. */
let vendor: Sandbox;
let folder: string;
let program: Program | null = null;
beforeEach(async () => {
  vendor = await startSandbox({ latency: 0.1 });
  folder = usedFolder();
});
afterEach(async () => {
  await program?.end('SIGKILL');
  await vendor.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<Program> {
  program = await startProgram({
    DATA_DIR: folder,
    STABILITY_API_KEY: 'sk-of-the-house',
    STABILITY_BASE_URL: vendor.origin,
    WAVESPEED_API_KEY: 'key-of-the-house',
    WAVESPEED_BASE_URL: vendor.origin,
    OUTBOUND_ALLOW: new URL(vendor.origin).host,
  });
  return program;
}

interface State {
  readonly status: string;
  readonly steps: readonly { readonly delivered: number; readonly spent: number }[];
  readonly images: readonly { readonly status: string }[];
  readonly receipt: { readonly captured: number; readonly released: number; readonly settled: boolean };
}

const newest = (running: Program) =>
  newestJob<State>(
    running,
    folder,
    'status steps { delivered spent } images { status } receipt { captured released settled }',
  );

const WORKFLOW = `mutation { runWorkflow(input: { steps: [
  { id: "create", operation: { generate: { prompt: "a kite", model: "wavespeed/qwen-image", count: 2 } } }
  { id: "light", from: "create", times: 2, operation: { edit: { relight: { backgroundPrompt: "a beach" } } } }
  { id: "warm", from: "light", times: 2, operation: { edit: { general: { prompt: "warmer" } } } }
  { id: "posts", from: "warm", operation: { optimize: { platforms: [INSTAGRAM, LINKEDIN] } } }
] }) { __typename } }`;

test('a workflow that is killed half-way goes on where it was: nothing is ordered twice, everything is delivered and charged once', {
  timeout: 120_000,
}, async () => {
  const first = await start();
  await askProgram(first, folder, WORKFLOW);
  // The second step is out at its vendor, which does it later; the third has not begun.
  await expect
    .poll(() => vendor.journal().filter(({ vendorId }) => vendorId !== null).length, { timeout: 40_000 })
    .toBe(4);
  // The vendor has answered, and the gateway must have written its ids down before it dies. Nothing outside tells when it
  // has; each of these questions waits behind that statement for the only connection of the database.
  for (let asked = 0; asked < 5; asked++)
    expect((await newest(first))?.images.slice(0, 4).map(({ status }) => status)).toEqual([
      'DELIVERED',
      'DELIVERED',
      'RUNNING',
      'RUNNING',
    ]);
  await first.end('SIGKILL');

  const second = await start();
  await expect.poll(async () => (await newest(second))?.receipt.settled, { timeout: 80_000 }).toBe(true);
  expect(await newest(second)).toMatchObject({
    status: 'SUCCEEDED',
    steps: [
      { delivered: 2, spent: 4 },
      { delivered: 2, spent: 10 },
      { delivered: 2, spent: 8 },
      { delivered: 4, spent: 0 },
    ],
    receipt: { captured: 22, released: 0 },
  });
  const orders = Object.entries(Object.groupBy(vendor.journal(), ({ model }) => model ?? ''));
  expect(orders.map(([model, entries]) => [model, entries?.length]).sort()).toEqual([
    ['replace-background-and-relight', 2],
    ['wavespeed-ai/qwen-image/edit', 2],
    ['wavespeed-ai/qwen-image/text-to-image', 2],
  ]);
  await second.end('SIGTERM');

  const database = await openPglite(folder);
  await migrate(database.db);
  await expectLawsHold(database.db);
  await database.close();
});
