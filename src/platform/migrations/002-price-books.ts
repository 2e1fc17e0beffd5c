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
    // Names this database's versions: another database, or a new one in its place, has other prices under the same
    // numbers, and a cache beside it must never mix them up.
    await sql`create table price_book_series (id uuid primary key default gen_random_uuid())`.execute(db);
    await sql`insert into price_book_series default values`.execute(db);
    await sql`create sequence price_books_version start 2 owned by price_books.version`.execute(db);
    await sql`alter table price_books alter version set default nextval('price_books_version')`.execute(db);
    await sql`
      create function refuse_price_book_change() returns trigger language plpgsql as $$
      begin
        raise exception 'a published price book never changes: publish a new version';
      end $$`.execute(db);
    await sql`
      create trigger price_books_append_only before update or delete or truncate on price_books
      for each statement execute function refuse_price_book_change()`.execute(db);
  },
};
