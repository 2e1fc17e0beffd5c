import { type Generated, type Kysely, type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Asset, AssetKind, ContentType } from './asset.ts';

export type AssetTables = {
  assets: {
    id: string;
    account_id: string;
    kind: AssetKind;
    operation: string | null;
    provider: string | null;
    model: string | null;
    prompt: string | null;
    negative_prompt: string | null;
    seed: bigint | null;
    width: number;
    height: number;
    bytes: bigint;
    content_type: string;
    sha256: string;
    transparent: boolean | null;
    storage_key: string;
    input_hash: string | null;
    job_id: string | null;
    image_id: string | null;
    parent_id: string | null;
    credits: bigint;
    price_version: number | null;
    created_at: Date;
    title: string | null;
    /** The title as titles are sorted; made by the database. */
    title_key: Generated<string>;
    favourite: boolean;
    quality: string | null;
    deleted_at: Date | null;
    /** When bytes and words of a deleted one were destroyed. */
    purged_at: Date | null;
  };
  asset_tags: { account_id: string; tag: string; asset_id: string };
};

export type AssetRow = Selectable<AssetTables['assets']>;

/** All but the words that are only searched in, which are as long as the prompt once more. */
export const ASSET_COLUMNS = [
  'id',
  'account_id',
  'kind',
  'operation',
  'provider',
  'model',
  'prompt',
  'negative_prompt',
  'seed',
  'width',
  'height',
  'bytes',
  'content_type',
  'sha256',
  'transparent',
  'storage_key',
  'input_hash',
  'job_id',
  'image_id',
  'parent_id',
  'credits',
  'price_version',
  'created_at',
  'title',
  'title_key',
  'favourite',
  'quality',
  'deleted_at',
  'purged_at',
] as const satisfies readonly (keyof AssetTables['assets'])[];

export const ASSET_COLUMN_LIST = sql.join(ASSET_COLUMNS.map((name) => sql.ref(name)));

export function assetTables(db: Db | Tx): Kysely<AssetTables> {
  return db.withTables<AssetTables>();
}

/** One parameter however many there are, so that batches of every size share one prepared statement. */
export function anyOf(values: readonly string[]) {
  return sql<string>`any(${values}::text[])`;
}

export function assetOf(row: AssetRow): Asset {
  return {
    id: row.id,
    accountId: row.account_id,
    kind: row.kind,
    operation: row.operation,
    provider: row.provider,
    model: row.model,
    prompt: row.prompt,
    negativePrompt: row.negative_prompt,
    seed: row.seed === null ? null : Number(row.seed),
    width: row.width,
    height: row.height,
    byteCount: Number(row.bytes),
    contentType: row.content_type as ContentType,
    sha256: row.sha256,
    transparent: row.transparent,
    storageKey: row.storage_key,
    inputHash: row.input_hash,
    jobId: row.job_id,
    imageId: row.image_id,
    parentId: row.parent_id,
    credits: row.credits,
    priceVersion: row.price_version,
    createdAt: row.created_at,
    title: row.title,
    titleKey: row.title_key,
    favourite: row.favourite,
    quality: row.quality,
    deletedAt: row.deleted_at,
  };
}
