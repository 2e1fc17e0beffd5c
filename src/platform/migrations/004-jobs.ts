import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const jobs: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table jobs (
        id text collate "C" primary key,
        account_id text collate "C" not null,
        operation text not null,
        status text not null check (status in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED')),
        request jsonb not null,
        picture_hash text not null,
        hold_id text collate "C" not null unique references credit_holds (id),
        price_version integer not null,
        credits bigint not null,
        priority integer not null,
        running_max integer not null,
        created_at timestamptz not null,
        started_at timestamptz,
        finished_at timestamptz,
        lease_owner text,
        lease_until timestamptz,
        woken_at timestamptz not null
      )`.execute(db);
    await sql`create index jobs_account on jobs (account_id, id desc)`.execute(db);
    await sql`create index jobs_open on jobs (status, account_id) where status in ('QUEUED', 'RUNNING')`.execute(db);
    await sql`
      create table job_images (
        id text collate "C" primary key,
        job_id text collate "C" not null references jobs (id),
        index integer not null,
        status text not null check (status in ('WAITING', 'RUNNING', 'DELIVERED', 'FAILED', 'CANCELLED')),
        credits bigint not null,
        from_allowance boolean not null,
        asset_id text collate "C",
        failure_code text,
        failure_message text,
        finished_at timestamptz,
        unique (job_id, index),
        check ((status = 'DELIVERED') = (asset_id is not null))
      )`.execute(db);
    // A row is written before the vendor is called, so that after a crash it is known what may have been bought.
    await sql`
      create table job_attempts (
        id text collate "C" primary key,
        image_id text collate "C" not null references job_images (id),
        route_id text not null,
        vendor_id text,
        outcome text,
        message text,
        vendor_cost_micros bigint,
        started_at timestamptz not null,
        finished_at timestamptz
      )`.execute(db);
    await sql`create index job_attempts_image on job_attempts (image_id)`.execute(db);
    await sql`
      create table idempotency_keys (
        account_id text collate "C" not null,
        key text not null,
        input_hash text not null,
        job_id text not null,
        created_at timestamptz not null,
        primary key (account_id, key)
      )`.execute(db);
  },
};
