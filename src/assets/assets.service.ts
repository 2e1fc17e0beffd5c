import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { Signer } from '../platform/signer.ts';
import type { Asset, FinishedPicture, NewInput, NewOutput, StoredPicture } from './asset.ts';
import { assetSecondsLeft, signedAssetPath } from './asset-url.ts';
import type { AssetsStore } from './assets.store.ts';
import type { Signature } from './signed-path.ts';
import type { ByteRange, Storage, StoredFile } from './storage.ts';

/** Assets shown for one input that was already asked for: enough to choose from, and a bound on the answer. */
export const IDENTICAL_MAX = 5;

/** Files looked at in one sweep, and rows asked about in one statement. */
const SWEEP_FILES_MAX = 5_000;
const SWEEP_BATCH = 500;

export interface AssetsServiceParts {
  readonly db: Db;
  readonly store: AssetsStore;
  readonly storage: Storage;
  readonly signer: Signer;
  readonly clock: Clock;
  /** Where clients reach us. Asked each time, because the port may be known only after listening. */
  readonly publicUrl: () => string;
}

/** Storage no longer has what it was given. Trying again does not help; the operator must look. */
export class DamagedAsset extends Error {
  override readonly name = 'DamagedAsset';

  constructor(assetId: string, what: string) {
    super(`The bytes of ${assetId} ${what} in storage`);
  }
}

/** The library: keeps what was delivered, finds it again, and lets it be fetched by signed address. */
export class AssetsService {
  #sweep: AsyncIterator<StoredFile> | null = null;

  constructor(private readonly parts: AssetsServiceParts) {}

  /** First half of keeping a picture: its bytes, durably. Until `insertOutput` commits it is not in the library. */
  async storeBytes({ bytes, ...picture }: FinishedPicture): Promise<StoredPicture> {
    const id = newId('asset');
    await this.parts.storage.put(id, bytes);
    return { ...picture, id, storageKey: id, byteCount: bytes.length };
  }

  /**
   * Second half, inside the transaction that captures what the image cost. Repeating it for the same image returns
   * the asset that is there and writes nothing; the bytes of the repetition are swept later.
   */
  insertOutput(tx: Tx, output: NewOutput): Promise<Asset> {
    return this.parts.store.insertOutput(tx, output, this.parts.clock.now());
  }

  /** The same for a picture from outside: its row, once its bytes are stored, written by the transaction that takes it in. */
  insertInput(tx: Tx, input: NewInput): Promise<Asset> {
    return this.parts.store.insertInput(tx, input, this.parts.clock.now());
  }

  /** In the order of `ids`; null for what does not exist, is deleted or belongs to another account. */
  async byIds(accountId: string, ids: readonly string[], db: Db | Tx = this.parts.db): Promise<(Asset | null)[]> {
    const found = new Map((await this.parts.store.byIds(db, accountId, ids)).map((asset) => [asset.id, asset]));
    return ids.map((id) => found.get(id) ?? null);
  }

  /** For each job, in the order of `jobIds`, its assets, oldest first. */
  async byJobs(accountId: string, jobIds: readonly string[], db: Db | Tx = this.parts.db): Promise<Asset[][]> {
    const assets = Map.groupBy(await this.parts.store.byJobs(db, accountId, jobIds), (asset) => asset.jobId);
    return jobIds.map((id) => assets.get(id) ?? []);
  }

  /** For each input hash, in the order given, at most {@link IDENTICAL_MAX} assets made from it, newest first. */
  identical(accountId: string, inputHashes: readonly string[], db: Db | Tx = this.parts.db): Promise<Asset[][]> {
    return this.newestOf(accountId, inputHashes, IDENTICAL_MAX, db);
  }

