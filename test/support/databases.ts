import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, migrate, openPglite, openPostgres } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';

export type Engine = 'pglite' | 'postgres';

const postgres = inject('postgres');

/** The engines that suites of stores and of the ledger run on. Postgres is left out, loudly, where there is none. */
export const ENGINES: readonly Engine[] = 'url' in postgres ? ['pglite', 'postgres'] : ['pglite'];

export const hasPostgres = 'url' in postgres;

/** An empty, migrated database of its own; `close` drops it. */
export async function freshDatabase(engine: Engine): Promise<Database & { readonly url: string | null }> {
  const database = engine === 'pglite' ? { ...(await openPglite(null)), url: null } : await freshPostgres();
  await migrate(database.db);
  return database;
}

async function freshPostgres(): Promise<Database & { readonly url: string }> {
  const { url, drop } = await createPostgresDatabase();
  const database = openPostgres({ url, poolMax: 20, log: createLog('silent') });
  return {
    ...database,
    url,
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** Creates an empty database on the test server. */
export async function createPostgresDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  if (!('url' in postgres)) throw new Error(postgres.missing);
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(`create database ${name}`);
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database if exists ${name} with (force)`) };

  async function onServer(statement: string): Promise<void> {
    if (!('url' in postgres)) throw new Error(postgres.missing);
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
}
