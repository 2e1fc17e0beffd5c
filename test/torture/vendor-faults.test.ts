import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CIRCUIT_SETTINGS } from '../../src/routing/circuit.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import { hasPostgres } from '../support/databases.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { open, submit } from '../support/stories.ts';

/** A minute for `npm run torture`, a taste of it for every test run. */
const SECONDS = process.env.npm_lifecycle_event === 'torture' ? 60 : 6;
const CLIENTS = 10;

/** Of every hundred orders thirty suffer something, and some of the looks and downloads do. */
const FAULTS = [
  '2.5% status=503; 2% status=500; 0.5% status=504; 1% html; 1.5% status=429 retry-after=1; 0.5% status=429',
  '1% status=400; 0.5% status=401; 0.5% status=404; 0.5% no-funds; 0.5% daily-quota; 0.5% loading=1',
  '1% moderated; 1% withheld; 0.5% black; 0.5% flagged; 0.5% prose; 0.5% blurred',
  '2% reset-before; 2% reset-after; 1% reset-midway; 1% never; 0.5% endless; 1% slow-headers=300; 0.5% slow-body=300',
  '0.5% empty; 0.5% truncated-json; 0.5% wrong-type; 0.5% html-as-picture; 0.5% picture-as-html',
  '1% truncated-picture; 0.5% wrong-size; 0.5% bomb; 0.5% drafts',
  '0.5% poll-failed; 0.5% poll-gone; 0.5% poll-forever; 0.5% poll-unknown-status',
  '0.5% result-elsewhere; 0.5% result-redirected; 0.5% result-private; 0.5% result-gone',
  '0.5% webhook-none; 0.5% webhook-twice; 0.5% webhook-forged; 0.5% webhook-stale; 0.5% webhook-tampered',
  '4% status=500 on=poll; 2% reset-before on=poll; 4% status=503 on=download; 2% truncated-json on=poll',
].join('; ');

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({
    engine: hasPostgres ? 'postgres' : 'pglite',
    patience: 0.06,
    circuits: { ...CIRCUIT_SETTINGS, openMsMin: 100, openMsMax: 400, shutMsMax: 500 },
    environment: {
      SANDBOX_FAULTS: FAULTS,
      WAVESPEED_CONCURRENCY: '16',
      VERTEX_PROJECT: 'pictures-1',
      VERTEX_LOCATION: 'global',
    },
  });
});
afterAll(() => gateway.stop());

const WISHES = [
  { quality: 'DRAFT' },
  { quality: 'STANDARD' },
  { quality: 'PREMIUM' },
  { provider: 'WAVESPEED' },
  { provider: 'HUGGINGFACE' },
  { model: 'stability/core' },
  { model: 'gemini/imagen-4' },
  { model: 'gemini/flash-lite' },
] as const;

/** Sends jobs one after the other until the time is over; every tenth is sent twice, every twentieth is cancelled. */
async function client(key: string, name: number, endsAt: number): Promise<{ sent: number; refused: number }> {
  let refused = 0;
  let sent = 0;
  for (; Date.now() < endsAt; sent++) {
    const wish = WISHES[randomInt(WISHES.length)] ?? WISHES[0];
    // A batch is told apart by its seeds, which not every model takes.
    const batch = 'quality' in wish && wish.quality === 'STANDARD' ? { count: 3, seed: 1 + randomInt(1_000_000) } : {};
    const input = { prompt: `story ${name}-${sent}`, width: 512, height: 512, ...wish, ...batch };
    const idempotencyKey = `story-${name}-${sent}`;
    const isCancelled = sent % 20 === 7;
    const ask = () => submit(gateway, key, input, { idempotencyKey, waitSeconds: isCancelled ? 0 : 30 });
    const [{ data, errors }] = await Promise.all(sent % 10 === 3 ? [ask(), ask()] : [ask()]);
    expect(errors).toBeUndefined();
    const answer = data?.generate;
    if (answer?.__typename === 'Refused') {
      expect(answer.refusals.map(({ __typename }) => __typename)).toEqual(['ProviderUnavailable']);
      refused++;
    } else if (isCancelled && answer) {
      await gateway.ask({ key }, 'mutation ($id: ID!) { cancelJob(id: $id) { id } }', { id: answer.job.id });
    }
  }
  return { sent, refused };
}

interface AttemptRow {
  readonly prompt: string;
  readonly seed: number | null;
  readonly count: number;
  readonly index: number;
  readonly image_status: string;
  readonly route_id: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly cost: string | null;
}

async function attemptsInOurBooks(): Promise<AttemptRow[]> {
  const { rows } = await sql<AttemptRow>`
    select j.request->>'prompt' as prompt, (j.request->>'seed')::int as seed, (j.request->>'count')::int as count, i.index,
      i.status as image_status, a.route_id, a.outcome, a.reason, a.vendor_cost_micros::text as cost
    from job_attempts a join job_images i on i.id = a.image_id join jobs j on j.id = i.job_id order by a.id`.execute(
    gateway.database.db,
  );
  return rows;
}

