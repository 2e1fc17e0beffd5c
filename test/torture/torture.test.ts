import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { CRASH_POINTS } from '../../src/platform/crash-points.ts';
import { hasPostgres } from '../support/databases.ts';
import { findProgram } from '../support/server-process.ts';
import { printed } from './report.ts';
import { torture } from './run.ts';

/** As short as it may be: it goes on until a process has died at every step. `npm run torture` takes longer. */
const MINUTES = 0.4;

test.skipIf(!hasPostgres)(
  'whoever is killed, and wherever: no credit is lost or made, nothing is bought twice, and every answer stands',
  { timeout: 900_000 },
  async () => {
    const seed = randomInt(2 ** 32);
    const redis = findProgram('redis-server') !== null;
    const report = await torture({ minutes: MINUTES, seed, engine: 'postgres', redis });
    process.stdout.write(printed(report));
    expect(report.violations, `seed ${seed}, logs in ${report.folder}`).toEqual([]);
    expect(CRASH_POINTS.filter((step) => (report.hits.get(step) ?? 0) === 0)).toEqual([]);
    expect(report.kills.of('PostgreSQL killed')).toBeGreaterThan(0);
    expect(report.looks).toBeGreaterThan(0);
    expect(report.books.images.of('delivered')).toBeGreaterThan(0);
  },
);
