import { openPglite } from '../../src/platform/database.ts';
import { migrateAssets } from './library.ts';
import { assetsStoreSuite } from './store-suite.ts';

assetsStoreSuite('PGlite', async () => {
  const database = await openPglite(null);
  await migrateAssets(database);
  return database;
});
