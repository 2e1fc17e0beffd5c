import { type Kysely, type Selectable, sql } from 'kysely';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import type { ContentType } from './asset.ts';
import { type Rendition, readSpec, specText } from './rendition.ts';

type RenditionTables = {
  assets: { id: string; deleted_at: Date | null };
  renditions: {
    asset_id: string;
    spec: string;
    storage_key: string;
    width: number;
    height: number;
    bytes: bigint;
    content_type: string;
    sha256: string;
    made_at: Date;
  };
};

type Row = Selectable<RenditionTables['renditions']>;

/**
 * SQL of derived pictures. No question names an account: whoever asks holds an address that we signed for exactly this asset
 * and this spec.
 */
export class RenditionsStore {
  /** Null where it is not made, or its asset is deleted. */
  async find(db: Db, assetId: string, spec: string): Promise<Rendition | null> {
    const row = await tables(db)
      .selectFrom('renditions')
      .innerJoin('assets', 'assets.id', 'renditions.asset_id')
      .selectAll('renditions')
      .where('asset_id', '=', assetId)
      .where('spec', '=', spec)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    return row ? renditionOf(row) : null;
  }

  /**
   * Writes the row of one that was made, unless its asset was deleted meanwhile or another process was faster. `evicted` are the
   * storage keys of the oldest ones of the asset beyond `keptMax`, whose rows are gone.
   */
  insert(
    db: Db,
    rendition: Rendition,
    keptMax: number,
  ): Promise<{ readonly inserted: boolean; readonly evicted: readonly string[] }> {
    const { assetId } = rendition;
    return inTransaction(db, async (tx) => {
      // Held until the commit: the asset is not deleted under it, and inserts for one asset count one after the other.
      const asset = await tables(tx)
        .selectFrom('assets')
        .select('id')
        .where('id', '=', assetId)
        .where('deleted_at', 'is', null)
        .forNoKeyUpdate()
        .executeTakeFirst();
      if (!asset) return { inserted: false, evicted: [] };
      const inserted = await tables(tx)
        .insertInto('renditions')
        .values(rowOf(rendition))
        .onConflict((conflict) => conflict.columns(['asset_id', 'spec']).doNothing())
        .returning('spec')
        .executeTakeFirst();
      const { rows } = await sql<{ key: string }>`
        delete from renditions where storage_key in (
          select storage_key from renditions where asset_id = ${assetId}
          order by made_at desc, storage_key desc offset ${keptMax})
        returning storage_key as key`.execute(tx);
      return { inserted: inserted !== undefined, evicted: rows.map(({ key }) => key) };
    });
  }

  /** Forgets the one whose bytes are kept under this key. */
  async delete(db: Db, storageKey: string): Promise<void> {
    await tables(db).deleteFrom('renditions').where('storage_key', '=', storageKey).execute();
  }

  /** Forgets all of these assets, and answers where their bytes are. */
  async deleteOf(db: Db | Tx, assetIds: readonly string[]): Promise<string[]> {
    const { rows } = await sql<{ key: string }>`
      delete from renditions where asset_id = any(${assetIds}::text[]) returning storage_key as key`.execute(db);
    return rows.map(({ key }) => key);
  }
}

function tables(db: Db | Tx): Kysely<RenditionTables> {
  return db.withTables<RenditionTables>();
}

function rowOf(rendition: Rendition): Row {
  return {
    asset_id: rendition.assetId,
    spec: specText(rendition),
    storage_key: rendition.storageKey,
    width: rendition.width,
    height: rendition.height,
    bytes: BigInt(rendition.byteCount),
    content_type: rendition.contentType,
    sha256: rendition.sha256,
    made_at: rendition.madeAt,
  };
}

function renditionOf(row: Row): Rendition {
  const spec = readSpec(row.spec);
  if (!spec) throw new Error(`a rendition of ${row.asset_id} is kept under ${JSON.stringify(row.spec)}`);
  return {
    ...spec,
    assetId: row.asset_id,
    storageKey: row.storage_key,
    width: row.width,
    height: row.height,
    byteCount: Number(row.bytes),
    contentType: row.content_type as ContentType,
    sha256: row.sha256,
    madeAt: row.made_at,
  };
}
