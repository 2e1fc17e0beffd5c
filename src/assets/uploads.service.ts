import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { DomainError, notFound, tooMany } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { RateLimiter } from '../platform/rate-limiter.ts';
import type { Signer } from '../platform/signer.ts';
import type { Asset, FinishedPicture } from './asset.ts';
import type { AssetsService } from './assets.service.ts';
import { type BodyLimits, BodyTooLong, type Inbox } from './inbox.ts';
import { admitFile, INTAKE_BYTES_MAX, IntakeRefusal, type IntakeWay, tooLarge } from './intake.ts';
import type { Signature } from './signed-path.ts';
import type { StorageUses } from './storage-use.service.ts';
import { type Upload, UploadProblem } from './upload.ts';
import { signedUploadPath, uploadSecondsLeft } from './upload-url.ts';
import type { UploadsStore } from './uploads.store.ts';

export const UPLOAD_LIFETIME_MS = 15 * 60_000;
/** What one account may decode in a minute is shared by all, so nobody gets more than a whole album in it. */
export const UPLOADS_PER_MINUTE = 120;
/** Uploads of one account that wait for their pictures at the same time. */
export const UPLOADS_PENDING_MAX = 100;

/** Two minutes for the largest picture, which is 1.8 Mbit/s; whoever stays below 16 kB/s for ten seconds is cut off. */
export const UPLOAD_BODY_LIMITS: BodyLimits = {
  bytesMax: INTAKE_BYTES_MAX,
  timeMaxMs: 2 * 60_000,
  paceMs: 10_000,
  paceBytesMin: 160_000,
};

/** Longer than a body may take and a picture waits to be decoded. Only after a crash does a claim last until its end. */
const CLAIM_MS = 5 * 60_000;
/** How long an upload that is over can still be asked about. */
const KEPT_MS = 24 * 60 * 60_000;
const SWEEP_BATCH = 1_000;

const WAY: IntakeWay = { field: 'body', again: 'This upload is over: create another one for it.' };

export interface UploadsParts {
  readonly db: Db;
  readonly store: UploadsStore;
  readonly assets: AssetsService;
  readonly storageUses: StorageUses;
  readonly inbox: Inbox;
  readonly limiter: RateLimiter;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly log: Log;
  /** Where clients reach us. Asked each time, because the port may be known only after listening. */
  readonly publicUrl: () => string;
}

export interface UploadBody {
  readonly stream: Readable;
  /** What the sender says it will be long; null where it does not say. */
  readonly declaredBytes: number | null;
}

interface Claim {
  readonly id: string;
  readonly accountId: string;
  readonly storageMax: number | null;
  /** Nobody else has it. */
  readonly token: string;
}

/** Pictures that users send: a signed address that takes one, once. */
export class Uploads {
  constructor(
    private readonly parts: UploadsParts,
    private readonly limits: BodyLimits = UPLOAD_BODY_LIMITS,
  ) {}

  /**
   * Reserves a place in the library of an account that may keep so many bytes.
   * @throws TOO_MANY_REQUESTS when there are too many of the account's in a minute, or waiting; STORAGE_FULL
   */
  async create(accountId: string, storageMax: number): Promise<Upload> {
    const { db, store, clock, limiter, storageUses } = this.parts;
    await storageUses.check(accountId, storageMax);
    const rate = await limiter.take(accountId, UPLOADS_PER_MINUTE);
    if (!rate.allowed) throw tooMany('uploads', rate);
    const now = clock.now();
    // Whole seconds, because that is what the address says.
    const expiresAt = new Date(Math.floor((now.getTime() + UPLOAD_LIFETIME_MS) / 1000) * 1000);
    const upload: Upload = { id: newId('asset'), accountId, status: 'PENDING', expiresAt, storageMax, rejection: null };
    if (await inTransaction(db, (tx) => store.insert(tx, upload, now, UPLOADS_PENDING_MAX))) return upload;
    const resetsAt = (await store.firstExpiry(db, accountId, now)) ?? now;
    throw new DomainError(
      'TOO_MANY_REQUESTS',
      `${UPLOADS_PENDING_MAX} uploads of this account wait for their pictures, and no more may. Nothing was created and nothing was charged. Send pictures to those, or try again after ${resetsAt.toISOString()}, when the first of them expires.`,
      { limit: UPLOADS_PENDING_MAX, resetsAt },
    );
  }