const vendorOf = ({ route_id }: AttemptRow) => route_id.split('/')[0] ?? '';
/** What tells one image's orders at one vendor from all others. */
const ours = (row: AttemptRow) =>
  [vendorOf(row), row.prompt, row.count > 1 && row.seed !== null ? row.seed + row.index : ''].join('|');
const theirs = ({ vendor, prompt, seed }: JournalEntry, batches: ReadonlySet<string>) =>
  [vendor, prompt, prompt !== null && batches.has(prompt) ? seed : ''].join('|');

const mayBeBought = ({ bought }: JournalEntry) => bought === 'yes' || bought === 'unknown';

test(`${SECONDS} seconds of faults of every kind: every job ends, receipts add up, and the vendors' journal agrees with our books image by image`, {
  timeout: (SECONDS + 90) * 1_000,
}, async () => {
  const keys = await Promise.all(Array.from({ length: CLIENTS }, () => open(gateway, { tier: 'ENTERPRISE' })));
  const endsAt = Date.now() + SECONDS * 1_000;
  const clients = await Promise.all(keys.map((key, name) => client(key, name, endsAt)));
  const openJobs = sql<{ open: number }>`select count(*)::int as open from jobs where status in ('QUEUED', 'RUNNING')`;
  while ((await openJobs.execute(gateway.database.db)).rows[0]?.open !== 0) await delay(10);

  await expectLawsHold(gateway.database.db);
  const attempts = await attemptsInOurBooks();
  expect(attempts.filter(({ outcome }) => outcome === null)).toEqual([]);
  const journal = gateway.sandbox?.journal() ?? [];
  const batches = new Set(attempts.filter(({ count }) => count > 1).map(({ prompt }) => prompt));
  const booked = Map.groupBy(attempts, ours);
  const noted = Map.groupBy(
    journal.filter(({ prompt }) => prompt !== null),
    (entry) => theirs(entry, batches),
  );
  const disagreements: unknown[] = [];
  for (const [image, entries] of noted) {
    const rows = booked.get(image) ?? [];
    // The journal calls every 503 doubtful, also the one that says in its words that the model is not in memory yet.
    const wasNotReady = rows.some(({ reason }) => reason === 'NOT_READY');
    const bought = entries.filter((entry) => mayBeBought(entry) && !(wasNotReady && entry.outcome === 'errored'));
    const delivered = rows.filter(({ outcome }) => outcome === 'delivered');
    const paidFor = rows.filter(({ cost }) => cost !== null);
    const isFine =
      entries.length <= rows.length &&
      bought.length <= 1 &&
      // What we delivered was bought; whatever may have been bought is booked as a cost, unless the vendor kept it back or took it back.
      delivered.every(() => bought.length === 1) &&
      bought.every(({ outcome }) => paidFor.length >= 1 || outcome === 'withheld' || rows.some(isFree));
    if (!isFine) disagreements.push({ image, entries, rows });
  }
  expect(disagreements).toEqual([]);
  // Every call in our books reached its vendor, or is known not to have been read there.
  const unread = journal.filter(({ prompt }) => prompt === null).length;
  const reached = attempts.filter(({ reason }) => reason !== 'UNREACHABLE').length;
  expect(journal.length).toBeLessThanOrEqual(attempts.length);
  expect(journal.length).toBeGreaterThanOrEqual(reached - unread);

  report(clients, attempts, journal);
});

/** Ends that say themselves that nothing is owed: moderation that is not charged, and jobs that the vendor failed at. */
function isFree({ outcome }: AttemptRow): boolean {
  return outcome === 'moderated' || outcome === 'failed';
}

function report(
  clients: readonly { sent: number; refused: number }[],
  attempts: readonly AttemptRow[],
  journal: readonly JournalEntry[],
): void {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const tally = (words: readonly string[]) =>
    [...Map.groupBy(words, (word) => word)].map(([word, all]) => `${word} ${all.length}`).join(', ');
  const struck = journal.filter(({ fault }) => fault !== null).length;
  process.stdout.write(
    `\n${SECONDS} s, ${CLIENTS} clients: ${sum(clients.map(({ sent }) => sent))} submissions, ${sum(clients.map(({ refused }) => refused))} refused while all was shut
  orders at vendors: ${journal.length}, of which ${struck} (${Math.round((100 * struck) / journal.length)} %) met a fault
  in our books: ${tally(attempts.map(({ outcome }) => outcome))}
  in the vendors' journal: ${tally(journal.map(({ outcome }) => outcome))}\n`,
  );
}
