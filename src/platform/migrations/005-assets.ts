import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The library. Ids sort by the time they were made, so paging is by id and needs bytewise collation. `image_id` is
 * unique: one image of a job makes one asset, however often its delivery is repeated. Listing indexes leave deleted
 * assets out, and there is one for each filter so that a rare model costs no walk through the whole library.
 */
export const assets: Migration = {
  async up(db) {
    await sql`
      create table assets (
        id text collate "C" primary key,
        account_id text not null,
        kind text not null check (kind in ('OUTPUT', 'INPUT')),
        operation text,
        provider text,
        model text,
        prompt text,
        negative_prompt text,
        seed bigint,
        width int not null check (width > 0),
        height int not null check (height > 0),
        bytes bigint not null check (bytes > 0),
        content_type text not null,
        sha256 text not null check (length(sha256) = 64),
        storage_key text not null unique,
        input_hash text,
        job_id text,
        image_id text unique,
        parent_id text collate "C",
        credits bigint not null default 0 check (credits >= 0),
        price_version int,
        created_at timestamptz not null,
        deleted_at timestamptz
      )`.execute(db);
    const live = sql`where deleted_at is null`;
    await sql`create index assets_newest on assets (account_id, id desc) ${live}`.execute(db);
    await sql`create index assets_by_operation on assets (account_id, operation, id desc) ${live}`.execute(db);
    await sql`create index assets_by_provider on assets (account_id, provider, id desc) ${live}`.execute(db);
    await sql`create index assets_by_model on assets (account_id, model, id desc) ${live}`.execute(db);
    await sql`create index assets_by_input on assets (account_id, input_hash, id desc) ${live}`.execute(db);
    await sql`create index assets_by_job on assets (job_id)`.execute(db);
  },

  async down(db) {
    await sql`drop table assets`.execute(db);
  },
};
