import { createHash, randomBytes } from 'node:crypto';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { badInput, DomainError, notFound } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { checkPageSize, readCursor } from '../platform/cursor.ts';
import type { Tx } from '../platform/database.ts';
import type { EventBus } from '../platform/events.ts';
import { newId } from '../platform/ids.ts';
import type { Account, LimitOverrides, Role, Viewer } from './account.ts';
import type { AccountsStore } from './accounts.store.ts';
import { type ApiKey, checkLabel, hasExpired, type NewKey } from './api-key.ts';
import { KeyUses } from './key-uses.ts';
import { CUSTOMER_SCOPES } from './scopes.ts';

const CHANNEL = 'accounts-changed';
/**
 * A change arrives by an event at once; a lost event is healed after this. Unknown keys are remembered as long, so that
 * a client that keeps sending one is no load for the database.
 */
const LIFETIME_MS = 1_000;
const VIEWERS_KEPT_MAX = 50_000;

const KEY_PREFIX = 'isg_';
const KEY_FORM = /^isg_[A-Za-z0-9_-]{43}$/;
const NAME_LENGTH_MAX = 200;

/** The name of the list of all accounts, which its cursors carry. */
export const ACCOUNTS_LIST = 'accounts';
export const SEARCH_LENGTH_MAX = 200;

/** A new key in clear, shown once; only its hash is kept. */
export interface IssuedKey {
  readonly key: ApiKey;
  readonly secret: string;
}

export interface IssueOptions extends Partial<Pick<NewKey, 'scopes' | 'expiresAt'>> {
  readonly tx?: Tx;
}

export class Accounts {
  readonly #viewers: LRUCache<string, { viewer: Viewer | null }>;
  readonly #lookups: DataLoader<string, Viewer | null>;
  readonly #unsubscribe: () => void;
  readonly #uses: KeyUses;
  /** Counts the changes heard of: what was looked up before one of them must not be remembered after it. */
  #changes = 0;

  constructor(
    private readonly store: AccountsStore,
    private readonly events: EventBus,
    private readonly clock: Clock,
  ) {
    this.#viewers = new LRUCache({
      max: VIEWERS_KEPT_MAX,
      ttl: LIFETIME_MS,
      ttlResolution: 0,
      perf: { now: () => clock.now().getTime() },
    });
    this.#lookups = new DataLoader(
      async (hashes) => {
        const found = await store.viewersByKeyHash([...new Set(hashes)]);
        return hashes.map((hash) => found.get(hash) ?? null);
      },
      { cache: false, maxBatchSize: 500 },
    );
    this.#uses = new KeyUses((uses) => store.noteUses(uses), clock);
    this.#unsubscribe = events.subscribe(CHANNEL, () => {
      this.#changes += 1;
      this.#viewers.clear();
    });
  }

  /** Done when what is known of the use of keys has been written. */
  stop(): Promise<void> {
    this.#unsubscribe();
    return this.#uses.stop();
  }

  /**
   * Who holds this key.
   * @throws UNAUTHENTICATED in the same words for a malformed, unknown, revoked or expired key.
   */
  async authenticate(secret: string): Promise<Viewer> {
    const viewer = KEY_FORM.test(secret) ? await this.#viewerByHash(hashOf(secret)) : null;
    if (!viewer) throw notAKey();
    this.checkExpiry(viewer);
    this.#uses.note(viewer.keyId);
    return viewer;
  }

  /** For whoever keeps a viewer for longer than a moment. @throws UNAUTHENTICATED once its key has expired. */
  checkExpiry({ keyExpiresAt }: Viewer): void {
    if (hasExpired({ expiresAt: keyExpiresAt }, this.clock.now())) throw notAKey();
  }

  async #viewerByHash(hash: string): Promise<Viewer | null> {
    const known = this.#viewers.get(hash);
    if (known) return known.viewer;
    const changes = this.#changes;
    const viewer = await this.#lookups.load(hash);
    if (changes === this.#changes) this.#viewers.set(hash, { viewer });
    return viewer;
  }

  /** @throws NOT_FOUND */
  async get(id: string): Promise<Account> {
    const account = await this.store.find(id);
    if (!account) throw notFound('account', id);
    return account;
  }

  /** As it is now, and locked until the transaction ends. @throws NOT_FOUND */
  async lock(tx: Tx, id: string): Promise<Account> {
    const account = await this.store.lock(tx, id);
    if (!account) throw notFound('account', id);
    return account;
  }

  /**
   * A page of all accounts, newest first.
   * @throws BAD_USER_INPUT for a page size out of range, a search too long, or a cursor that this list did not give out.
   */
  async list(wanted: {
    first: number;
    after: string | null;
    search: string | null;
    tier: string | null;
  }): Promise<{ items: Account[]; hasNextPage: boolean }> {
    const { first, search, tier } = wanted;
    checkPageSize(first);
    if (search !== null && search.length > SEARCH_LENGTH_MAX)
      throw badInput('search', search, `at most ${SEARCH_LENGTH_MAX} characters`);
    const after = wanted.after === null ? null : readCursor(ACCOUNTS_LIST, 'account', wanted.after);
    const found = await this.store.page(first + 1, { after, search: search?.trim() || null, tier });
    return { items: found.slice(0, first), hasNextPage: found.length > first };
  }

  count(): Promise<number> {
    return this.store.count();
  }

  first(limit: number): Promise<Account[]> {
    return this.store.first(limit);
  }

  async create(tx: Tx, account: { name: string; role: Role; tier: string; limits: LimitOverrides }): Promise<Account> {
    const name = account.name.trim();
    if (name.length < 1 || name.length > NAME_LENGTH_MAX)
      throw badInput('name', account.name, `1 to ${NAME_LENGTH_MAX} characters`);
    const { role, tier, limits } = account;
    const created = { id: newId('account'), name, role, tier, nextTier: null, limits, createdAt: this.clock.now() };
    await this.store.insert(tx, created);
    return created;
  }

  async update(
    tx: Tx,
    id: string,
    change: { tier?: string; nextTier?: string | null; limits?: LimitOverrides },
  ): Promise<void> {
    await this.store.update(tx, id, change);
  }

  /** Tells every process to look at accounts and keys anew; call it after the change is committed. */
  announceChange(): void {
    this.events.publish(CHANNEL, '');
  }

  /**
   * Issues a key, for everything that a customer may do unless its scopes are given. Its secret cannot be shown again.
   * Whoever issues one checks whether the account may have such a key.
   */
  async issueKey(accountId: string, label: string, { tx, ...wish }: IssueOptions = {}): Promise<IssuedKey> {
    checkLabel(label);
    const secret = KEY_PREFIX + randomBytes(32).toString('base64url');
    const key: ApiKey = {
      id: newId('key'),
      accountId,
      label,
      scopes: wish.scopes ?? CUSTOMER_SCOPES,
      createdAt: this.clock.now(),
      expiresAt: wish.expiresAt ?? null,
      lastUsedAt: null,
      revokedAt: null,
      replacedBy: null,
    };
    await this.store.insertKey(key, hashOf(secret), tx);
    return { key, secret };
  }
}

function notAKey(): DomainError {
  return new DomainError(
    'UNAUTHENTICATED',
    'This API key is not valid. Send a valid one as "Authorization: Bearer <key>".',
  );
}

/** Keys are 256 random bits, so a plain hash is enough: there is nothing to guess and nothing to salt. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
