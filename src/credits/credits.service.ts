import DataLoader from 'dataloader';
import { checkPageSize, readPlaceCursor } from '../platform/cursor.ts';
import { type Db, inTransaction, type Tx } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type {
  Balance,
  Capture,
  Hold,
  HoldRefusal,
  HoldRequest,
  LedgerEntry,
  OpenHolds,
  Settlement,
} from './balance.ts';
import type { BudgetsStore } from './budgets.store.ts';
import type { CreditsStore } from './credits.store.ts';
import type { BalanceRow } from './credits.tables.ts';
import type { HoldsStore } from './holds.store.ts';
import { type Period, periodAt } from './periods.ts';
import { allowancesLeft, capturedBy, expired, granted, settlementOf } from './posting.ts';

/** The name of the list, which its cursors carry. */
export const LEDGER_LIST = 'ledger';

/** Thrown to undo the caller's transaction when a hold is refused; nothing of the submission is kept. */
export class HoldRefused extends Error {
  override readonly name = 'HoldRefused';
  constructor(readonly refusal: HoldRefusal) {
    super(`hold refused: ${refusal}`);
  }
}

/** What a tier gives an account each period, and how the account pays. */
export interface Terms {
  /** Milli-credits; 0 for a postpaid account. */
  readonly monthly: bigint;
  readonly postpaid: boolean;
}

/** The ledger: grants, holds, captures and releases. All amounts are milli-credits. */
export class Credits {
  /** Lookups of all requests that are in flight together become one statement; nothing is remembered between. */
  readonly #balances: DataLoader<string, Balance>;

