import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Accounts } from '../../src/accounts/accounts.service.ts';
import { AccountsStore } from '../../src/accounts/accounts.store.ts';
import { ApiKeys } from '../../src/accounts/api-keys.service.ts';
import { ApiKeysStore } from '../../src/accounts/api-keys.store.ts';
import { THE_PROGRAM } from '../../src/platform/audit-trail.ts';
import { type Database, inTransaction } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { openRedis, type RedisConnections } from '../../src/platform/redis.ts';
import { TestClock } from '../support/clock.ts';
import { freshDatabase } from '../support/databases.ts';

const redis = inject('redis');

describe.skipIf('missing' in redis)('accounts of two processes that Redis connects', () => {
  let database: Database;
  let first: RedisConnections;
  let second: RedisConnections;
  beforeAll(async () => {
    database = await freshDatabase('pglite');
    const url = 'url' in redis ? redis.url : '';
    first = await openRedis(url, createLog('silent'), new Metrics());
    second = await openRedis(url, createLog('silent'), new Metrics());
  });
  afterAll(async () => {
    first.close();
    second.close();
    await database.close();
  });

  test('a key that is revoked in one stops in the other, though its clock stands still', async () => {
    const clock = new TestClock();
    const here = new Accounts(new AccountsStore(database.db), first.events, clock);
    const there = new Accounts(new AccountsStore(database.db), second.events, clock);
    const account = await inTransaction(database.db, (tx) =>
      here.create(tx, { name: 'Ada', role: 'CUSTOMER', tier: 'FREE', limits: {} }),
    );
    const { key, secret } = await here.issueKey(account.id, 'laptop');
    expect((await there.authenticate(secret)).keyId).toBe(key.id);

    const keys = new ApiKeys(database.db, new ApiKeysStore(database.db), here, clock);
    await keys.revoke(key.id, { id: account.id, keyId: key.id, scopes: key.scopes, isOperator: false }, THE_PROGRAM);

    await expect
      .poll(
        () =>
          there.authenticate(secret).then(
            () => 'works',
            (error: Error) => error.message,
          ),
        { interval: 5 },
      )
      .toContain('This API key is not valid');
  });
});
