import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openPostgres } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { TIERS } from '../../src/pricing/price-book.ts';
import { UnlockedBalance } from '../credits/conformance/mutants.parts.ts';
import { Gap } from '../credits/conformance/subject.ts';
import { expectLedgerSound, TestLedger } from '../credits/ledger.ts';
import { TestClock } from '../support/clock.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { action, opened } from './months.actions.ts';
import { periodOf } from './months.model.ts';
import { accountsOf, MONTHS_MUTANTS, UnlockedAccounts } from './months.mutants.ts';
import { type Process, startProcess, Walk } from './months.walk.ts';

const RUNS = 20;
const LAST_OF_JANUARY = new Date('2026-01-31T12:00:00Z');

describe.each(ENGINES)('an account through its months on %s', (engine) => {
  const clock = new TestClock();
  let database: Database;
  /** What the second process has: a pool of its own where that can be. */
  let other: Database;
  let processes: readonly [Process, Process];
  beforeAll(async () => {
    const fresh = await freshDatabase(engine);
    database = fresh;
    other = fresh.url === null ? fresh : openPostgres({ url: fresh.url, poolMax: 8, log: createLog('silent') });
    const start = ({ db }: Database) => startProcess(new TestLedger(db), clock);
    processes = [await start(database), await start(other)];
  });
  afterAll(async () => {
    for (const { stop } of processes) stop();
    if (other !== database) await other.close();
    await database.close();
  });

  test('is given what it is due and keeps what its model keeps, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TIERS),
        opened,
        fc.array(action, { minLength: 1, maxLength: 30, size: 'max' }),
        async (tier, openedAt, actions) => (await Walk.begin(processes, clock, tier, openedAt)).take(actions),
      ),
      { numRuns: RUNS },
    );
    await expectLedgerSound(database.db);
  }, 120_000);

  for (const { defect, actions, differs, credits, accounts } of MONTHS_MUTANTS)
    test(`shows it when ${defect}`, async () => {
      const ours = await Walk.begin(processes, clock, 'FREE', LAST_OF_JANUARY);
      await ours.take(actions);

      const ledger = new TestLedger(database.db, undefined, undefined, credits?.(database.db));
      const broken = await startProcess(ledger, clock, accounts && accountsOf(accounts, database.db, clock));
      const theirs = await Walk.begin([broken, broken], clock, 'FREE', LAST_OF_JANUARY);
      const difference = await theirs.take(actions).catch((error: unknown) => error);
      broken.stop();
      const step = `after step ${actions.length}, ${actions.at(-1)?.do}`;
      expect(difference).toMatchObject({ message: expect.stringContaining(step) });
      expect(differing(difference as Difference)).toEqual(differs);
    });

  // The embedded engine has one connection, on which two processes never race.
  if (engine === 'postgres')
    test('shows it when two processes enter a period without a lock', async () => {
      const gap = new Gap();
      const unlocked = ({ db }: Database) => {
        const ledger = new TestLedger(db, undefined, new UnlockedBalance(db, gap));
        return startProcess(ledger, clock, accountsOf(UnlockedAccounts, db, clock));
      };
      const careless = [await unlocked(database), await unlocked(other)] as const;
      const walk = await Walk.begin(careless, clock, 'FREE', LAST_OF_JANUARY);
      gap.open();
      const race = walk.take([{ do: 'race', deed: { do: 'look' }, process: 0 }]);
      await expect(race).rejects.toThrow('what the race wrote');
      for (const { stop } of careless) stop();
    });
});

interface Difference {
  readonly actual: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** The names of what is not equal. */
function differing({ actual, expected }: Difference): string[] {
  return Object.keys(expected).filter((name) => fc.stringify(actual[name]) !== fc.stringify(expected[name]));
}

test('the calendar of the model is the one that is printed on paper', () => {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const starts = (anchor: string, ...days: string[]) =>
    days.map((each) => day(periodOf(new Date(anchor), new Date(each)).startsAt));
  expect(starts('2027-12-31T08:00:00Z', '2028-02-29', '2028-03-01', '2028-03-31', '2028-05-01')).toEqual([
    '2028-01-31',
    '2028-02-29',
    '2028-02-29',
    '2028-04-30',
  ]);
  expect(starts('2028-02-29T00:00:00Z', '2028-03-28', '2028-03-29', '2029-02-28', '2032-02-29')).toEqual([
    '2028-02-29',
    '2028-03-29',
    '2029-02-28',
    '2032-02-29',
  ]);
});
