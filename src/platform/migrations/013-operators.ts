import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What a key may be used for and until when, and what was changed by whom. Keys that exist keep everything they could do.
 * A change and its entry are written in one transaction; entries are never changed. Beside them, the indexes by time that
 * reports over a month need: both columns only ever grow and are written once.
 */
export const operators: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      alter table api_keys
        add column scopes text[] not null default '{ESTIMATE,RUN,LIBRARY}',
        add column expires_at timestamptz,
        add column last_used_at timestamptz,
        add column replaced_by text collate "C" references api_keys (id),
        add check (cardinality(scopes) > 0 and scopes <@ '{ESTIMATE,RUN,LIBRARY,OPERATOR}'::text[])`.execute(db);
    await sql`
      update api_keys set scopes = '{ESTIMATE,RUN,LIBRARY,OPERATOR}'
      from accounts where accounts.id = api_keys.account_id and accounts.role = 'OPERATOR'`.execute(db);
    await sql`alter table api_keys alter column scopes drop default`.execute(db);
    await sql`
      create table audit_entries (
        id text collate "C" primary key,
        position bigint generated always as identity unique,
        at timestamptz not null,
        account_id text collate "C",
        key_id text collate "C",
        action text not null,
        target text not null,
        before jsonb,
        after jsonb,
        request_id text,
        check (before is not null or after is not null)
      )`.execute(db);
    await sql`create index audit_entries_target on audit_entries (target, position)`.execute(db);
    await sql`
      create function refuse_audit_change() returns trigger language plpgsql as $$
      begin
        raise exception 'the audit log is append-only: what was done stays written';
      end $$`.execute(db);
    await sql`
      create trigger audit_entries_append_only before update or delete or truncate on audit_entries
      for each statement execute function refuse_audit_change()`.execute(db);
    await sql`create index jobs_created on jobs (created_at)`.execute(db);
    await sql`create index job_attempts_started on job_attempts (started_at)`.execute(db);
  },
};