  /** The same with a limit of the caller's. */
  async newestOf(
    accountId: string,
    inputHashes: readonly string[],
    limit: number,
    db: Db | Tx = this.parts.db,
  ): Promise<Asset[][]> {
    const assets = await this.parts.store.byInputs(db, accountId, [...new Set(inputHashes)], limit);
    const byHash = Map.groupBy(assets, (asset) => asset.inputHash);
    return inputHashes.map((hash) => byHash.get(hash) ?? []);
  }

  /** An address that anyone may fetch the picture from for the next 10 to 15 minutes. */
  signedUrl(asset: Pick<Asset, 'id'>, now: Date = this.parts.clock.now()): string {
    return this.parts.publicUrl().replace(/\/+$/, '') + signedAssetPath(this.parts.signer, asset.id, now);
  }

  /** The asset that an address was signed for, while it lasts; null for everything else, without saying why. */
  async bySignature(
    id: string,
    signature: Signature,
  ): Promise<{ readonly asset: Asset; readonly secondsLeft: number } | null> {
    const left = assetSecondsLeft(this.parts.signer, id, signature, this.parts.clock.now());
    if (left === null) return null;
    const asset = await this.forDelivery(id);
    return asset && { asset, secondsLeft: left };
  }

  /** By id alone: only for whoever holds an address that we signed for it. Null for one that is deleted. */
  forDelivery(id: string): Promise<Asset | null> {
    return this.parts.store.signedFor(this.parts.db, id);
  }

  /** Whether the bytes are still all there. */
  async isIntact(asset: Pick<Asset, 'storageKey' | 'byteCount'>): Promise<boolean> {
    return (await this.parts.storage.size(asset.storageKey)) === asset.byteCount;
  }

  /** The picture's bytes. The caller must read or destroy the stream. */
  open(asset: Pick<Asset, 'storageKey'>, range?: ByteRange): Promise<Readable> {
    return this.parts.storage.open(asset.storageKey, range);
  }

  /**
   * All the bytes of a picture, proven to be those that were stored.
   * @throws DamagedAsset when they are missing, incomplete or changed.
   */
  async read(asset: Pick<Asset, 'id' | 'storageKey' | 'byteCount' | 'sha256'>): Promise<Buffer> {
    if (!(await this.isIntact(asset))) throw new DamagedAsset(asset.id, 'are missing or incomplete');
    const bytes = await buffer(await this.open(asset));
    if (createHash('sha256').update(bytes).digest('hex') !== asset.sha256)
      throw new DamagedAsset(asset.id, 'have changed');
    return bytes;
  }

  /**
   * Deletes bytes that no row came to own: a crash between the two halves of keeping a picture, or a repeated delivery.
   * `olderThan` must leave the longest possible time between the halves. Looks at a bounded number of files and goes
   * on from there at the next call; `finished` says that the end was reached.
   */
  async sweepOrphans(olderThan: Date): Promise<{ examined: number; deleted: number; finished: boolean }> {
    const total = { examined: 0, deleted: 0, finished: false };
    this.#sweep ??= this.parts.storage.files()[Symbol.asyncIterator]();
    try {
      while (!total.finished && total.examined < SWEEP_FILES_MAX) {
        const { files, ended } = await take(this.#sweep, SWEEP_BATCH);
        const old = files.filter((file) => file.storedAt < olderThan).map((file) => file.key);
        const orphans = old.length === 0 ? [] : await this.parts.store.missingKeys(this.parts.db, old);
        for (const key of orphans) await this.parts.storage.delete(key);
        total.examined += files.length;
        total.deleted += orphans.length;
        total.finished = ended;
      }
    } catch (error) {
      this.#sweep = null;
      throw error;
    }
    if (total.finished) this.#sweep = null;
    return total;
  }
}

async function take(
  files: AsyncIterator<StoredFile>,
  limit: number,
): Promise<{ readonly files: StoredFile[]; readonly ended: boolean }> {
  const taken: StoredFile[] = [];
  while (taken.length < limit) {
    const next = await files.next();
    if (next.done) return { files: taken, ended: true };
    taken.push(next.value);
  }
  return { files: taken, ended: false };
}
