import { sql } from 'kysely';
import type { Db } from '../../src/platform/database.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import { taleIn } from './wishes.ts';

/** One call to a vendor as our books have it. */
export interface BookedCall {
  readonly id: string;
  readonly route: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly vendorId: string | null;
  readonly cost: string | null;
  readonly imageId: string;
  readonly imageStatus: string;
  readonly jobId: string;
  /** The words and the seed that its order carried; null where it carried none. */
  readonly tale: string | null;
  readonly seed: number | null;
}

interface CallRow {
  readonly id: string;
  readonly route_id: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly vendor_id: string | null;
  readonly cost: string | null;
  readonly image_id: string;
  readonly status: string;
  readonly job_id: string;
  readonly run: number;
  readonly step: { readonly seed?: number | null; readonly words?: { readonly seed?: number | null } | null };
}

export async function bookedCalls(db: Db): Promise<BookedCall[]> {
  const { rows } = await sql<CallRow>`
    select a.id, a.route_id, a.outcome, a.reason, a.vendor_id, a.vendor_cost_micros::text as cost, a.image_id, i.status,
      i.job_id, i.run,
      case when j.request ? 'steps' then j.request->'steps'->i.step->'request' else j.request end as step
    from job_attempts a join job_images i on i.id = a.image_id join jobs j on j.id = i.job_id order by a.id`.execute(
    db,
  );
  return rows.map((row) => {
    const seed = row.step.seed ?? row.step.words?.seed ?? null;
    return {
      id: row.id,
      route: row.route_id,
      outcome: row.outcome,
      reason: row.reason,
      vendorId: row.vendor_id,
      cost: row.cost,
      imageId: row.image_id,
      imageStatus: row.status,
      jobId: row.job_id,
      tale: taleIn(JSON.stringify(row.step)),
      seed: seed === null ? null : seed + row.run,
    };
  });
}

/** What tells the orders of one image at one vendor from all others, by our books. */
function bookedAs({ route, tale, seed }: BookedCall): string {
  return [route.split('/')[0], tale, tale === null ? null : seed].join('|');
}

/** The same by the vendor's. A single picture is ordered without a seed, and the vendor notes one of its own. */
function journalledAs({ vendor, prompt, seed }: JournalEntry, seeded: ReadonlySet<string>): string {
  const tale = prompt === null ? null : taleIn(prompt);
  return [vendor, tale, tale !== null && seeded.has(tale) ? seed : null].join('|');
}

const isDoubtful = ({ bought }: JournalEntry) => bought === 'unknown';
const mayBeBought = ({ bought }: JournalEntry) => bought === 'yes' || bought === 'unknown';
/** Ends that say themselves that nothing is owed: moderation that is not charged, and jobs that the vendor failed at. */
const isFree = ({ outcome }: BookedCall) => outcome === 'moderated' || outcome === 'failed';
/** Orders that a vendor has certainly drawn, or is drawing, for our money. */
const isDrawn = ({ bought, outcome }: JournalEntry) =>
  bought === 'yes' && outcome !== 'withheld' && outcome !== 'failed';

/**
 * Compares what the vendors say that they sold with what our books say that we bought, image by image: nothing is
 * delivered that was not bought, nothing is bought twice at one vendor, and whatever may have been bought is booked as a
 * cost of ours. Answers every disagreement.
 */
export function disagreements(calls: readonly BookedCall[], journal: readonly JournalEntry[]): string[] {
  const seeded = new Set(calls.flatMap(({ tale, seed }) => (tale !== null && seed !== null ? [tale] : [])));
  const booked = Map.groupBy(calls, bookedAs);
  const noted = Map.groupBy(journal, (entry) => journalledAs(entry, seeded));
  const found: string[] = [];
  for (const image of new Set([...booked.keys(), ...noted.keys()])) {
    const rows = booked.get(image) ?? [];
    const entries = noted.get(image) ?? [];
    const isNamed = image.split('|')[1] !== '';
    for (const text of isNamed ? wrongOfImage(rows, entries) : wrongOfMany(rows, entries))
      found.push(`${image}: ${text}; vendor ${JSON.stringify(entries.map(shown))}, we ${JSON.stringify(rows)}`);
  }
  return found;
}

function wrongOfImage(rows: readonly BookedCall[], entries: readonly JournalEntry[]): string[] {
  // The journal calls every 503 doubtful, also the one that says in its words that the model is not in memory yet.
  const wasNotReady = rows.some(({ reason }) => reason === 'NOT_READY');
  const bought = entries.filter((entry) => mayBeBought(entry) && !(wasNotReady && entry.outcome === 'errored'));
  const delivered = rows.filter(({ outcome }) => outcome === 'delivered');
  const paid = rows.filter(({ cost }) => cost !== null);
  return [
    ...(entries.length > rows.length ? ['ordered more often than we noted'] : []),
    ...(bought.length > 1 ? ['bought twice at one vendor'] : []),
    ...(delivered.length > bought.filter((entry) => entry.bought === 'yes').length
      ? ['delivered, but not bought']
      : []),
    ...(paid.length === 0 && (bought.some(isDrawn) || (bought.some(isDoubtful) && !rows.some(isFree)))
      ? ['bought, but not booked as a cost of ours']
      : []),
  ];
}

/** The same for all orders without words at a vendor, which cannot be told apart: by their numbers. */
function wrongOfMany(rows: readonly BookedCall[], entries: readonly JournalEntry[]): string[] {
  // What was refused before it was read carries no words, whatever it was.
  const bought = entries.filter((entry) => entry.bought === 'yes');
  const images = new Set(rows.map(({ imageId }) => imageId));
  const delivered = rows.filter(({ outcome }) => outcome === 'delivered');
  const paid = rows.filter(({ cost }) => cost !== null);
  return [
    ...(bought.length > images.size ? [`${bought.length} bought for ${images.size} images`] : []),
    ...(delivered.length > bought.length ? [`${delivered.length} delivered of ${bought.length} bought`] : []),
    ...(bought.filter(({ outcome }) => outcome !== 'withheld').length > paid.length + rows.filter(isFree).length
      ? [`${bought.length} bought and ${paid.length} booked as a cost of ours`]
      : []),
  ];
}

function shown({ number, outcome, bought, fault, vendorId }: JournalEntry) {
  return { number, outcome, bought, fault, vendorId };
}
