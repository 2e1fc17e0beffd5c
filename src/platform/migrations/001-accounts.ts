import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const accounts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table accounts (
        id text collate "C" primary key,
        name text not null,
        role text not null check (role in ('CUSTOMER', 'OPERATOR')),
        tier text not null,
        next_tier text,
        limits jsonb not null default '{}',
        created_at timestamptz not null
      )`.execute(db);
    await sql`
      create table api_keys (
        id text collate "C" primary key,
        account_id text collate "C" not null references accounts (id),
        hash text not null unique,
        label text not null,
        created_at timestamptz not null,
        revoked_at timestamptz
      )`.execute(db);
    await sql`create index api_keys_account on api_keys (account_id)`.execute(db);
  },
};
