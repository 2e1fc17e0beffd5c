import { sql } from 'kysely';
import type { Bucket, LedgerKind } from '../../../src/credits/balance.ts';
import { type Credits, HoldRefused } from '../../../src/credits/credits.service.ts';
import { CreditsStore } from '../../../src/credits/credits.store.ts';
import { HoldsStore } from '../../../src/credits/holds.store.ts';
import { IdempotencyStore } from '../../../src/jobs/idempotency.store.ts';
import { type Db, inTransaction } from '../../../src/platform/database.ts';
import { newId } from '../../../src/platform/ids.ts';
import { OPENED, TestLedger } from '../ledger.ts';

/** More than there are connections, so that every connection is always in use. */
const CALLERS = 64;
/** Keys of these tests never grow old. */

/** What became of a submission. */
export type Answer =
  | { readonly kind: 'applied'; readonly jobId: string }
  | { readonly kind: 'duplicate'; readonly jobId: string }
  | { readonly kind: 'refused'; readonly refusal: string };

export interface Submitted {
  readonly accountId: string;
  readonly key: string;
  readonly amount: bigint;
}

/** An entry with what its transaction says. */
export interface JournalRow {
  readonly transaction: string;
  readonly position: bigint;
  readonly kind: LedgerKind;
  readonly reason: string;
  readonly holdId: string | null;
  readonly sequence: number;
  readonly bucket: Bucket;
  readonly amount: bigint;
  readonly after: bigint;
}

export interface Parts {
  readonly holds?: HoldsStore;
  readonly store?: CreditsStore;
  readonly credits?: Credits;
  readonly keys?: IdempotencyStore;
  readonly gap?: Gap;
}

/**
 * What is examined: the ledger, and before it the key of a submission, claimed in the transaction of the hold as a
 * submission does. A mutant puts a broken part in the place of ours.
 */
export class Subject {
  readonly ledger: TestLedger;
  protected readonly keys: IdempotencyStore;
  readonly #gap: Gap | null;

  constructor(
    readonly db: Db,
    { holds = new HoldsStore(db), store = new CreditsStore(db), credits, keys, gap }: Parts = {},
  ) {
    this.ledger = new TestLedger(db, holds, store, credits);
    this.keys = keys ?? new IdempotencyStore(db);
    this.#gap = gap ?? null;
  }

  async submit(submitted: Submitted): Promise<Answer> {
    const jobId = newId('job');
    try {
      return await inTransaction(this.db, async (tx): Promise<Answer> => {
        const claim = { ...claimOf(submitted), jobId, claimedAt: OPENED };
        const holder = await this.keys.claim(tx, claim);
        if (holder) return { kind: 'duplicate', jobId: holder.jobId };
        await this.ledger.credits.hold(tx, holdOf(submitted, jobId), OPENED);
        return { kind: 'applied', jobId };
      });
    } catch (error) {
      if (error instanceof HoldRefused) return { kind: 'refused', refusal: error.refusal };
      throw error;
    }
  }

  /** Runs `task` for 0 to `count` - 1, as many at once as there are connections and more. */
  async atOnce<T>(count: number, task: (index: number) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    let next = 0;
    const caller = async () => {
      while (next < count) {
        const index = next++;
        results[index] = await task(index);
      }
    };
    this.#gap?.open();
    // All of them are waited for, so that none still runs when the database is closed after a failure.
    const ended = await Promise.allSettled(Array.from({ length: Math.min(count, CALLERS) }, caller));
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
    return results;
  }

  /** Every entry of the account, in the order of the ledger. */
  async journal(accountId: string): Promise<JournalRow[]> {
    const { rows } = await sql<JournalRow>`
      select t.id as transaction, t.position, t.kind, t.reason, t.hold_id as "holdId", e.sequence, e.bucket, e.amount,
        e.balance_after as after
      from ledger_entries e join ledger_transactions t on t.id = e.transaction_id
      where e.account_id = ${accountId} order by t.position, e.sequence`.execute(this.db);
    return rows;
  }

  /** What a bucket of the account holds now. */
  async bucket(accountId: string, bucket: Bucket): Promise<bigint> {
    return (await this.ledger.buckets(accountId))[bucket] ?? 0n;
  }
}

export function claimOf({ accountId, key, amount }: Submitted) {
  return { accountId, key, inputHash: `a hold of ${amount}` };
}

export function holdOf({ accountId, amount }: Submitted, jobId: string) {
  const limits = { priceVersion: 1, openHoldsMax: 1_000_000, allowances: [], budgetId: null };
  return { holdId: newId('hold'), accountId, jobId, amount, ...limits };
}

/**
 * The moment between a look and the write that trusts it. A mutant that has such a moment waits in it, once and only
 * while things run at once, until another caller has come as far: the race is always hit and never left to chance.
 */
export class Gap {
  #isOpen = false;
  #waiting: (() => void) | null = null;

  open(): void {
    this.#isOpen = true;
  }

  /** The first to come waits until somebody passes; everybody else goes on. */
  async waitIfFirst(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Lets the one that waits go on. */
  pass(): void {
    this.#waiting?.();
    this.#waiting = null;
  }

  /** The first to come waits until a second is here as well. */
  async meet(): Promise<void> {
    if (this.#waiting) this.pass();
    else await this.waitIfFirst();
  }
}
