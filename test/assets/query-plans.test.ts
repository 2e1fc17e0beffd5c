import { Kysely, type KyselyConfig, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ASSET_ORDER_FIELDS,
  type AssetFilter,
  type AssetOrder,
  ORDER_DIRECTIONS,
} from '../../src/assets/asset-filter.ts';
import { AssetLists, assetCursor } from '../../src/assets/asset-lists.service.ts';
import { AssetListsStore } from '../../src/assets/asset-lists.store.ts';
import type { Database, Db } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { USAGE_GROUPINGS } from '../../src/usage/usage.ts';
import { createPostgresDatabase, hasPostgres } from '../support/databases.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fillJobs } from '../support/large-ledger.ts';
import { type FilledLibrary, FREQUENT, fillLibrary, RARE } from '../support/large-library.ts';
import { generate, openAccount } from '../support/stories.ts';

const LARGE = 8_000;
const OTHERS = 60;
const ASSETS_OF_OTHERS = 200;
const LARGE_TABLES =
  /Seq Scan on (assets|asset_tags|collection_assets|ledger_entries|ledger_transactions|jobs|job_images|credit_holds)\b/;

const FILTERS: readonly AssetFilter[] = [
  {},
  { kind: 'INPUT' },
  { operation: 'EDIT' },
  { provider: 'stability' },
  { model: FREQUENT.model },
  { model: RARE.model },
  { quality: 'PREMIUM' },
  { favourite: true },
  { created: { from: new Date('2028-06-01'), to: new Date('2029-02-01') } },
  { cost: { min: 4_000n, max: 6_500n } },
  { cost: { min: 14_000n } },
  { status: 'DELETED' },
  { status: 'DELETED', tags: { all: [FREQUENT.tag] } },
  { tags: { any: [FREQUENT.tag] } },
  { tags: { any: [RARE.tag] } },
  { tags: { any: [FREQUENT.tag, FREQUENT.alsoTag, RARE.tag] } },
  { tags: { all: [FREQUENT.tag, FREQUENT.alsoTag] } },
  { tags: { all: [FREQUENT.tag], any: [FREQUENT.alsoTag, RARE.tag] } },
  { search: FREQUENT.word },
  { search: RARE.word },
  { search: FREQUENT.word, tags: { all: [FREQUENT.tag] }, operation: 'EDIT' },
  { search: FREQUENT.word, cost: { min: 4_000n }, favourite: true },
];
const ORDERS: readonly AssetOrder[] = ASSET_ORDER_FIELDS.flatMap((field) =>
  ORDER_DIRECTIONS.map((direction) => ({ field, direction })),
);

interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** A database that keeps what it is asked. */
interface Listened extends Database {
  readonly url: string;
  readonly heard: Map<string, Statement>;
}

async function listened(): Promise<Listened> {
  const { url, drop } = await createPostgresDatabase();
  const types: pg.CustomTypesConfig = {
    getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
      oid === pg.types.builtins.INT8 ? BigInt : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({ connectionString: url, max: 10, types });
  const heard = new Map<string, Statement>();
  const log: KyselyConfig['log'] = ({ query }) => {
    heard.set(query.sql, query);
  };
  return {
    db: new Kysely({ dialect: new PostgresDialect({ pool }), log }),
    engine: 'postgres',
    pglite: null,
    connections: null,
    url,
    heard,
    async close() {
      await pool.end();
      await drop();
    },
  };
}

describe.skipIf(!hasPostgres)('in a large library', () => {
  let database: Listened;
  let gateway: TestGateway;
  let owner: { id: string; key: string };
  let library: FilledLibrary;

  beforeAll(async () => {
    database = await listened();
    gateway = await startTestGateway({ database, environment: { READS_PER_MINUTE: '0' } });
    owner = await openAccount(gateway, { tier: 'PRO' });
    library = await fillLibrary(database.db, owner.id, { assets: LARGE, collections: 40 });
    await fillJobs(database.db, owner.id, 1_000);
    for (let other = 0; other < OTHERS; other++) await fillNeighbour(database.db, gateway);
    await sql`vacuum analyze`.execute(database.db);
  }, 180_000);
  afterAll(async () => {
    await gateway?.stop();
    await database?.close();
  });

  test('no query of a customer reads a whole table, whether planned for its values or for any', async () => {
    database.heard.clear();
    await useEverything(gateway, owner, library);
    const statements = [...database.heard.values()].filter((each) =>
      /^\s*(select|with|insert|update|delete)\b/i.test(each.sql),
    );
    expect(statements.filter((each) => /\bassets\b/.test(each.sql)).length).toBeGreaterThan(60);
    for (const table of [
      'jobs',
      'job_images',
      'credit_holds',
      'ledger_entries',
      'ledger_transactions',
      'asset_tags',
      'collection_assets',
    ])
      expect(
        statements.some((each) => each.sql.includes(table)),
        table,
      ).toBe(true);
    const scanning = [];
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      for (const mode of ['force_custom_plan', 'force_generic_plan']) {
        await client.query(`set plan_cache_mode = ${mode}`);
        for (const statement of statements) {
          const plan = await planOf(client, statement);
          if (LARGE_TABLES.test(plan)) scanning.push(`${mode}\n${statement.sql}\n${plan}`);
        }
      }
    } finally {
      await client.end();
    }
    expect(scanning.join('\n\n')).toBe('');
  }, 120_000);

  test('every way to find a list finds the same pages', async () => {
    const ways = [
      { few: 500, searchWalk: 1_000 },
      { few: 0, searchWalk: 1_000_000 },
      { few: 0, searchWalk: 1 },
      { few: 1_000_000, searchWalk: 1 },
    ].map((limits) => new AssetLists(database.db, new AssetListsStore(limits)));
    const filters = [...FILTERS, ...library.collectionIds.slice(0, 2).map((collection) => ({ collection }))];
    for (const filter of filters)
      for (const order of ORDERS) {
        const found = [];
        for (const lists of ways) found.push(await someOf(lists, owner.id, filter, order));
        for (const other of found)
          expect(other, JSON.stringify({ filter: inspectable(filter), order })).toEqual(found[0]);
        if (order.field === 'CREATED' && order.direction === 'ASC')
          expect(found[0]?.total, JSON.stringify(inspectable(filter))).toBeGreaterThan(0);
      }
  }, 180_000);
});

