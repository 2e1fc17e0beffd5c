import { ENGINES, freshDatabase } from '../support/databases.ts';
import { renditionsSuite } from './renditions-suite.ts';

for (const engine of ENGINES) renditionsSuite(engine, () => freshDatabase(engine));
