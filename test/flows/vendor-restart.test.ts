import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, openPglite } from '../../src/platform/database.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { usedFolder } from '../support/databases.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { askProgram, newestJob, type Program, startProgram } from '../support/program.ts';
import { freePort } from '../support/server-process.ts';

/** WaveSpeed in a process of its own, which lives on when the gateway dies, and reports to where the gateway comes back. */
let vendor: Sandbox;
let folder: string;
let program: Program | null = null;
let port: number;
beforeEach(async () => {
  vendor = await startSandbox({ latency: 1 });
  folder = usedFolder();
  port = await freePort();
});
afterEach(async () => {
  await program?.end('SIGKILL');
  await vendor.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<Program> {
  program = await startProgram({
    DATA_DIR: folder,
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    WEBHOOKS: 'true',
    WAVESPEED_API_KEY: 'key-of-the-house',
    WAVESPEED_BASE_URL: vendor.origin,
    OUTBOUND_ALLOW: new URL(vendor.origin).host,
  });
  return program;
}

interface State {
  readonly status: string;
  readonly receipt: { readonly captured: number; readonly released: number; readonly settled: boolean };
  readonly images: readonly { readonly attempts: readonly { readonly outcome: string | null }[] }[];
}

const newest = (running: Program) =>
  newestJob<State>(running, folder, 'status receipt { captured released settled } images { attempts { outcome } }');

test.each([
  ['asked by its id where it never reports', '[sandbox:webhook-none]'],
  ['reporting by itself where it cannot be asked', '[sandbox:status=500 on=poll] [sandbox:webhook-late=6000]'],
  ['whichever comes first, where it does both', '[sandbox:webhook-twice]'],
])(
  'a picture that a vendor is drawing when the gateway is killed is delivered once by the next one: %s',
  { timeout: 90_000 },
  async (_how, directives) => {
    const first = await start();
    const input = `{ prompt: "a lighthouse ${directives}", model: "wavespeed/qwen-image" }`;
    await askProgram(first, folder, `mutation { generate(input: ${input}) { __typename } }`);
    await expect.poll(() => vendor.journal().map(({ vendorId }) => vendorId)).toEqual([expect.any(String)]);
    // The order is answered and its id written down a moment after the vendor has it.
    await expect.poll(async () => (await newest(first))?.images[0]?.attempts).toEqual([{ outcome: null }]);
    await first.end('SIGKILL');

    const second = await start();
    await expect.poll(async () => (await newest(second))?.receipt.settled, { timeout: 40_000 }).toBe(true);
    expect(await newest(second)).toEqual({
      status: 'SUCCEEDED',
      receipt: { captured: 2, released: 0, settled: true },
      images: [{ attempts: [{ outcome: 'delivered' }] }],
    });
    expect(vendor.journal()).toMatchObject([{ bought: 'yes', outcome: 'completed' }]);
    await second.end('SIGTERM');

    const database = await openPglite(folder);
    await migrate(database.db);
    await expectLawsHold(database.db);
    await database.close();
  },
);
