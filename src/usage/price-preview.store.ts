import { type RawBuilder, sql } from 'kysely';
import type { ProviderName } from '../catalog/models.ts';
import type { EditKind, Operation, Quality, UpscaleMode } from '../catalog/operations.ts';
import { M_PIXELS_MAX, S_PIXELS_MAX } from '../catalog/sizes.ts';
import { type Db, inSnapshot } from '../platform/database.ts';

/** Delivered images that any price book prices alike. Amounts are milli-credits. */
export interface PricedAlike {
  /** Names the group within its price book. */
  readonly key: string;
  readonly operation: Operation;
  readonly quality: Quality | null;
  readonly provider: ProviderName | null;
  readonly model: string | null;
  readonly edit: EditKind | null;
  readonly mode: UpscaleMode | null;
  /** Of one of the pictures, by whose size they are priced; all are of one size class. Null where it is not known. */
  readonly pixels: number | null;
  readonly images: number;
  /** Of these, images that a free allowance paid for. */
  readonly free: number;
  /** What was charged for them. */
  readonly credits: bigint;
}

export interface Delivered {
  /** Whether these are all images of the time; else they are the newest. */
  readonly complete: boolean;
  readonly groups: readonly PricedAlike[];
}

/** What delivered images cost, added up where they lie. */
export class PricePreviewStore {
  constructor(private readonly db: Db) {}

  /**
   * The delivered images of jobs accepted since then; and how many accounts have one that would cost another amount at
   * these prices by group, or that has none.
   */
  look<T>(
    since: Date,
    imagesMax: number,
    work: (
      delivered: Delivered,
      affected: (prices: ReadonlyMap<string, bigint | null>) => Promise<number>,
    ) => Promise<T>,
  ): Promise<T> {
    const images = pricedImages(since, imagesMax);
    return inSnapshot(this.db, async (tx) => {
      const { rows } = await sql<
        Omit<PricedAlike, 'images' | 'free' | 'pixels'> & Record<'images' | 'free' | 'pixels', bigint>
      >`
        select key, min(operation) as operation, min(quality) as quality, min(provider) as provider, min(model) as model,
          min(edit) as edit, min(mode) as mode, min(pixels) as pixels, count(*) as images,
          count(*) filter (where allowance is not null) as free, sum(credits)::bigint as credits
        from (${images}) as priced group by key order by key`.execute(tx);
      const groups = rows.map((row) => ({
        ...row,
        pixels: row.pixels === null ? null : Number(row.pixels),
        images: Number(row.images),
        free: Number(row.free),
      }));
      const { rows: counted } = await sql<{ images: bigint }>`
        select count(*) as images from (
          select 1 from jobs j join job_images i on i.job_id = j.id
          where j.created_at >= ${since}::timestamptz and i.status = 'DELIVERED' limit ${imagesMax + 1}) as delivered`.execute(
        tx,
      );
      const complete = Number(counted[0]?.images ?? 0n) <= imagesMax;
      return work({ complete, groups }, async (prices) => {
        const units = [...prices.values()].map((price) => price?.toString() ?? null);
        const { rows: accounts } = await sql<{ count: bigint }>`
          select count(distinct account_id) as count from (${images}) as priced
          join unnest(${[...prices.keys()]}::text[], ${units}::text[]) as draft (group_key, unit) on group_key = key
          where unit is null or (allowance is null and credits <> unit::bigint)`.execute(tx);
        return Number(accounts[0]?.count ?? 0n);
      });
    });
  }
}

/** Each of the newest images with what its price depends on: what was asked, and the pixels that decide its size class. */
function pricedImages(since: Date, imagesMax: number): RawBuilder<unknown> {
  return sql`
    select asked.*, concat_ws('|', operation, coalesce(model, ''), coalesce(provider, ''), case when model is null then quality end, edit, mode,
      case when pixels is null then '' when pixels <= ${S_PIXELS_MAX}::int then 'S' when pixels <= ${M_PIXELS_MAX}::int then 'M' else 'L' end) as key
    from (
      select newest.account_id, newest.credits, newest.allowance, r->>'operation' as operation, r->>'quality' as quality,
        r->>'provider' as provider, r->>'model' as model, r->'edit'->>'kind' as edit, r->>'mode' as mode,
        case
          when r->>'operation' = 'GENERATE' or r->'edit'->>'kind' = 'outpaint' then newest.width::bigint * newest.height
          when r->>'operation' = 'OPTIMIZE' then null
          else coalesce(a.width::bigint * a.height, s.width::bigint * s.height)
        end as pixels
      from (
        select j.account_id, i.credits, i.allowance, i.width, i.height, i.source_asset_id, i.source_image_id,
          case when j.operation = 'WORKFLOW' then j.request->'steps'->i.step->'request' else j.request end as r
        from jobs j join job_images i on i.job_id = j.id
        where j.created_at >= ${since}::timestamptz and i.status = 'DELIVERED'
        order by j.created_at desc limit ${imagesMax}) as newest
      left join assets a on a.id = newest.source_asset_id
      left join job_images s on s.id = newest.source_image_id) as asked`;
}
