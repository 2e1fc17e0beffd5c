import type { Account, LimitOverrides, Role } from '../accounts/account.ts';
import type { Accounts, IssuedKey } from '../accounts/accounts.service.ts';
import { scopesOf } from '../accounts/api-key.ts';
import type { Balance } from '../credits/balance.ts';
import type { Credits, Terms } from '../credits/credits.service.ts';
import { badInput } from '../errors.ts';
import { type Author, recordChange, THE_PROGRAM } from '../platform/audit-trail.ts';
import type { Clock } from '../platform/clock.ts';
import { crashPoint } from '../platform/crash-points.ts';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import type { EventBus } from '../platform/events.ts';
import type { RateLimiter, RateLimitState } from '../platform/rate-limiter.ts';
import type { PriceBook, Tier } from '../pricing/price-book.ts';
import type { PriceBooks } from '../pricing/price-books.service.ts';
import { formatCredits } from '../pricing/prices.ts';
import { type Allowed, allowedFor, asTier, tierRank } from './tier.ts';

export const BALANCE_CHANNEL = (accountId: string) => `balance:${accountId}`;

const REASON_LENGTH_MAX = 200;
const OVERDUE_BATCH = 100;

export interface NewAccount {
  readonly name: string;
  readonly role: Role;
  readonly tier: Tier;
  readonly limits: LimitOverrides;
  /** Milli-credits that may be spent a period, or null for no cap. */
  readonly spendCap: bigint | null;
}

/** What accounts may do and what they are given for it: opens them, moves them through periods and between tiers. */
export class Tiers {
  constructor(
    private readonly db: Db,
    private readonly accounts: Accounts,
    private readonly credits: Credits,
    private readonly priceBooks: PriceBooks,
    private readonly submissions: RateLimiter,
    private readonly events: EventBus,
    private readonly clock: Clock,
  ) {}

  allowed(account: Account, book: PriceBook = this.priceBooks.current()): Allowed {
    return allowedFor(book, account.tier, account.limits);
  }

  /** How the account stands in the period of now; the first look after a period's end settles it. */
  async balance(account: Account): Promise<Balance> {
    const balance = await this.credits.balance(account.id);
    if (balance.periodEndsAt > this.clock.now()) return balance;
    await this.enterPeriod(account.id);
    return this.credits.balance(account.id);
  }

