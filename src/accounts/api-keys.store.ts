import { sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyRow, ApiKeyTables } from './api-keys.tables.ts';

/** The SQL of keys. Nothing that a secret could be guessed from comes out. */
export class ApiKeysStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<ApiKeyTables>();
  }

  /** As it is now, and locked until the transaction ends; null when there is no such key. */
  async lock(tx: Tx, id: string): Promise<ApiKey | null> {
    const row = await tx
      .withTables<ApiKeyTables>()
      .selectFrom('api_keys')
      .selectAll()
      .where('id', '=', id)
      .forNoKeyUpdate()
      .executeTakeFirst();
    return row ? toApiKey(row) : null;
  }

  async update(tx: Tx, id: string, change: { revokedAt?: Date; expiresAt?: Date; replacedBy?: string }): Promise<void> {
    await tx
      .withTables<ApiKeyTables>()
      .updateTable('api_keys')
      .set({
        ...(change.revokedAt !== undefined && { revoked_at: change.revokedAt }),
        ...(change.expiresAt !== undefined && { expires_at: change.expiresAt }),
        ...(change.replacedBy !== undefined && { replaced_by: change.replacedBy }),
      })
      .where('id', '=', id)
      .execute();
  }

  /** How many keys of the account work at `now`. */
  async countWorking(tx: Tx, accountId: string, now: Date): Promise<number> {
    const { count } = await tx
      .withTables<ApiKeyTables>()
      .selectFrom('api_keys')
      .select((eb) => eb.fn.countAll<bigint>().as('count'))
      .where('account_id', '=', accountId)
      .where('revoked_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** The keys of each account, at most `limit` of each: those that work at `now` first, and the newest first among these. */
  async ofAccounts(accountIds: readonly string[], limit: number, now: Date): Promise<ApiKey[]> {
    const { rows } = await sql<ApiKeyRow>`
      select * from (
        select k.*, row_number() over (
          partition by account_id
          order by (revoked_at is null and (expires_at is null or expires_at > ${now}::timestamptz)) desc, id desc) as place
        from api_keys k where account_id = any(${accountIds}::text[])) as numbered
      where place <= ${limit} order by account_id, place`.execute(this.#db);
    return rows.map(toApiKey);
  }
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    accountId: row.account_id,
    label: row.label,
    scopes: row.scopes,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    replacedBy: row.replaced_by,
  };
}
