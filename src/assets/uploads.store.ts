import { type Kysely, type Selectable, sql } from 'kysely';
import { type Db, lockUntilCommit, type Tx } from '../platform/database.ts';
import type { IntakeReason } from './intake.ts';
import type { Upload, UploadStatus } from './upload.ts';

type UploadTables = {
  uploads: {
    id: string;
    account_id: string;
    status: UploadStatus;
    created_at: Date;
    expires_at: Date;
    claim: string | null;
    claimed_until: Date | null;
    rejection_code: IntakeReason | null;
    rejection_message: string | null;
    storage_max: bigint | null;
  };
};

type Row = Selectable<UploadTables['uploads']>;

const NO_CLAIM = { claim: null, claimed_until: null } as const;

/**
 * SQL of uploads. Whoever receives the bytes of one holds a claim on it; the statements that begin and end a claim decide
 * by themselves, so that of several senders, in however many processes, one wins.
 */
export class UploadsStore {
  /** False, with nothing written, when as many uploads of the account are waiting as may. */
  async insert(tx: Tx, upload: Upload, createdAt: Date, pendingMax: number): Promise<boolean> {
    // Two inserts at once would not see each other's row.
    await lockUntilCommit(tx, `uploads of ${upload.accountId}`);
    const { rows } = await sql`
      insert into uploads (id, account_id, status, created_at, expires_at, storage_max)
      select ${upload.id}, ${upload.accountId}, ${upload.status}, ${createdAt}::timestamptz, ${upload.expiresAt}::timestamptz,
        ${upload.storageMax}::bigint
      where (
        select count(*) from uploads
        where account_id = ${upload.accountId} and status = 'PENDING' and expires_at > ${createdAt}
      ) < ${pendingMax}
      returning id`.execute(tx);
    return rows.length === 1;
  }

  /** When the first of the uploads that wait will wait no longer; null when none waits. */
  async firstExpiry(db: Db, accountId: string, now: Date): Promise<Date | null> {
    const row = await tables(db)
      .selectFrom('uploads')
      .select('expires_at')
      .where('account_id', '=', accountId)
      .where('status', '=', 'PENDING')
      .where('expires_at', '>', now)
      .orderBy('expires_at')
      .executeTakeFirst();
    return row?.expires_at ?? null;
  }

  async find(db: Db, accountId: string, id: string): Promise<Upload | null> {
    const row = await byId(db, id).where('account_id', '=', accountId).executeTakeFirst();
    return row ? uploadOf(row) : null;
  }

  /** By id alone: whoever asks holds an address that we signed for exactly this upload, and has no account to name. */
  async signedFor(db: Db, id: string): Promise<Upload | null> {
    const row = await byId(db, id).executeTakeFirst();
    return row ? uploadOf(row) : null;
  }

  /** Takes an upload that waits and that nobody else holds; null when there is no such one. */
  async claim(db: Db, id: string, claim: string, now: Date, until: Date): Promise<Upload | null> {
    const row = await tables(db)
      .updateTable('uploads')
      .set({ claim, claimed_until: until })
      .where('id', '=', id)
      .where('status', '=', 'PENDING')
      .where('expires_at', '>', now)
      .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<=', now)]))
      .returningAll()
      .executeTakeFirst();
    return row ? uploadOf(row) : null;
  }

  /** False, with nothing changed, when the claim was lost meanwhile; so for all that end one. */
  finish(tx: Tx, id: string, claim: string): Promise<boolean> {
    return this.#end(tx, id, claim, { status: 'READY' });
  }

  reject(db: Db, id: string, claim: string, code: IntakeReason, message: string): Promise<boolean> {
    return this.#end(db, id, claim, { status: 'REJECTED', rejection_code: code, rejection_message: message });
  }

  /** Lets the next one try. */
  release(db: Db, id: string, claim: string): Promise<boolean> {
    return this.#end(db, id, claim, {});
  }

  /** Forgets uploads that expired before `olderThan`, a bounded number of them, and answers how many those were. */
  async deleteExpired(db: Db, olderThan: Date, limit: number): Promise<number> {
    const { rows } = await sql`
      delete from uploads
      where id in (select id from uploads where expires_at < ${olderThan} order by expires_at limit ${limit})
      returning id`.execute(db);
    return rows.length;
  }

  async #end(db: Db | Tx, id: string, claim: string, change: Partial<Row>): Promise<boolean> {
    const ended = await tables(db)
      .updateTable('uploads')
      .set({ ...change, ...NO_CLAIM })
      .where('id', '=', id)
      .where('claim', '=', claim)
      .returning('id')
      .execute();
    return ended.length === 1;
  }
}

function tables(db: Db | Tx): Kysely<UploadTables> {
  return db.withTables<UploadTables>();
}

function byId(db: Db, id: string) {
  return tables(db).selectFrom('uploads').selectAll().where('id', '=', id);
}

function uploadOf(row: Row): Upload {
  const { rejection_code: code, rejection_message: message } = row;
  return {
    id: row.id,
    accountId: row.account_id,
    status: row.status,
    expiresAt: row.expires_at,
    storageMax: row.storage_max === null ? null : Number(row.storage_max),
    rejection: code !== null && message !== null ? { code, message } : null,
  };
}
