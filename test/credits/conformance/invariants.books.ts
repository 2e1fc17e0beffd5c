import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { BUCKETS, type Bucket } from '../../../src/credits/balance.ts';
import type { Db } from '../../../src/platform/database.ts';
import { OPENED, PERIOD_END, type TestLedger } from '../ledger.ts';
import type { Invariant } from './invariants.ts';
import type { JournalRow, Subject } from './subject.ts';

/** What must hold of the books however calm the day is. */
export const KEPT: readonly Invariant[] = [
  {
    id: 'INV-01',
    name: 'every transaction is balanced',
    why: 'credits are made or destroyed by writing them, and the books never add up again',
    atOnce: false,
    check: isBalanced,
  },
  {
    id: 'INV-02',
    name: 'the ledger is append-only',
    why: 'a history that can be rewritten proves nothing to anybody',
    atOnce: false,
    check: isAppendOnly,
  },
  {
    id: 'INV-10',
    name: 'no precision drift',
    why: 'the figures are right for months and then are not, and nobody can say since when',
    atOnce: false,
    check: isExact,
  },
  {
    id: 'INV-12',
    name: 'a reversal is compensation',
    why: 'what has happened can no longer be shown, only what somebody chose to keep',
    atOnce: false,
    check: isCompensated,
  },
];

/** Accounts to which everything has happened that writes a transaction, each kind at least once. */
async function everyKind(ledger: TestLedger): Promise<string[]> {
  const prepaid = await ledger.open({ monthly: 20n, topup: 10n });
  await ledger.settle(await ledger.hold(prepaid, 12n), [5n, 2n]);
  const late = await ledger.hold(prepaid, 20n);
  await ledger.enterPeriod(prepaid, 20n, PERIOD_END);
  await ledger.settle(late, [3n], PERIOD_END);
  const postpaid = await ledger.open({ postpaid: true });
  await ledger.settle(await ledger.hold(postpaid, 9n), [4n]);
  return [prepaid, postpaid];
}

async function isBalanced(subject: Subject): Promise<string[]> {
  const accounts = await everyKind(subject.ledger);
  const journal = (await Promise.all(accounts.map((account) => subject.journal(account)))).flat();
  const kinds = new Set(journal.map(({ kind }) => kind));
  const unseen = ['GRANT', 'HOLD', 'CAPTURE', 'RELEASE', 'EXPIRE'].filter((kind) => !kinds.has(kind as never));
  const unbalanced = [...Map.groupBy(journal, ({ transaction }) => transaction).values()].flatMap((entries) => {
    const sum = entries.reduce((total, { amount }) => total + amount, 0n);
    return sum === 0n ? [] : [`a ${entries[0]?.kind} of ${entries.length} entries adds up to ${sum}`];
  });
  return [...unseen.map((kind) => `no transaction of the kind ${kind} was written`), ...unbalanced];
}

async function isAppendOnly(subject: Subject): Promise<string[]> {
  const { ledger } = subject;
  const account = await ledger.open({ monthly: 20n, topup: 10n });
  const hold = await ledger.hold(account, 8n);
  const before = await subject.journal(account);
  await ledger.credits.topUp(account, 5n, 'Top-up', OPENED);
  await ledger.settle(hold, [3n]);
  await ledger.enterPeriod(account, 20n, PERIOD_END);
  const after = await subject.journal(account);

  const rewritten = before.filter((entry, index) => !isDeepStrictEqual(entry, after[index]));
  return [
    ...rewritten.map(({ kind, bucket, amount }) => `the ${kind} of ${amount} to ${bucket} is not what it was`),
    ...(after.length > before.length ? [] : [`${before.length} entries have become ${after.length}`]),
    ...(await changesAllowed(subject.db, account)),
  ];
}

