import { join } from 'node:path';
import { AssetsService } from './assets/assets.service.ts';
import { AssetsStore } from './assets/assets.store.ts';
import { Imports } from './assets/imports.service.ts';
import { Inbox } from './assets/inbox.ts';
import { Renditions } from './assets/renditions.service.ts';
import { RenditionsStore } from './assets/renditions.store.ts';
import { DiskStorage } from './assets/storage.ts';
import { Uploads } from './assets/uploads.service.ts';
import { UploadsStore } from './assets/uploads.store.ts';
import type { Config } from './config.ts';
import type { Opened } from './open-parts.ts';
import type { Clock } from './platform/clock.ts';
import type { Database } from './platform/database.ts';
import type { Log } from './platform/log.ts';
import { Outbound } from './platform/outbound.ts';
import { RateLimiter } from './platform/rate-limiter.ts';
import type { Signer } from './platform/signer.ts';

interface LibraryPlatform {
  readonly database: Database;
  readonly redis: ConstructorParameters<typeof RateLimiter>[1];
  readonly signer: Signer;
}

/** The library, with the ways by which pictures come in from outside. `publicUrl` is where clients reach us. */
export async function openLibrary(
  config: Config,
  { database: { db }, redis, signer }: LibraryPlatform,
  clock: Clock,
  log: Log,
  publicUrl: () => string,
  opened: Opened,
) {
  const storage = await DiskStorage.open(config.storage);
  const assets = new AssetsService({ db, store: new AssetsStore(), storage, signer, clock, publicUrl });
  const renditions = new Renditions({ db, store: new RenditionsStore(), assets, storage, signer, clock, publicUrl });
  const inbox = await Inbox.open(join(config.dataDir, 'inbox'));
  const uploads = new Uploads({
    db,
    store: new UploadsStore(),
    assets,
    inbox,
    limiter: new RateLimiter('uploads', redis),
    signer,
    clock,
    log,
    publicUrl,
  });
  const imports = new Imports({
    db,
    assets,
    // Not the one that calls the vendors, which may also call our own sandbox.
    outbound: opened(new Outbound({ allow: config.importAllow }), (part) => part.close()),
    limiter: new RateLimiter('imports', redis),
  });
  return { assets, renditions, uploads, imports };
}
