import { ENGINES, freshDatabase } from '../support/databases.ts';
import { assetsStoreSuite } from './store-suite.ts';

for (const engine of ENGINES) assetsStoreSuite(engine, () => freshDatabase(engine));
