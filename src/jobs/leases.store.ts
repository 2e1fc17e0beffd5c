import type { Db } from '../platform/database.ts';
import type { Job } from './job.ts';
import type { JobTables } from './jobs.tables.ts';

/** Who works on which job, and until when that holds without being renewed. A claim begins a lease: see `JobsStore`. */
export class LeasesStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<JobTables>();
  }

  /** Keeps the jobs that `owner` is working on its own, and answers those that no longer are. */
  async renew(owner: string, jobIds: readonly string[], until: Date): Promise<Pick<Job, 'id' | 'status'>[]> {
    if (jobIds.length === 0) return [];
    const kept = await this.#db
      .updateTable('jobs')
      .set({ lease_until: until })
      .where('id', 'in', [...jobIds])
      .where('lease_owner', '=', owner)
      .where('status', '=', 'RUNNING')
      .returning('id')
      .execute();
    const keptIds = new Set(kept.map(({ id }) => id));
    const lost = jobIds.filter((id) => !keptIds.has(id));
    if (lost.length === 0) return [];
    return this.#db.selectFrom('jobs').select(['id', 'status']).where('id', 'in', lost).execute();
  }

  /** Lets every running job be taken over at once; only for a store that no other process can be using. */
  async endAll(now: Date): Promise<void> {
    await this.#db.updateTable('jobs').set({ lease_until: now }).where('status', '=', 'RUNNING').execute();
  }

  /** Lets another worker take over what `owner` was working on. */
  async end(owner: string, now: Date): Promise<void> {
    await this.#db
      .updateTable('jobs')
      .set({ lease_until: now })
      .where('lease_owner', '=', owner)
      .where('status', '=', 'RUNNING')
      .execute();
  }
}
