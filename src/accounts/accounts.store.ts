import { type SqlBool, sql } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import type { Account, LimitOverrides, Role, Viewer } from './account.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyTables } from './api-keys.tables.ts';

type AccountRow = {
  id: string;
  name: string;
  role: Role;
  tier: string;
  next_tier: string | null;
  limits: LimitOverrides;
  created_at: Date;
};

type AccountTables = ApiKeyTables & { accounts: AccountRow };

export class AccountsStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<AccountTables>();
  }

  /** The accounts behind key hashes, revoked keys left out and expired ones not. */
  async viewersByKeyHash(hashes: readonly string[]): Promise<Map<string, Viewer>> {
    const rows = await this.#db
      .selectFrom('api_keys as k')
      .innerJoin('accounts as a', 'a.id', 'k.account_id')
      .selectAll('a')
      .select(['k.id as key_id', 'k.hash', 'k.scopes', 'k.expires_at'])
      .where('k.hash', 'in', [...hashes])
      .where('k.revoked_at', 'is', null)
      .execute();
    return new Map(
      rows.map((row) => [
        row.hash,
        { ...toAccount(row), keyId: row.key_id, scopes: row.scopes, keyExpiresAt: row.expires_at },
      ]),
    );
  }

  async find(id: string): Promise<Account | null> {
    const row = await this.#db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst();
    return row ? toAccount(row) : null;
  }

  /** Locks the account until the transaction ends; keys may still be issued for it meanwhile. */
  async lock(tx: Tx, id: string): Promise<Account | null> {
    const row = await tx
      .withTables<AccountTables>()
      .selectFrom('accounts')
      .selectAll()
      .where('id', '=', id)
      .forNoKeyUpdate()
      .executeTakeFirst();
    return row ? toAccount(row) : null;
  }

  async count(): Promise<number> {
    const { count } = await this.#db
      .selectFrom('accounts')
      .select((eb) => eb.fn.countAll<bigint>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** Newest first, after the account `after` when given. What is searched for stands in the name as it is, or is the id. */
  async page(
    limit: number,
    { after, search, tier }: { after: string | null; search: string | null; tier: string | null },
  ): Promise<Account[]> {
    const rows = await this.#db
      .selectFrom('accounts')
      .selectAll()
      .$if(after !== null, (query) => query.where('id', '<', after))
      .$if(tier !== null, (query) => query.where('tier', '=', tier))
      .$if(search !== null, (query) =>
        query.where(sql<SqlBool>`(id = ${search} or strpos(lower(name), lower(${search}::text)) > 0)`),
      )
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(toAccount);
  }

  /** Every account of a development database, oldest first. */
  async first(limit: number): Promise<Account[]> {
    const rows = await this.#db.selectFrom('accounts').selectAll().orderBy('id').limit(limit).execute();
    return rows.map(toAccount);
  }

  async insert(tx: Tx, account: Account): Promise<void> {
    await tx
      .withTables<AccountTables>()
      .insertInto('accounts')
      .values({
        id: account.id,
        name: account.name,
        role: account.role,
        tier: account.tier,
        next_tier: account.nextTier,
        limits: JSON.stringify(account.limits) as unknown as LimitOverrides,
        created_at: account.createdAt,
      })
      .execute();
  }

  async update(
    tx: Tx,
    id: string,
    change: { tier?: string; nextTier?: string | null; limits?: LimitOverrides },
  ): Promise<void> {
    await tx
      .withTables<AccountTables>()
      .updateTable('accounts')
      .set({
        ...(change.tier !== undefined && { tier: change.tier }),
        ...(change.nextTier !== undefined && { next_tier: change.nextTier }),
        ...(change.limits !== undefined && { limits: JSON.stringify(change.limits) as unknown as LimitOverrides }),
      })
      .where('id', '=', id)
      .execute();
  }

  async insertKey(key: ApiKey, hash: string, tx?: Tx): Promise<void> {
    await (tx?.withTables<AccountTables>() ?? this.#db)
      .insertInto('api_keys')
      .values({
        id: key.id,
        account_id: key.accountId,
        hash,
        label: key.label,
        scopes: [...key.scopes],
        created_at: key.createdAt,
        expires_at: key.expiresAt,
        last_used_at: key.lastUsedAt,
        revoked_at: key.revokedAt,
        replaced_by: key.replacedBy,
      })
      .execute();
  }

  /** Notes when keys were last used, unless another process knows of a later time. */
  async noteUses(uses: ReadonlyMap<string, Date>): Promise<void> {
    const times = [...uses.values()].map((at) => at.toISOString());
    await sql`
      update api_keys set last_used_at = greatest(last_used_at, used.at)
      from unnest(${[...uses.keys()]}::text[], ${times}::timestamptz[]) as used (id, at)
      where api_keys.id = used.id`.execute(this.#db);
  }
}

function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    tier: row.tier,
    nextTier: row.next_tier,
    limits: row.limits,
    createdAt: row.created_at,
  };
}
