import { Accounts } from '../../src/accounts/accounts.service.ts';
import { AccountsStore } from '../../src/accounts/accounts.store.ts';
import { BudgetsStore } from '../../src/credits/budgets.store.ts';
import { Credits } from '../../src/credits/credits.service.ts';
import { CreditsStore } from '../../src/credits/credits.store.ts';
import { HoldsStore } from '../../src/credits/holds.store.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { Db } from '../../src/platform/database.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import type { Action } from './months.actions.ts';

// Each is our part with one mistake about months or money in it.

type Entered = Parameters<Credits['enterPeriod']>;
type Granted = Parameters<Credits['grant']>;
type Settled = Parameters<Credits['settle']>;

class MutantCredits extends Credits {
  protected readonly balances: CreditsStore;

  constructor(db: Db) {
    const balances = new CreditsStore(db);
    super(db, balances, new HoldsStore(db), new BudgetsStore());
    this.balances = balances;
  }
}

class EveryMonthSleptThrough extends MutantCredits {
  override async enterPeriod(...[tx, accountId, terms, now]: Entered): ReturnType<Credits['enterPeriod']> {
    for (let entered: Awaited<ReturnType<Credits['enterPeriod']>> = null; ; ) {
      const { period_ends_at } = await this.balances.lockBalance(tx, accountId);
      if (period_ends_at > now) return entered;
      entered = await super.enterPeriod(tx, accountId, terms, period_ends_at);
    }
  }
}

class DriftingAnchor extends MutantCredits {
  override async enterPeriod(...[tx, accountId, terms, now]: Entered): ReturnType<Credits['enterPeriod']> {
    const period = await super.enterPeriod(tx, accountId, terms, now);
    if (period === null) return null;
    const endsAt = new Date(period.startsAt);
    endsAt.setUTCMonth(endsAt.getUTCMonth() + 1);
    await this.balances.updateBalance(tx, accountId, { period_ends_at: endsAt });
    return { ...period, endsAt };
  }
}

class EarlyByAMillisecond extends MutantCredits {
  override enterPeriod(...[tx, accountId, terms, now]: Entered): ReturnType<Credits['enterPeriod']> {
    return super.enterPeriod(tx, accountId, terms, new Date(now.getTime() + 1));
  }
}

class ReturnsThatNeverLapse extends MutantCredits {
  override settle(...[tx, holdId, captures]: Settled): ReturnType<Credits['settle']> {
    return super.settle(tx, holdId, captures, new Date(0));
  }
}

class WholeUpgrade extends MutantCredits {
  override grant(...[tx, accountId, bucket, amount, reason, now]: Granted): Promise<void> {
    const whole = reason.startsWith('Upgrade from FREE') ? amount + 25_000n : amount;
    return super.grant(tx, accountId, bucket, whole, reason, now);
  }
}

class DowngradeAtOnce extends Accounts {
  override update(...[tx, id, change]: Parameters<Accounts['update']>): Promise<void> {
    return super.update(tx, id, change.nextTier ? { tier: change.nextTier } : change);
  }
}

/** Does not wait for whoever is moving the account into its next period. */
export class UnlockedAccounts extends Accounts {
  override lock(...[, id]: Parameters<Accounts['lock']>): ReturnType<Accounts['lock']> {
    return this.get(id);
  }
}

export function accountsOf(Broken: typeof Accounts, db: Db, clock: Clock): Accounts {
  return new Broken(new AccountsStore(db), new LocalEventBus(), clock);
}

export interface MonthsMutant {
  readonly defect: string;
  /** A way to see it, for a FREE account that was opened on 31 January 2026. */
  readonly actions: readonly Action[];
  /** Where the account differs from its model after the last of them. */
  readonly differs: readonly string[];
  readonly credits?: (db: Db) => Credits;
  readonly accounts?: typeof Accounts;
}

const aHold: Action = { do: 'hold', amount: 10_000n, process: 0 };
const nothingOfIt: Action = { do: 'settle', which: 0, share: 0, process: 1 };
const toTier = (tier: 'FREE' | 'BASIC'): Action => ({ do: 'setTier', tier, cap: undefined, process: 1 });
const toTheEnd = (beyondMs: number): Action => ({ do: 'toTheEnd', beyondMs });

export const MONTHS_MUTANTS: readonly MonthsMutant[] = [
  {
    defect: 'every month that was slept through is granted',
    actions: [{ do: 'sleep', days: 100 }, aHold],
    differs: ['buckets', 'lines'],
    credits: (db) => new EveryMonthSleptThrough(db),
  },
  {
    defect: 'a month is counted from the last start and not from the anchor',
    actions: [toTheEnd(0), aHold],
    differs: ['periodEndsAt'],
    credits: (db) => new DriftingAnchor(db),
  },
  {
    defect: 'a period is over a millisecond early',
    actions: [toTheEnd(-1), toTier('FREE')],
    differs: ['periodStartsAt', 'periodEndsAt', 'buckets', 'lines'],
    credits: (db) => new EarlyByAMillisecond(db),
  },
  {
    defect: 'monthly credits that come back after their period do not lapse',
    actions: [aHold, toTheEnd(0), nothingOfIt],
    differs: ['buckets', 'lines'],
    credits: (db) => new ReturnsThatNeverLapse(db),
  },
  {
    defect: 'an upgrade grants all of the new tier and not the difference',
    actions: [toTier('BASIC')],
    differs: ['buckets', 'lines'],
    credits: (db) => new WholeUpgrade(db),
  },
  {
    defect: 'a downgrade does not wait for the next period',
    actions: [toTier('BASIC'), toTier('FREE')],
    differs: ['tier', 'nextTier'],
    accounts: DowngradeAtOnce,
  },
];
