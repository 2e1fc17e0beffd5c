import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AttemptsStore } from '../../src/jobs/attempts.store.ts';
import type { AttemptOutcome } from '../../src/jobs/job.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';

const NOW = new Date('2026-03-15T12:00:00Z');

describe.each(ENGINES)('a call to a vendor on %s', (engine) => {
  let database: Database;
  let attempts: AttemptsStore;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    attempts = new AttemptsStore(database.db);
    // Of the image nothing matters here but its calls.
    await sql`alter table job_attempts drop constraint job_attempts_image_id_fkey`.execute(database.db);
  });
  afterAll(() => database.close());

  /** How a call stands that was ended like this, one after the other. */
  async function endedBy(...outcomes: AttemptOutcome[]) {
    const [id, imageId] = [newId('attempt'), newId('image')];
    await sql`insert into job_attempts (id, image_id, route_id, started_at)
      values (${id}, ${imageId}, 'stability/core', ${NOW})`.execute(database.db);
    for (const [index, outcome] of outcomes.entries())
      await attempts.end(id, { outcome, reason: null, message: null, vendorCostMicros: BigInt(index) }, NOW);
    const [attempt] = await attempts.ofImages([imageId]);
    return [attempt?.outcome, attempt?.vendorCostMicros];
  }

  test('ends once', async () => {
    expect(await endedBy('rejected', 'broken')).toEqual(['rejected', 0n]);
    expect(await endedBy('delivered', 'unknown')).toEqual(['delivered', 0n]);
    expect(await endedBy('unknown', 'discarded')).toEqual(['unknown', 0n]);
    expect(await endedBy('discarded', 'delivered')).toEqual(['discarded', 0n]);
  });

  test('that was given up as unknown and brings its picture after all has delivered it', async () => {
    expect(await endedBy('unknown', 'delivered')).toEqual(['delivered', 1n]);
  });
});
