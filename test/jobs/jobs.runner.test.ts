import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { JobsRunner, RUNNER_TIMES, type RunnerParts } from '../../src/jobs/jobs.runner.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { freshDatabase } from '../support/databases.ts';

let database: Database;
beforeAll(async () => {
  database = await freshDatabase('pglite');
});
afterAll(() => database.close());

test('a job that is being claimed is not claimed a second time, however long the database takes', async () => {
  // A claim that comes late finds the lease of the first one lapsed, and would let one worker order everything twice.
  const claimed = Promise.withResolvers<null>();
  const claim = vi.fn(() => claimed.promise);
  const parts: Partial<RunnerParts> = {
    db: database.db,
    clock: systemClock,
    log: createLog('silent'),
    times: RUNNER_TIMES,
    owner: 'worker_1',
    store: { claim } as Partial<RunnerParts['store']> as RunnerParts['store'],
  };
  const runner = new JobsRunner(parts as RunnerParts);
  const runs = [runner.run('job_1'), runner.run('job_1')];
  await expect.poll(() => claim.mock.calls.length).toBe(1);
  claimed.resolve(null);
  await Promise.all(runs);
  expect(claim).toHaveBeenCalledTimes(1);
  await runner.run('job_1');
  expect(claim).toHaveBeenCalledTimes(2);
});
