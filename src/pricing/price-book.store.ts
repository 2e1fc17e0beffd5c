import type { Generated } from 'kysely';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import type { PriceBookDocument } from './price-book.ts';

type PricingTables = {
  price_books: {
    version: Generated<number>;
    effective_at: Date;
    document: string;
    published_by: string | null;
    published_at: Date;
  };
  price_book_series: { id: string };
};

export interface ScheduledVersion {
  readonly version: number;
  readonly effectiveAt: Date;
}

export interface PriceBookRow extends ScheduledVersion {
  readonly document: PriceBookDocument;
  readonly publishedBy: string | null;
  readonly publishedAt: Date;
}

const SCHEDULED_MAX = 100;

/** Published versions; rows are never changed. */
export class PriceBookStore {
  readonly #db;

  constructor(private readonly db: Db) {
    this.#db = db.withTables<PricingTables>();
  }

  /** Names the versions of this database, and of no other. */
  async series(): Promise<string> {
    const { id } = await this.#db.selectFrom('price_book_series').select('id').executeTakeFirstOrThrow();
    return id;
  }

  /** The version in force at `now` and the next that are still to come, at most a hundred. */
  async schedule(now: Date): Promise<ScheduledVersion[]> {
    const rows = await this.#db
      .selectFrom('price_books')
      .select(['version', 'effective_at'])
      .where((eb) =>
        eb.or([
          eb('effective_at', '>', now),
          eb(
            'version',
            '=',
            eb
              .selectFrom('price_books')
              .select('version')
              .where('effective_at', '<=', now)
              .orderBy('effective_at', 'desc')
              .orderBy('version', 'desc')
              .limit(1),
          ),
        ]),
      )
      .orderBy('effective_at')
      .orderBy('version')
      .limit(SCHEDULED_MAX)
      .execute();
    return rows.map((row) => ({ version: row.version, effectiveAt: row.effective_at }));
  }

  async find(version: number): Promise<PriceBookRow | null> {
    const row = await this.#db.selectFrom('price_books').selectAll().where('version', '=', version).executeTakeFirst();
    return row ? toPriceBookRow(row) : null;
  }

  /** Newest first. */
  async history(first: number): Promise<PriceBookRow[]> {
    const rows = await this.#db.selectFrom('price_books').selectAll().orderBy('version', 'desc').limit(first).execute();
    return rows.map(toPriceBookRow);
  }

  /** Runs `work` in a transaction: what it inserts is published when that commits. */
  inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return inTransaction(this.db, work);
  }

  async insert(tx: Tx, row: Omit<PriceBookRow, 'version'>): Promise<number> {
    const inserted = await tx
      .withTables<PricingTables>()
      .insertInto('price_books')
      .values(toColumns(row))
      .returning('version')
      .executeTakeFirstOrThrow();
    return inserted.version;
  }

  /** Makes version 1 when there is none yet; harmless when many processes start at once. */
  async insertFirst(row: Omit<PriceBookRow, 'version'>): Promise<void> {
    await this.#db
      .insertInto('price_books')
      .values({ version: 1, ...toColumns(row) })
      .onConflict((conflict) => conflict.column('version').doNothing())
      .execute();
  }
}

function toColumns(row: Omit<PriceBookRow, 'version'>) {
  return {
    effective_at: row.effectiveAt,
    document: JSON.stringify(row.document),
    published_by: row.publishedBy,
    published_at: row.publishedAt,
  };
}

function toPriceBookRow(row: {
  version: number;
  effective_at: Date;
  document: string;
  published_by: string | null;
  published_at: Date;
}): PriceBookRow {
  return {
    version: row.version,
    effectiveAt: row.effective_at,
    document: JSON.parse(row.document) as PriceBookDocument,
    publishedBy: row.published_by,
    publishedAt: row.published_at,
  };
}
