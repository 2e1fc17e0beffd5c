import { sql } from 'kysely';
import { CRASH_POINTS, type CrashPoint } from '../../src/platform/crash-points.ts';
import type { Db } from '../../src/platform/database.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import type { TortureOptions } from './options.ts';
import { Tally } from './tally.ts';

/** What our books say at the end. */
export interface Books {
  readonly jobs: Tally;
  readonly images: Tally;
  readonly attempts: Tally;
  /** In US dollars: what vendors may have charged us for, and of it what no customer has had a picture for. */
  readonly costs: number;
  readonly loss: number;
  /** Images that were given up while somebody was still drawing them. */
  readonly givenUpTooSoon: number;
}

export interface Report {
  readonly options: TortureOptions;
  readonly seconds: number;
  readonly counts: Tally;
  readonly refusals: Tally;
  readonly troubles: Tally;
  readonly kills: Tally;
  readonly hits: ReadonlyMap<CrashPoint, number>;
  readonly looks: number;
  readonly books: Books;
  readonly journal: Tally;
  readonly violations: readonly string[];
}

export async function readBooks(db: Db): Promise<Books> {
  const tally = async (query: ReturnType<typeof sql<{ name: string; count: number }>>) => {
    const counts = new Tally();
    for (const { name, count } of (await query.execute(db)).rows) counts.add(name, count);
    return counts;
  };
  const money = await sql<{ costs: number; loss: number }>`
    select coalesce(sum(vendor_cost_micros), 0)::float8 / 1e6 as costs,
      coalesce(sum(vendor_cost_micros) filter (where outcome is distinct from 'delivered'), 0)::float8 / 1e6 as loss
    from job_attempts`.execute(db);
  const given = await sql<{ count: number }>`
    select count(distinct i.id)::int as count from job_images i join job_attempts a on a.image_id = i.id
    where i.status = 'FAILED' and a.outcome = 'discarded' and a.finished_at > i.finished_at`.execute(db);
  return {
    jobs: await tally(
      sql`select lower(operation) || ' ' || lower(status) as name, count(*)::int as count from jobs group by 1`,
    ),
    images: await tally(
      sql`select case when failure_code is null then lower(status) else 'failed ' || failure_code end as name, count(*)::int as count from job_images group by 1`,
    ),
    attempts: await tally(
      sql`select coalesce(outcome, 'open') as name, count(*)::int as count from job_attempts group by 1`,
    ),
    costs: money.rows[0]?.costs ?? 0,
    loss: money.rows[0]?.loss ?? 0,
    givenUpTooSoon: given.rows[0]?.count ?? 0,
  };
}

export function journalTally(journal: readonly JournalEntry[]): Tally {
  const counts = new Tally();
  for (const { outcome } of journal) counts.add(outcome);
  return counts;
}

const COLUMN = 24;

export function printed(report: Report): string {
  const { options, counts, books, kills, hits, violations } = report;
  const hitLines = CRASH_POINTS.map((step) => `    ${step.padEnd(COLUMN)}${String(hits.get(step) ?? 0).padStart(4)}`);
  return `
torture: seed ${options.seed}, ${options.engine}${options.redis ? ' and Redis' : ''}, ${report.seconds.toFixed(0)} s
  customers     ${counts}
  refused       ${report.refusals}
  no answer     ${report.troubles}
  ends          ${kills} (${kills.total} in all)
  died at each step
${hitLines.join('\n')}
  jobs          ${books.jobs}
  images        ${books.images}
  calls         ${books.attempts}
  vendors say   ${report.journal}
  vendor cost   $${books.costs.toFixed(2)}, of which $${books.loss.toFixed(2)} is our loss; ${books.givenUpTooSoon} images given up while somebody drew them
  laws checked  ${report.looks} times while it ran
  violations    ${violations.length}
${violations.map((text) => `    ${text}\n`).join('')}`;
}
