import { type Kysely, type Selectable, sql } from 'kysely';
import { type Db, lockUntilCommit, type Tx } from '../platform/database.ts';
import type { Budget, BudgetPeriod } from './budget.ts';

type BudgetTables = {
  budgets: {
    id: string;
    account_id: string;
    name: string;
    cap: bigint;
    period: BudgetPeriod;
    spent: bigint;
    period_starts_at: Date;
    created_at: Date;
    closed_at: Date | null;
  };
};

/** The SQL of budgets. */
export class BudgetsStore {
  /** False, with nothing written, when the account has as many as it may. */
  async insert(tx: Tx, budget: Budget, max: number): Promise<boolean> {
    // Two inserts at once would not see each other's row.
    await lockUntilCommit(tx, `budgets of ${budget.accountId}`);
    const { rows } = await sql`
      insert into budgets (id, account_id, name, cap, period, period_starts_at, created_at)
      select ${budget.id}, ${budget.accountId}, ${budget.name}, ${budget.cap}::bigint, ${budget.period},
        ${budget.periodStartsAt}::timestamptz, ${budget.createdAt}::timestamptz
      where (select count(*) from budgets where account_id = ${budget.accountId}) < ${max}
      returning id`.execute(tx);
    return rows.length === 1;
  }

  /** Whether another budget of the account is called that, capitals or not. Nobody else of it comes between until the commit. */
  async isTaken(tx: Tx, accountId: string, name: string, exceptId: string | null): Promise<boolean> {
    await lockUntilCommit(tx, `budgets of ${accountId}`);
    const found = await tables(tx)
      .selectFrom('budgets')
      .select('id')
      .where('account_id', '=', accountId)
      .where(sql<string>`lower(name)`, '=', sql<string>`lower(${name})`)
      .executeTakeFirst();
    return found !== undefined && found.id !== exceptId;
  }

  /** As it is then; null when the account has none of that id. */
  async update(
    tx: Tx,
    accountId: string,
    id: string,
    change: { name?: string; cap?: bigint; closed_at?: Date | null },
  ): Promise<Budget | null> {
    const row = await tables(tx)
      .updateTable('budgets')
      .set({ id, ...change })
      .where('account_id', '=', accountId)
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    return row ? budgetOf(row) : null;
  }

  async byIds(db: Db, accountId: string, ids: readonly string[]): Promise<Budget[]> {
    const rows = await tables(db)
      .selectFrom('budgets')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('id', '=', sql<string>`any(${ids}::text[])`)
      .execute();
    return rows.map(budgetOf);
  }

  /** Newest first. */
  async page(db: Db, accountId: string, limit: number, beforeId: string | null): Promise<Budget[]> {
    let query = tables(db)
      .selectFrom('budgets')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('id', 'desc')
      .limit(limit);
    if (beforeId !== null) query = query.where('id', '<', beforeId);
    return (await query.execute()).map(budgetOf);
  }

  /**
   * Decides and takes in one statement: enough left in the period, and not closed. False, with nothing changed, otherwise.
   * Whoever calls it holds the lock of the account's balance, so that budgets of one account are always taken one by one.
   */
  async take(tx: Tx, accountId: string, id: string, amount: bigint, period: Date): Promise<boolean> {
    const spent = sql`case when period = 'MONTHLY' and period_starts_at <> ${period}::timestamptz then 0 else spent end`;
    const { rows } = await sql`
      update budgets set spent = ${spent} + ${amount}::bigint,
        period_starts_at = case when period = 'MONTHLY' then ${period}::timestamptz else period_starts_at end
      where id = ${id} and account_id = ${accountId} and closed_at is null
        and (${amount}::bigint = 0 or ${spent} + ${amount}::bigint <= cap)
      returning id`.execute(tx);
    return rows.length === 1;
  }

  /** Changes nothing when the period that it was taken in is no longer counted. */
  async giveBack(tx: Tx, id: string, amount: bigint, period: Date): Promise<void> {
    await sql`
      update budgets set spent = spent - ${amount}::bigint
      where id = ${id} and (period = 'ONCE' or period_starts_at = ${period}::timestamptz)`.execute(tx);
  }
}

function tables(db: Db | Tx): Kysely<BudgetTables> {
  return db.withTables<BudgetTables>();
}

function budgetOf(row: Selectable<BudgetTables['budgets']>): Budget {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    cap: row.cap,
    period: row.period,
    spent: row.spent,
    periodStartsAt: row.period_starts_at,
    createdAt: row.created_at,
    closedAt: row.closed_at,
  };
}
