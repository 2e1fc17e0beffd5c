import { sql } from 'kysely';
import { BUCKETS, type Bucket } from '../../../src/credits/balance.ts';
import { OPENED } from '../ledger.ts';
import { sums } from './invariants.books.ts';
import type { Invariant } from './invariants.ts';
import type { JournalRow, Subject } from './subject.ts';

/** What must hold while many work on the same accounts. */
export const AT_ONCE: readonly Invariant[] = [
  {
    id: 'INV-06',
    name: 'no lost update on a hot account',
    why: 'it is the busiest account that quietly loses credits',
    atOnce: true,
    check: losesNoCredit,
  },
  {
    id: 'INV-07',
    name: 'credits are conserved while they move',
    why: 'credits leak under load, and nobody sees it before the month is closed',
    atOnce: true,
    check: isConserved,
  },
  {
    id: 'INV-08',
    name: 'the balance is the sum of the journal',
    why: 'customers are told one figure and the books say another',
    atOnce: true,
    check: isProjected,
  },
  {
    id: 'INV-09',
    name: 'no overdraft under a drain',
    why: 'twenty look at the same balance before one of them has taken from it',
    atOnce: true,
    check: isNeverOverdrawn,
  },
  {
    id: 'INV-13',
    name: 'the state can be rebuilt from the log',
    why: 'after a loss the balances and holds are restored by guessing',
    atOnce: true,
    check: canBeRebuilt,
  },
  {
    id: 'INV-14',
    name: 'the entries of an account are in order',
    why: 'nobody can say what the balance was when the customer complained',
    atOnce: true,
    check: isInOrder,
  },
];

async function losesNoCredit(subject: Subject): Promise<string[]> {
  const [credits, amount] = [500, 100n];
  const account = await subject.ledger.open();
  await subject.atOnce(credits, () => subject.ledger.credits.topUp(account, amount, 'Top-up', OPENED));
  const [balance, given] = [await subject.bucket(account, 'topup'), amount * BigInt(credits)];
  return balance === given ? [] : [`of ${given} in ${credits} top-ups at once ${given - balance} are lost`];
}

/** Takes from the account and settles it twice at once, as two workers do that both believe to be the only one. */
async function moveTwice({ ledger }: Subject, account: string, index: number): Promise<bigint[]> {
  const hold = await ledger.hold(account, 10n);
  const endings = await Promise.all([ledger.settle(hold, [BigInt(index % 11)]), ledger.settle(hold, [4n])]);
  return endings.filter((ending) => ending !== null).map(({ captured }) => captured);
}

async function isConserved(subject: Subject): Promise<string[]> {
  const { ledger } = subject;
  const [granted, kept, moves] = [1_000n, 300n, 40];
  const accounts = await Promise.all(Array.from({ length: 4 }, () => ledger.open({ monthly: 600n, topup: 400n })));
  // Holds that stay open: out of them a settlement that is booked once too often would be paid.
  await subject.atOnce(moves, (index) => ledger.hold(accounts[index % accounts.length] ?? '', 30n));
  const captured = new Map(accounts.map((account) => [account, 0n]));
  await subject.atOnce(moves, async (index) => {
    const account = accounts[index % accounts.length] ?? '';
    for (const amount of await moveTwice(subject, account, index))
      captured.set(account, (captured.get(account) ?? 0n) + amount);
  });

  const violations: string[] = [];
  for (const [account, amount] of captured) {
    const { monthly = 0n, topup = 0n, held = 0n, issued = 0n } = await ledger.buckets(account);
    const expected = granted - amount - kept;
    if (monthly + topup !== expected)
      violations.push(`${monthly + topup} can be spent where ${expected} are left by what the settlements answered`);
    if (held !== kept) violations.push(`${held} are held where ${kept} are`);
    if (issued !== -granted) violations.push(`${-issued} were issued where ${granted} were`);
  }
  return violations;
}

/** A busy minute: top-ups, holds and settlements of one account at once. */
async function busyMinute(subject: Subject): Promise<string> {
  const { ledger } = subject;
  const account = await ledger.open({ monthly: 200n, topup: 200n });
  await subject.atOnce(60, async (index) => {
    if (index % 3 === 0) return ledger.credits.topUp(account, 7n, 'Top-up', OPENED);
    const hold = await ledger.hold(account, 6n);
    if (index % 3 === 1) await ledger.settle(hold, [BigInt(index % 7)]);
  });
  return account;
}

