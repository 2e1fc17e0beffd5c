import DataLoader from 'dataloader';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import {
  type Balance,
  BUCKETS,
  type Bucket,
  type Capture,
  type Hold,
  type HoldRefusal,
  type HoldRequest,
  type LedgerEntry,
  type Settlement,
} from './balance.ts';
import type { BalanceRow, CreditsStore, HoldRow, Posting } from './credits.store.ts';
import { type Period, periodAt } from './periods.ts';

/** Thrown to undo the caller's transaction when a hold is refused; nothing of the submission is kept. */
export class HoldRefused extends Error {
  override readonly name = 'HoldRefused';
  constructor(readonly refusal: HoldRefusal) {
    super(`hold refused: ${refusal}`);
  }
}

/** The ledger: grants, holds, captures and releases. All amounts are milli-credits. */
export class Credits {
  /** Lookups of all requests that are in flight together become one statement; nothing is remembered between. */
  readonly #balances: DataLoader<string, Balance>;

  constructor(
    private readonly db: Db,
    private readonly store: CreditsStore,
  ) {
    this.#balances = new DataLoader(
      async (ids) => {
        const found = new Map((await store.balances([...new Set(ids)])).map((balance) => [balance.accountId, balance]));
        return ids.map((id) => found.get(id) ?? new Error(`account ${id} has no balance`));
      },
      { cache: false, maxBatchSize: 500 },
    );
  }

  /** How the account stands now. The period may be over: whoever decides on it settles the period first. */
  balance(accountId: string): Promise<Balance> {
    return this.#balances.load(accountId);
  }

  /** Opens the books of a new account with its first grant. */
  async open(
    tx: Tx,
    account: { accountId: string; postpaid: boolean; spendCap: bigint | null; monthly: bigint; openedAt: Date },
  ): Promise<void> {
    const period = periodAt(account.openedAt, account.openedAt);
    await this.store.insertBalance(tx, {
      account_id: account.accountId,
      postpaid: account.postpaid,
      anchor_at: account.openedAt,
      period_starts_at: period.startsAt,
      period_ends_at: period.endsAt,
      spend_cap: account.spendCap,
    });
    await this.grant(tx, account.accountId, 'monthly', account.monthly, 'Monthly credits', account.openedAt);
  }

  /** Gives credits. Monthly ones expire with the period, top-ups never. Locks the account's balance. */
  async grant(
    tx: Tx,
    accountId: string,
    bucket: 'monthly' | 'topup',
    amount: bigint,
    reason: string,
    now: Date,
  ): Promise<void> {
    if (amount === 0n) return;
    const row = await this.store.lockBalance(tx, accountId);
    await this.#move(
      tx,
      row,
      { kind: 'GRANT', reason },
      [
        { bucket: 'issued', amount: -amount },
        { bucket, amount },
      ],
      {},
      now,
    );
  }

  /** Changes what the tier decides about an account's books. */
  async setTerms(tx: Tx, accountId: string, terms: { postpaid?: boolean; spendCap?: bigint | null }): Promise<void> {
    await this.store.updateBalance(tx, accountId, {
      ...(terms.postpaid !== undefined && { postpaid: terms.postpaid }),
      ...(terms.spendCap !== undefined && { spend_cap: terms.spendCap }),
    });
  }

  /**
   * Moves the account into the period of `now`, once: what is left of the old monthly credits expires and the new ones
   * are granted. Months slept through leave nothing, because their credits would have expired. Locks the balance;
   * returns the period entered, or null when there was nothing to do (somebody else was first).
   */
  async enterPeriod(tx: Tx, accountId: string, monthly: bigint, now: Date): Promise<Period | null> {
    const row = await this.store.lockBalance(tx, accountId);
    if (row.period_ends_at > now) return null;
    const period = periodAt(row.anchor_at, now);
    await this.store.updateBalance(tx, accountId, {
      period_starts_at: period.startsAt,
      period_ends_at: period.endsAt,
      spent: 0n,
    });
    const postings: Posting[] = [
      { bucket: 'monthly', amount: -row.monthly },
      { bucket: 'expired', amount: row.monthly },
    ];
    await this.#move(
      tx,
      row,
      { kind: 'EXPIRE', reason: 'Monthly credits left at the end of the period' },
      postings,
      {},
      now,
    );
    await this.grant(tx, accountId, 'monthly', monthly, 'Monthly credits', now);
    return period;
  }

  /**
   * Sets credits aside for a job, or throws to undo the caller's transaction. Locks the account's balance.
   * @throws HoldRefused, after which nothing is kept: the account is as it was.
   */
  async hold(tx: Tx, request: HoldRequest, now: Date): Promise<void> {
    const taken = await this.store.take(tx, request, newId('tx'), now);
    if (taken === null) throw new HoldRefused(await this.#whyNot(tx, request, now));
    if (request.allowance && request.allowance.images > 0) {
      const used = await this.store.takeAllowance(tx, request.accountId, taken.period_starts_at, request.allowance);
      if (!used) throw new HoldRefused('ALLOWANCE_USED');
    }
  }

  async #whyNot(tx: Tx, request: HoldRequest, now: Date): Promise<HoldRefusal> {
    const row = await this.store.lockBalance(tx, request.accountId);
    if (row.period_ends_at <= now) return 'PERIOD_OVER';
    if (row.open_holds >= request.openHoldsMax) return 'TOO_MANY_OPEN';
    if (!row.postpaid && row.monthly + row.topup < request.amount) return 'INSUFFICIENT';
    return 'SPEND_CAP';
  }

  /**
   * Ends a hold: captures the delivered images and releases the rest, monthly credits first in both directions. Monthly
   * credits that come back after their period has ended expire at once. Null when the hold had already ended.
   */
  async settle(tx: Tx, holdId: string, captures: readonly Capture[], now: Date): Promise<Settlement | null> {
    const captured = captures.reduce((sum, { amount }) => sum + amount, 0n);
    const hold = await this.store.endHold(tx, holdId, captured, now);
    if (hold === null) return null;
    const row = await this.store.lockBalance(tx, hold.account_id);
    const released = hold.amount - captured;
    const samePeriod = row.period_starts_at.getTime() === hold.period_starts_at.getTime();
    const running = await this.#move(
      tx,
      row,
      { kind: 'CAPTURE', reason: 'Delivered images', ...linksOf(hold) },
      captureSides(captures),
      {
        open_holds: row.open_holds - 1,
        ...(samePeriod && { spent: row.spent - released }),
      },
      now,
    );
    const release = { kind: 'RELEASE', reason: 'Images that were not delivered', ...linksOf(hold) } as const;
    const after = await this.#move(tx, running, release, releaseSides(hold, captured), {}, now);
    if (!samePeriod) await this.#expireReleased(tx, after, hold, captured, now);
    await this.#giveBackAllowance(tx, hold, captures);
    return { captured, released };
  }

  async #expireReleased(tx: Tx, row: BalanceRow, hold: HoldRow, captured: bigint, now: Date): Promise<void> {
    const { monthly } = releasedParts(hold, captured);
    const postings: Posting[] = [
      { bucket: 'monthly', amount: -monthly },
      { bucket: 'expired', amount: monthly },
    ];
    await this.#move(
      tx,
      row,
      { kind: 'EXPIRE', reason: 'Released after their period had ended', ...linksOf(hold) },
      postings,
      {},
      now,
    );
  }

  async #giveBackAllowance(tx: Tx, hold: HoldRow, captures: readonly Capture[]): Promise<void> {
    const unused = hold.allowance_images - captures.filter(({ fromAllowance }) => fromAllowance).length;
    if (hold.allowance_provider !== null && unused > 0) {
      await this.store.giveBackAllowance(tx, hold.account_id, hold.allowance_provider, hold.period_starts_at, unused);
    }
  }

  /** Posts to the ledger and moves the locked balance row by the same amounts; returns the row as it is after. */
  async #move(
    tx: Tx,
    row: BalanceRow,
    transaction: { kind: LedgerEntry['kind']; reason: string; holdId?: string; jobId?: string; priceVersion?: number },
    postings: readonly Posting[],
    also: Partial<BalanceRow>,
    now: Date,
  ): Promise<BalanceRow> {
    const running = new Map<Bucket, bigint>(BUCKETS.map((bucket) => [bucket, row[bucket]]));
    await this.store.post(tx, row.account_id, { id: newId('tx'), ...transaction }, postings, running, now);
    const change = { ...Object.fromEntries(running), ...also };
    await this.store.updateBalance(tx, row.account_id, change);
    return { ...row, ...change };
  }

  holdsOfJobs(jobIds: readonly string[]): Promise<Hold[]> {
    return this.store.holdsOfJobs(jobIds);
  }

  entriesOfJobs(jobIds: readonly string[]): Promise<LedgerEntry[]> {
    return this.store.entriesOfJobs(jobIds);
  }

  /** Gives a top-up in a transaction of its own. */
  topUp(accountId: string, amount: bigint, reason: string, now: Date): Promise<void> {
    return inTransaction(this.db, (tx) => this.grant(tx, accountId, 'topup', amount, reason, now));
  }
}

