import { type Kysely, type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Asset, AssetFilter, AssetKind, ContentType, NewInput, NewOutput } from './asset.ts';

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
    deleted_at: Date | null;
  };
};

type Row = Selectable<AssetTables['assets']>;

/**
 * SQL of the library. Every question names the account, so another's asset is answered as if it did not exist; the
 * two that cannot (`signedFor`, `missingKeys`) say why.
 */
export class AssetsStore {
  /**
   * Writes the row of a delivered image. An image has one asset: when it has one already, that one is returned and
   * nothing is written.
   */
  async insertOutput(tx: Tx, output: NewOutput, createdAt: Date): Promise<Asset> {
    const inserted = await tables(tx)
      .insertInto('assets')
      .values(rowOf({ ...output, kind: 'OUTPUT', createdAt }))
      .onConflict((conflict) => conflict.column('image_id').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (inserted) return assetOf(inserted);
    const existing = await tables(tx)
      .selectFrom('assets')
      .selectAll()
      .where('account_id', '=', output.accountId)
      .where('image_id', '=', output.imageId)
      .executeTakeFirstOrThrow();
    return assetOf(existing);
  }

  /** Writes the row of a picture from outside. */
  async insertInput(tx: Tx, input: NewInput, createdAt: Date): Promise<Asset> {
    const row = rowOf({ ...input, ...NO_LINEAGE, kind: 'INPUT', createdAt });
    return assetOf(await tables(tx).insertInto('assets').values(row).returningAll().executeTakeFirstOrThrow());
  }

  async byIds(db: Db | Tx, accountId: string, ids: readonly string[]): Promise<Asset[]> {
    const rows = await live(db, accountId).where('id', '=', anyOf(ids)).execute();
    return rows.map(assetOf);
  }

  /** Oldest first within a job. */
  async byJobs(db: Db | Tx, accountId: string, jobIds: readonly string[]): Promise<Asset[]> {
    const rows = await live(db, accountId).where('job_id', '=', anyOf(jobIds)).orderBy('id').execute();
    return rows.map(assetOf);
  }

  /** The newest `limit` assets of each hash, newest first within a hash. */
  async byInputs(db: Db | Tx, accountId: string, inputHashes: readonly string[], limit: number): Promise<Asset[]> {
    const { rows } = await sql<Row>`
      select newest.*
      from unnest(${inputHashes}::text[]) as wanted (hash)
      cross join lateral (
        select * from assets
        where account_id = ${accountId} and input_hash = wanted.hash and deleted_at is null
        order by id desc
        limit ${limit}
      ) newest
      order by newest.id desc`.execute(db);
    return rows.map(assetOf);
  }

  /** Newest first, from the one after `beforeId`. */
  async list(
    db: Db | Tx,
    accountId: string,
    { limit, beforeId, filter }: { limit: number; beforeId: string | null; filter: AssetFilter },
  ): Promise<Asset[]> {
    let query = filtered(live(db, accountId), filter).orderBy('id', 'desc').limit(limit);
    if (beforeId !== null) query = query.where('id', '<', beforeId);
    return (await query.execute()).map(assetOf);
  }

  async count(db: Db | Tx, accountId: string, filter: AssetFilter): Promise<number> {
    const { total } = await filtered(live(db, accountId), filter)
      .clearSelect()
      .select(({ fn }) => fn.countAll<bigint>().as('total'))
      .executeTakeFirstOrThrow();
    return Number(total);
  }

  /** By id alone: whoever asks holds an address that we signed for exactly this asset, and has no account to name. */
  async signedFor(db: Db, id: string): Promise<Asset | null> {
    const row = await tables(db)
      .selectFrom('assets')
      .selectAll()
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    return row ? assetOf(row) : null;
  }

  /** Which of these storage keys no row of any account uses, be it of an asset, deleted or not, or of a rendition. */
  async missingKeys(db: Db, keys: readonly string[]): Promise<string[]> {
    const { rows } = await sql<{ key: string }>`
      select wanted.key from unnest(${keys}::text[]) as wanted (key)
      where not exists (select 1 from assets where storage_key = wanted.key)
        and not exists (select 1 from renditions where storage_key = wanted.key)`.execute(db);
    return rows.map((row) => row.key);
  }
}

function tables(db: Db | Tx): Kysely<AssetTables> {
  return db.withTables<AssetTables>();
}

function live(db: Db | Tx, accountId: string) {
  return tables(db)
    .selectFrom('assets')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('deleted_at', 'is', null);
}

function filtered(query: ReturnType<typeof live>, { kind, operation, provider, model }: AssetFilter) {
  let narrowed = query;
  if (kind) narrowed = narrowed.where('kind', '=', kind);
  if (operation) narrowed = narrowed.where('operation', '=', operation);
  if (provider) narrowed = narrowed.where('provider', '=', provider);
  if (model) narrowed = narrowed.where('model', '=', model);
  return narrowed;
}

/** One parameter however many there are, so that batches of every size share one prepared statement. */
function anyOf(values: readonly string[]) {
  return sql<string>`any(${values}::text[])`;
}

const NO_LINEAGE = {
  operation: null,
  provider: null,
  model: null,
  prompt: null,
  negativePrompt: null,
  seed: null,
  inputHash: null,
  jobId: null,
  imageId: null,
  parentId: null,
  credits: 0n,
  priceVersion: null,
} as const;

function rowOf(asset: Asset): Row {
  return {
    id: asset.id,
    account_id: asset.accountId,
    kind: asset.kind,
    operation: asset.operation,
    provider: asset.provider,
    model: asset.model,
    prompt: asset.prompt,
    negative_prompt: asset.negativePrompt,
    seed: asset.seed === null ? null : BigInt(asset.seed),
    width: asset.width,
    height: asset.height,
    bytes: BigInt(asset.byteCount),
    content_type: asset.contentType,
    sha256: asset.sha256,
    transparent: asset.transparent,
    storage_key: asset.storageKey,
    input_hash: asset.inputHash,
    job_id: asset.jobId,
    image_id: asset.imageId,
    parent_id: asset.parentId,
    credits: asset.credits,
    price_version: asset.priceVersion,
    created_at: asset.createdAt,
    deleted_at: null,
  };
}

function assetOf(row: Row): Asset {
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
  };
}
