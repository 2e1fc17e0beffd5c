import { setTimeout as wait } from 'node:timers/promises';
import { ALL_LAWS } from '../../src/laws.ts';
import type { Db } from '../../src/platform/database.ts';
import { checkAll, type LawResult } from '../../src/platform/laws.ts';

/** Every law of ledger and jobs that is broken at this moment. They hold at every moment, also while everything dies. */
export async function brokenLaws(db: Db): Promise<LawResult[]> {
  // All of them see the database as it is now, and change nothing.
  const snapshot = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
  const results = await snapshot.execute((tx) => checkAll(tx, ALL_LAWS));
  return results.filter(({ violations }) => violations > 0);
}

export function toldOf({ law, violations, examples }: LawResult): string {
  return `${violations} times: ${law} - such as ${JSON.stringify(examples.slice(0, 2))}`;
}

interface Looks {
  looks: number;
  readonly violation: (text: string) => void;
}

export async function checkLaws(db: Db, notes: Looks): Promise<void> {
  const broken = await brokenLaws(db);
  notes.looks += 1;
  for (const law of broken) notes.violation(`while it ran, ${toldOf(law)}`);
}

const LOOK_AGAIN_MS = 2_000;

/** Checks all laws every two seconds until `over`, whatever is going on. A database that is away is no violation. */
export async function watchLaws(
  look: <T>(work: (db: Db) => Promise<T>) => Promise<T>,
  notes: Looks,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await look((db) => checkLaws(db, notes)).catch(() => undefined);
    await wait(LOOK_AGAIN_MS, undefined, { signal: over }).catch(() => undefined);
  }
}