function linksOf(hold: HoldRow): { holdId: string; jobId: string; priceVersion: number } {
  return { holdId: hold.id, jobId: hold.job_id, priceVersion: hold.price_version };
}

function captureSides(captures: readonly Capture[]): Posting[] {
  return captures.flatMap(({ imageId, amount }): Posting[] => [
    { bucket: 'held', amount: -amount, imageId },
    { bucket: 'captured', amount, imageId },
  ]);
}

/** What goes back where. Captures use up the monthly part first, then the top-up, then what is owed. */
function releasedParts(hold: HoldRow, captured: bigint): { monthly: bigint; topup: bigint; owed: bigint } {
  const capturedMonthly = captured < hold.from_monthly ? captured : hold.from_monthly;
  const rest = captured - capturedMonthly;
  const capturedTopup = rest < hold.from_topup ? rest : hold.from_topup;
  return {
    monthly: hold.from_monthly - capturedMonthly,
    topup: hold.from_topup - capturedTopup,
    owed: hold.from_owed - (rest - capturedTopup),
  };
}

function releaseSides(hold: HoldRow, captured: bigint): Posting[] {
  const { monthly, topup, owed } = releasedParts(hold, captured);
  return [
    { bucket: 'held', amount: -(hold.amount - captured) },
    { bucket: 'monthly', amount: monthly },
    { bucket: 'topup', amount: topup },
    { bucket: 'owed', amount: owed },
  ];
}
