import { bulkhead } from 'cockatiel';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import { CASES } from '../support/contract.cases.ts';
import { marked, type Shown, TABLE_WIDTH_MAX, tableOf } from '../support/contract.table.ts';
import {
  ADAPTERS,
  type Adapter,
  type Cell,
  type End,
  GENERATING_NAMES,
  na,
  promptOf,
  type Row,
} from '../support/contract.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { generate, JOB, type JobAnswer, open } from '../support/stories.ts';

/**
 * The contract as customers see it: each case once for somebody who names the model, and once for somebody who names
 * a quality and whose cheapest route is at the vendor that misbehaves. All of it goes through one gateway, whose
 * circuits nothing opens, so that no case shuts a route for another.
 */

/** A tenth of the usual time: what must end by itself ends soon, and a picture still has seconds to be drawn in. */
const PATIENCE = 0.1;
const AT_ONCE = 8;
const SIZE = { width: 768, height: 768 };

/** Qualities by the adapter that their cheapest route at this size is at, in the order in which rows choose. */
const CHEAPEST: Readonly<Partial<Record<Adapter, string>>> = {
  'hf-inference': 'DRAFT',
  wavespeed: 'PREMIUM',
  'fal-ai': 'STANDARD',
};

interface Case {
  readonly row: Row;
  readonly column: string;
  readonly word: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Where the first call must go, how it must end, and what the customer must get. */
  readonly firstRoute: RegExp;
  readonly firstCall: End['kind'];
  readonly gets: string;
}

const BY_QUALITY = 'by quality';
const NEVER_CHEAPEST = na('no quality has its cheapest route where this can happen');
const COLUMNS = [...GENERATING_NAMES, BY_QUALITY];

const MODEL_NAMED = {
  delivered: 'picture',
  rejected: 'PROVIDERS_REFUSED',
  moderated: 'CONTENT_REFUSED',
  broken: 'UNUSABLE_PICTURE',
  failed: 'PROVIDERS_REFUSED',
  unknown: 'OUTCOME_UNKNOWN',
  cut: 'CANCELLED',
} as const satisfies Record<End['kind'], string>;

/** Whoever leaves the choice to us gets a picture from the next vendor, save for what must not be shopped around. */
const QUALITY_NAMED: Record<End['kind'], string> = {
  ...MODEL_NAMED,
  rejected: 'picture',
  broken: 'picture',
  failed: 'picture',
  unknown: 'picture',
};

function caseOf(row: Row, index: number, column: string): Case | null {
  const isByQuality = column === BY_QUALITY;
  const adapter = isByQuality ? misbehaving(row) : GENERATING_NAMES.find((name) => name === column);
  const end: Cell = adapter ? row.cells[adapter] : NEVER_CHEAPEST;
  if (!adapter || 'na' in end) return null;
  const word = `order ${100 + index} in <${column}>`;
  const [vendor = ''] = ADAPTERS[adapter].split('/');
  const prompt = promptOf(word, row.faults[adapter], isByQuality ? vendor : null);
  const firstCall = end.inGateway?.kind ?? end.kind;
  const [modelId] = ADAPTERS[adapter].split('@');
  return {
    row,
    column,
    word,
    input: { prompt, ...SIZE, ...(isByQuality ? { quality: CHEAPEST[adapter] } : { model: modelId }) },
    firstRoute: isByQuality ? new RegExp(`^${vendor}/`) : new RegExp(`^${ADAPTERS[adapter]}$`),
    firstCall,
    gets: isByQuality ? QUALITY_NAMED[firstCall] : (end.inGateway?.failure ?? MODEL_NAMED[firstCall]),
  };
}

/** Where a row happens to somebody who names a quality. */
function misbehaving(row: Row): Adapter | undefined {
  const names = Object.keys(CHEAPEST) as Adapter[];
  return names.find((name) => !('na' in row.cells[name]));
}

const cases = CASES.flatMap((row, index) => COLUMNS.flatMap((column) => caseOf(row, index, column) ?? []));

let gateway: TestGateway;
let key: string;
const seen = new Map<Case, JobAnswer | string>();

