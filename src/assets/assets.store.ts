import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Asset, AssetKind, Lineage, NewInput, NewOutput, StoredPicture } from './asset.ts';
import { ASSET_COLUMN_LIST, ASSET_COLUMNS, type AssetRow, anyOf, assetOf, assetTables } from './assets.tables.ts';

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
    const inserted = await assetTables(tx)
      .insertInto('assets')
      .values(rowOf({ ...output, kind: 'OUTPUT', createdAt }))
      .onConflict((conflict) => conflict.column('image_id').doNothing())
      .returning(ASSET_COLUMNS)
      .executeTakeFirst();
    if (inserted) return assetOf(inserted);
    const existing = await assetTables(tx)
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where('account_id', '=', output.accountId)
      .where('image_id', '=', output.imageId)
      .executeTakeFirstOrThrow();
    return assetOf(existing);
  }

  /** Writes the row of a picture from outside. */
  async insertInput(tx: Tx, input: NewInput, createdAt: Date): Promise<Asset> {
    const row = rowOf({ ...input, ...NO_LINEAGE, kind: 'INPUT', createdAt });
    return assetOf(
      await assetTables(tx).insertInto('assets').values(row).returning(ASSET_COLUMNS).executeTakeFirstOrThrow(),
    );
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
    const { rows } = await sql<AssetRow>`
      select newest.*
      from unnest(${inputHashes}::text[]) as wanted (hash)
      cross join lateral (
        select ${ASSET_COLUMN_LIST} from assets
        where account_id = ${accountId} and input_hash = wanted.hash and deleted_at is null
        order by id desc
        limit ${limit}
      ) newest
      order by newest.id desc`.execute(db);
    return rows.map(assetOf);
  }

  /** By id alone: whoever asks holds an address that we signed for exactly this asset, and has no account to name. */
  async signedFor(db: Db, id: string): Promise<Asset | null> {
    const row = await assetTables(db)
      .selectFrom('assets')
      .select(ASSET_COLUMNS)
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    return row ? assetOf(row) : null;
  }

  /**
   * Which of these storage keys no row of any account uses, be it of an asset, which owns its bytes until it is purged, or of
   * a rendition.
   */
  async missingKeys(db: Db, keys: readonly string[]): Promise<string[]> {
    const { rows } = await sql<{ key: string }>`
      select wanted.key from unnest(${keys}::text[]) as wanted (key)
      where not exists (select 1 from assets where storage_key = wanted.key and purged_at is null)
        and not exists (select 1 from renditions where storage_key = wanted.key)`.execute(db);
    return rows.map((row) => row.key);
  }
}

function live(db: Db | Tx, accountId: string) {
  return assetTables(db)
    .selectFrom('assets')
    .select(ASSET_COLUMNS)
    .where('account_id', '=', accountId)
    .where('deleted_at', 'is', null);
}

const NO_LINEAGE = {
  operation: null,
  provider: null,
  model: null,
  quality: null,
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

function rowOf(asset: StoredPicture & Lineage & { readonly kind: AssetKind; readonly createdAt: Date }) {
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
    quality: asset.quality,
    favourite: false,
  };
}
