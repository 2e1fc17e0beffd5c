import { cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sql } from 'kysely';
import type { AssetFilter, AssetOrder } from '../../src/assets/asset-filter.ts';
import type { AfterAsset } from '../../src/assets/asset-lists.store.ts';
import { fillJobs } from '../support/large-ledger.ts';
import { type FilledLibrary, FREQUENT, fillLibrary, RARE } from '../support/large-library.ts';
import { startOwnPostgres } from '../support/postgres.ts';
import { median, rangeOf } from './servers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** The program as it was built. */
const built = async <T>(path: string): Promise<T> => (await import(pathToFileURL(join(ROOT, 'dist', path)).href)) as T;
const { AssetListsStore, orderKeyOf } =
  await built<typeof import('../../src/assets/asset-lists.store.ts')>('assets/asset-lists.store.js');
const { CollectionsStore } =
  await built<typeof import('../../src/assets/collections.store.ts')>('assets/collections.store.js');
const { CurationStore } = await built<typeof import('../../src/assets/curation.store.ts')>('assets/curation.store.js');
const { FamilyStore } = await built<typeof import('../../src/assets/family.store.ts')>('assets/family.store.js');
const { BudgetsStore } = await built<typeof import('../../src/credits/budgets.store.ts')>('credits/budgets.store.js');
const { Credits } = await built<typeof import('../../src/credits/credits.service.ts')>('credits/credits.service.js');
const { CreditsStore } = await built<typeof import('../../src/credits/credits.store.ts')>('credits/credits.store.js');
const { HoldsStore } = await built<typeof import('../../src/credits/holds.store.ts')>('credits/holds.store.js');
const { inTransaction, migrate, openPostgres } =
  await built<typeof import('../../src/platform/database.ts')>('platform/database.js');
const { newId } = await built<typeof import('../../src/platform/ids.ts')>('platform/ids.js');
const { createLog } = await built<typeof import('../../src/platform/log.ts')>('platform/log.js');

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 9);
const ROUND_MS = 30;
const CALLS_A_ROUND_MAX = 40;
const WARM_UP_CALLS = 12;
const PAGE = 20;
const LARGE = 100_000;
const SMALL = 100;
const OTHERS = 499;
const ASSETS_OF_OTHERS = 200;
/** Four entries of the ledger each; together 200,000. */
const JOBS = { large: 40_000, small: 25, other: 20 };
/** From here on a list is said to grow with its library. */
const FLAT_MAX = 3;

const started = await startOwnPostgres();
if ('missing' in started) throw new Error(started.missing);
const postgres = started;
const database = openPostgres({ url: postgres.url, poolMax: 1, log: createLog('silent'), unhurried: true });
const { db } = database;
const lists = new AssetListsStore();
const collections = new CollectionsStore();
const curation = new CurationStore();
const family = new FamilyStore();
const ledger = new CreditsStore(db);

/** A question to ask of one account; answers how many rows came. */
type Question = () => Promise<number>;

/** How to ask the same of any account. */
interface Contender {
  readonly name: string;
  prepare(library: FilledLibrary): Promise<Question>;
}

const NEWEST_FIRST: AssetOrder = { field: 'CREATED', direction: 'DESC' };

/** The first page of a list and the one in its middle. */
function pages(
  name: string,
  filterOf: (library: FilledLibrary) => AssetFilter,
  order: AssetOrder = NEWEST_FIRST,
): Contender[] {
  const page = async (library: FilledLibrary, after: AfterAsset | null, limit = PAGE + 1) =>
    lists.page(db, library.accountId, { filter: filterOf(library), order, limit, after });
  const middleOf = async (library: FilledLibrary) => {
    const total = await lists.count(db, library.accountId, filterOf(library));
    const last = (await page(library, null, Math.max(1, Math.floor(total / 2)))).at(-1);
    return last ? { id: last.id, key: orderKeyOf(last, order) } : null;
  };
  return [
    { name: `${name}, first page`, prepare: async (library) => async () => (await page(library, null)).length },
    {
      name: `${name}, middle page`,
      prepare: async (library) => {
        const middle = await middleOf(library);
        return async () => (await page(library, middle)).length;
      },
    },
  ];
}

