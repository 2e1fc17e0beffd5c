import { availableOf, type Balance } from '../../credits/balance.ts';
import type { BalanceInfo } from './account.type.ts';

/** A balance as clients see it: what is owed is theirs to pay, so it is shown as a positive amount. */
export function toBalanceInfo(balance: Balance): BalanceInfo {
  const available = availableOf(balance);
  return {
    unlimited: balance.postpaid,
    balance: available === null ? null : available + balance.held,
    available,
    held: balance.held,
    monthly: balance.monthly,
    topup: balance.topup,
    owed: -balance.owed,
    spent: balance.spent,
    spendCap: balance.spendCap,
    periodStartsAt: balance.periodStartsAt,
    periodEndsAt: balance.periodEndsAt,
    openJobs: balance.openHolds,
  };
}
