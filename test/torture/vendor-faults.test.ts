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
import { FAULTS } from './faults.ts';
import { type BookedCall, bookedCalls, disagreements } from './vendor-books.ts';

/** A taste of it; `npm run torture` goes on for longer, and kills whoever works meanwhile. */
const SECONDS = 6;
const CLIENTS = 10;

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
    const input = { prompt: `a harbour, tale-${name}-${sent}-a`, width: 512, height: 512, ...wish, ...batch };
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

test(`${SECONDS} seconds of faults of every kind: every job ends, receipts add up, and the vendors' journal agrees with our books image by image`, {
  timeout: (SECONDS + 90) * 1_000,
}, async () => {
  const keys = await Promise.all(Array.from({ length: CLIENTS }, () => open(gateway, { tier: 'ENTERPRISE' })));
  const endsAt = Date.now() + SECONDS * 1_000;
  const clients = await Promise.all(keys.map((key, name) => client(key, name, endsAt)));
  const openJobs = sql<{ open: number }>`select count(*)::int as open from jobs where status in ('QUEUED', 'RUNNING')`;
  while ((await openJobs.execute(gateway.database.db)).rows[0]?.open !== 0) await delay(10);

  await expectLawsHold(gateway.database.db);
  const attempts = await bookedCalls(gateway.database.db);
  expect(attempts.filter(({ outcome }) => outcome === null)).toEqual([]);
  const journal = gateway.sandbox?.journal() ?? [];
  expect(disagreements(attempts, journal)).toEqual([]);
  // Every call in our books reached its vendor, or is known not to have been read there.
  const unread = journal.filter(({ prompt }) => prompt === null).length;
  const reached = attempts.filter(({ reason }) => reason !== 'UNREACHABLE').length;
  expect(journal.length).toBeLessThanOrEqual(attempts.length);
  expect(journal.length).toBeGreaterThanOrEqual(reached - unread);

  report(clients, attempts, journal);
});

function report(
  clients: readonly { sent: number; refused: number }[],
  attempts: readonly BookedCall[],
  journal: readonly JournalEntry[],
): void {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const tally = (words: readonly string[]) =>
    [...Map.groupBy(words, (word) => word)].map(([word, all]) => `${word} ${all.length}`).join(', ');
  const struck = journal.filter(({ fault }) => fault !== null).length;
  process.stdout.write(
    `\n${SECONDS} s, ${CLIENTS} clients: ${sum(clients.map(({ sent }) => sent))} submissions, ${sum(clients.map(({ refused }) => refused))} refused while all was shut
  orders at vendors: ${journal.length}, of which ${struck} (${Math.round((100 * struck) / journal.length)} %) met a fault
  in our books: ${tally(attempts.map(({ outcome }) => outcome ?? 'open'))}
  in the vendors' journal: ${tally(journal.map(({ outcome }) => outcome))}\n`,
  );
}