  /** Settles a period that is over and grants the next; a waiting downgrade begins here. Once, however many try. */
  async enterPeriod(accountId: string): Promise<void> {
    const { before, entered } = await inTransaction(this.db, async (tx) => {
      const before = await this.accounts.lock(tx, accountId);
      return { before, entered: await this.#enterPeriod(tx, before) };
    });
    if (entered === null) return;
    if (entered.tier !== before.tier) this.accounts.announceChange();
    this.events.publish(BALANCE_CHANNEL(accountId), '');
  }

  /**
   * Settles periods that are over of accounts that nobody has looked at. Nothing depends on it: whoever looks at an account
   * settles its period first.
   */
  async enterOverduePeriods(): Promise<void> {
    for (;;) {
      const overdue = await this.credits.overdue(this.clock.now(), OVERDUE_BATCH);
      for (const accountId of overdue) await this.enterPeriod(accountId);
      if (overdue.length < OVERDUE_BATCH) return;
    }
  }

  /** Opens an account with its books and its first key. */
  async open(
    wish: NewAccount,
    keyLabel: string,
    by: Author = THE_PROGRAM,
  ): Promise<{ account: Account; issued: IssuedKey }> {
    checkLimits(wish.limits);
    checkSpendCap(wish.spendCap);
    return inTransaction(this.db, async (tx) => {
      const account = await this.accounts.create(tx, wish);
      await this.credits.open(tx, {
        ...this.#termsOf(wish.tier),
        accountId: account.id,
        spendCap: wish.spendCap,
        openedAt: account.createdAt,
      });
      const issued = await this.accounts.issueKey(account.id, keyLabel, { scopes: scopesOf(account.role), tx });
      const { id, label, scopes } = issued.key;
      const { name, role } = account;
      const after = { name, role, ...termsAsWritten(account, wish.spendCap), key: { id, label, scopes } };
      const change = { action: 'createAccount', target: account.id, before: null, after };
      await recordChange(tx, change, by, account.createdAt);
      return { account, issued };
    });
  }

  /** Upgrades at once and grants the difference; a downgrade waits for the next period. Limits replace the old overrides. */
  async setTier(
    accountId: string,
    tier: Tier,
    limits: LimitOverrides | null,
    spendCap: bigint | null | undefined,
    by: Author = THE_PROGRAM,
  ): Promise<Account> {
    if (limits) checkLimits(limits);
    if (spendCap !== undefined) checkSpendCap(spendCap);
    await inTransaction(this.db, async (tx) => {
      const locked = await this.accounts.lock(tx, accountId);
      // A period that is over is settled first, so that what is granted now belongs to the one that is running.
      const account = (await this.#enterPeriod(tx, locked)) ?? locked;
      const { spendCap: capBefore } = await this.credits.locked(tx, accountId);
      if (limits !== null) await this.accounts.update(tx, accountId, { limits });
      if (spendCap !== undefined) await this.credits.setTerms(tx, accountId, { spendCap });
      await this.#moveTo(tx, account, tier);
      const change = {
        action: 'setTier',
        target: accountId,
        before: termsAsWritten(account, capBefore),
        after: termsAsWritten(await this.accounts.lock(tx, accountId), spendCap === undefined ? capBefore : spendCap),
      };
      await recordChange(tx, change, by, this.clock.now());
    });
    this.accounts.announceChange();
    this.events.publish(BALANCE_CHANNEL(accountId), '');
    return this.accounts.get(accountId);
  }

  /** Gives a top-up that does not expire. @throws NOT_FOUND, BAD_USER_INPUT */
  async topUp(accountId: string, amount: bigint, reason: string, by: Author = THE_PROGRAM): Promise<Account> {
    if (amount <= 0n) throw badInput('credits', formatCredits(amount), 'more than 0');
    if (reason.length < 1 || reason.length > REASON_LENGTH_MAX)
      throw badInput('reason', reason, `1 to ${REASON_LENGTH_MAX} characters`);
    const account = await this.accounts.get(accountId);
    const now = this.clock.now();
    await inTransaction(this.db, async (tx) => {
      const { topup: before } = await this.credits.locked(tx, accountId);
      await this.credits.grant(tx, accountId, 'topup', amount, reason, now);
      const change = {
        action: 'grantCredits',
        target: accountId,
        before: { topup: formatCredits(before) },
        after: { topup: formatCredits(before + amount), granted: formatCredits(amount), reason },
      };
      await recordChange(tx, change, by, now);
    });
    this.events.publish(BALANCE_CHANNEL(accountId), '');
    return account;
  }

  /** How many submissions are left this minute, without using one up. */
  rate(account: Account, allowed: Allowed): Promise<RateLimitState> {
    return this.submissions.peek(account.id, allowed.submissionsPerMinute);
  }

  /** Uses up one submission of this minute, if there is one. */
  takeSubmission(account: Account, allowed: Allowed): Promise<RateLimitState & { readonly allowed: boolean }> {
    return this.submissions.take(account.id, allowed.submissionsPerMinute);
  }

  /**
   * Moves an account, which must be locked, into the period of now if its own is over, and into the tier that waited
   * for it. Returns the account as it is then, or null when its period is still running.
   */
  async #enterPeriod(tx: Tx, account: Account): Promise<Account | null> {
    const tier = asTier(account.nextTier ?? account.tier);
    const entered = await this.credits.enterPeriod(tx, account.id, this.#termsOf(tier), this.clock.now());
    if (entered === null) return null;
    if (account.nextTier !== null) await this.accounts.update(tx, account.id, { tier, nextTier: null });
    crashPoint('period-entered');
    return { ...account, tier, nextTier: null };
  }

  async #moveTo(tx: Tx, account: Account, tier: Tier): Promise<void> {
    const from = asTier(account.tier);
    if (tierRank(tier) < tierRank(from)) {
      await this.accounts.update(tx, account.id, { nextTier: tier });
      return;
    }
    await this.accounts.update(tx, account.id, { tier, nextTier: null });
    if (tier === from) return;
    const { monthly, postpaid } = this.#termsOf(tier);
    await this.credits.setTerms(tx, account.id, { postpaid });
    const difference = monthly - this.#termsOf(from).monthly;
    if (difference > 0n) {
      const reason = `Upgrade from ${from} to ${tier}`;
      await this.credits.grant(tx, account.id, 'monthly', difference, reason, this.clock.now());
    }
  }

  /** What the tier gives and how it pays, in the price book in force. */
  #termsOf(tier: Tier): Terms {
    const { monthlyCredits } = this.priceBooks.current().table.tiers[tier];
    return { monthly: monthlyCredits ?? 0n, postpaid: monthlyCredits === null };
  }
}

/** What an account may do, as the audit log shows it. */
function termsAsWritten({ tier, nextTier, limits }: Account, spendCap: bigint | null) {
  return { tier, nextTier, limits, spendCap: spendCap === null ? null : formatCredits(spendCap) };
}

function checkSpendCap(spendCap: bigint | null): void {
  if (spendCap !== null && spendCap < 0n) throw badInput('spendCap', formatCredits(spendCap), '0 or more');
}

function checkLimits(limits: LimitOverrides): void {
  const bounds = { submissionsPerMinute: 1_000_000, runningJobs: 10_000, imagesPerOperation: 10 } as const;
  for (const [name, max] of Object.entries(bounds)) {
    const value = limits[name as keyof LimitOverrides];
    if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > max)) {
      throw badInput(`limits.${name}`, value, `a whole number from 1 to ${max}`);
    }
  }
}
