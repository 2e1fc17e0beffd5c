import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type Database, migrate, openPglite, openPostgres } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { DatabaseQueue } from '../../src/platform/queue.ts';
import { onServer } from './postgres.ts';

/**
 * What tests copy their databases from. To make one from nothing takes the embedded engine seconds, and there are
 * hundreds; so one of each engine is made for the whole run, in the way of a program that starts on an empty one.
 */
export interface Templates {
  /** A data folder in which a program has been started and stopped. */
  readonly folder: string;
  /** The file with the same for a database in memory. */
  readonly dump: string;
  /** The name of the database on the test server, if there is one. */
  readonly postgres: string | null;
}

export async function makePgliteTemplate(): Promise<{ folder: string; dump: string; remove(): void }> {
  const place = mkdtempSync(join(tmpdir(), 'gateway-test-pglite-'));
  const [folder, dump] = [join(place, 'folder'), join(place, 'dump.tar')];
  const database = await openPglite(folder);
  await prepare(database, null);
  if (!database.pglite) throw new Error('the embedded engine hides itself');
  // What is only in the log so far would be done again by every copy.
  await sql`checkpoint`.execute(database.db);
  const dumped = await database.pglite.dumpDataDir('none');
  writeFileSync(dump, Buffer.from(await dumped.arrayBuffer()));
  await database.close();
  return { folder, dump, remove: () => rmSync(place, { recursive: true, force: true }) };
}

/** Makes a database on this server that others can be created from. */
export async function makePostgresTemplate(server: string): Promise<{ name: string; remove(): Promise<void> }> {
  const name = `test_template_${randomBytes(8).toString('hex')}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const database = openPostgres({ url: url.href, poolMax: 2, log: createLog('silent') });
  await prepare(database, url.href);
  await database.close();
  return { name, remove: () => onServer(server, `drop database if exists ${name} with (force)`) };
}

async function prepare(database: Database, url: string | null): Promise<void> {
  await migrate(database.db);
  const queue = new DatabaseQueue(database, url, createLog('silent'));
  await queue.start();
  await queue.stop();
}
