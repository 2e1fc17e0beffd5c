import type { Clock } from '../platform/clock.ts';
import type { UsageStore } from './usage.store.ts';
import {
  checkedPeriod,
  forecastOf,
  periodBefore,
  USAGE_GROUPS_MAX,
  type UsageGrouping,
  type UsagePeriod,
  type UsageReport,
} from './usage.ts';

/** What an account spent, on what, and where that leads. */
export class Usage {
  constructor(
    private readonly store: UsageStore,
    private readonly clock: Clock,
  ) {}

  /** @throws BAD_USER_INPUT for a period that makes no sense. */
  async report(accountId: string, wish: UsagePeriod, groupBy: UsageGrouping): Promise<UsageReport> {
    const period = checkedPeriod(wish);
    const [total, groups, previous] = await Promise.all([
      this.store.total(accountId, period),
      this.store.groups(accountId, period, groupBy, USAGE_GROUPS_MAX),
      this.store.total(accountId, periodBefore(period)),
    ]);
    return { ...period, total, groups, previous, forecast: forecastOf(total.credits, period, this.clock.now()) };
  }
}
