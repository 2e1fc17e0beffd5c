import type { MigrationProvider } from 'kysely/migration';
import { accounts } from './001-accounts.ts';
import { priceBooks } from './002-price-books.ts';
import { ledger } from './003-ledger.ts';
import { jobs } from './004-jobs.ts';
import { assets } from './005-assets.ts';
import { reportsAndTraces } from './006-reports-and-traces.ts';
import { transparency } from './007-transparency.ts';
import { uploads } from './008-uploads.ts';
import { workflows } from './009-workflows.ts';
import { money } from './010-money.ts';
import { library } from './011-library.ts';
import { renditions } from './012-renditions.ts';
import { operators } from './013-operators.ts';
import { budgets } from './014-budgets.ts';
import { libraryIndexes } from './015-library-indexes.ts';

/** Every migration in its order. A published one is never changed; a change is a new one. */
export const migrations: MigrationProvider = {
  async getMigrations() {
    return {
      '001-accounts': accounts,
      '002-price-books': priceBooks,
      '003-ledger': ledger,
      '004-jobs': jobs,
      '005-assets': assets,
      '006-reports-and-traces': reportsAndTraces,
      '007-transparency': transparency,
      '008-uploads': uploads,
      '009-workflows': workflows,
      '010-money': money,
      '011-library': library,
      '012-renditions': renditions,
      '013-operators': operators,
      '014-budgets': budgets,
      '015-library-indexes': libraryIndexes,
    };
  },
};