/** Tries to change the past of an account; whatever comes of it is undone. */
async function changesAllowed(db: Db, account: string): Promise<string[]> {
  class Undone extends Error {}
  const allowed: string[] = [];
  for (const change of [
    'update ledger_entries set amount = amount',
    'update ledger_transactions set reason = reason',
    'delete from ledger_entries',
  ]) {
    const trying = db.transaction().execute(async (tx) => {
      await sql`${sql.raw(change)} where account_id = ${account}`.execute(tx);
      throw new Undone();
    });
    await trying.catch((error) => {
      if (error instanceof Undone) allowed.push(`the database let somebody "${change}"`);
      else if (!String(error).includes('append-only')) throw error;
    });
  }
  return allowed;
}

const MOVEMENTS = 100;
/** A thousandth more than a whole credit: the least that a float of credits gets wrong. */
const ODD_AMOUNT = 1_001n;
/** The first whole number that a float cannot tell from its neighbour. */
const BEYOND_FLOATS = 2n ** 53n + 1n;

async function isExact(subject: Subject): Promise<string[]> {
  const { ledger } = subject;
  const account = await ledger.open();
  for (let movement = 0; movement < MOVEMENTS; movement++)
    await ledger.credits.topUp(account, ODD_AMOUNT, 'Top-up', OPENED);
  const whole = ODD_AMOUNT * BigInt(MOVEMENTS);
  const given = await subject.bucket(account, 'topup');
  if (given !== whole)
    return [`${MOVEMENTS} times ${ODD_AMOUNT} is ${given} and not ${whole}: a drift of ${given - whole}`];

  const images = Array.from({ length: MOVEMENTS }, () => ODD_AMOUNT);
  await ledger.settle(await ledger.hold(account, whole), images);
  const captured = await subject.bucket(account, 'captured');
  const rich = await ledger.open({ topup: BEYOND_FLOATS });
  const wealth = await subject.bucket(rich, 'topup');
  return [
    ...(captured === whole ? [] : [`${MOVEMENTS} captures of ${ODD_AMOUNT} are ${captured} and not ${whole}`]),
    ...(wealth === BEYOND_FLOATS ? [] : [`a top-up of ${BEYOND_FLOATS} has become ${wealth}`]),
  ];
}

async function isCompensated(subject: Subject): Promise<string[]> {
  const { ledger } = subject;
  const account = await ledger.open({ monthly: 20n, topup: 10n });
  const before = await ledger.buckets(account);
  const hold = await ledger.hold(account, 25n);
  const original = await subject.journal(account);
  await ledger.settle(hold, []);
  const after = await subject.journal(account);

  const gone = original.filter((entry) => !after.some((kept) => isDeepStrictEqual(kept, entry)));
  const net = sums(after.filter(({ holdId }) => holdId === hold));
  const moved = BUCKETS.filter((bucket) => net[bucket] !== 0n);
  return [
    ...gone.map(({ kind, bucket, amount }) => `the ${kind} of ${amount} to ${bucket} is gone from the ledger`),
    ...moved.map((bucket) => `after the reversal ${bucket} differs by ${net[bucket]}`),
    ...(isDeepStrictEqual(await ledger.buckets(account), before) ? [] : ['the balance is not what it was']),
    ...(after.some(({ kind }) => kind === 'RELEASE') ? [] : ['nothing in the ledger says that there was a reversal']),
  ];
}

/** What entries add up to, by bucket. */
export function sums(journal: readonly JournalRow[]): Record<Bucket, bigint> {
  const totals = Object.fromEntries(BUCKETS.map((bucket) => [bucket, 0n])) as Record<Bucket, bigint>;
  for (const { bucket, amount } of journal) totals[bucket] += amount;
  return totals;
}

/** The columns of the ledger's tables whose names contain a match of this pattern. */
export async function columnsLike(db: Db, pattern: string): Promise<string[]> {
  const { rows } = await sql<{ column: string }>`
    select table_name || '.' || column_name as column from information_schema.columns
    where table_name in ('ledger_transactions', 'ledger_entries', 'credit_balances', 'credit_holds')
      and column_name ~ ${pattern} order by 1`.execute(db);
  return rows.map(({ column }) => column);
}