const filtered = (name: string, filter: AssetFilter) => pages(name, () => filter);
const ordered = (field: AssetOrder['field'], direction: AssetOrder['direction']) =>
  pages(`order ${field} ${direction}`, () => ({}), { field, direction });

const LISTS: readonly Contender[] = [
  ...filtered('no filter', {}),
  ...filtered('kind', { kind: 'INPUT' }),
  ...filtered('operation', { operation: 'EDIT' }),
  ...filtered('provider', { provider: 'stability' }),
  ...filtered('model, frequent', { model: FREQUENT.model }),
  ...filtered('model, rare', { model: RARE.model }),
  ...filtered('quality', { quality: 'PREMIUM' }),
  ...filtered('favourite', { favourite: true }),
  ...pages('parent', ({ assetIds }) => ({ parent: assetIds[Math.floor(assetIds.length / 2)] })),
  ...filtered('created', { created: { from: new Date('2028-06-01'), to: new Date('2029-02-01') } }),
  ...filtered('cost', { cost: { min: 4_000n, max: 6_500n } }),
  ...filtered('deleted', { status: 'DELETED' }),
  ...filtered('tag, frequent', { tags: { any: [FREQUENT.tag] } }),
  ...filtered('tag, rare', { tags: { any: [RARE.tag] } }),
  ...filtered('any of two tags', { tags: { any: [FREQUENT.tag, RARE.tag] } }),
  ...filtered('all of two tags', { tags: { all: [FREQUENT.tag, FREQUENT.alsoTag] } }),
  ...filtered('all of a frequent and a rare tag', { tags: { all: [FREQUENT.tag, RARE.tag] } }),
  ...pages('collection, the largest', ({ collectionIds }) => ({ collection: collectionIds[0] })),
  ...pages('collection, the smallest', ({ collectionIds }) => ({ collection: collectionIds.at(-1) })),
  ...filtered('search, frequent word', { search: FREQUENT.word }),
  ...filtered('search, rare word', { search: RARE.word }),
  ...ordered('CREATED', 'ASC'),
  ...ordered('COST', 'ASC'),
  ...ordered('COST', 'DESC'),
  ...ordered('SIZE', 'ASC'),
  ...ordered('SIZE', 'DESC'),
  ...ordered('TITLE', 'ASC'),
  ...ordered('TITLE', 'DESC'),
];

const OTHER: readonly Contender[] = [
  {
    name: 'ledger, first page',
    prepare:
      async ({ accountId }) =>
      async () =>
        (await ledger.page(accountId, PAGE + 1, null)).length,
  },
  {
    name: 'ledger, middle page',
    prepare: async ({ accountId }) => {
      const { rows } = await sql<{ id: string }>`
        select id from ledger_transactions where account_id = ${accountId} order by position
        offset (select count(*) / 2 from ledger_transactions where account_id = ${accountId}) limit 1`.execute(db);
      const place = { id: rows[0]?.id ?? '', number: 2 };
      return async () => (await ledger.page(accountId, PAGE + 1, place)).length;
    },
  },
  {
    name: 'tags with their counts',
    prepare:
      async ({ accountId }) =>
      async () =>
        (await curation.tagCounts(db, accountId, 100)).length,
  },
  {
    name: 'collections with counts, covers',
    prepare:
      async ({ accountId }) =>
      async () => {
        const page = await collections.page(db, accountId, PAGE + 1, null);
        return (
          await collections.contents(
            db,
            page.map(({ id }) => id),
          )
        ).size;
      },
  },
  {
    name: 'the largest collection with its count',
    prepare:
      async ({ collectionIds }) =>
      async () =>
        (await collections.contents(db, collectionIds.slice(0, 1))).size,
  },
  {
    name: 'newest 20 in 20 collections',
    prepare:
      async ({ accountId, collectionIds }) =>
      async () =>
        [...(await lists.newestInCollections(db, accountId, collectionIds.slice(0, PAGE), PAGE)).values()].flat()
          .length,
  },
  {
    name: 'ancestry of 20 assets',
    prepare:
      async ({ accountId, assetIds }) =>
      async () =>
        (await family.ancestries(db, accountId, assetIds.slice(-PAGE), 100)).size,
  },
  {
    name: 'children of 20 assets',
    prepare:
      async ({ accountId, assetIds }) =>
      async () =>
        (await family.children(db, accountId, assetIds.slice(-2 * PAGE, -PAGE), 100)).length,
  },
  {
    name: 'tags of 20 assets',
    prepare:
      async ({ accountId, assetIds }) =>
      async () =>
        (await curation.tags(db, accountId, assetIds.slice(-PAGE))).size,
  },
];

