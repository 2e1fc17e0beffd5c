import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { hasPostgres } from '../support/databases.ts';
import { findProgram } from '../support/server-process.ts';
import { overspend } from './overspend-run.ts';

const SUBMISSIONS = 200;
const FITS = 20;
/** `npm run proof:overspend` has them all. */
const CASES = ['balance', 'upgrade meanwhile'];

test.skipIf(!hasPostgres)(
  `of ${SUBMISSIONS} parallel submissions exactly those are accepted that fit, though gateways and workers are killed meanwhile`,
  { timeout: 480_000 },
  async () => {
    const seed = randomInt(2 ** 32);
    const redis = findProgram('redis-server') !== null;
    const rows = await overspend({ submissions: SUBMISSIONS, fits: FITS, seed, redis, only: CASES });
    const violations = rows.flatMap((row) => row.violations.map((text) => `${row.name}: ${text}`));
    expect(violations, `seed ${seed}`).toEqual([]);
    expect(rows.map(({ name }) => name)).toEqual(CASES);
    // One case may be over before its first kill; all of them never are.
    expect(rows.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(0);
  },
);
