import type { Account } from '../../accounts/account.ts';
import type { EventBus } from '../../platform/events.ts';
import { watch } from '../../platform/watch.ts';
import { BALANCE_CHANNEL, type Tiers } from '../../tiers/tiers.service.ts';
import { type UsageLevel, usageLevel } from '../../usage/usage-level.ts';

export async function currentUsage(tiers: Tiers, account: Account): Promise<UsageLevel> {
  return usageLevel(await tiers.balance(account), tiers.allowed(account).monthlyCredits);
}

/** The level of now, then each one that is higher than all before it in its period, and the first of a new period. */
export async function* watchUsage(
  tiers: Tiers,
  events: EventBus,
  account: Account,
  signal: AbortSignal,
): AsyncGenerator<UsageLevel, void, undefined> {
  const levels = watch(
    {
      look: () => currentUsage(tiers, account),
      listen: (changed) => events.subscribe(BALANCE_CHANNEL(account.id), changed),
      fingerprint: ({ threshold, periodEndsAt }) => `${periodEndsAt.getTime()} ${threshold}`,
      isLast: () => false,
    },
    signal,
  );
  let told: UsageLevel | null = null;
  for await (const level of levels) {
    const isNewPeriod = told?.periodEndsAt.getTime() !== level.periodEndsAt.getTime();
    if (told !== null && !isNewPeriod && level.threshold <= told.threshold) continue;
    told = level;
    yield level;
  }
}
