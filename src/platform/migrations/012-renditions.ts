import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Pictures derived from those of the library, made when first fetched. They can be made again at any time, so a row goes with
 * its asset; bytes that such a row owned are then swept.
 */
export const renditions: Migration = {
  async up(db) {
    await sql`
      create table renditions (
        asset_id text collate "C" not null references assets (id) on delete cascade,
        spec text collate "C" not null,
        storage_key text collate "C" not null unique,
        width int not null check (width > 0),
        height int not null check (height > 0),
        bytes bigint not null check (bytes > 0),
        content_type text not null,
        sha256 text not null check (length(sha256) = 64),
        made_at timestamptz not null,
        primary key (asset_id, spec)
      )`.execute(db);
  },
};
