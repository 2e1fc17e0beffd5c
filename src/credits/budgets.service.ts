import DataLoader from 'dataloader';
import { badInput, notFound } from '../errors.ts';
import { checkedName } from '../platform/checked-name.ts';
import type { Clock } from '../platform/clock.ts';
import { checkPageSize, readCursor } from '../platform/cursor.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { Budget, BudgetPeriod } from './budget.ts';
import type { BudgetsStore } from './budgets.store.ts';

export const BUDGETS_MAX = 500;
const CAP_MAX = 1_000_000_000_000n;
/** The name of the list, which its cursors carry. */
export const BUDGETS_LIST = 'budgets';

export interface BudgetChange {
  readonly name?: string | undefined;
  /** Milli-credits. One below what is spent stops new jobs and takes nothing back. */
  readonly cap?: bigint | undefined;
  readonly open?: boolean | undefined;
}

/** Credits that accounts set apart. What is taken from a budget is decided with the hold; see `Credits.hold`. */
export class Budgets {
  /** Lookups of all requests that are in flight together become one statement for each account. */
  readonly #byId: DataLoader<{ readonly accountId: string; readonly id: string }, Budget | null>;

  constructor(
    private readonly db: Db,
    private readonly store: BudgetsStore,
    private readonly clock: Clock,
  ) {
    this.#byId = new DataLoader(
      async (wanted) => {
        const accounts = [...Map.groupBy(wanted, ({ accountId }) => accountId)];
        const found = new Map<string, Budget>();
        for (const [accountId, keys] of accounts)
          for (const budget of await store.byIds(db, accountId, [...new Set(keys.map(({ id }) => id))]))
            found.set(`${accountId} ${budget.id}`, budget);
        return wanted.map(({ accountId, id }) => found.get(`${accountId} ${id}`) ?? null);
      },
      { cache: false, maxBatchSize: 500 },
    );
  }

  /** Null for what does not exist or belongs to another account. */
  find(accountId: string, id: string): Promise<Budget | null> {
    return this.#byId.load({ accountId, id });
  }

  /** @throws NOT_FOUND */
  async get(accountId: string, id: string): Promise<Budget> {
    const budget = await this.find(accountId, id);
    if (!budget) throw notFound('budget', id);
    return budget;
  }

  /** @throws BAD_USER_INPUT also when the account has one of that name, or as many as it may. */
  async create(
    accountId: string,
    { name, cap, period }: { readonly name: string; readonly cap: bigint; readonly period: BudgetPeriod },
  ): Promise<Budget> {
    const now = this.clock.now();
    const budget: Budget = {
      id: newId('budget'),
      accountId,
      name: checkedName('name', name),
      cap: asCap(cap),
      period,
      spent: 0n,
      periodStartsAt: now,
      createdAt: now,
      closedAt: null,
    };
    await inTransaction(this.db, async (tx) => {
      if (await this.store.isTaken(tx, accountId, budget.name, null)) throw nameTaken(name);
      if (!(await this.store.insert(tx, budget, BUDGETS_MAX)))
        throw badInput('name', name, `one of at most ${BUDGETS_MAX} budgets`);
    });
    return budget;
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT */
  async update(accountId: string, id: string, { name, cap, open }: BudgetChange): Promise<Budget> {
    const change = {
      ...(name !== undefined && { name: checkedName('name', name) }),
      ...(cap !== undefined && { cap: asCap(cap) }),
      ...(open !== undefined && { closed_at: open ? null : this.clock.now() }),
    };
    return inTransaction(this.db, async (tx) => {
      if (change.name !== undefined && (await this.store.isTaken(tx, accountId, change.name, id)))
        throw nameTaken(change.name);
      const budget = await this.store.update(tx, accountId, id, change);
      if (!budget) throw notFound('budget', id);
      return budget;
    });
  }

  /** A page of the account's budgets, newest first. @throws BAD_USER_INPUT */
  async list(
    accountId: string,
    page: { readonly first: number; readonly after: string | null },
  ): Promise<{ items: Budget[]; hasNextPage: boolean }> {
    checkPageSize(page.first);
    const beforeId = page.after === null ? null : readCursor(BUDGETS_LIST, 'budget', page.after);
    const found = await this.store.page(this.db, accountId, page.first + 1, beforeId);
    return { items: found.slice(0, page.first), hasNextPage: found.length > page.first };
  }
}

function asCap(cap: bigint): bigint {
  if (cap < 0n || cap > CAP_MAX) throw badInput('cap', Number(cap) / 1000, `0 to ${CAP_MAX / 1000n} credits`);
  return cap;
}

function nameTaken(name: string) {
  return badInput('name', name, 'a name that no other budget of this account has');
}
