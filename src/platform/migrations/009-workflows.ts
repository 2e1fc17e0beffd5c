import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Jobs of several steps: an image says which step it belongs to, what it works on and what size it comes to, and a job can
 * take free images of several providers.
 */
export const workflows: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      alter table job_images
        add column step integer not null default 0,
        add column run integer,
        add column width integer check (width > 0),
        add column height integer check (height > 0),
        add column format text,
        add column source_asset_id text collate "C",
        add column source_image_id text collate "C" references job_images (id),
        add column allowance text,
        add check (source_asset_id is null or source_image_id is null)`.execute(db);
    await sql`
      update job_images set run = index, width = (j.request->'size'->>'width')::int, height = (j.request->'size'->>'height')::int,
        allowance = case when from_allowance then h.allowance_provider end
      from jobs j join credit_holds h on h.id = j.hold_id where j.id = job_images.job_id`.execute(db);
    await sql`
      alter table job_images
        alter column run set not null, alter column width set not null, alter column height set not null,
        alter column step drop default, drop column from_allowance`.execute(db);
    await sql`alter table jobs drop column picture_hash`.execute(db);
    await sql`alter table credit_holds add column free_images jsonb not null default '{}'`.execute(db);
    await sql`
      update credit_holds set free_images = jsonb_build_object(allowance_provider, allowance_images)
      where allowance_images > 0`.execute(db);
    await sql`
      alter table credit_holds alter column free_images drop default,
        drop column allowance_provider, drop column allowance_images`.execute(db);
  },
};
