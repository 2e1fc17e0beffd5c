import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Db } from '../../src/platform/database.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import type { Told } from './customers.ts';
import { brokenLaws, toldOf } from './laws.ts';
import { bookedCalls, disagreements } from './vendor-books.ts';

/** Everything that must be true once all is quiet. Answers what is not. */
export async function checkAll(
  db: Db,
  { storage, journal, told }: { storage: string; journal: readonly JournalEntry[]; told: readonly Told[] },
): Promise<string[]> {
  return [
    ...(await brokenLaws(db)).map(toldOf),
    ...(await leftOpen(db)),
    ...(await damagedPictures(db, storage)),
    ...(await brokenWords(db, told)),
    ...(await wrongMoney(db)),
    ...disagreements(await bookedCalls(db), journal),
  ];
}

/** What is still open, by kind. */
export async function leftOpen(db: Db): Promise<string[]> {
  const { rows } = await sql<{ kind: string; count: number; ids: string[] }>`
    select kind, count(*)::int as count, (array_agg(id))[1:3] as ids from (
      select 'job' as kind, id from jobs where status in ('QUEUED', 'RUNNING')
      union all select 'hold', id from credit_holds where settled_at is null
      union all select 'image', id from job_images where status in ('WAITING', 'RUNNING')
      union all select 'call to a vendor', id from job_attempts where outcome is null
    ) as left_open group by kind`.execute(db);
  return rows.map(({ kind, count, ids }) => `${count} times, a ${kind} is stuck: ${ids.join(', ')}`);
}

async function damagedPictures(db: Db, storage: string): Promise<string[]> {
  const { rows } = await sql<{ id: string; storage_key: string; sha256: string }>`
    select id, storage_key, sha256 from assets`.execute(db);
  const checked = await Promise.all(
    rows.map(async ({ id, storage_key: key, sha256 }) => {
      const bytes = await readFile(join(storage, key.slice(-2), key)).catch(() => null);
      if (bytes === null) return `the asset ${id} has no file`;
      return createHash('sha256').update(bytes).digest('hex') === sha256
        ? null
        : `the file of the asset ${id} is damaged`;
    }),
  );
  return checked.filter((text) => text !== null);
}

interface KeyRow {
  readonly account_id: string;
  readonly key: string;
  readonly job_id: string;
  readonly credits: string;
  readonly captured: string;
}

/** What customers were told of their keys must hold: one key, one job, at the price that was promised at the most. */
async function brokenWords(db: Db, told: readonly Told[]): Promise<string[]> {
  const { rows } = await sql<KeyRow>`
    select k.account_id, k.key, k.job_id, j.credits::text, h.captured::text from idempotency_keys k
    join jobs j on j.id = k.job_id join credit_holds h on h.id = j.hold_id`.execute(db);
  const byKey = new Map(rows.map((row) => [`${row.account_id} ${row.key}`, row]));
  const wrong = told.flatMap((word) => wrongOf(word, byKey.get(`${word.accountId} ${word.idempotencyKey}`)));
  const { rows: nobodys } = await sql<{ id: string }>`
    select j.id from jobs j where not exists (select 1 from idempotency_keys k where k.job_id = j.id)`.execute(db);
  return [...wrong, ...nobodys.map(({ id }) => `the job ${id} belongs to no key, although all were sent with one`)];
}

const MILLI = 1_000;

function wrongOf(word: Told, row: KeyRow | undefined): string[] {
  const { idempotencyKey: key, jobId, credits, quoted, wasUnanswered } = word;
  if (jobId === null) {
    // Of what went unanswered before, something may have been accepted after the refusal of the rest.
    return row && !wasUnanswered ? [`${key} was refused, and yet is the job ${row.job_id}`] : [];
  }
  if (row?.job_id !== jobId) return [`${key} was answered with the job ${jobId}, and is ${row?.job_id ?? 'none'}`];
  const milli = (amount: number) => Math.round(amount * MILLI);
  return [
    ...(credits !== null && Number(row.credits) !== milli(credits)
      ? [`${key} was accepted for ${credits}, and its job says ${row.credits} thousandths`]
      : []),
    ...(quoted !== null && Number(row.captured) > milli(quoted)
      ? [`${key} was quoted ${quoted}, and ${row.captured} thousandths were taken`]
      : []),
  ];
}

/** What the laws do not say: that every image has the price of the version that its job was accepted at. */
async function wrongMoney(db: Db): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`
    select 'the capture of ' || t.job_id || ' is at price version ' || t.price_version || ', and the job at ' || j.price_version as text
    from ledger_transactions t join jobs j on j.id = t.job_id where t.price_version is distinct from j.price_version
    union all
    select 'account ' || account_id || ' has buckets that add up to ' || (monthly + topup + owed + held + captured + expired + issued)
    from credit_balances where monthly + topup + owed + held + captured + expired + issued <> 0
    union all
    select 'the job ' || j.id || ' was quoted ' || j.credits || ' and captured ' || h.captured
    from jobs j join credit_holds h on h.id = j.hold_id where h.captured > j.credits`.execute(db);
  return rows.map(({ text }) => text);
}
