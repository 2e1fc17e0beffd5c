import { bulkhead } from 'cockatiel';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CallEnd } from '../../src/jobs/vendor-call.ts';
import { CASES } from '../support/contract.cases.ts';
import { marked, type Shown, TABLE_WIDTH_MAX, tableOf } from '../support/contract.table.ts';
import {
  ADAPTER_GROUPS,
  ADAPTER_NAMES,
  type Adapter,
  type CallTold,
  endInWords,
  QUEUED,
  type Row,
} from '../support/contract.ts';
import { type ContractVendors, startContractVendors } from './contract-vendors.ts';

/**
 * The adapters and the sandbox were written apart from each other, from the vendors' references: here they meet. One
 * order for each case at each adapter, judged by what the gateway makes of it and by what the vendor has written down.
 */

const MS_MAX = 20_000;
/** Enough for an order to be taken, and too little for whatever a vendor does not end. */
const PATIENCE_MS = 1_000;
/** Pictures are drawn and decoded in this process too. */
const AT_ONCE = 12;

/** By the word of the order; a text is an error that no adapter may throw. */
const seen = new Map<string, CallTold | string>();
let vendors: ContractVendors;

/** The words begin and end like no other, because the vendors' books are searched by them. */
const cells = CASES.flatMap((row, index) =>
  ADAPTER_NAMES.flatMap((adapter) => {
    const cell = row.cells[adapter];
    return 'na' in cell ? [] : [{ row, adapter, cell, word: `order ${100 + index} of <${adapter}>` }];
  }),
);

beforeAll(async () => {
  vendors = await startContractVendors();
  const drawing = bulkhead(AT_ONCE, cells.length);
  await Promise.all(
    cells.map(async ({ row, adapter, word }) => {
      const look = () => observe(row, adapter, word).catch((error: unknown) => String(error));
      // Those that wait for our patience only cost time, so they wait all at once.
      seen.set(word, await (row.endedBy === 'PATIENCE' ? look() : drawing.execute(look)));
    }),
  );
}, 180_000);

afterAll(async () => {
  await vendors.close();
  for (const [title, names] of Object.entries(ADAPTER_GROUPS)) {
    const rows = CASES.map((row) => ({ what: row.what, cells: names.map((adapter) => shown(row, adapter)) }));
    const table = tableOf(title, names, rows);
    process.stdout.write(`how the call ends${table}\n`);
    expect(Math.max(...table.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(TABLE_WIDTH_MAX);
  }
});

async function observe({ faults, endedBy }: Row, adapter: Adapter, word: string): Promise<CallTold> {
  const cancel = new AbortController();
  const obtained = vendors.obtain(adapter, word, faults[adapter], {
    msMax: endedBy === 'PATIENCE' ? PATIENCE_MS : MS_MAX,
    signal: cancel.signal,
  });
  if (endedBy === 'CUSTOMER') {
    // A job is stopped once it has been taken, and a drawing once it has been begun.
    vendors.onAccepted(word, () => cancel.abort('CANCELLED'));
    await vi.waitFor(() => expect(vendors.booked(word)).toHaveLength(1), { interval: 5, timeout: 10_000 });
    if (!QUEUED.has(adapter)) cancel.abort('CANCELLED');
  }
  return told(await obtained);
}

function told(ended: CallEnd): CallTold {
  if (ended.kind === 'moderated') return { kind: ended.kind, billed: ended.billed };
  if (ended.kind !== 'rejected') return { kind: ended.kind };
  const { kind, reason, scope, retryAfterSeconds } = ended;
  return { kind, reason, scope, retryAfterSeconds };
}

function shown(row: Row, adapter: Adapter): Shown {
  const expected = row.cells[adapter];
  if ('na' in expected) return expected;
  const ended = seen.get(cells.find((cell) => cell.row === row && cell.adapter === adapter)?.word ?? '');
  return marked(typeof ended === 'object' ? endInWords(ended) : ended, endInWords(expected));
}

describe.each(ADAPTER_NAMES)('at %s', (adapter) => {
  const here = cells.filter((each) => each.adapter === adapter);
  test.each(here.map((each) => [each.row.what, endInWords(each.cell), each] as const))(
    '%s: %s, and ordered once',
    async (_what, _end, { cell, word }) => {
      const { bought, booked = expect.any(String), inGateway: _, ...end } = cell;
      expect(seen.get(word)).toEqual(end);
      // That a client has gone away is noticed a moment later.
      await expect
        .poll(() => vendors.booked(word), { interval: 5, timeout: 10_000 })
        .toMatchObject([{ bought, outcome: booked }]);
    },
  );
});
