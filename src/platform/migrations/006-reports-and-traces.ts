import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Why a vendor turned an attempt down, so that one which only said "later" can be asked again; a vendor's own report of
 * a finished job, kept until whoever works on the image has read it; and the trace that a job belongs to, so that it
 * goes on in whichever process runs it.
 */
export const reportsAndTraces: Migration = {
  async up(db) {
    await sql`alter table job_attempts add column reason text, add column report jsonb`.execute(db);
    await sql`alter table jobs add column trace_parent text`.execute(db);
  },
};
