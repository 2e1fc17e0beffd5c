import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Role, Viewer } from '../../src/accounts/account.ts';
import { Accounts } from '../../src/accounts/accounts.service.ts';
import { AccountsStore } from '../../src/accounts/accounts.store.ts';
import { ApiKeys } from '../../src/accounts/api-keys.service.ts';
import { ApiKeysStore } from '../../src/accounts/api-keys.store.ts';
import { THE_PROGRAM } from '../../src/platform/audit-trail.ts';
import { type Database, type Db, inTransaction } from '../../src/platform/database.ts';
import { type EventBus, LocalEventBus } from '../../src/platform/events.ts';
import { newId } from '../../src/platform/ids.ts';
import { TestClock } from '../support/clock.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { notesUses } from '../support/keys.ts';

const REFUSED = {
  code: 'UNAUTHENTICATED',
  message: 'This API key is not valid. Send a valid one as "Authorization: Bearer <key>".',
};

const OPERATOR = { id: newId('account'), keyId: newId('key'), scopes: [], isOperator: true } as const;

/** Loses everything: what a process hears whose connection to the others is gone. */
const deaf: EventBus = { publish: () => undefined, subscribe: () => () => undefined };

describe.each(ENGINES)('accounts on %s', (engine) => {
  let database: Database;
  let statements = 0;
  let counted: Db;
  let clock: TestClock;
  let events: LocalEventBus;
  let accounts: Accounts;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    counted = database.db.withPlugin({
      transformQuery: ({ node }) => {
        if (!notesUses(node)) statements += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
  });
  afterAll(() => database.close());
  beforeEach(() => {
    clock = new TestClock();
    events = new LocalEventBus();
    accounts = new Accounts(new AccountsStore(counted), events, clock);
  });

  /** As an operator does. */
  const revoke = (id: string) =>
    new ApiKeys(database.db, new ApiKeysStore(database.db), accounts, clock).revoke(id, OPERATOR, THE_PROGRAM);
  const open = (role: Role = 'CUSTOMER') =>
    inTransaction(database.db, (tx) => accounts.create(tx, { name: 'Ada', role, tier: 'PRO', limits: {} }));
  /** How many statements `work` sends. */
  const counting = async (work: () => Promise<unknown>) => {
    statements = 0;
    await work();
    return statements;
  };

  describe('keys', () => {
    test('a key says who its account is', async () => {
      const account = await open('OPERATOR');
      const { key, secret } = await accounts.issueKey(account.id, 'laptop');
      expect(await accounts.authenticate(secret)).toEqual({
        id: account.id,
        name: 'Ada',
        role: 'OPERATOR',
        tier: 'PRO',
        nextTier: null,
        limits: {},
        createdAt: clock.now(),
        keyId: key.id,
        scopes: ['ESTIMATE', 'RUN', 'LIBRARY'],
        keyExpiresAt: null,
      } satisfies Viewer);
      expect(key).toEqual({
        id: expect.stringMatching(/^key_/),
        accountId: account.id,
        label: 'laptop',
        scopes: ['ESTIMATE', 'RUN', 'LIBRARY'],
        createdAt: clock.now(),
        expiresAt: null,
        lastUsedAt: null,
        revokedAt: null,
        replacedBy: null,
      });
    });

    test('the secret is shown once and kept nowhere: no column of the database holds it', async () => {
      const { id } = await open();
      const { key, secret } = await accounts.issueKey(id, 'laptop');
      expect(secret).toMatch(/^isg_[A-Za-z0-9_-]{43}$/);
      const { rows } = await sql<{ row: string }>`
        select k::text as row from api_keys k union all select a::text from accounts a`.execute(database.db);
      const all = rows.map(({ row }) => row).join('\n');
      expect(all).toContain(key.id);
      expect(all).not.toContain(secret);
      expect(all).not.toContain(secret.slice(4));
    });

    test('no two keys are alike', async () => {
      const { id } = await open();
      const issued = await Promise.all(Array.from({ length: 20 }, () => accounts.issueKey(id, 'laptop')));
      expect(new Set(issued.map(({ secret }) => secret)).size).toBe(20);
    });

    test('a malformed, an unknown and a revoked key are refused in the same words', async () => {
      const { id } = await open();
      const { key, secret } = await accounts.issueKey(id, 'laptop');
      await revoke(key.id);
      const unknown = `isg_${'A'.repeat(43)}`;
      for (const wrong of [
        secret,
        unknown,
        '',
        'isg_',
        `${secret} `,
        ` ${secret}`,
        secret.toUpperCase(),
        'x'.repeat(10_000),
      ])
        await expect(accounts.authenticate(wrong)).rejects.toMatchObject(REFUSED);
    });

    test('a malformed key costs no statement', async () => {
      expect(await counting(() => accounts.authenticate("' or 1=1 --").catch(() => undefined))).toBe(0);
    });

    test('the other keys of an account go on when one is revoked', async () => {
      const { id } = await open();
      const [first, second] = [await accounts.issueKey(id, 'first'), await accounts.issueKey(id, 'second')];
      await revoke(first.key.id);
      await expect(accounts.authenticate(first.secret)).rejects.toMatchObject(REFUSED);
      expect((await accounts.authenticate(second.secret)).keyId).toBe(second.key.id);
    });

    test('a key is revoked once; an unknown one not at all', async () => {
      const { key } = await accounts.issueKey((await open()).id, 'laptop');
      await revoke(key.id);
      await expect(revoke(key.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(revoke(newId('key'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(revoke("' or true --")).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('a key that is issued in a transaction goes with it when that is undone', async () => {
      const { id } = await open();
      const secrets: string[] = [];
      const undone = inTransaction(database.db, async (tx) => {
        secrets.push((await accounts.issueKey(id, 'laptop', { tx })).secret);
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      await expect(accounts.authenticate(secrets[0] ?? '')).rejects.toMatchObject(REFUSED);
    });

    test.each([0, 201])('a label of %i characters is refused, naming field and limit', async (length) => {
      const label = 'x'.repeat(length);
      const { id } = await open();
      await expect(accounts.issueKey(id, label)).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        details: { field: 'label', limit: '1 to 200 characters' },
      });
    });
  });

  describe('lookups', () => {
    test('forty requests with four keys at once are one statement, and each gets its own account', async () => {
      const issued = await Promise.all(
        Array.from({ length: 4 }, async () => accounts.issueKey((await open()).id, 'laptop')),
      );
      const asked = Array.from({ length: 40 }, (_, index) => issued[index % 4]);
      const found: Viewer[] = [];
      const sent = await counting(async () => {
        found.push(...(await Promise.all(asked.map((key) => accounts.authenticate(key?.secret ?? '')))));
      });
      expect(sent).toBe(1);
      expect(found.map(({ keyId }) => keyId)).toEqual(asked.map((key) => key?.key.id));
    });

    test('a known key costs no statement for a second, an unknown one neither', async () => {
      const { secret } = await accounts.issueKey((await open()).id, 'laptop');
      const unknown = `isg_${'B'.repeat(43)}`;
      const askBoth = () => Promise.allSettled([accounts.authenticate(secret), accounts.authenticate(unknown)]);
      expect(await counting(askBoth)).toBe(1);
      clock.advance(1);
      expect(await counting(askBoth)).toBe(0);
      clock.advance(0.001);
      expect(await counting(askBoth)).toBe(1);
    });
  });

  describe('changes made elsewhere', () => {
    /** Another process, on the same database. */
    const elsewhere = (bus: EventBus) => new Accounts(new AccountsStore(database.db), bus, clock);

    test('a revoked key stops at once in every process that hears of it', async () => {
      const other = elsewhere(events);
      const { key, secret } = await accounts.issueKey((await open()).id, 'laptop');
      await other.authenticate(secret);
      await revoke(key.id);
      await expect(other.authenticate(secret)).rejects.toMatchObject(REFUSED);
    });

    test('and within a second in one that does not', async () => {
      const other = elsewhere(deaf);
      const { key, secret } = await accounts.issueKey((await open()).id, 'laptop');
      await other.authenticate(secret);
      await revoke(key.id);
      clock.advance(1.001);
      await expect(other.authenticate(secret)).rejects.toMatchObject(REFUSED);
    });

    test('what was looked up before a change is not remembered after it', async () => {
      const { key, secret } = await accounts.issueKey((await open()).id, 'laptop');
      const looked = Promise.withResolvers<void>();
      const revoked = Promise.withResolvers<void>();
      class Slow extends AccountsStore {
        override async viewersByKeyHash(hashes: readonly string[]) {
          const found = await super.viewersByKeyHash(hashes);
          looked.resolve();
          await revoked.promise;
          return found;
        }
      }
      const other = new Accounts(new Slow(database.db), events, clock);
      const answer = other.authenticate(secret);
      await looked.promise;
      await revoke(key.id);
      revoked.resolve();
      expect((await answer).keyId).toBe(key.id);
      await expect(other.authenticate(secret)).rejects.toMatchObject(REFUSED);
    });

    test('a change of tier and limits is seen as soon as it is announced', async () => {
      const other = elsewhere(events);
      const account = await open();
      const { secret } = await accounts.issueKey(account.id, 'laptop');
      await other.authenticate(secret);
      await inTransaction(database.db, (tx) =>
        accounts.update(tx, account.id, { tier: 'FREE', nextTier: 'BASIC', limits: { runningJobs: 2 } }),
      );
      accounts.announceChange();
      expect(await other.authenticate(secret)).toMatchObject({
        tier: 'FREE',
        nextTier: 'BASIC',
        limits: { runningJobs: 2 },
      });
    });

    test('a stopped one hears nothing more', async () => {
      const other = elsewhere(events);
      other.stop();
      expect(events.channels().length).toBeGreaterThan(0);
      accounts.stop();
      expect(events.channels()).toEqual([]);
    });
  });

  describe('creating and finding', () => {
    test('an account is found by its id, and by nothing else', async () => {
      const account = await open();
      expect(await accounts.get(account.id)).toEqual(account);
      await expect(accounts.get(newId('account'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(accounts.get("' or 1=1 --")).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('names are trimmed and kept as they are otherwise', async () => {
      const name = "  Ada ‮ 💜 {{x}} '; drop table accounts; -- ";
      const created = await inTransaction(database.db, (tx) =>
        accounts.create(tx, { name, role: 'CUSTOMER', tier: 'FREE', limits: {} }),
      );
      expect((await accounts.get(created.id)).name).toBe(name.trim());
    });

    test.each([
      ['nothing', ''],
      ['spaces', '   '],
      ['201 characters', 'x'.repeat(201)],
    ])('a name of %s is refused, and nothing is opened', async (_, name) => {
      const before = await accounts.count();
      const refused = inTransaction(database.db, (tx) =>
        accounts.create(tx, { name, role: 'CUSTOMER', tier: 'FREE', limits: {} }),
      );
      await expect(refused).rejects.toMatchObject({ code: 'BAD_USER_INPUT', details: { field: 'name' } });
      expect(await accounts.count()).toBe(before);
    });

    test('a locked account is locked for other changes until the transaction ends, and unknown ones are not found', async () => {
      await expect(inTransaction(database.db, (tx) => accounts.lock(tx, newId('account')))).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      const account = await open();
      const add = () =>
        inTransaction(database.db, async (tx) => {
          const { limits } = await accounts.lock(tx, account.id);
          await accounts.update(tx, account.id, { limits: { runningJobs: (limits.runningJobs ?? 0) + 1 } });
        });
      await Promise.all(Array.from({ length: 10 }, add));
      expect((await accounts.get(account.id)).limits).toEqual({ runningJobs: 10 });
    });
  });
});
