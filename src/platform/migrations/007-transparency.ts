import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Whether something shows through a picture: what an edit without a mask works on. Null where it was not measured. */
export const transparency: Migration = {
  async up(db) {
    await sql`alter table assets add column transparent boolean`.execute(db);
  },
};
