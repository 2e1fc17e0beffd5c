import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Places in the library that wait for a picture from outside. The id is the one that the asset will have. `claim` is
 * whoever receives the bytes now, and holds until `claimed_until`, so that a process that dies gives the place back.
 * Beside it, the index that lets the library be listed by kind.
 */
export const uploads: Migration = {
  async up(db) {
    await sql`
      create table uploads (
        id text collate "C" primary key,
        account_id text not null,
        status text not null check (status in ('PENDING', 'READY', 'REJECTED')),
        created_at timestamptz not null,
        expires_at timestamptz not null,
        claim text,
        claimed_until timestamptz,
        rejection_code text,
        rejection_message text,
        check ((claim is null) = (claimed_until is null)),
        check ((status = 'REJECTED') = (rejection_code is not null)),
        check ((rejection_code is null) = (rejection_message is null))
      )`.execute(db);
    await sql`create index uploads_pending on uploads (account_id, expires_at) where status = 'PENDING'`.execute(db);
    await sql`create index uploads_expired on uploads (expires_at)`.execute(db);
    await sql`create index assets_by_kind on assets (account_id, kind, id desc) where deleted_at is null`.execute(db);
  },
};
