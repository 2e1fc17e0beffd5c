import { sql } from 'kysely';
import { checkLaws, type Law, type Laws } from '../platform/laws.ts';

/** Each bucket of a balance as a row of its own. */
const BUCKETS_OF_B = sql`lateral (values ('monthly', b.monthly), ('topup', b.topup), ('owed', b.owed), ('held', b.held),
  ('captured', b.captured), ('expired', b.expired), ('issued', b.issued)) as bucket (name, balance)`;

/** What the ledger promises of itself. */
const LAWS: readonly Law[] = [
  {
    name: 'entries of a transaction add up to zero, and no transaction is empty',
    broken: sql`
      select t.id as transaction, sum(e.amount) as sum
      from ledger_transactions t left join ledger_entries e on e.transaction_id = t.id
      group by t.id having coalesce(sum(e.amount), 1) <> 0`,
  },
  {
    name: 'an entry belongs to the account of its transaction',
    broken: sql`
      select e.transaction_id as transaction, e.sequence from ledger_entries e
      left join ledger_transactions t on t.id = e.transaction_id where e.account_id is distinct from t.account_id`,
  },
  {
    name: 'every balance is the sum of its entries',
    broken: sql`
      select coalesce(b.account_id, e.account_id) as account, coalesce(b.name, e.bucket) as bucket, b.balance, e.sum
      from (select b.account_id, bucket.name, bucket.balance from credit_balances b cross join ${BUCKETS_OF_B}) as b
      full join (select account_id, bucket, sum(amount) as sum from ledger_entries group by account_id, bucket) as e
        on e.account_id = b.account_id and e.bucket = b.name
      where coalesce(b.balance, 0) <> coalesce(e.sum, 0) or b.account_id is null`,
  },
  {
    name: 'every entry continues from the one before it in its bucket',
    broken: sql`
      select * from (
        select e.account_id as account, e.bucket, t.position, e.sequence, e.amount, e.balance_after,
          coalesce(lag(e.balance_after) over (partition by e.account_id, e.bucket order by t.position, e.sequence), 0) as before
        from ledger_entries e join ledger_transactions t on t.id = e.transaction_id
      ) as entries where before + amount <> balance_after`,
  },
  {
    name: 'nothing that can be spent is below zero',
    broken: sql`
      select account_id as account, monthly, topup, held, owed from credit_balances
      where least(monthly, topup, held, -owed) < 0`,
  },
  {
    name: 'what is held is the sum of the open holds',
    broken: sql`
      select b.account_id as account, b.held, b.open_holds, coalesce(h.amount, 0) as amount, coalesce(h.count, 0) as count
      from credit_balances b left join (
        select account_id, sum(amount) as amount, count(*) as count from credit_holds
        where settled_at is null group by account_id) as h on h.account_id = b.account_id
      where b.held <> coalesce(h.amount, 0) or b.open_holds <> coalesce(h.count, 0)`,
  },
  {
    name: 'what a budget counts is what the holds of its period hold or have captured',
    broken: sql`
      select b.id as budget, b.spent, coalesce(sum(coalesce(h.captured, h.amount)), 0) as sum
      from budgets b left join credit_holds h
        on h.budget_id = b.id and (b.period = 'ONCE' or h.period_starts_at = b.period_starts_at)
      group by b.id having b.spent <> coalesce(sum(coalesce(h.captured, h.amount)), 0)`,
  },
  {
    name: 'a hold is taken once and ends once, by what was captured and what was released',
    broken: sql`
      select h.id as hold, h.amount, h.captured, e.taken, e.takes, e.captures, e.releases, e.captured as booked, e.released
      from credit_holds h left join (
        select t.hold_id,
          count(distinct t.id) filter (where t.kind = 'HOLD') as takes,
          count(distinct t.id) filter (where t.kind = 'CAPTURE') as captures,
          count(distinct t.id) filter (where t.kind = 'RELEASE') as releases,
          coalesce(sum(e.amount) filter (where t.kind = 'HOLD'), 0) as taken,
          coalesce(-sum(e.amount) filter (where t.kind = 'CAPTURE'), 0) as captured,
          coalesce(-sum(e.amount) filter (where t.kind = 'RELEASE'), 0) as released
        from ledger_transactions t join ledger_entries e on e.transaction_id = t.id and e.bucket = 'held'
        where t.hold_id is not null group by t.hold_id) as e on e.hold_id = h.id
      where coalesce(e.taken, 0) <> h.amount or coalesce(e.takes, 0) <> (h.amount > 0)::int
        or coalesce(e.captured, 0) <> coalesce(h.captured, 0)
        or coalesce(e.released, 0) <> coalesce(h.amount - h.captured, 0)
        or coalesce(greatest(e.captures, e.releases), 0) > 1`,
  },
  {
    name: 'the transactions of a hold carry its account, its job and its price version',
    broken: sql`
      select t.id as transaction, h.id as hold from ledger_transactions t left join credit_holds h on h.id = t.hold_id
      where t.hold_id is not null
        and (t.job_id, t.price_version, t.account_id) is distinct from (h.job_id, h.price_version, h.account_id)`,
  },
  {
    name: 'what was spent in a period is what its holds hold and have captured',
    broken: sql`
      select b.account_id as account, b.spent, coalesce(h.spent, 0) as held_or_captured
      from credit_balances b left join (
        select account_id, period_starts_at, sum(coalesce(captured, amount)) as spent from credit_holds
        group by account_id, period_starts_at) as h
        on h.account_id = b.account_id and h.period_starts_at = b.period_starts_at
      where b.spent <> coalesce(h.spent, 0)`,
  },
];

export const creditLaws: Laws = { check: (tx) => checkLaws(tx, LAWS) };
