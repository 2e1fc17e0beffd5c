import type { Balance } from './balance.ts';

export const BUDGET_PERIODS = ['MONTHLY', 'ONCE'] as const;
/** Whether a budget begins anew with each period of the account, or never. */
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** Credits that an account sets apart for something. Amounts are milli-credits. */
export interface Budget {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  /** The most that its jobs may hold and capture, in a period or at all. */
  readonly cap: bigint;
  readonly period: BudgetPeriod;
  /** Held or captured, in the period that begins at `periodStartsAt` where it has periods. See {@link spentOf}. */
  readonly spent: bigint;
  readonly periodStartsAt: Date;
  readonly createdAt: Date;
  /** Null while jobs may be charged to it. */
  readonly closedAt: Date | null;
}

/** Held or captured so far: in the account's period of now, where the budget has periods. */
export function spentOf(budget: Budget, { periodStartsAt }: Pick<Balance, 'periodStartsAt'>): bigint {
  const isOver = budget.period === 'MONTHLY' && budget.periodStartsAt.getTime() !== periodStartsAt.getTime();
  return isOver ? 0n : budget.spent;
}
