import { expect } from 'vitest';
import { ALL_LAWS } from '../../src/laws.ts';
import { type Db, inSnapshot } from '../../src/platform/database.ts';
import { checkAll } from '../../src/platform/laws.ts';

/** Fails with the name of every law of the ledger and of the jobs that does not hold, and what breaks it. */
export async function expectLawsHold(db: Db): Promise<void> {
  const results = await inSnapshot(db, (tx) => checkAll(tx, ALL_LAWS));
  expect(results.filter(({ violations }) => violations > 0)).toEqual([]);
}
