import { Curation } from '../../src/assets/curation.service.ts';
import { CurationStore } from '../../src/assets/curation.store.ts';
import { RenditionsStore } from '../../src/assets/renditions.store.ts';
import { Retention } from '../../src/assets/retention.service.ts';
import { RetentionStore } from '../../src/assets/retention.store.ts';
import type { TestLibrary } from './library.ts';

export const TRASH_DAYS = 30;

export function retentionOn(library: TestLibrary): Retention {
  return new Retention(
    library.db,
    new RetentionStore(),
    new RenditionsStore(),
    library.storage,
    { now: () => library.now },
    TRASH_DAYS,
  );
}

/** What people do with the pictures of that library. */
export function curationOn(library: TestLibrary): Curation {
  return new Curation(library.db, new CurationStore(), retentionOn(library), { now: () => library.now });
}
