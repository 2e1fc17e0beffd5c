import { createHash, randomBytes } from 'node:crypto';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { badInput, DomainError, notFound } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/database.ts';
import type { EventBus } from '../platform/events.ts';
import { newId } from '../platform/ids.ts';
import type { Account, ApiKey, LimitOverrides, Role, Viewer } from './account.ts';
import type { AccountsStore } from './accounts.store.ts';

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

/** A new key in clear, shown once; only its hash is kept. */
export interface IssuedKey {
  readonly key: ApiKey;
  readonly secret: string;
}

export class Accounts {
  readonly #viewers: LRUCache<string, { viewer: Viewer | null }>;
  readonly #lookups: DataLoader<string, Viewer | null>;
  readonly #unsubscribe: () => void;
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
    this.#unsubscribe = events.subscribe(CHANNEL, () => {
      this.#changes += 1;
      this.#viewers.clear();
    });
  }

  stop(): void {
    this.#unsubscribe();
  }

  /**
   * Who holds this key.
   * @throws UNAUTHENTICATED in the same words for a malformed, unknown or revoked key.
   */
  async authenticate(secret: string): Promise<Viewer> {
    const viewer = KEY_FORM.test(secret) ? await this.#viewerByHash(hashOf(secret)) : null;
    if (!viewer) {
      throw new DomainError(
        'UNAUTHENTICATED',
        'This API key is not valid. Send a valid one as "Authorization: Bearer <key>".',
      );
    }
    return viewer;
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

  /** Issues a key. Its secret cannot be shown again. */
  async issueKey(accountId: string, label: string, tx?: Tx): Promise<IssuedKey> {
    if (label.length < 1 || label.length > NAME_LENGTH_MAX)
      throw badInput('label', label, `1 to ${NAME_LENGTH_MAX} characters`);
    const secret = KEY_PREFIX + randomBytes(32).toString('base64url');
    const key: ApiKey = { id: newId('key'), accountId, label, createdAt: this.clock.now(), revokedAt: null };
    await this.store.insertKey(key, hashOf(secret), tx);
    return { key, secret };
  }

  /** @throws NOT_FOUND for a key that never existed or no longer worked. */
  async revokeKey(id: string): Promise<void> {
    const accountId = await this.store.revokeKey(id, this.clock.now());
    if (accountId === null) throw notFound('API key that still works', id);
    this.announceChange();
  }
}

/** Keys are 256 random bits, so a plain hash is enough: there is nothing to guess and nothing to salt. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
