import DataLoader from 'dataloader';
import { DomainError, notFound } from '../errors.ts';
import { type Author, recordChange } from '../platform/audit-trail.ts';
import type { Clock } from '../platform/clock.ts';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import type { Viewer } from './account.ts';
import type { Accounts, IssuedKey } from './accounts.service.ts';
import { type ApiKey, checkExpiry, checkedScopes, checkOverlap, KEYS_MAX, type NewKey, works } from './api-key.ts';
import type { ApiKeysStore } from './api-keys.store.ts';

/** Who manages keys: an operator those of every account, a customer their own. */
export type Manager = Pick<Viewer, 'id' | 'keyId' | 'scopes'> & { readonly isOperator: boolean };

/** Issues, replaces and ends keys. Every change stands in the audit log; secrets and their hashes never do. */
export class ApiKeys {
  readonly #keys: DataLoader<string, readonly ApiKey[]>;

  constructor(
    private readonly db: Db,
    private readonly store: ApiKeysStore,
    private readonly accounts: Accounts,
    private readonly clock: Clock,
  ) {
    this.#keys = new DataLoader(
      async (accountIds) => {
        const found = Map.groupBy(
          await store.ofAccounts([...new Set(accountIds)], KEYS_MAX, clock.now()),
          (key) => key.accountId,
        );
        return accountIds.map((id) => found.get(id) ?? []);
      },
      { cache: false, maxBatchSize: 500, batchScheduleFn: setImmediate },
    );
  }

  /** At most a hundred: those that work first, the newest first among these. */
  ofAccount(accountId: string): Promise<readonly ApiKey[]> {
    return this.#keys.load(accountId);
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT, FORBIDDEN when the account has as many keys as it may */
  async create(accountId: string, wish: NewKey, by: Author): Promise<IssuedKey> {
    const now = this.clock.now();
    checkExpiry(wish.expiresAt, now);
    return inTransaction(this.db, async (tx) => {
      const { role } = await this.accounts.lock(tx, accountId);
      const issued = await this.#issue(tx, accountId, { ...wish, scopes: checkedScopes(wish.scopes, role) }, now);
      const { key } = issued;
      await recordChange(tx, { action: 'createApiKey', target: key.id, before: null, after: asWritten(key) }, by, now);
      return issued;
    });
  }

  /**
   * Issues a key in place of another, which goes on for `overlapSeconds`. The new one can do what the old one could and
   * ends when that would have: whoever has got hold of a key gains nothing by replacing it.
   * @throws NOT_FOUND for a key that is not there, does not work or has been replaced; FORBIDDEN, BAD_USER_INPUT
   */
  async rotate(id: string, overlapSeconds: number, manager: Manager, by: Author): Promise<IssuedKey> {
    checkOverlap(overlapSeconds);
    const issued = await inTransaction(this.db, async (tx) => {
      const now = this.clock.now();
      const old = await this.#lock(tx, id, manager, (key) => works(key, now) && key.replacedBy === null, MAY_ROTATE);
      const { label, scopes, accountId, expiresAt } = old;
      const overlapEnd = new Date(now.getTime() + overlapSeconds * 1_000);
      const oldEnd = expiresAt !== null && expiresAt < overlapEnd ? expiresAt : overlapEnd;
      await this.accounts.lock(tx, accountId);
      // Ended before the new one is issued: without an overlap it makes room for it.
      await this.store.update(tx, id, { expiresAt: oldEnd });
      const replacement = await this.#issue(tx, accountId, { label, scopes, expiresAt }, now);
      await this.store.update(tx, id, { replacedBy: replacement.key.id });
      const after = { ...asWritten({ ...old, expiresAt: oldEnd }), replacedBy: replacement.key.id };
      await recordChange(tx, { action: 'rotateApiKey', target: id, before: asWritten(old), after }, by, now);
      return replacement;
    });
    this.accounts.announceChange();
    return issued;
  }

  /** @throws NOT_FOUND for a key that never existed or no longer worked; FORBIDDEN */
  async revoke(id: string, manager: Manager, by: Author): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const now = this.clock.now();
      const key = await this.#lock(tx, id, manager, (found) => works(found, now), MAY_REVOKE);
      await this.store.update(tx, id, { revokedAt: now });
      const after = { ...asWritten(key), revokedAt: now };
      await recordChange(tx, { action: 'revokeApiKey', target: id, before: asWritten(key), after }, by, now);
    });
    this.accounts.announceChange();
  }

  /** A key of another account is answered as if there were none, whatever its scopes. */
  async #lock(
    tx: Tx,
    id: string,
    { id: accountId, scopes, isOperator }: Manager,
    fits: (key: ApiKey) => boolean,
    what: string,
  ): Promise<ApiKey> {
    const key = await this.store.lock(tx, id);
    if (!key || !(isOperator || key.accountId === accountId) || !fits(key)) throw notFound(what, id);
    // Whoever can do all that the key can may also end or replace it.
    const missing = key.scopes.filter((scope) => !scopes.includes(scope));
    if (!isOperator && missing.length > 0) {
      throw new DomainError(
        'FORBIDDEN',
        `Only a key that can do all that this one can may replace or revoke it, and yours lacks ${missing.join(' and ')}. Nothing was changed. Send a key with these scopes, or ask an operator.`,
        { requiredScope: missing[0], missingScopes: missing },
      );
    }
    return key;
  }

  /** The account must be locked, so that no two are counted past each other. */
  async #issue(tx: Tx, accountId: string, { label, ...wish }: NewKey, now: Date): Promise<IssuedKey> {
    const working = await this.store.countWorking(tx, accountId, now);
    if (working >= KEYS_MAX) {
      throw new DomainError(
        'FORBIDDEN',
        `The account has ${working} API keys that work, the most it may. Nothing was changed. Revoke one first.`,
        { limit: KEYS_MAX },
      );
    }
    return this.accounts.issueKey(accountId, label, { ...wish, tx });
  }
}

const MAY_REVOKE = 'API key that still works';
const MAY_ROTATE = 'API key that still works and has not been replaced';

/** A key as the audit log shows it. */
function asWritten({ accountId, label, scopes, expiresAt, revokedAt }: ApiKey) {
  return { accountId, label, scopes, expiresAt, revokedAt };
}