interface Pair {
  readonly name: string;
  readonly large: Question;
  readonly small: Question;
  /** As many as fill a round. */
  readonly calls: number;
  readonly rows: readonly [number, number];
}

async function paired({ name, prepare }: Contender, large: FilledLibrary, small: FilledLibrary): Promise<Pair> {
  const [ofLarge, ofSmall] = [await prepare(large), await prepare(small)];
  const rows = [await ofLarge(), await ofSmall()] as const;
  for (let call = 0; call < WARM_UP_CALLS; call++) {
    await ofLarge();
    await ofSmall();
  }
  const calls = Math.ceil(Math.min(CALLS_A_ROUND_MAX, ROUND_MS / (await millisecondsOf(ofLarge, 2))));
  return { name, large: ofLarge, small: ofSmall, calls, rows };
}

async function millisecondsOf(question: Question, calls: number): Promise<number> {
  const began = performance.now();
  for (let call = 0; call < calls; call++) await question();
  return (performance.now() - began) / calls;
}

async function fill(assets: number, collectionCount: number, jobs: number): Promise<FilledLibrary> {
  const accountId = newId('account');
  await inTransaction(db, (tx) =>
    new Credits(db, new CreditsStore(db), new HoldsStore(db), new BudgetsStore()).open(tx, {
      accountId,
      monthly: 1_000_000n,
      postpaid: false,
      spendCap: null,
      openedAt: new Date(),
    }),
  );
  const library = await fillLibrary(db, accountId, { assets, collections: collectionCount });
  await fillJobs(db, accountId, jobs);
  return library;
}

/** Pages of a large library against the same pages of a small one in the same database, interleaved. */
async function main(): Promise<void> {
  await migrate(db);
  const began = performance.now();
  const large = await fill(LARGE, 200, JOBS.large);
  const small = await fill(SMALL, 10, JOBS.small);
  for (let other = 0; other < OTHERS; other++) await fill(ASSETS_OF_OTHERS, 5, JOBS.other);
  await sql`vacuum analyze`.execute(db);
  const { rows } = await sql<{ version: string }>`select version()`.execute(db);
  process.stdout.write(
    `\nan account of ${LARGE} assets against one of ${SMALL}, beside ${OTHERS} of ${ASSETS_OF_OTHERS}, pages of ${PAGE}, ` +
      `filled in ${((performance.now() - began) / 1_000).toFixed(0)} s, ${ROUNDS} rounds, interleaved\n` +
      `Node ${process.version}, ${rows[0]?.version.split(' on ')[0]}, ${cpus().length} x ${cpus()[0]?.model}; command: npm run bench:library\n\n`,
  );
  const pairs: Pair[] = [];
  for (const contender of [...LISTS, ...OTHER]) pairs.push(await paired(contender, large, small));
  const measured = new Map(pairs.map((pair) => [pair, { large: [] as number[], small: [] as number[] }]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [pair, times] of measured) {
      times.large.push(await millisecondsOf(pair.large, pair.calls));
      times.small.push(await millisecondsOf(pair.small, pair.calls));
    }
  for (const [{ name, rows: found }, times] of measured) {
    const ratios = times.large.map((each, round) => each / (times.small[round] ?? Number.NaN));
    process.stdout.write(
      `${name.padEnd(48)}${`${median(times.large).toFixed(2)} ms`.padStart(11)}${`${median(times.small).toFixed(2)} ms`.padStart(10)}` +
        `${`${median(ratios).toFixed(2)}x ${rangeOf(ratios, 2)}`.padStart(24)}${`${found.join(' / ')} rows`.padStart(16)}` +
        `${median(ratios) > FLAT_MAX ? (found[0] > 1.5 * found[1] ? '  has more rows' : '  grows') : ''}\n`,
    );
  }
}

try {
  await main();
} finally {
  await database.close();
  await postgres.stop();
}
