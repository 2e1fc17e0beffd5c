import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { Signer } from '../platform/signer.ts';
import type { Asset } from './asset.ts';
import { renditionSecondsLeft, signedRenditionPath } from './asset-url.ts';
import type { AssetsService } from './assets.service.ts';
import { drawRendition } from './draw-rendition.ts';
import {
  isOriginal,
  type Rendition,
  type RenditionSpec,
  type RenditionWish,
  readSpec,
  renditionSpec,
  specText,
} from './rendition.ts';
import type { RenditionsStore } from './renditions.store.ts';
import type { Signature } from './signed-path.ts';
import type { ByteRange, Storage } from './storage.ts';

/** Renditions that are kept of one asset; beyond it the oldest goes. */
export const RENDITIONS_KEPT_MAX = 20;

export interface RenditionLimits {
  /** Drawn at the same time. */
  readonly atOnce: number;
  /** Waiting to be drawn, beside those. */
  readonly waiting: number;
  /** How long a request waits for its picture. What it waits for is drawn all the same, for the next one. */
  readonly waitMs: number;
}

const LIMITS: RenditionLimits = {
  atOnce: Math.max(1, Math.floor(availableParallelism() / 2)),
  waiting: 32,
  waitMs: 20_000,
};

export interface RenditionsParts {
  readonly db: Db;
  readonly store: RenditionsStore;
  readonly assets: AssetsService;
  readonly storage: Storage;
  readonly signer: Signer;
  readonly clock: Clock;
  /** Where clients reach us; see `AssetsServiceParts.publicUrl`. */
  readonly publicUrl: () => string;
  readonly limits?: RenditionLimits;
}

/** So many pictures are being drawn that this one has to wait longer than a request may. Trying again helps. */
export class RenditionsBusy extends Error {
  override readonly name = 'RenditionsBusy';
  readonly retryAfterSeconds = 5;

  constructor() {
    super('More pictures are being drawn than can wait');
  }
}

/** Pictures derived from those of the library: other sizes and formats, drawn when first fetched and kept. */
export class Renditions {
  readonly #limits: RenditionLimits;
  readonly #turns;
  /** What is being drawn or waits for it, so that whoever wants the same waits for the same. */
  readonly #underWay = new Map<string, Promise<Rendition | null>>();

  constructor(private readonly parts: RenditionsParts) {
    this.#limits = parts.limits ?? LIMITS;
    this.#turns = bulkhead(this.#limits.atOnce, this.#limits.waiting);
  }

  /**
   * The address of a picture as it is wished for, the original's where nothing is wished. Nothing is drawn yet.
   * @throws BAD_USER_INPUT
   */
  signedUrl(asset: Asset, wish: RenditionWish = {}, now: Date = this.parts.clock.now()): string {
    const { assets, signer, publicUrl } = this.parts;
    if (isOriginal(wish)) return assets.signedUrl(asset, now);
    const spec = specText(renditionSpec(asset, wish));
    return publicUrl().replace(/\/+$/, '') + signedRenditionPath(signer, asset.id, spec, now);
  }

  /**
   * The rendition that an address was signed for, drawn if it is not kept yet; null for everything else, without saying why.
   * @throws RenditionsBusy, DamagedAsset when the original is, PictureError when it cannot be decoded.
   */
  async bySignature(
    assetId: string,
    text: string,
    signature: Signature,
  ): Promise<{ readonly rendition: Rendition; readonly secondsLeft: number } | null> {
    const { signer, clock } = this.parts;
    const left = renditionSecondsLeft(signer, assetId, text, signature, clock.now());
    const spec = left === null ? null : readSpec(text);
    if (left === null || spec === null) return null;
    const rendition = (await this.#kept(assetId, text)) ?? (await this.#drawn(assetId, spec, text));
    return rendition && { rendition, secondsLeft: left };
  }

  /** The picture's bytes. The caller must read or destroy the stream. */
  open(rendition: Pick<Rendition, 'storageKey'>, range?: ByteRange): Promise<Readable> {
    return this.parts.storage.open(rendition.storageKey, range);
  }

  /** One that is kept whole. One that lost its bytes is forgotten: it can be drawn again. */
  async #kept(assetId: string, text: string): Promise<Rendition | null> {
    const { db, store, storage } = this.parts;
    const kept = await store.find(db, assetId, text);
    if (!kept || (await storage.size(kept.storageKey)) === kept.byteCount) return kept;
    await store.delete(db, kept.storageKey);
    await storage.delete(kept.storageKey);
    return null;
  }

  async #drawn(assetId: string, spec: RenditionSpec, text: string): Promise<Rendition | null> {
    const key = `${assetId}/${text}`;
    let drawing = this.#underWay.get(key);
    if (!drawing) {
      drawing = this.#turns
        .execute(async () => (await this.#kept(assetId, text)) ?? (await this.#draw(assetId, spec)))
        .catch((error: unknown) => {
          throw error instanceof BulkheadRejectedError ? new RenditionsBusy() : error;
        })
        .finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, drawing);
    }
    return orBusy(drawing, this.#limits.waitMs);
  }

  /** Bytes first, then the row: what a crash leaves between the two is swept. */
  async #draw(assetId: string, spec: RenditionSpec): Promise<Rendition | null> {
    const { db, store, assets, storage, clock } = this.parts;
    const asset = await assets.forDelivery(assetId);
    if (!asset) return null;
    const { bytes, sha256 } = await drawRendition(await assets.read(asset), asset, spec);
    const storageKey = newId('rendition');
    const rendition = { ...spec, assetId, storageKey, byteCount: bytes.length, sha256, madeAt: clock.now() };
    await storage.put(storageKey, bytes);
    const { inserted, evicted } = await store.insert(db, rendition, RENDITIONS_KEPT_MAX);
    await this.#deleteBytes(inserted ? evicted : [storageKey, ...evicted]);
    return inserted ? rendition : store.find(db, assetId, specText(spec));
  }

  async #deleteBytes(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.parts.storage.delete(key);
  }
}

async function orBusy<T>(work: Promise<T>, waitMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new RenditionsBusy()), waitMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