async function isProjected(subject: Subject): Promise<string[]> {
  const account = await busyMinute(subject);
  return compare(await subject.ledger.buckets(account), sums(await subject.journal(account)));
}

function compare(balance: Partial<Record<Bucket, bigint>>, journal: Record<Bucket, bigint>): string[] {
  return BUCKETS.filter((bucket) => (balance[bucket] ?? 0n) !== journal[bucket]).map(
    (bucket) => `${bucket}: the balance says ${balance[bucket] ?? 0n}, the journal says ${journal[bucket]}`,
  );
}

async function isNeverOverdrawn(subject: Subject): Promise<string[]> {
  const { ledger } = subject;
  const account = await ledger.open({ monthly: 10_000n });
  const answers = await subject.atOnce(20, () => ledger.refusalOf(account, 1_000n));
  const applied = answers.filter((refusal) => refusal === null).length;
  const others = answers.filter((refusal) => refusal !== null && refusal !== 'INSUFFICIENT');
  const { monthly = 0n, held = 0n } = await ledger.buckets(account);
  return [
    ...(applied === 10 ? [] : [`${applied} holds of 1000 were given on a balance of 10000`]),
    ...others.map((refusal) => `one was refused as ${refusal}`),
    ...(monthly === 0n && held === 10_000n ? [] : [`${monthly} are left and ${held} are held of 10000`]),
  ];
}

/** A hold, by what its entries say. */
interface Rebuilt {
  monthly: bigint;
  topup: bigint;
  owed: bigint;
  captured: bigint;
  isOpen: boolean;
}

async function canBeRebuilt(subject: Subject): Promise<string[]> {
  const account = await busyMinute(subject);
  const journal = await subject.journal(account);
  const rebuilt = rebuiltHolds(journal);
  const { rows } = await sql<Rebuilt & { id: string }>`
    select id, from_monthly as monthly, from_topup as topup, from_owed as owed, coalesce(captured, 0) as captured,
      settled_at is null as "isOpen" from credit_holds where account_id = ${account}`.execute(subject.db);
  const { openHolds } = await subject.ledger.credits.balance(account);
  const open = [...rebuilt.values()].filter(({ isOpen }) => isOpen).length;
  const wrong = rows.filter(({ id, ...hold }) => described(hold) !== described(rebuilt.get(id)));
  return [
    ...compare(await subject.ledger.buckets(account), sums(journal)),
    ...(open === openHolds ? [] : [`${open} holds are open by the log, and ${openHolds} by the balance`]),
    ...(wrong.length === 0 ? [] : [`${wrong.length} of ${rows.length} holds cannot be rebuilt from the log`]),
  ];
}

function rebuiltHolds(journal: readonly JournalRow[]): Map<string, Rebuilt> {
  const holds = new Map<string, Rebuilt>();
  for (const { kind, bucket, amount, holdId } of journal) {
    if (holdId === null) continue;
    const hold = holds.get(holdId) ?? { monthly: 0n, topup: 0n, owed: 0n, captured: 0n, isOpen: true };
    holds.set(holdId, hold);
    if (kind === 'HOLD' && (bucket === 'monthly' || bucket === 'topup' || bucket === 'owed')) hold[bucket] -= amount;
    if (kind === 'CAPTURE' && bucket === 'captured') hold.captured += amount;
    if (kind !== 'HOLD') hold.isOpen = false;
  }
  return holds;
}

function described(hold: Rebuilt | undefined): string {
  return hold === undefined
    ? 'nothing'
    : `${hold.monthly}/${hold.topup}/${hold.owed} ${hold.isOpen ? 'open' : `captured ${hold.captured}`}`;
}

async function isInOrder(subject: Subject): Promise<string[]> {
  const { ledger } = subject;
  const account = await ledger.open({ monthly: 100n });
  await subject.atOnce(60, async (index) => {
    if (index % 3 === 0) await ledger.hold(account, 1n);
    else await ledger.credits.topUp(account, 1n, 'Top-up', OPENED);
  });
  const journal = await subject.journal(account);
  const positions = new Map(journal.map(({ transaction, position }) => [transaction, position]));
  const running = sums([]);
  const wrong = journal.filter(({ bucket, amount, after }) => {
    const isNext = running[bucket] + amount === after;
    running[bucket] = after;
    return !isNext;
  });
  return [
    ...(new Set(positions.values()).size === positions.size ? [] : ['two transactions have the same position']),
    ...wrong.slice(0, 3).map(({ kind, bucket, after }) => `a ${kind} leaves ${after} in ${bucket}, out of its order`),
  ];
}
