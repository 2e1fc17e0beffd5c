import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What has a tag or is in a collection is listed in the order in which it was stored, which an asset never changes: the
 * lists of members know it too, so that a page of a tag need not look at all that have it. Beside it, the index that lets
 * jobs be listed by status.
 */
export const libraryIndexes: Migration = {
  async up(db) {
    for (const [table, owner] of [
      ['asset_tags', sql`account_id, tag`],
      ['collection_assets', sql`collection_id`],
    ] as const) {
      await sql`alter table ${sql.table(table)} add column created_at timestamptz`.execute(db);
      await sql`
        update ${sql.table(table)} as m set created_at = assets.created_at from assets where assets.id = m.asset_id`.execute(
        db,
      );
      await sql`alter table ${sql.table(table)} alter column created_at set not null`.execute(db);
      await sql`
        create index ${sql.ref(`${table}_in_order`)} on ${sql.table(table)} (${owner}, created_at, asset_id)`.execute(
        db,
      );
    }
    await sql`create index jobs_by_status on jobs (account_id, status, id desc)`.execute(db);
  },
};