  constructor(
    private readonly db: Db,
    private readonly store: CreditsStore,
    private readonly holds: HoldsStore,
    private readonly budgets: Pick<BudgetsStore, 'take' | 'giveBack'>,
  ) {
    this.#balances = new DataLoader(
      async (ids) => {
        const found = new Map((await store.balances([...new Set(ids)])).map((balance) => [balance.accountId, balance]));
        return ids.map((id) => found.get(id) ?? new Error(`account ${id} has no balance`));
      },
      // Until the turn's end, so that all requests that arrived together share one statement.
      { cache: false, maxBatchSize: 500, batchScheduleFn: setImmediate },
    );
  }

  /** How the account stands now. The period may be over: whoever decides on it settles the period first. */
  balance(accountId: string): Promise<Balance> {
    return this.#balances.load(accountId);
  }

  /** Opens the books of a new account with its first grant. */
  async open(
    tx: Tx,
    account: Terms & { readonly accountId: string; readonly spendCap: bigint | null; readonly openedAt: Date },
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
    const row = await this.store.lockBalance(tx, accountId);
    await this.store.book(tx, row, [granted(bucket, amount, reason)], {}, now);
  }

  /** Gives a top-up in a transaction of its own. */
  topUp(accountId: string, amount: bigint, reason: string, now: Date): Promise<void> {
    return inTransaction(this.db, (tx) => this.grant(tx, accountId, 'topup', amount, reason, now));
  }

  /** What an operator changes of an account's credits, as it is now. Locks the account's balance. */
  async locked(tx: Tx, accountId: string): Promise<Pick<Balance, 'topup' | 'spendCap'>> {
    const { topup, spend_cap } = await this.store.lockBalance(tx, accountId);
    return { topup, spendCap: spend_cap };
  }

  /** Changes from now on how the account pays, or the most that it may spend a period (null: no cap). */
  async setTerms(tx: Tx, accountId: string, terms: { postpaid?: boolean; spendCap?: bigint | null }): Promise<void> {
    await this.store.updateBalance(tx, accountId, {
      ...(terms.postpaid !== undefined && { postpaid: terms.postpaid }),
      ...(terms.spendCap !== undefined && { spend_cap: terms.spendCap }),
    });
  }

  /**
   * Moves the account into the period of `now`, once, on the terms given: what is left of the old monthly credits
   * expires and the new ones are granted. Months slept through leave nothing, because their credits would have expired.
   * Locks the balance; returns the period entered, or null when there was nothing to do (somebody else was first).
   */
  async enterPeriod(tx: Tx, accountId: string, terms: Terms, now: Date): Promise<Period | null> {
    const row = await this.store.lockBalance(tx, accountId);
    if (row.period_ends_at > now) return null;
    const period = periodAt(row.anchor_at, now);
    const bookings = [
      expired(row.monthly, 'Monthly credits left at the end of the period'),
      granted('monthly', terms.monthly, 'Monthly credits'),
    ];
    const also = {
      period_starts_at: period.startsAt,
      period_ends_at: period.endsAt,
      postpaid: terms.postpaid,
      spent: 0n,
    };
    await this.store.book(tx, row, bookings, also, now);
    return period;
  }

  /** Accounts whose period is over and has not been settled, longest first. */
  overdue(now: Date, limit: number): Promise<string[]> {
    return this.store.overdue(now, limit);
  }

  /**
   * Sets credits aside for a job, or throws to undo the caller's transaction. Locks the account's balance.
   * @throws HoldRefused, after which nothing is kept: the account is as it was.
   */
  async hold(tx: Tx, request: HoldRequest, now: Date): Promise<void> {
    const taken = (await this.holds.take(tx, request, newId('tx'), now)) ?? (await this.#takeLocked(tx, request, now));
    for (const allowance of request.allowances.toSorted((a, b) => (a.provider < b.provider ? -1 : 1))) {
      const used = await this.holds.takeAllowance(tx, request.accountId, taken.period_starts_at, allowance);
      if (!used) throw new HoldRefused('ALLOWANCE_USED');
    }
    const { accountId, budgetId, amount } = request;
    if (budgetId !== null && !(await this.budgets.take(tx, accountId, budgetId, amount, taken.period_starts_at)))
      throw new HoldRefused('BUDGET_SPENT');
  }

  /** Says why nothing could be taken; or takes it, when by the time the balance is locked there is no reason left. */
  async #takeLocked(tx: Tx, request: HoldRequest, now: Date): Promise<BalanceRow> {
    const refusal = whyNot(await this.store.lockBalance(tx, request.accountId), request, now);
    if (refusal) throw new HoldRefused(refusal);
    const taken = await this.holds.take(tx, request, newId('tx'), now);
    if (!taken) throw new Error(`hold ${request.holdId} was refused for no reason that is known`);
    return taken;
  }

  /**
   * Ends a hold: captures the delivered images and releases the rest. Null, and nothing changes, when there is no such
   * hold or it has ended. Locks the hold, then the account's balance.
   */
  async settle(tx: Tx, holdId: string, captures: readonly Capture[], now: Date): Promise<Settlement | null> {
    const hold = await this.holds.end(tx, holdId, capturedBy(captures), now);
    if (hold === null) return null;
    const row = await this.store.lockBalance(tx, hold.account_id);
    const samePeriod = row.period_starts_at.getTime() === hold.period_starts_at.getTime();
    const { captured, released, bookings } = settlementOf(hold, captures, !samePeriod || row.period_ends_at <= now);
    const also = { open_holds: row.open_holds - 1, ...(samePeriod && { spent: row.spent - released }) };
    await this.store.book(tx, row, bookings, also, now);
    for (const { provider, images } of allowancesLeft(hold, captures))
      if (images > 0) await this.holds.giveBackAllowance(tx, hold.account_id, provider, hold.period_starts_at, images);
    if (hold.budget_id !== null && released > 0n)
      await this.budgets.giveBack(tx, hold.budget_id, released, hold.period_starts_at);
    return { captured, released };
  }

  /** What is set aside at this moment, everywhere. */
  openHolds(): Promise<OpenHolds> {
    return this.holds.open();
  }

  holdsOfJobs(jobIds: readonly string[]): Promise<Hold[]> {
    return this.holds.ofJobs(jobIds);
  }

  /**
   * A page of the account's ledger entries, newest first.
   * @throws BAD_USER_INPUT for a page size out of range or a cursor that this list did not give out.
   */
  async ledger(
    accountId: string,
    page: { first: number; after: string | null },
  ): Promise<{ items: LedgerEntry[]; hasNextPage: boolean }> {
    checkPageSize(page.first);
    const after = page.after === null ? null : readPlaceCursor(LEDGER_LIST, 'tx', page.after);
    const found = await this.store.page(accountId, page.first + 1, after);
    return { items: found.slice(0, page.first), hasNextPage: found.length > page.first };
  }

  /** Every entry of these jobs, in the order they were written. */
  entriesOfJobs(jobIds: readonly string[]): Promise<LedgerEntry[]> {
    return this.store.entriesOfJobs(jobIds);
  }
}

/** The conditions of a hold once more, one by one, on a balance that is locked. */
function whyNot(row: BalanceRow, request: HoldRequest, now: Date): HoldRefusal | null {
  if (row.period_ends_at <= now) return 'PERIOD_OVER';
  if (row.open_holds >= request.openHoldsMax) return 'TOO_MANY_OPEN';
  if (!row.postpaid && row.monthly + row.topup < request.amount) return 'INSUFFICIENT';
  if (request.amount > 0n && row.spend_cap !== null && row.spent + request.amount > row.spend_cap) return 'SPEND_CAP';
  return null;
}
