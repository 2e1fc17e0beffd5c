import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';

/** Models by how many of a hundred pictures they have drawn; the last is hardly ever used. */
const MODELS = [
  ['stability', 'stability/core', 'STANDARD', 40],
  ['wavespeed', 'wavespeed/qwen-image', 'DRAFT', 25],
  ['stability', 'stability/ultra', 'PREMIUM', 15],
  ['huggingface', 'huggingface/flux-dev', 'STANDARD', 12],
  ['gemini', 'gemini/nano-banana', 'STANDARD', 7.8],
  ['gemini', 'gemini/pro', 'PREMIUM', 0.2],
] as const;

/** What lists are filtered by, each with how much of a library it matches. */
export const FREQUENT = { tag: 'spring', alsoTag: 'poster', word: 'lighthouse', model: 'stability/core' } as const;
export const RARE = { tag: 'passport', word: 'zeppelin', model: 'gemini/pro' } as const;

const WORDS = Array.from({ length: 2_000 }, (_, number) => `word${number.toString(36)}`);
const TAGS = Array.from({ length: 300 }, (_, number) => `tag ${number}`);
const CREATED_FROM = Date.UTC(2028, 0, 1);
const CREATED_DAYS = 700;
const DAY_MS = 86_400_000;
const ROWS_A_STATEMENT = 1_000;

/** Chance that is the same in every run, and cheap enough for millions of draws. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }

  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** True for so many of a hundred. */
  percent(share: number): boolean {
    return this.next() * 100 < share;
  }

  /** The first far more often than the last. */
  skewed<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.next() ** 3 * choices.length)] as T;
  }
}

export interface FilledLibrary {
  readonly accountId: string;
  /** Oldest first. */
  readonly assetIds: readonly string[];
  /** The largest first. */
  readonly collectionIds: readonly string[];
}

export interface LibrarySize {
  readonly assets: number;
  readonly collections: number;
}

/** Fills the library of an account as years of use would: all kinds of assets, chains of edits, tags and collections. */
export async function fillLibrary(db: Db, accountId: string, size: LibrarySize): Promise<FilledLibrary> {
  const dice = new Dice(size.assets);
  const assetIds: string[] = [];
  const tagged: object[] = [];
  const rows: ReturnType<typeof assetRow>[] = [];
  for (let number = 0; number < size.assets; number++) {
    const row = assetRow(dice, accountId, number / size.assets, assetIds);
    rows.push(row);
    assetIds.push(row.id);
    for (const tag of tagsOf(dice))
      tagged.push({ account_id: accountId, tag, asset_id: row.id, created_at: row.created_at });
  }
  const collections = Array.from({ length: size.collections }, (_, number) => ({
    id: newId('collection'),
    account_id: accountId,
    name: `collection ${number}`,
    created_at: new Date(CREATED_FROM + number * 60_000),
  }));
  const collectionIds = collections.map(({ id }) => id);
  const members = rows.flatMap(({ id, created_at }) =>
    dice.percent(50) && collectionIds.length > 0
      ? [{ collection_id: dice.skewed(collectionIds), asset_id: id, added_at: new Date(CREATED_FROM), created_at }]
      : [],
  );
  // What an account keeps is counted row by row in one row, which within one statement becomes slower with each.
  await sql`alter table assets disable trigger assets_kept`.execute(db);
  await insertRows(db, 'assets', rows);
  await sql`alter table assets enable trigger assets_kept`.execute(db);
  await sql`
    insert into storage_use (account_id, assets, bytes)
    select account_id, count(*), sum(bytes) from assets where account_id = ${accountId} group by account_id`.execute(
    db,
  );
  await insertRows(db, 'asset_tags', tagged);
  await insertRows(db, 'collections', collections);
  await insertRows(db, 'collection_assets', members);
  return { accountId, assetIds, collectionIds };
}

function assetRow(dice: Dice, accountId: string, age: number, earlier: readonly string[]) {
  const isInput = dice.percent(5);
  const [provider, model, quality] = isInput ? [null, null, null] : pickModel(dice);
  const parentId = !isInput && dice.percent(40) ? (earlier[earlier.length - 1 - dice.below(50)] ?? null) : null;
  const id = newId('asset');
  const createdAt = new Date(CREATED_FROM + Math.floor(age * CREATED_DAYS * DAY_MS));
  return {
    id,
    account_id: accountId,
    kind: isInput ? 'INPUT' : 'OUTPUT',
    operation: isInput ? null : parentId === null ? 'GENERATE' : dice.skewed(['EDIT', 'OPTIMIZE', 'UPSCALE']),
    provider,
    model,
    quality,
    prompt: isInput ? null : promptOf(dice),
    title: dice.percent(30) ? `${dice.skewed(WORDS)} ${dice.skewed(WORDS)}` : null,
    favourite: dice.percent(2),
    width: 1_024,
    height: 1_024,
    bytes: 100_000 + dice.below(3_000_000),
    content_type: 'image/png',
    sha256: createHash('sha256').update(id).digest('hex'),
    storage_key: `key of ${id}`,
    input_hash: `hash ${dice.below(50_000)}`,
    job_id: isInput ? null : newId('job'),
    image_id: isInput ? null : newId('image'),
    parent_id: parentId,
    credits: isInput ? 0 : 500 * (1 + dice.below(28)),
    price_version: isInput ? null : 1,
    created_at: createdAt,
    deleted_at: dice.percent(2) ? new Date(createdAt.getTime() + DAY_MS) : null,
  };
}

function pickModel(dice: Dice): readonly [string, string, string] {
  let left = dice.next() * 100;
  for (const [provider, model, quality, share] of MODELS) {
    left -= share;
    if (left < 0) return [provider, model, quality];
  }
  return ['gemini', 'gemini/pro', 'PREMIUM'];
}

function promptOf(dice: Dice): string {
  const words = Array.from({ length: 12 }, () => dice.skewed(WORDS));
  if (dice.percent(30)) words.push(FREQUENT.word);
  if (dice.percent(0.02)) words.push(RARE.word);
  return words.join(' ');
}

function tagsOf(dice: Dice): Set<string> {
  const tags = Array.from({ length: dice.below(3) }, () => dice.skewed(TAGS));
  if (dice.percent(30)) tags.push(FREQUENT.tag);
  if (dice.percent(40)) tags.push(FREQUENT.alsoTag);
  if (dice.percent(0.03)) tags.push(RARE.tag);
  return new Set(tags);
}

/** Writes rows of the columns that the first of them has. */
export async function insertRows(db: Db, table: string, rows: readonly object[]): Promise<void> {
  const columns = sql.join(Object.keys(rows[0] ?? {}).map((name) => sql.ref(name)));
  for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT) {
    const json = JSON.stringify(rows.slice(at, at + ROWS_A_STATEMENT));
    await sql`
      insert into ${sql.table(table)} (${columns})
      select ${columns} from json_populate_recordset(null::${sql.table(table)}, ${json}::json)`.execute(db);
  }
}
