import type { HoldRefusal, HoldRequest } from '../credits/balance.ts';
import { type Credits, HoldRefused } from '../credits/credits.service.ts';
import { crashPoint } from '../platform/crash-points.ts';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import { isDatabaseAway } from '../platform/database-errors.ts';
import type { WorkQueue } from '../platform/queue.ts';
import type { IdempotencyStore, KeyClaim, KeyHolder } from './idempotency.store.ts';
import type { JobImage } from './job.ts';
import type { NewJob } from './jobs.rows.ts';
import type { JobsStore } from './jobs.store.ts';

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

/** Transactions that are under way at once; whatever comes meanwhile shares the next one. */
const UNDER_WAY_MAX = 2;
/** What one transaction accepts, at most. */
const JOBS_MAX = 50;
const IMAGES_MAX = 500;

interface Waiting {
  readonly submitted: Submitted;
  resolve(acceptance: Acceptance): void;
  reject(error: unknown): void;
}

/**
 * Accepts what is submitted: key, job, wake-up and hold commit together, or nothing of them is kept. What comes while others
 * are being accepted shares one transaction, because a commit costs the same for one as for fifty. Where one of them cannot be
 * accepted none of the transaction is kept, and each has one of its own.
 */
export class Acceptances {
  readonly #waiting: Waiting[] = [];
  #underWay = 0;

  constructor(private readonly parts: AcceptanceParts) {}

  accept(submitted: Submitted): Promise<Acceptance> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ submitted, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#underWay >= UNDER_WAY_MAX || this.#waiting.length === 0) return;
    this.#underWay += 1;
    this.#acceptAll(this.#take()).finally(() => {
      this.#underWay -= 1;
      this.#next();
    });
  }

  /** Those that have waited longest, as many as fit into one transaction; at least one. */
  #take(): Waiting[] {
    let images = 0;
    const fits = this.#waiting.findIndex(({ submitted }, index) => {
      images += submitted.images.length;
      return index >= JOBS_MAX || (index > 0 && images > IMAGES_MAX);
    });
    return this.#waiting.splice(0, fits < 0 ? this.#waiting.length : fits);
  }

  async #acceptAll(waiting: readonly Waiting[]): Promise<void> {
    if (waiting.length > 1) {
      const error = await this.#together(waiting.map(({ submitted }) => submitted));
      if (error === null || isDatabaseAway(error)) {
        for (const { resolve, reject } of waiting) error === null ? resolve({ kind: 'accepted' }) : reject(error);
        return;
      }
    }
    await Promise.all(waiting.map(({ submitted, resolve, reject }) => this.#alone(submitted).then(resolve, reject)));
  }

  /** Null when all of them are accepted; otherwise why none is. */
  async #together(all: readonly Submitted[]): Promise<unknown> {
    const { db, keys, credits } = this.parts;
    const claims = all.flatMap(({ claim }) => claim ?? []);
    // Everybody locks accounts in the same order.
    const holds = all.map(({ hold, job }) => ({ hold, at: job.createdAt })).sort(byAccount);
    try {
      await inTransaction(db, async (tx) => {
        if (claims.length > 0) {
          if ((await keys.claimAll(tx, claims)) < claims.length) throw new Error('a key is taken');
          crashPoint('key-claimed');
        }
        await this.#write(tx, all);
        for (const { hold, at } of holds) await credits.hold(tx, hold, at);
        crashPoint('credits-held');
      });
      crashPoint('submission-committed');
      return null;
    } catch (error) {
      return error;
    }
  }

  async #alone(submitted: Submitted): Promise<Acceptance> {
    const { db, keys, credits } = this.parts;
    const { job, hold, claim } = submitted;
    try {
      const acceptance = await inTransaction(db, async (tx): Promise<Acceptance> => {
        if (claim !== null) {
          const holder = await keys.claim(tx, claim);
          if (holder) return { kind: 'key-taken', holder };
          crashPoint('key-claimed');
        }
        await this.#write(tx, [submitted]);
        // Last, because the account's balance is locked from here until the commit, and others may wait for it.
        await credits.hold(tx, hold, job.createdAt);
        crashPoint('credits-held');
        return { kind: 'accepted' };
      });
      crashPoint('submission-committed');
      return acceptance;
    } catch (error) {
      if (!(error instanceof HoldRefused)) throw error;
      return { kind: 'refused', refusal: error.refusal };
    }
  }

  async #write(tx: Tx, all: readonly Submitted[]): Promise<void> {
    const { store, queue } = this.parts;
    await store.insert(tx, all);
    crashPoint('job-written');
    await queue.enqueue(
      all.map(({ job: { id, priority } }) => ({ id, priority })),
      tx,
    );
    crashPoint('job-enqueued');
  }
}

function byAccount(a: { hold: HoldRequest }, b: { hold: HoldRequest }): number {
  return a.hold.accountId < b.hold.accountId ? -1 : a.hold.accountId > b.hold.accountId ? 1 : 0;
}
