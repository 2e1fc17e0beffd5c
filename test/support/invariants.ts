import { expect } from 'vitest';
import { creditLaws } from '../../src/credits/credits.laws.store.ts';
import { jobLaws } from '../../src/jobs/jobs.laws.store.ts';
import { type Db, inSnapshot } from '../../src/platform/database.ts';

/** Fails with the name of every law of the ledger and of the jobs that does not hold, and what breaks it. */
export async function expectLawsHold(db: Db): Promise<void> {
  const results = await inSnapshot(db, async (tx) => [...(await creditLaws.check(tx)), ...(await jobLaws.check(tx))]);
  expect(results.filter(({ violations }) => violations > 0)).toEqual([]);
}
