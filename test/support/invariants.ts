import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Db } from '../../src/platform/database.ts';

/** The laws of the ledger as SQL: each query finds what breaks one, so each must find nothing. */
const LAWS = {
  'entries of a transaction add up to zero': sql`
    select transaction_id from ledger_entries group by transaction_id having sum(amount) <> 0`,
  'every balance is the sum of its entries': sql`
    select b.account_id, bucket.name from credit_balances b
    cross join lateral (values ('monthly', b.monthly), ('topup', b.topup), ('owed', b.owed), ('held', b.held),
      ('captured', b.captured), ('expired', b.expired), ('issued', b.issued)) as bucket (name, balance)
    where bucket.balance <> coalesce((select sum(e.amount) from ledger_entries e where e.account_id = b.account_id and e.bucket = bucket.name), 0)`,
  'what is held is the sum of the open holds': sql`
    select b.account_id from credit_balances b
    where b.held <> coalesce((select sum(amount) from credit_holds h where h.account_id = b.account_id and settled_at is null), 0)
      or b.open_holds <> (select count(*) from credit_holds h where h.account_id = b.account_id and settled_at is null)`,
  'every open job has an open hold, and no other does': sql`
    select j.id from jobs j join credit_holds h on h.id = j.hold_id
    where (j.status in ('QUEUED', 'RUNNING')) <> (h.settled_at is null)`,
  'quoted is held': sql`
    select j.id from jobs j join credit_holds h on h.id = j.hold_id where j.credits <> h.amount`,
  'captured is the price of the delivered images': sql`
    select j.id from jobs j join credit_holds h on h.id = j.hold_id
    where h.settled_at is not null
      and h.captured <> coalesce((select sum(i.credits) from job_images i where i.job_id = j.id and i.status = 'DELIVERED'), 0)`,
  'every delivered image has its asset, and every asset its delivered image': sql`
    select coalesce(i.id, a.image_id) from job_images i full join assets a on a.image_id = i.id
    where a.kind is distinct from 'INPUT' and ((i.status = 'DELIVERED') is distinct from true or a.id is distinct from i.asset_id)
      and (a.id is not null or i.status = 'DELIVERED')`,
  'free images used are those of held or delivered images': sql`
    select u.account_id, u.provider from credit_allowances u
    where u.used <> coalesce((
      select sum(case when h.settled_at is null then (h.free_images->>u.provider)::int
        else (select count(*) from job_images i where i.job_id = h.job_id and i.allowance = u.provider and i.status = 'DELIVERED') end)
      from credit_holds h where h.account_id = u.account_id and h.free_images ? u.provider and h.period_starts_at = u.period_starts_at), 0)`,
} as const;

/** Fails with the name of every law that does not hold, and what breaks it. */
export async function expectLawsHold(db: Db): Promise<void> {
  const broken: Record<string, unknown[]> = {};
  for (const [law, query] of Object.entries(LAWS)) {
    const { rows } = await query.execute(db);
    if (rows.length > 0) broken[law] = rows;
  }
  expect(broken).toEqual({});
}
