import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IdempotencyStore, type KeyClaim } from '../../src/jobs/idempotency.store.ts';
import { type Database, inTransaction } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';

const NOW = new Date('2026-03-15T12:00:00Z');
const DAY_MS = 24 * 60 * 60_000;
const ago = (ms: number) => new Date(NOW.getTime() - ms);

const claimOf = (accountId: string, jobId: string, claimedAt: Date): KeyClaim => ({
  accountId,
  key: 'k',
  inputHash: `hash of ${jobId}`,
  jobId,
  claimedAt,
  expiredBefore: new Date(claimedAt.getTime() - DAY_MS),
});

describe.each(ENGINES)('idempotency keys on %s', (engine) => {
  let database: Database;
  let keys: IdempotencyStore;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    keys = new IdempotencyStore(database.db);
  });
  afterAll(() => database.close());

  /** Who has the key after this claim: null for the claimer itself. */
  const claim = (accountId: string, jobId: string, at = NOW) =>
    inTransaction(database.db, (tx) => keys.claim(tx, claimOf(accountId, jobId, at)));
  const holder = (accountId: string) => keys.holder(accountId, 'k', ago(DAY_MS));

  test('stand for the first job that claimed them, in one account', async () => {
    const [mine, theirs] = [newId('account'), newId('account')];
    expect(await claim(mine, 'job_1')).toBeNull();
    expect(await claim(mine, 'job_2')).toEqual({ jobId: 'job_1', inputHash: 'hash of job_1' });
    expect(await claim(theirs, 'job_3')).toBeNull();
    expect(await holder(mine)).toEqual({ jobId: 'job_1', inputHash: 'hash of job_1' });
  });

  test('count for 24 hours to the millisecond, and are free again then', async () => {
    const account = newId('account');
    await claim(account, 'job_1', ago(DAY_MS));
    expect(await claim(account, 'job_2')).toEqual({ jobId: 'job_1', inputHash: 'hash of job_1' });
    const other = newId('account');
    await claim(other, 'job_1', ago(DAY_MS + 1));
    expect(await holder(other)).toBeNull();
    expect(await claim(other, 'job_2')).toBeNull();
    expect(await holder(other)).toEqual({ jobId: 'job_2', inputHash: 'hash of job_2' });
  });

  test('of a transaction that is undone are free', async () => {
    const account = newId('account');
    const undone = inTransaction(database.db, async (tx) => {
      await keys.claim(tx, claimOf(account, 'job_1', NOW));
      throw new Error('refused after all');
    });
    await expect(undone).rejects.toThrow('refused after all');
    expect(await claim(account, 'job_2')).toBeNull();
  });

  test('that are too old are forgotten, thousands of them, and no others', async () => {
    const [old, young] = [newId('account'), newId('account')];
    await claim(young, 'job_1', ago(DAY_MS));
    await database.db
      .withTables<{
        idempotency_keys: { account_id: string; key: string; input_hash: string; job_id: string; created_at: Date };
      }>()
      .insertInto('idempotency_keys')
      .values(
        Array.from({ length: 2_500 }, (_, index) => ({
          account_id: old,
          key: `k${index}`,
          input_hash: 'h',
          job_id: 'job_1',
          created_at: ago(DAY_MS + 1),
        })),
      )
      .execute();
    await keys.forget(ago(DAY_MS));
    expect(await keys.holder(old, 'k0', new Date(0))).toBeNull();
    expect(await keys.holder(old, 'k2499', new Date(0))).toBeNull();
    expect(await holder(young)).toEqual({ jobId: 'job_1', inputHash: 'hash of job_1' });
  });
});
