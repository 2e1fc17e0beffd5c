import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What people do with their pictures: titles, tags, favourites and collections, a search through the words, deletion that
 * can be undone, and how many bytes each account keeps.
 *
 * `search` holds the account as a word of its own, so that one index answers "these words in this account" without looking
 * at what other accounts have of them. Every list is sorted by a column and then by id, and each order and each filter has
 * an index that begins with the account, so that a page costs the same however large the library is.
 */
export const library: Migration = {
  async up(db) {
    await sql`
      alter table assets
        add column title text check (length(title) between 1 and 200),
        add column favourite boolean not null default false,
        add column quality text,
        add column purged_at timestamptz check (purged_at is null or deleted_at is not null),
        add column title_key text collate "C" generated always as (lower(coalesce(title, ''))) stored,
        add column search tsvector generated always as (
          array_to_tsvector(array[account_id])
            || to_tsvector('english'::regconfig, coalesce(title, '') || ' ' || coalesce(prompt, ''))
        ) stored`.execute(db);

    // Lists were sorted by id, which is made before a picture is kept; now they are by when it was kept.
    for (const name of ['newest', 'by_operation', 'by_provider', 'by_model', 'by_kind'])
      await sql`drop index ${sql.ref(`assets_${name}`)}`.execute(db);
    const live = sql`where deleted_at is null`;
    await sql`create index assets_newest on assets (account_id, created_at, id) ${live}`.execute(db);
    for (const column of ['kind', 'operation', 'provider', 'model', 'quality', 'favourite', 'parent_id'])
      await sql`
        create index ${sql.ref(`assets_by_${column}`)} on assets (account_id, ${sql.ref(column)}, created_at, id) ${live}`.execute(
        db,
      );
    for (const column of ['credits', 'bytes', 'title_key'])
      await sql`
        create index ${sql.ref(`assets_in_order_of_${column}`)} on assets (account_id, ${sql.ref(column)}, id) ${live}`.execute(
        db,
      );
    await sql`create index assets_search on assets using gin (search) ${live}`.execute(db);
    const inTrash = sql`where deleted_at is not null and purged_at is null`;
    await sql`create index assets_in_trash on assets (account_id, created_at, id) ${inTrash}`.execute(db);
    await sql`create index assets_to_purge on assets (deleted_at) ${inTrash}`.execute(db);

    await sql`
      create table asset_tags (
        account_id text collate "C" not null,
        tag text collate "C" not null check (length(tag) between 1 and 50),
        asset_id text collate "C" not null references assets (id),
        primary key (account_id, tag, asset_id)
      )`.execute(db);
    await sql`create index asset_tags_asset on asset_tags (asset_id)`.execute(db);
    await sql`
      create table collections (
        id text collate "C" primary key,
        account_id text collate "C" not null,
        name text not null check (length(name) between 1 and 200),
        cover_id text collate "C" references assets (id),
        created_at timestamptz not null
      )`.execute(db);
    await sql`create unique index collections_name on collections (account_id, lower(name))`.execute(db);
    await sql`
      create table collection_assets (
        collection_id text collate "C" not null references collections (id) on delete cascade,
        asset_id text collate "C" not null references assets (id),
        added_at timestamptz not null,
        primary key (collection_id, asset_id)
      )`.execute(db);
    await sql`create index collection_assets_asset on collection_assets (asset_id)`.execute(db);
    await sql`create index collection_assets_newest on collection_assets (collection_id, added_at, asset_id)`.execute(
      db,
    );
    await storageUse(db);
  },
};

/** How much each account keeps, counted as pictures come and go: a sum over a library would grow with it. */
async function storageUse(db: Parameters<Migration['up']>[0]): Promise<void> {
  await sql`
    create table storage_use (
      account_id text collate "C" primary key,
      assets bigint not null check (assets >= 0),
      bytes bigint not null check (bytes >= 0)
    )`.execute(db);
  await sql`
    insert into storage_use (account_id, assets, bytes)
    select account_id, count(*), sum(bytes) from assets where purged_at is null group by account_id`.execute(db);
  await sql`
    create function count_storage_use() returns trigger language plpgsql as $$
    begin
      insert into storage_use as mine (account_id, assets, bytes) values (new.account_id, 1, new.bytes)
      on conflict (account_id) do update set
        assets = mine.assets + case tg_op when 'INSERT' then 1 else -1 end,
        bytes = mine.bytes + case tg_op when 'INSERT' then new.bytes else -new.bytes end;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger assets_kept after insert on assets
    for each row execute function count_storage_use()`.execute(db);
  await sql`
    create trigger assets_purged after update of purged_at on assets
    for each row when (old.purged_at is null and new.purged_at is not null) execute function count_storage_use()`.execute(
    db,
  );
  // Whoever receives a picture by a signed address has no account to ask, so the place itself knows how much there may be.
  await sql`alter table uploads add column storage_max bigint`.execute(db);
}
