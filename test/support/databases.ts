import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, openAsBlob } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { inject } from 'vitest';
import { type Database, openPglite, openPostgres } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { onServer } from './postgres.ts';

export type Engine = 'pglite' | 'postgres';

const postgres = inject('postgres');

/** The engines that suites of stores and of the ledger run on. Postgres is left out, loudly, where there is none. */
export const ENGINES: readonly Engine[] = 'url' in postgres ? ['pglite', 'postgres'] : ['pglite'];

export const hasPostgres = 'url' in postgres;

/** An empty, migrated database of its own; `close` drops it. */
export async function freshDatabase(engine: Engine): Promise<Database & { readonly url: string | null }> {
  const database = engine === 'pglite' ? await freshPglite() : await freshPostgres();
  // Redis keeps prices by the series of their database, and all copies would have the same.
  await sql`update price_book_series set id = gen_random_uuid()`.execute(database.db);
  return database;
}

/** A data folder with a migrated database in it, as a program finds it that has been started there before. */
export function usedFolder(folder = mkdtempSync(join(tmpdir(), 'gateway-test-used-'))): string {
  cpSync(inject('templates').folder, folder, { recursive: true });
  return folder;
}

async function freshPglite(): Promise<Database & { readonly url: null }> {
  const dump = await openAsBlob(inject('templates').dump);
  return { ...(await openPglite(null, dump)), url: null };
}

async function freshPostgres(): Promise<Database & { readonly url: string }> {
  const { url, drop } = await createPostgresDatabase(inject('templates').postgres);
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

/** Creates a database on the test server, empty unless it is to be a copy of another one. */
export async function createPostgresDatabase(
  template: string | null = null,
): Promise<{ url: string; drop(): Promise<void> }> {
  if (!('url' in postgres)) throw new Error(postgres.missing);
  const server = postgres.url;
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(server, `create database ${name} template ${template ?? 'template1'}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(server, `drop database if exists ${name} with (force)`) };
}
