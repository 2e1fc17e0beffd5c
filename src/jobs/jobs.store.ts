import { type SqlBool, sql } from 'kysely';
import type { JobRequest } from '../estimates/job-request.ts';
import type { Db, Tx } from '../platform/database.ts';
import { lockUntilCommit } from '../platform/database.ts';
import type { FailureCode, Job, JobImage, JobStatus } from './job.ts';
import type { ImageRow, JobRow, JobTables } from './jobs.tables.ts';

/** What a job row holds beyond what the outside sees. */
export interface NewJob extends Job {
  /** How many jobs of the account may run at once, as its tier was when the job was accepted. */
  readonly runningMax: number;
}

export class JobsStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<JobTables>();
  }

  /** In one statement, because a submission's time is mostly the way to the database and back. */
  async insert(tx: Tx, job: NewJob, images: readonly JobImage[]): Promise<void> {
    await tx
      .withTables<JobTables>()
      .with('job', (tables) =>
        tables.insertInto('jobs').values({
          id: job.id,
          account_id: job.accountId,
          operation: job.operation,
          status: job.status,
          request: JSON.stringify(job.request) as unknown as JobRequest,
          hold_id: job.holdId,
          price_version: job.priceVersion,
          credits: job.credits,
          priority: job.priority,
          running_max: job.runningMax,
          created_at: job.createdAt,
          woken_at: job.createdAt,
          trace_parent: job.traceParent,
        }),
      )
      .insertInto('job_images')
      .values(
        images.map((image) => ({
          id: image.id,
          job_id: job.id,
          index: image.index,
          step: image.step,
          run: image.run,
          status: image.status,
          width: image.size.width,
          height: image.size.height,
          format: image.format,
          source_asset_id: image.sourceAssetId,
          source_image_id: image.sourceImageId,
          credits: image.credits,
          allowance: image.allowance,
        })),
      )
      .execute();
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
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('jobs')
          .select('id')
          .where('status', 'in', ['QUEUED', 'RUNNING'])
          .where('woken_at', '<', before)
          .where((or) => or.or([or('status', '=', 'QUEUED'), or('lease_until', '<=', now)]))
          .orderBy('priority', 'desc')
          .orderBy('id')
          .limit(limit),
      )
      .returning(['id', 'priority'])
      .execute();
  }

  /** The jobs of an account that are next in line. */
  async nextQueued(accountId: string, limit: number): Promise<{ id: string; priority: number }[]> {
    return this.#db
      .selectFrom('jobs')
      .select(['id', 'priority'])
      .where('account_id', '=', accountId)
      .where('status', '=', 'QUEUED')
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
          .where('status', '=', 'QUEUED')
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
      .where('status', 'in', ['QUEUED', 'RUNNING'])
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

function toJob(row: JobRow): Job {
  return {
    id: row.id,
    accountId: row.account_id,
    operation: row.operation,
    status: row.status,
    request: row.request,
    holdId: row.hold_id,
    priceVersion: row.price_version,
    credits: row.credits,
    priority: row.priority,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    traceParent: row.trace_parent,
  };
}

function toImage(row: ImageRow): JobImage {
  return {
    id: row.id,
    jobId: row.job_id,
    index: row.index,
    step: row.step,
    run: row.run,
    status: row.status,
    size: { width: row.width, height: row.height },
    format: row.format,
    sourceAssetId: row.source_asset_id,
    sourceImageId: row.source_image_id,
    credits: row.credits,
    allowance: row.allowance,
    assetId: row.asset_id,
    failureCode: row.failure_code,
    failureMessage: row.failure_message,
    finishedAt: row.finished_at,
  };
}
