import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Role } from '../../src/accounts/account.ts';
import { Accounts } from '../../src/accounts/accounts.service.ts';
import { AccountsStore } from '../../src/accounts/accounts.store.ts';
import { ApiKeys, type Manager } from '../../src/accounts/api-keys.service.ts';
import { ApiKeysStore } from '../../src/accounts/api-keys.store.ts';
import type { ApiKeyScope } from '../../src/accounts/scopes.ts';
import { THE_PROGRAM } from '../../src/platform/audit-trail.ts';
import { type Database, inTransaction } from '../../src/platform/database.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { newId } from '../../src/platform/ids.ts';
import { TestClock } from '../support/clock.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';

const DAY_MS = 86_400_000;

describe.each(ENGINES)('API keys on %s', (engine) => {
  let database: Database;
  let clock: TestClock;
  let accounts: Accounts;
  let keys: ApiKeys;
  let store: AccountsStore;
  beforeAll(async () => {
    database = await freshDatabase(engine);
  });
  afterAll(() => database.close());
  beforeEach(() => {
    clock = new TestClock();
    store = new AccountsStore(database.db);
    accounts = new Accounts(store, new LocalEventBus(), clock);
    keys = new ApiKeys(database.db, new ApiKeysStore(database.db), accounts, clock);
  });

  const open = (role: Role = 'CUSTOMER') =>
    inTransaction(database.db, (tx) => accounts.create(tx, { name: 'Ada', role, tier: 'PRO', limits: {} }));
  const issue = (account: string, scopes: readonly ApiKeyScope[], expiresAt: Date | null = null) =>
    keys.create(account, { label: 'laptop', scopes, expiresAt }, THE_PROGRAM);
  const as = (id: string, scopes: readonly ApiKeyScope[]): Manager => ({
    id,
    keyId: newId('key'),
    scopes,
    isOperator: false,
  });
  const operator: Manager = { id: newId('account'), keyId: newId('key'), scopes: [], isOperator: true };
  const later = (ms: number) => new Date(clock.now().getTime() + ms);

  test('a key knows its scopes, each once and in one order', async () => {
    const { secret } = await issue((await open()).id, ['LIBRARY', 'ESTIMATE', 'LIBRARY']);
    expect((await accounts.authenticate(secret)).scopes).toEqual(['ESTIMATE', 'LIBRARY']);
  });

  test('OPERATOR is for accounts of operators, and a key without any scope for nobody', async () => {
    const customer = await open();
    for (const scopes of [['OPERATOR'], ['RUN', 'OPERATOR'], []] as const)
      await expect(issue(customer.id, scopes)).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field: 'scopes' },
      });
    expect(await keys.ofAccount(customer.id)).toEqual([]);
    expect((await issue((await open('OPERATOR')).id, ['OPERATOR'])).key.scopes).toEqual(['OPERATOR']);
  });

  test('an expired key is refused as an unknown one is, from that very moment, though it was looked up before', async () => {
    const { secret } = await issue((await open()).id, ['RUN'], later(500));
    await accounts.authenticate(secret);
    clock.advance(0.499);
    await accounts.authenticate(secret);
    clock.advance(0.001);
    const unknown = await accounts.authenticate(`isg_${'A'.repeat(43)}`).catch((error: Error) => error);
    await expect(accounts.authenticate(secret)).rejects.toEqual(unknown);
  });

  test('a key that would have expired already is not issued', async () => {
    const { id } = await open();
    await expect(issue(id, ['RUN'], clock.now())).rejects.toMatchObject({ details: { field: 'expiresAt' } });
    expect(await keys.ofAccount(id)).toEqual([]);
  });

  test('a hundred keys of an account may work at once; one that is over makes room', async () => {
    const { id } = await open();
    for (let count = 0; count < 100; count++) await issue(id, ['RUN'], later(DAY_MS));
    await expect(issue(id, ['RUN'])).rejects.toMatchObject({ code: 'FORBIDDEN', details: { limit: 100 } });
    const [newest] = await keys.ofAccount(id);
    await keys.rotate(newest?.id ?? '', 0, operator, THE_PROGRAM);
    await expect(keys.rotate((await keys.ofAccount(id))[5]?.id ?? '', 60, operator, THE_PROGRAM)).rejects.toMatchObject(
      {
        code: 'FORBIDDEN',
      },
    );
    clock.advance(86_400);
    const { key } = await issue(id, ['RUN']);
    const listed = await keys.ofAccount(id);
    expect([listed.length, listed[0]?.id]).toEqual([100, key.id]);
  });

  describe('replacing', () => {
    test('the new key is as the old one was, which goes on for the overlap and then stops', async () => {
      const { id } = await open();
      const old = await issue(id, ['ESTIMATE', 'RUN'], later(30 * DAY_MS));
      const issued = await keys.rotate(old.key.id, 60, as(id, ['ESTIMATE', 'RUN']), THE_PROGRAM);
      expect(issued.key).toEqual({ ...old.key, id: issued.key.id });
      const [listedNew, listedOld] = await keys.ofAccount(id);
      expect(listedNew).toEqual(issued.key);
      expect(listedOld).toEqual({ ...old.key, expiresAt: later(60_000), replacedBy: issued.key.id });
      for (const { secret } of [old, issued]) await accounts.authenticate(secret);
      clock.advance(60);
      await expect(accounts.authenticate(old.secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      await accounts.authenticate(issued.secret);
    });

    test('without an overlap the old one stops at once', async () => {
      const { id } = await open();
      const old = await issue(id, ['RUN']);
      await accounts.authenticate(old.secret);
      await keys.rotate(old.key.id, 0, as(id, ['RUN']), THE_PROGRAM);
      await expect(accounts.authenticate(old.secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    });

    test('no overlap makes a key last longer, and no replacement does', async () => {
      const { id } = await open();
      const old = await issue(id, ['RUN'], later(60_000));
      const issued = await keys.rotate(old.key.id, 7 * 86_400, as(id, ['RUN']), THE_PROGRAM);
      expect(issued.key.expiresAt).toEqual(later(60_000));
      expect((await keys.ofAccount(id))[1]?.expiresAt).toEqual(later(60_000));
    });

    test('ten at once have one winner', async () => {
      const { id } = await open();
      const old = await issue(id, ['RUN']);
      const ends = await Promise.allSettled(
        Array.from({ length: 10 }, () => keys.rotate(old.key.id, 60, as(id, ['RUN']), THE_PROGRAM)),
      );
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await keys.ofAccount(id)).toHaveLength(2);
    });

    test.each([-1, 0.5, 604_801, Number.NaN])('an overlap of %d seconds is refused', async (seconds) => {
      const { id } = await open();
      const { key } = await issue(id, ['RUN']);
      await expect(keys.rotate(key.id, seconds, operator, THE_PROGRAM)).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field: 'overlapSeconds' },
      });
      expect(await keys.ofAccount(id)).toEqual([key]);
    });
  });

  describe('a customer', () => {
    test('manages what its own key can do, and no more', async () => {
      const { id } = await open();
      const { key } = await issue(id, ['RUN', 'LIBRARY']);
      const missing = { code: 'FORBIDDEN', details: { requiredScope: 'LIBRARY' } };
      await expect(keys.revoke(key.id, as(id, ['ESTIMATE', 'RUN']), THE_PROGRAM)).rejects.toMatchObject(missing);
      await expect(keys.rotate(key.id, 0, as(id, ['RUN']), THE_PROGRAM)).rejects.toMatchObject(missing);
      expect(await keys.ofAccount(id)).toEqual([key]);
      await keys.revoke(key.id, as(id, ['RUN', 'LIBRARY']), THE_PROGRAM);
      expect((await keys.ofAccount(id))[0]?.revokedAt).toEqual(clock.now());
    });

    test("is told of another account's key what it is told of none", async () => {
      const { key } = await issue((await open()).id, ['RUN']);
      const stranger = as((await open()).id, ['ESTIMATE', 'RUN', 'LIBRARY']);
      const nobodys = newId('key');
      for (const act of [
        (id: string) => keys.revoke(id, stranger, THE_PROGRAM),
        (id: string) => keys.rotate(id, 0, stranger, THE_PROGRAM),
      ]) {
        const told = async (id: string) =>
          String(await act(id).catch((error: Error) => error.message)).replaceAll(id, '(id)');
        expect(await told(key.id)).toBe(await told(nobodys));
      }
      expect(await keys.ofAccount(key.accountId)).toEqual([key]);
    });
  });

  describe('when a key was last used', () => {
    test('is written once a minute, and is the latest of what all processes know', async () => {
      const { id } = await open();
      const { key, secret } = await issue(id, ['RUN']);
      const writes: Date[] = [];
      class Counted extends AccountsStore {
        override noteUses(uses: ReadonlyMap<string, Date>) {
          writes.push(...uses.values());
          return super.noteUses(uses);
        }
      }
      const here = new Accounts(new Counted(database.db), new LocalEventBus(), clock);
      const first = clock.now();
      for (let second = 0; second < 90; second++) {
        await here.authenticate(secret);
        clock.advance(1);
      }
      await here.stop();
      // The two are gathered here, because no second of ours has gone by: the later one counts.
      expect(writes).toEqual([new Date(first.getTime() + 60_000 + 1_000)]);
      expect((await keys.ofAccount(id))[0]?.lastUsedAt).toEqual(writes[0]);
      await store.noteUses(new Map([[key.id, first]]));
      expect((await keys.ofAccount(id))[0]?.lastUsedAt).toEqual(writes[0]);
    });

    test('is not written for a key that does not work', async () => {
      const { id } = await open();
      const { secret } = await issue(id, ['RUN'], later(1));
      clock.advance(1);
      await accounts.authenticate(secret).catch(() => undefined);
      await accounts.stop();
      expect((await keys.ofAccount(id))[0]?.lastUsedAt).toBeNull();
    });

    test('fails nobody when it cannot be written', async () => {
      const { secret } = await issue((await open()).id, ['RUN']);
      class Broken extends AccountsStore {
        override noteUses(): Promise<void> {
          return Promise.reject(new Error('the disk is full'));
        }
      }
      const here = new Accounts(new Broken(database.db), new LocalEventBus(), clock);
      await here.authenticate(secret);
      await here.stop();
      await here.authenticate(secret);
    });
  });
});
