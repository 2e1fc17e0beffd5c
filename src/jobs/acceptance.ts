import type { HoldRefusal, HoldRequest } from '../credits/balance.ts';
import { type Credits, HoldRefused } from '../credits/credits.service.ts';
import { crashPoint } from '../platform/crash-points.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import type { WorkQueue } from '../platform/queue.ts';
import type { IdempotencyStore, KeyClaim, KeyHolder } from './idempotency.store.ts';
import type { JobImage } from './job.ts';
import type { JobsStore, NewJob } from './jobs.store.ts';

export interface AcceptanceParts {
  readonly db: Db;
  readonly keys: IdempotencyStore;
  readonly store: JobsStore;
  readonly queue: WorkQueue;
  readonly credits: Credits;
}

/** Everything that becomes true at once when an operation is accepted. */
export interface Submitted {
  readonly job: NewJob;
  readonly images: readonly JobImage[];
  readonly hold: HoldRequest;
  /** Null for a submission without a key. */
  readonly claim: KeyClaim | null;
}

export type Acceptance =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'key-taken'; readonly holder: KeyHolder }
  | { readonly kind: 'refused'; readonly refusal: HoldRefusal };

/** The one transaction of a submission: key, job, wake-up and hold commit together, or nothing of them is kept. */
export async function accept(parts: AcceptanceParts, { job, images, hold, claim }: Submitted): Promise<Acceptance> {
  const { db, keys, store, queue, credits } = parts;
  try {
    const outcome = await inTransaction(db, async (tx): Promise<Acceptance> => {
      if (claim !== null) {
        const holder = await keys.claim(tx, claim);
        if (holder) return { kind: 'key-taken', holder };
        crashPoint('key-claimed');
      }
      await store.insert(tx, job, images);
      crashPoint('job-written');
      await queue.enqueue(job.id, job.priority, tx);
      crashPoint('job-enqueued');
      // Last, because the account's balance is locked from here until the commit, and others may wait for it.
      await credits.hold(tx, hold, job.createdAt);
      crashPoint('credits-held');
      return { kind: 'accepted' };
    });
    crashPoint('submission-committed');
    return outcome;
  } catch (error) {
    if (!(error instanceof HoldRefused)) throw error;
    return { kind: 'refused', refusal: error.refusal };
  }
}