  /** @throws NOT_FOUND, also for another account's. */
  async get(accountId: string, id: string): Promise<Upload> {
    const upload = await this.parts.store.find(this.parts.db, accountId, id);
    if (!upload) throw notFound('upload', id);
    return upload;
  }

  /** Where the picture is to be sent. Whoever holds the address may send it. */
  signedUrl({ id, expiresAt }: Pick<Upload, 'id' | 'expiresAt'>): string {
    return this.parts.publicUrl().replace(/\/+$/, '') + signedUploadPath(this.parts.signer, id, expiresAt);
  }

  /**
   * Takes a picture in at an address that we signed. What is wrong with the picture ends the upload; everything else lets
   * it be tried again until the address expires.
   * @throws IntakeRefusal, UploadProblem; any other error is ours.
   */
  async receive(id: string, signature: Signature, body: UploadBody, signal: AbortSignal): Promise<Asset> {
    const claim = await this.#claim(id, signature);
    try {
      return await this.#keep(claim, await this.#admit(body, signal));
    } catch (error) {
      await this.#giveUp(claim, error);
      throw error;
    }
  }

  /** Forgets uploads that were over long ago. Pictures that they brought stay. */
  async sweep(): Promise<void> {
    const { db, store, clock } = this.parts;
    const olderThan = new Date(clock.now().getTime() - KEPT_MS);
    while ((await store.deleteExpired(db, olderThan, SWEEP_BATCH)) === SWEEP_BATCH);
  }

  async #claim(id: string, signature: Signature): Promise<Claim> {
    const { db, store, signer, clock } = this.parts;
    const now = clock.now();
    const left = uploadSecondsLeft(signer, id, signature, now);
    if (left === null) {
      const message = 'This address is not valid. Ask the API for the url of the upload and use it as it is.';
      throw new UploadProblem('FORBIDDEN', message);
    }
    if (left <= 0) throw EXPIRED();
    const token = randomUUID();
    const claimed = await store.claim(db, id, token, now, new Date(now.getTime() + CLAIM_MS));
    if (!claimed) throw whyNotTaken(await store.signedFor(db, id));
    return { id, accountId: claimed.accountId, storageMax: claimed.storageMax, token };
  }

  async #admit({ stream, declaredBytes }: UploadBody, signal: AbortSignal): Promise<FinishedPicture> {
    if (declaredBytes !== null && declaredBytes > this.limits.bytesMax) throw tooLarge(WAY, declaredBytes);
    try {
      return await this.parts.inbox.receive(stream, this.limits, signal, (path) => admitFile(path, WAY));
    } catch (error) {
      throw error instanceof BodyTooLong ? tooLarge(WAY, null) : error;
    }
  }

  /** Under a key of its own for each try: one that failed half-way cannot be in the way of the next. */
  async #keep({ id, accountId, storageMax, token }: Claim, picture: FinishedPicture): Promise<Asset> {
    const { db, store, assets, storageUses } = this.parts;
    const stored = await assets.storeBytes(picture);
    return inTransaction(db, async (tx) => {
      if (!(await store.finish(tx, id, token))) throw BUSY();
      const asset = await assets.insertInput(tx, { ...stored, id, accountId });
      if (storageMax !== null) await storageUses.check(accountId, storageMax, tx);
      return asset;
    });
  }

  async #giveUp({ id, token }: Claim, error: unknown): Promise<void> {
    const { db, store, log } = this.parts;
    try {
      if (error instanceof IntakeRefusal) await store.reject(db, id, token, error.reason, error.message);
      else await store.release(db, id, token);
    } catch (failure) {
      log.warn({ err: failure, uploadId: id }, 'an upload could not be given back, and waits until its claim ends');
    }
  }
}

function whyNotTaken(upload: Upload | null): UploadProblem {
  if (upload?.status === 'READY') {
    return new UploadProblem('USED', 'This upload has its picture already. Create another upload for another one.');
  }
  if (upload?.status === 'REJECTED') {
    return new UploadProblem('USED', `This upload is over, because of what came first. ${upload.rejection?.message}`);
  }
  // Swept, or expired in this very moment.
  return upload === null ? EXPIRED() : BUSY();
}

const EXPIRED = () => new UploadProblem('EXPIRED', 'This upload has expired. Create another one.');
const BUSY = () =>
  new UploadProblem('BUSY', 'Another request is sending to this upload now. Ask the API how the upload stands.');