beforeAll(async () => {
  gateway = await startTestGateway({
    patience: PATIENCE,
    environment: {
      VERTEX_PROJECT: 'a-project',
      VERTEX_LOCATION: 'us-central1',
      STABILITY_CONCURRENCY: '64',
      WAVESPEED_CONCURRENCY: '64',
      HF_CONCURRENCY: '64',
      GEMINI_CONCURRENCY: '64',
    },
  });
  await withoutFreeImages();
  key = await open(gateway, { tier: 'ENTERPRISE' });
  const drawing = bulkhead(AT_ONCE, cases.length);
  await Promise.all(
    cases.map(async (each) => {
      const look = () => observe(each).catch((error: unknown) => String(error));
      // Those that wait for our patience only cost time, so they wait all at once.
      seen.set(each, await (each.row.endedBy === 'PATIENCE' ? look() : drawing.execute(look)));
    }),
  );
}, 180_000);

afterAll(async () => {
  const rows = CASES.map((row) => ({ what: row.what, cells: COLUMNS.map((column) => shown(row, column)) }));
  const table = tableOf('gateway: what the customer gets', COLUMNS, rows);
  process.stdout.write(`${table}\n`);
  expect(Math.max(...table.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(TABLE_WIDTH_MAX);
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

/** A free image costs nothing, so that it would not show whether it was captured. */
async function withoutFreeImages(): Promise<void> {
  const { tiers, ...prices } = GUIDE_PRICE_BOOK;
  const document = {
    ...prices,
    tiers: { ...tiers, ENTERPRISE: { ...tiers.ENTERPRISE, freeImages: { huggingface: 0, gemini: 0 } } },
  };
  const { errors } = await gateway.ask(
    'OPERATOR',
    'mutation ($document: JSONObject!) { publishPriceBook(document: $document) { version } }',
    { document },
  );
  expect(errors).toBeUndefined();
}

async function observe({ word, row, input }: Case): Promise<JobAnswer> {
  if (row.endedBy !== 'CUSTOMER') return (await generate(gateway, key, input, { waitSeconds: 30 })).job;
  const { job } = await generate(gateway, key, input);
  await vi.waitFor(() => expect(booked(word)).toHaveLength(1), { interval: 5, timeout: 20_000 });
  await gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { id } }', { id: job.id });
  // The job ends at once, its call a moment later.
  return vi.waitFor(async () => {
    const { data } = await gateway.ask<{ job: JobAnswer }>(
      { key },
      `query ($id: ID!) { job(id: $id) { ...J } } ${JOB}`,
      {
        id: job.id,
      },
    );
    if (!data?.job.images[0]?.attempts[0]?.outcome) throw new Error('its call is still out');
    return data.job;
  });
}

function booked(word: string): readonly JournalEntry[] {
  return gateway.sandbox?.journal().filter(({ prompt }) => prompt?.includes(word)) ?? [];
}

function got({ status, images: [image] }: JobAnswer): string {
  if (status === 'SUCCEEDED') return image?.asset ? 'picture' : 'nothing';
  return image?.failure?.code ?? status;
}

function shown(row: Row, column: string): Shown {
  const found = cases.find((each) => each.row === row && each.column === column);
  const adapter = GENERATING_NAMES.find((name) => name === column);
  const cell = adapter ? row.cells[adapter] : NEVER_CHEAPEST;
  if (!found) return 'na' in cell ? cell : 'forgotten (!)';
  const job = seen.get(found);
  return marked(typeof job === 'object' ? got(job) : job, found.gets);
}

describe.each(COLUMNS)('%s', (column) => {
  const here = cases.filter((each) => each.column === column);
  test.each(here.map((each) => [each.row.what, each.gets, each] as const))('%s: %s', (_what, _gets, each) => {
    const job = seen.get(each);
    if (typeof job !== 'object') throw new Error(job);
    const { quoted } = job.receipt;
    expect(got(job)).toBe(each.gets);
    expect(quoted).toBeGreaterThan(0);
    const [captured, released] = each.gets === 'picture' ? [quoted, 0] : [0, quoted];
    expect(job.receipt).toMatchObject({ held: quoted, captured, released, settled: true });
    expect(job.images).toHaveLength(1);
    const { attempts = [] } = job.images[0] ?? {};
    const calls = attempts.map(({ outcome }) => outcome);
    expect(attempts[0]?.route).toMatch(each.firstRoute);
    expect(calls[0]).toBe(each.firstCall === 'cut' ? 'discarded' : each.firstCall);
    expect(calls.filter((outcome) => outcome === 'delivered')).toHaveLength(each.gets === 'picture' ? 1 : 0);
    // No vendor is given a second chance to be paid for one picture.
    const bought = booked(each.word).filter((entry) => entry.bought === 'yes' || entry.bought === 'unknown');
    expect(new Set(bought.map(({ vendor }) => vendor)).size).toBe(bought.length);
  });
});
