import type { Account } from '../../accounts/account.ts';
import type { Balance } from '../../credits/balance.ts';
import type { EventBus } from '../../platform/events.ts';
import { watch } from '../../platform/watch.ts';
import { BALANCE_CHANNEL, type Tiers } from '../../tiers/tiers.service.ts';
import { toBalanceInfo } from './balance-info.ts';

/** The account's balance as it stands now, then anew whenever it has changed, until `signal` is aborted. */
export function watchBalance(
  tiers: Tiers,
  events: EventBus,
  account: Account,
  signal: AbortSignal,
): AsyncGenerator<Balance, void, undefined> {
  return watch(
    {
      look: () => tiers.balance(account),
      listen: (changed) => events.subscribe(BALANCE_CHANNEL(account.id), changed),
      fingerprint: (balance) =>
        JSON.stringify(toBalanceInfo(balance), (_, value: unknown) =>
          typeof value === 'bigint' ? value.toString() : value,
        ),
      isLast: () => false,
    },
    signal,
  );
}
