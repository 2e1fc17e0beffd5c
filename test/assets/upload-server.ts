import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type FastifyInstance, fastify } from 'fastify';
import { pino } from 'pino';
import type { Asset } from '../../src/assets/asset.ts';
import { type BodyLimits, Inbox } from '../../src/assets/inbox.ts';
import { StorageUses } from '../../src/assets/storage-use.service.ts';
import { StorageUseStore } from '../../src/assets/storage-use.store.ts';
import type { Upload } from '../../src/assets/upload.ts';
import { uploadReception } from '../../src/assets/upload-reception.ts';
import { UPLOAD_BODY_LIMITS, Uploads } from '../../src/assets/uploads.service.ts';
import { UploadsStore } from '../../src/assets/uploads.store.ts';
import type { Db } from '../../src/platform/database.ts';
import { RateLimiter } from '../../src/platform/rate-limiter.ts';
import { TestLibrary } from './library.ts';

/** The real service with a library of its own, which takes pictures on a real port. */
export class UploadServer {
  readonly app: FastifyInstance = fastify({ forceCloseConnections: 'idle' });

  private constructor(
    readonly library: TestLibrary,
    readonly uploads: Uploads,
    readonly store: UploadsStore,
    readonly inboxFolder: string,
    readonly logged: readonly { readonly level: number; readonly msg: string }[],
  ) {}

  static async start(db: Db, limits: Partial<BodyLimits> = {}): Promise<UploadServer> {
    const library = await TestLibrary.on(db);
    const inboxFolder = join(library.folder, '.inbox');
    const logged: { level: number; msg: string }[] = [];
    const log = pino({ base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) });
    const store = new UploadsStore();
    const parts = {
      db,
      store,
      assets: library.service,
      storageUses: new StorageUses(db, new StorageUseStore()),
      inbox: await Inbox.open(inboxFolder),
      limiter: new RateLimiter('uploads', null),
      signer: library.signer,
      clock: { now: () => library.now },
      log,
      publicUrl: () => library.publicUrl,
    };
    const uploads = new Uploads(parts, { ...UPLOAD_BODY_LIMITS, ...limits });
    const server = new UploadServer(library, uploads, store, inboxFolder, logged);
    await server.app.register(uploadReception(uploads, log));
    await server.app.listen({ port: 0, host: '127.0.0.1' });
    library.publicUrl = `http://127.0.0.1:${server.port}`;
    return server;
  }

  get port(): number {
    return (this.app.server.address() as AddressInfo).port;
  }

  /** Reserves a place for an account that may keep so many bytes. */
  create(accountId: string, storageMax = 1e9): Promise<Upload> {
    return this.uploads.create(accountId, storageMax);
  }

  /** Takes a picture in without HTTP in between. */
  receive(upload: Upload, bytes: Buffer | Readable): Promise<Asset> {
    const query = new URL(this.uploads.signedUrl(upload)).searchParams;
    const signature = { expires: query.get('expires') ?? '', signature: query.get('signature') ?? '' };
    const stream = Buffer.isBuffer(bytes) ? Readable.from([bytes]) : bytes;
    return this.uploads.receive(upload.id, signature, { stream, declaredBytes: null }, new AbortController().signal);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.library.close();
  }
}
