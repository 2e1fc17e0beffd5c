import { sql } from 'kysely';
import type { Size } from '../catalog/sizes.ts';
import type { Db } from '../platform/database.ts';
import type { Asked } from './priced-work.ts';
import type { UsagePeriod } from './usage.ts';

/** A delivered image with all that can be learned from it. */
export interface UsedImage {
  readonly id: string;
  readonly jobId: string;
  readonly at: Date;
  readonly request: Asked;
  readonly size: Size;
  /** The picture that it was made from, and its size. */
  readonly sourceId: string | null;
  readonly source: Size | null;
  /** Milli-credits captured for it. */
  readonly credits: bigint;
  readonly free: boolean;
  readonly assetId: string;
  /** Same for every picture that was asked for in exactly the same way. */
  readonly inputHash: string | null;
  readonly deleted: boolean;
}

type Row = {
  id: string;
  job_id: string;
  at: Date;
  request: Asked;
  width: number;
  height: number;
  source_id: string | null;
  source_width: number | null;
  source_height: number | null;
  credits: bigint;
  free: boolean;
  asset_id: string;
  input_hash: string | null;
  deleted: boolean;
};

export class UsedImagesStore {
  constructor(private readonly db: Db) {}

  /** The delivered images of jobs that ended in the period, newest first, at most `limit`. */
  async newest(accountId: string, { from, to }: UsagePeriod, limit: number): Promise<UsedImage[]> {
    const { rows } = await sql<Row>`
      select i.id, i.job_id, j.finished_at as at, i.width, i.height, i.credits, i.allowance is not null as free,
        case when j.operation = 'WORKFLOW' then j.request->'steps'->i.step->'request' else j.request end as request,
        a.id as asset_id, a.input_hash, a.deleted_at is not null as deleted,
        a.parent_id as source_id, source.width as source_width, source.height as source_height
      from jobs j
      join job_images i on i.job_id = j.id and i.status = 'DELIVERED'
      join assets a on a.id = i.asset_id
      left join assets source on source.id = a.parent_id
      where j.account_id = ${accountId} and j.finished_at >= ${from}::timestamptz and j.finished_at < ${to}::timestamptz
      order by j.finished_at desc, i.id desc
      limit ${limit}`.execute(this.db);
    return rows.map(usedImageOf);
  }

  /** The sizes of assets, deleted ones too: they are kept for as long as what the assets cost. */
  async sizes(accountId: string, assetIds: readonly string[]): Promise<Map<string, Size>> {
    const { rows } = await sql<Size & { id: string }>`
      select id, width, height from assets
      where account_id = ${accountId} and id = any(${assetIds}::text[])`.execute(this.db);
    return new Map(rows.map(({ id, width, height }) => [id, { width, height }]));
  }
}

function usedImageOf(row: Row): UsedImage {
  const { source_width: width, source_height: height } = row;
  return {
    id: row.id,
    jobId: row.job_id,
    at: row.at,
    request: row.request,
    size: { width: row.width, height: row.height },
    sourceId: row.source_id,
    source: width === null || height === null ? null : { width, height },
    credits: row.credits,
    free: row.free,
    assetId: row.asset_id,
    inputHash: row.input_hash,
    deleted: row.deleted,
  };
}
