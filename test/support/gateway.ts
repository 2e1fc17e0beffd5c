import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { startGateway } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import type { DemoName } from '../../src/demo-accounts.ts';
import type { Substitutes } from '../../src/domain.ts';
import type { Gateway } from '../../src/outside.ts';
import type { Database } from '../../src/platform/database.ts';
import { CIRCUIT_SETTINGS, type CircuitSettings } from '../../src/routing/circuit.ts';
import { type Engine, freshDatabase } from './databases.ts';

export interface GraphResponse<T> {
  readonly status: number;
  readonly data: T | null | undefined;
  readonly errors:
    | readonly { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[]
    | undefined;
  readonly extensions: Record<string, unknown> | undefined;
}

export interface TestGateway extends Gateway {
  readonly database: Database;
  readonly dataDir: string;
  /** Deletes the bytes of an asset from the disk, as a broken disk would. */
  removeBytes(assetId: string): Promise<void>;
  /** Posts a GraphQL request over HTTP, as the demo account of that name, with another key, or with none. */
  ask<T = Record<string, never>>(
    who: DemoName | { readonly key: string } | null,
    query: string,
    variables?: Record<string, unknown>,
  ): Promise<GraphResponse<T>>;
}

export interface TestGatewayOptions extends Substitutes {
  readonly engine?: Engine;
  /** Settings on top of those for tests. */
  readonly environment?: Record<string, string>;
}

/** Circuits that nothing opens, so that the faults of one test do not shut routes for the next. */
const FORGIVING: CircuitSettings = { ...CIRCUIT_SETTINGS, failuresMax: Number.MAX_SAFE_INTEGER, shutMsMax: 0 };

/** The whole gateway on a free port, with a database of its own unless one is handed in, vendors answering at once. */
export async function startTestGateway({
  engine = 'pglite',
  environment = {},
  ...substitutes
}: TestGatewayOptions = {}): Promise<TestGateway> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const database = substitutes.database ?? (await freshDatabase(engine));
  const databaseUrl = 'url' in database && typeof database.url === 'string' ? { DATABASE_URL: database.url } : {};
  const config = readConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    SANDBOX_LATENCY: '0',
    LOG_LEVEL: 'silent',
    ...databaseUrl,
    ...environment,
  });
  const gateway = await startGateway(config, { pollPace: 0.02, circuits: FORGIVING, ...substitutes, database });
  return {
    ...gateway,
    database,
    dataDir,
    removeBytes: async (assetId) => {
      const { rows } = await sql<{ key: string }>`select storage_key as key from assets where id = ${assetId}`.execute(
        database.db,
      );
      const key = rows[0]?.key ?? '';
      await rm(join(dataDir, 'assets', key.slice(-2), key));
    },
    ask: (who, query, variables) => {
      const key = who === null ? null : typeof who === 'string' ? gateway.demoKeys?.[who] : who.key;
      return ask(gateway.url, key ?? null, query, variables);
    },
    async stop() {
      await gateway.stop();
      // A database that was handed in belongs to whoever did.
      if (!substitutes.database) await database.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function ask<T>(
  url: string,
  key: string | null,
  query: string,
  variables?: Record<string, unknown>,
): Promise<GraphResponse<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== null && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as Omit<GraphResponse<T>, 'status'>;
  return { status: response.status, data: body.data, errors: body.errors, extensions: body.extensions };
}
