import { join } from 'node:path';
import { AssetLists } from './assets/asset-lists.service.ts';
import { AssetListsStore } from './assets/asset-lists.store.ts';
import { AssetsService } from './assets/assets.service.ts';
import { AssetsStore } from './assets/assets.store.ts';
import { Collections } from './assets/collections.service.ts';
import { CollectionsStore } from './assets/collections.store.ts';
import { Curation } from './assets/curation.service.ts';
import { CurationStore } from './assets/curation.store.ts';
import { Family } from './assets/family.service.ts';
import { FamilyStore } from './assets/family.store.ts';
import { Imports } from './assets/imports.service.ts';
import { Inbox } from './assets/inbox.ts';
import { Renditions } from './assets/renditions.service.ts';
import { RenditionsStore } from './assets/renditions.store.ts';
import { Retention } from './assets/retention.service.ts';
import { RetentionStore } from './assets/retention.store.ts';
import { DiskStorage } from './assets/storage.ts';
import { StorageUses } from './assets/storage-use.service.ts';
import { StorageUseStore } from './assets/storage-use.store.ts';
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
  const renditionsStore = new RenditionsStore();
  const renditions = new Renditions({ db, store: renditionsStore, assets, storage, signer, clock, publicUrl });
  const storageUses = new StorageUses(db, new StorageUseStore());
  const retention = new Retention(db, new RetentionStore(), renditionsStore, storage, clock, config.trashDays);
  const inbox = await Inbox.open(join(config.dataDir, 'inbox'));
  const uploads = new Uploads({
    db,
    store: new UploadsStore(),
    assets,
    storageUses,
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
    storageUses,
    // Not the one that calls the vendors, which may also call our own sandbox.
    outbound: opened(new Outbound({ allow: config.importAllow }), (part) => part.close()),
    limiter: new RateLimiter('imports', redis),
  });
  return {
    assets,
    renditions,
    lists: new AssetLists(db, new AssetListsStore()),
    curation: new Curation(db, new CurationStore(), retention, clock),
    collections: new Collections(db, new CollectionsStore(), assets, clock),
    family: new Family(db, new FamilyStore()),
    storageUses,
    retention,
    uploads,
    imports,
  };
}

export type Library = Awaited<ReturnType<typeof openLibrary>>;