/** The first two pages of a list, and two from its middle. */
async function someOf(lists: AssetLists, accountId: string, filter: AssetFilter, order: AssetOrder) {
  const page = async (first: number, after: string | null) => {
    const { items, hasNextPage } = await lists.page(accountId, { first, after, filter, order });
    const last = items.at(-1);
    return { ids: items.map(({ id }) => id), hasNextPage, end: last ? assetCursor(last, order) : null };
  };
  const first = await page(7, null);
  const second = await page(100, first.end);
  const third = await page(5, second.end);
  return { total: first.ids.length, pages: [first, second, third] };
}

function inspectable(filter: AssetFilter): unknown {
  return JSON.parse(JSON.stringify(filter, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
}

async function fillNeighbour(db: Db, gateway: TestGateway): Promise<void> {
  const { id } = await openAccount(gateway, { tier: 'FREE' });
  await fillLibrary(db, id, { assets: ASSETS_OF_OTHERS, collections: 5 });
  await fillJobs(db, id, 100);
}

/** Asks for all that a customer can ask of a library, the ledger and jobs. */
async function useEverything(gateway: TestGateway, { id, key }: { id: string; key: string }, library: FilledLibrary) {
  const lists = new AssetLists(gateway.database.db, new AssetListsStore());
  const { collectionIds, assetIds } = library;
  const filters = [
    ...FILTERS,
    { collection: collectionIds[0] },
    { collection: collectionIds.at(-1) },
    { parent: assetIds[9] },
  ];
  for (const filter of filters) for (const order of ORDERS) await someOf(lists, id, filter, order);
  const ask = async (query: string, variables: Record<string, unknown> = {}) => {
    const { errors, data } = await gateway.ask<Record<string, { pageInfo: { endCursor: string } }>>(
      { key },
      query,
      variables,
    );
    expect(errors).toBeUndefined();
    return data;
  };
  await ask(`{ assets(first: 20) { nodes { id tags collections { id } parent { id } children { id } lineage { id } lineageCost } }
    tags { tag assets } viewer { storage { assets bytes } } }`);
  await ask('{ collections(first: 10) { nodes { id count cover { id } assets(first: 5) { id } } } }');
  const ledger =
    'query ($after: String) { ledger(first: 20, after: $after) { pageInfo { endCursor } nodes { amount } } }';
  const first = await ask(ledger);
  await ask(ledger, { after: first?.ledger?.pageInfo.endCursor });
  const jobs =
    'query ($after: String) { jobs(first: 20, after: $after) { pageInfo { endCursor } nodes { id images { id attempts { route } asset { id } } receipt { quoted entries { amount } } } } }';
  const page = await ask(jobs);
  await ask(jobs, { after: page?.jobs?.pageInfo.endCursor });
  await ask('{ jobs(first: 20, status: SUCCEEDED) { nodes { id } } }');
  const day = { from: new Date(Date.now() - 86_400_000).toISOString(), to: new Date().toISOString() };
  for (const by of USAGE_GROUPINGS)
    await ask(
      `query ($p: UsagePeriodInput!) { usage(period: $p, groupBy: ${by}) { total { credits } groups { key credits } } }`,
      { p: day },
    );
  await ask('query ($p: UsagePeriodInput!) { insights(period: $p) { images insights { kind } } }', { p: day });
  await ask('{ usageLevel { percent } budgets(first: 20) { nodes { spent left } } }');
  const some = assetIds.slice(-3);
  await ask('mutation ($a: [ID!]!) { tagAssets(assets: $a, add: ["one more"], remove: ["spring"]) { id } }', {
    a: some,
  });
  await ask('mutation ($a: [ID!]!, $c: ID!) { addToCollection(id: $c, assets: $a) { id } }', {
    a: some,
    c: collectionIds[0],
  });
  await ask('mutation ($a: [ID!]!, $c: ID!) { removeFromCollection(id: $c, assets: $a) { id } }', {
    a: some,
    c: collectionIds[0],
  });
  await ask('mutation ($a: [ID!]!) { deleteAssets(assets: $a) { id } }', { a: some });
  await ask('mutation ($a: [ID!]!) { restoreAssets(assets: $a) { id } }', { a: some });
  await generate(gateway, key, { prompt: 'a lighthouse' }, { waitSeconds: 20, idempotencyKey: newId('job') });
}

async function planOf(client: pg.Client, { sql: text, parameters }: Statement): Promise<string> {
  await client.query(`prepare asked as ${text}`);
  try {
    const values = parameters.length === 0 ? '' : `(${parameters.map(literal).join(', ')})`;
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain execute asked${values}`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await client.query('deallocate asked');
  }
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map((each) => JSON.stringify(each)).join(',')}}`);
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString());
  return pg.escapeLiteral(typeof value === 'object' ? JSON.stringify(value) : String(value));
}
