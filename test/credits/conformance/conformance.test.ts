import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/platform/database.ts';
import { ENGINES, freshDatabase } from '../../support/databases.ts';
import { expectLedgerSound } from '../ledger.ts';
import { INVARIANTS, NOT_APPLICABLE } from './invariants.ts';
import { MUTANTS } from './mutants.ts';
import { Subject } from './subject.ts';

describe.each(ENGINES)('the fifteen ledger invariants on %s', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await freshDatabase(engine);
  });
  afterAll(() => database.close());

  describe('our ledger keeps', () => {
    afterEach(() => expectLedgerSound(database.db));

    for (const { id, name, why, atOnce, check } of INVARIANTS) {
      // The embedded engine has one connection: the crowd stands in a queue there, and only the sum of it is seen.
      const how = atOnce ? (engine === 'pglite' ? ', in turns on one connection' : ', all at once') : '';
      test(`${id} ${name}${how}`, async () => {
        expect(await check(new Subject(database.db)), `or else ${why}`).toEqual([]);
      });
    }
  });

  describe('what does not apply', () => {
    for (const { id, name, reason, contradictions } of NOT_APPLICABLE)
      test(`${id} ${name}: ${reason}`, async () => {
        expect(await contradictions(database.db)).toEqual([]);
      });

    test('a reason that has become untrue is found', async () => {
      const tx = await database.db.startTransaction().execute();
      await sql`alter table ledger_entries add column previous_hash text, add column currency text`.execute(tx);
      const found: string[][] = [];
      for (const { contradictions } of NOT_APPLICABLE) found.push(await contradictions(tx));
      await tx.rollback().execute();
      expect(found).toEqual([['ledger_entries.previous_hash'], ['ledger_entries.currency']]);
    });
  });

  // After our own, for what these write is wrong; each looks at its own accounts alone.
  describe('a broken ledger is found out by', () => {
    for (const { breaks, defect, caught, needsTwoAtOnce, withoutTriggers, open } of MUTANTS) {
      if (needsTwoAtOnce && engine === 'pglite') continue;
      test(`${breaks}: ${defect}`, async ({ annotate }) => {
        const invariant = INVARIANTS.find(({ id }) => id === breaks);
        if (withoutTriggers) await setTriggers(database, 'disable');
        try {
          const violations = (await invariant?.check(open(database.db))) ?? [];
          await annotate(violations.join('; '), 'caught');
          expect(violations).toContainEqual(expect.stringMatching(caught));
        } finally {
          if (withoutTriggers) await setTriggers(database, 'enable');
        }
      });
    }
  });
});

test('each of the fifteen is checked or said not to apply, and each that is checked can fail', () => {
  const fifteen = Array.from({ length: 15 }, (_, index) => `INV-${String(index + 1).padStart(2, '0')}`);
  expect([...INVARIANTS, ...NOT_APPLICABLE].map(({ id }) => id).sort()).toEqual(fifteen);
  expect([...new Set(MUTANTS.map(({ breaks }) => breaks))]).toEqual(INVARIANTS.map(({ id }) => id));
});

async function setTriggers({ db }: Database, state: 'enable' | 'disable'): Promise<void> {
  for (const table of ['ledger_transactions', 'ledger_entries'])
    await sql`alter table ${sql.table(table)} ${sql.raw(state)} trigger user`.execute(db);
}
