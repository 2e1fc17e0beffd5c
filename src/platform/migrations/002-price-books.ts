import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const priceBooks: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    // The document is kept as the text that was published, so that what is shown later is what was decided.
    await sql`
      create table price_books (
        version integer primary key,
        effective_at timestamptz not null,
        document text not null,
        published_by text,
        published_at timestamptz not null
      )`.execute(db);
    await sql`create sequence price_books_version start 2 owned by price_books.version`.execute(db);
    await sql`alter table price_books alter version set default nextval('price_books_version')`.execute(db);
  },
};
