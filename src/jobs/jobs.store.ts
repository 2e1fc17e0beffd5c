import { type SqlBool, sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { lockUntilCommit } from '../platform/database.ts';
import type { FailureCode, Job, JobImage, JobStatus } from './job.ts';
import { bigintsAsText, type NewJob, newImageRow, newJobRow, toImage, toJob } from './jobs.rows.ts';
import type { JobTables } from './jobs.tables.ts';

/** Written out, because a plan for any values of parameters cannot use an index that holds open jobs alone. */
const IS_OPEN = sql<SqlBool>`status in ('QUEUED', 'RUNNING')`;
const IS_QUEUED = sql<SqlBool>`status = 'QUEUED'`;

export class JobsStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<JobTables>();
  }

  /**
   * Writes jobs with their images: in one statement, and the same one for however many, because most of what a submission
   * costs is the way to the database and the planning there.
   */
  async insert(tx: Tx, jobs: readonly { readonly job: NewJob; readonly images: readonly JobImage[] }[]): Promise<void> {
    const jobRows = JSON.stringify(
      jobs.map(({ job }) => newJobRow(job)),
      bigintsAsText,
    );
    const imageRows = JSON.stringify(
      jobs.flatMap(({ images }) => images.map(newImageRow)),
      bigintsAsText,
    );
    await sql`
      with inserted as (
        insert into jobs (id, account_id, operation, status, request, hold_id, price_version, credits, priority, running_max,
          created_at, woken_at, trace_parent)
        select id, account_id, operation, status, request, hold_id, price_version, credits, priority, running_max,
          created_at, woken_at, trace_parent
        from json_populate_recordset(null::jobs, ${jobRows}::json)
      )
      insert into job_images (id, job_id, index, step, run, status, width, height, format, source_asset_id, source_image_id,
        credits, allowance)
      select id, job_id, index, step, run, status, width, height, format, source_asset_id, source_image_id, credits, allowance
      from json_populate_recordset(null::job_images, ${imageRows}::json)`.execute(tx);
  }

  /**
   * Gives a waiting job, or one whose worker has gone, to `owner` until `leaseUntil`; null when it is finished, is being
   * worked on, or its account already runs as many jobs as it may. One claim an account at a time.
   */
  async claim(tx: Tx, jobId: string, owner: string, leaseUntil: Date, now: Date): Promise<Job | null> {
    const tables = tx.withTables<JobTables>();
    const wanted = await tables.selectFrom('jobs').select('account_id').where('id', '=', jobId).executeTakeFirst();
    if (!wanted) return null;
    await lockUntilCommit(tx, `claim:${wanted.account_id}`);
    const row = await tables
      .updateTable('jobs')
      .set({
        status: 'RUNNING',
        lease_owner: owner,
        lease_until: leaseUntil,
        started_at: sql<Date>`coalesce(started_at, ${now})`,
      })
      .where('id', '=', jobId)
      .where((eb) =>
        eb.or([
          eb.and([eb('status', '=', 'RUNNING'), eb('lease_until', '<=', now)]),
          eb.and([
            eb('status', '=', 'QUEUED'),
            sql<SqlBool>`(select count(*) from jobs as other where other.account_id = jobs.account_id and other.status = 'RUNNING') < running_max`,
          ]),
        ]),
      )
      .returningAll()
      .executeTakeFirst();
    return row ? toJob(row) : null;
  }

  /** Open jobs that nobody works on and nobody was woken for since `before`; marks them as woken now. */
  async wakeable(before: Date, now: Date, limit: number): Promise<{ id: string; priority: number }[]> {
    return this.#db
      .updateTable('jobs')
      .set({ woken_at: now })
      .where((eb) => {
        const due = eb
          .selectFrom('jobs')
          .select('id')
          .where(IS_OPEN)
          .where('woken_at', '<', before)
          .where((or) => or.or([IS_QUEUED, or('lease_until', '<=', now)]))
          .orderBy('priority', 'desc')
          .orderBy('id')
          .limit(limit);
        return sql<SqlBool>`id = any(array(${due}))`;
      })
      .returning(['id', 'priority'])
      .execute();
  }

  /** The jobs of an account that are next in line. */
  async nextQueued(accountId: string, limit: number): Promise<{ id: string; priority: number }[]> {
    return this.#db
      .selectFrom('jobs')
      .select(['id', 'priority'])
      .where('account_id', '=', accountId)
      .where(IS_QUEUED)
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  /** The places of the account's waiting jobs in the order in which they are begun, from 1; of `ids` only. */
  async positions(accountId: string, ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#db
      .selectFrom((eb) =>
        eb
          .selectFrom('jobs')
          .select(['id', sql<bigint>`row_number() over (order by id)`.as('position')])
          .where('account_id', '=', accountId)
          .where(IS_QUEUED)
          .as('waiting'),
      )
      .selectAll()
      .where('id', 'in', [...ids])
      .execute();
    return new Map(rows.map(({ id, position }) => [id, Number(position)]));
  }

  /** How many jobs wait and run, of all accounts, and since when the one waits that has waited longest. */
  async backlog(): Promise<{ queued: number; running: number; oldestQueuedAt: Date | null }> {
    const row = await this.#db
      .selectFrom('jobs')
      .select((eb) => [
        eb.fn.countAll<bigint>().filterWhere('status', '=', 'QUEUED').as('queued'),
        eb.fn.countAll<bigint>().filterWhere('status', '=', 'RUNNING').as('running'),
        eb.fn.min('created_at').filterWhere('status', '=', 'QUEUED').as('oldest'),
      ])
      .where(IS_OPEN)
      .executeTakeFirstOrThrow();
    return { queued: Number(row.queued), running: Number(row.running), oldestQueuedAt: row.oldest };
  }

  /** Locks the job until the transaction ends. */
  async lock(tx: Tx, jobId: string): Promise<Job | null> {
    const row = await tx
      .withTables<JobTables>()
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', jobId)
      .forUpdate()
      .executeTakeFirst();
    return row ? toJob(row) : null;
  }

  async finish(tx: Tx, jobId: string, status: JobStatus, now: Date): Promise<void> {
    await tx
      .withTables<JobTables>()
      .updateTable('jobs')
      .set({ status, finished_at: now, lease_owner: null, lease_until: null })
      .where('id', '=', jobId)
      .execute();
  }

  /** Ends every image that is still open. */
  async cancelOpenImages(tx: Tx, jobId: string, now: Date): Promise<void> {
    await tx
      .withTables<JobTables>()
      .updateTable('job_images')
      .set({ status: 'CANCELLED', finished_at: now })
      .where('job_id', '=', jobId)
      .where('status', 'in', ['WAITING', 'RUNNING'])
      .execute();
  }

  /** False when the image had already ended, as when it was cancelled meanwhile. */
  async deliverImage(tx: Tx, imageId: string, assetId: string, now: Date): Promise<boolean> {
    const result = await tx
      .withTables<JobTables>()
      .updateTable('job_images')
      .set({ status: 'DELIVERED', asset_id: assetId, finished_at: now })
      .where('id', '=', imageId)
      .where('status', 'in', ['WAITING', 'RUNNING'])
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  }

  async failImage(imageId: string, failure: { code: FailureCode; message: string }, now: Date): Promise<void> {
    await this.#db
      .updateTable('job_images')
      .set({ status: 'FAILED', failure_code: failure.code, failure_message: failure.message, finished_at: now })
      .where('id', '=', imageId)
      .where('status', 'in', ['WAITING', 'RUNNING'])
      .execute();
  }

  async images(jobIds: readonly string[], tx?: Tx): Promise<JobImage[]> {
    const rows = await (tx?.withTables<JobTables>() ?? this.#db)
      .selectFrom('job_images')
      .selectAll()
      .where('job_id', 'in', [...jobIds])
      .orderBy('job_id')
      .orderBy('index')
      .execute();
    return rows.map(toImage);
  }

  async image(imageId: string): Promise<JobImage> {
    return toImage(
      await this.#db.selectFrom('job_images').selectAll().where('id', '=', imageId).executeTakeFirstOrThrow(),
    );
  }

  async byIds(accountId: string, ids: readonly string[]): Promise<Job[]> {
    const rows = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('id', 'in', [...ids])
      .execute();
    return rows.map(toJob);
  }

  /** Newest first, after the job `afterId` when given. */
  async page(accountId: string, limit: number, afterId: string | null, status: JobStatus | null): Promise<Job[]> {
    const rows = await this.#db
      .selectFrom('jobs')
      .selectAll()
      .where('account_id', '=', accountId)
      .$if(afterId !== null, (query) => query.where('id', '<', afterId ?? ''))
      .$if(status !== null, (query) => query.where('status', '=', status ?? 'QUEUED'))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(toJob);
  }
}
