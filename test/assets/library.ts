import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import sharp, { type Sharp } from 'sharp';
import type { ContentType, FinishedPicture, Lineage, NewOutput } from '../../src/assets/asset.ts';
import { AssetLists } from '../../src/assets/asset-lists.service.ts';
import { AssetListsStore } from '../../src/assets/asset-lists.store.ts';
import { AssetsService } from '../../src/assets/assets.service.ts';
import { AssetsStore } from '../../src/assets/assets.store.ts';
import { finishedPicture } from '../../src/assets/pictures.ts';
import { type RenditionLimits, Renditions } from '../../src/assets/renditions.service.ts';
import { RenditionsStore } from '../../src/assets/renditions.store.ts';
import { DiskStorage } from '../../src/assets/storage.ts';
import type { Db } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { Signer } from '../../src/platform/signer.ts';

export const NOW = new Date('2030-05-05T12:01:30.500Z');

/** The real service on a folder of its own, with a clock that tests set. */
export class TestLibrary {
  now = NOW;
  publicUrl = 'http://127.0.0.1:4000';

  private constructor(
    readonly db: Db,
    readonly folder: string,
    readonly storage: DiskStorage,
  ) {}

  static async on(db: Db): Promise<TestLibrary> {
    const folder = await mkdtemp(join(tmpdir(), 'assets-'));
    return new TestLibrary(db, folder, await DiskStorage.open(folder));
  }

  readonly signer = new Signer(['a-key-that-is-used-in-tests-only-1']);

  get service(): AssetsService {
    this.#service ??= new AssetsService({
      db: this.db,
      store: new AssetsStore(),
      storage: this.storage,
      signer: this.signer,
      clock: { now: () => this.now },
      publicUrl: () => this.publicUrl,
    });
    return this.#service;
  }
  #service: AssetsService | undefined;

  get lists(): AssetLists {
    return new AssetLists(this.db, new AssetListsStore());
  }

  get renditions(): Renditions {
    this.#renditions ??= this.newRenditions();
    return this.#renditions;
  }
  #renditions: Renditions | undefined;

  /** Those of another process on the same library, or of one with other limits. */
  newRenditions(limits?: RenditionLimits): Renditions {
    const { db, service: assets, storage, signer } = this;
    const clock = { now: () => this.now };
    const parts = { db, store: new RenditionsStore(), assets, storage, signer, clock, publicUrl: () => this.publicUrl };
    return new Renditions(limits ? { ...parts, limits } : parts);
  }

  /** Keeps a picture the way a job does: bytes first, then the row in a transaction. */
  async keep(accountId: string, lineage: Partial<Lineage> = {}, picture: FinishedPicture = tinyPicture()) {
    const stored = await this.service.storeBytes(picture);
    const output: NewOutput = { ...stored, ...lineageOf(accountId), ...(lineage as Partial<NewOutput>) };
    return this.db.transaction().execute((tx) => this.service.insertOutput(tx, output));
  }

  /** Marks an asset as deleted, as far as others can see. */
  async markDeleted({ id }: { readonly id: string }): Promise<void> {
    const assets = this.db.withTables<{ assets: { id: string; deleted_at: Date } }>().updateTable('assets');
    await assets.set({ deleted_at: NOW }).where('id', '=', id).execute();
  }

  /** The rows of the renditions of an asset, newest first. */
  async renditionsOf({ id }: { readonly id: string }) {
    const { rows } = await sql<{ spec: string; storage_key: string; sha256: string }>`
      select spec, storage_key, sha256 from renditions where asset_id = ${id} order by made_at desc, storage_key desc`.execute(
      this.db,
    );
    return rows;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function lineageOf(accountId: string) {
  return {
    accountId,
    operation: 'GENERATE',
    provider: 'stability',
    model: 'stability/core',
    quality: 'STANDARD',
    prompt: 'a lighthouse at dusk',
    negativePrompt: null,
    seed: 4_294_967_294,
    inputHash: 'hash-of-the-input',
    jobId: newId('job'),
    imageId: newId('image'),
    parentId: null,
    credits: 6_500n,
    priceVersion: 1,
  };
}

/** What nobody has done anything with yet. */
export const UNCURATED = { title: null, titleKey: '', favourite: false, deletedAt: null } as const;

/** Bytes that nothing decodes: storing and delivering never look inside. */
export function tinyPicture(content = 'not really a picture'): FinishedPicture {
  const bytes = Buffer.from(content);
  return {
    bytes,
    width: 8,
    height: 4,
    contentType: 'image/png',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    transparent: false,
  };
}

/** A picture that is what it says. */
export async function realPicture(drawing: Sharp, contentType: ContentType = 'image/png'): Promise<FinishedPicture> {
  const bytes = await drawing.toBuffer();
  const { autoOrient, hasAlpha } = await sharp(bytes).metadata();
  return finishedPicture(bytes, autoOrient, contentType, hasAlpha);
}

/** A grainy picture, which no encoder can shrink to nothing. */
export function grainy(width: number, height: number): Sharp {
  return sharp({
    create: { width, height, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 30 } },
  });
}
