import { sql } from 'kysely';
import { checkLaws, type Law, type Laws } from '../platform/laws.ts';

/** What the ledger and the jobs promise together. */
const LAWS: readonly Law[] = [
  {
    name: 'every job has its hold and every hold its job, and both are open or both have ended',
    broken: sql`
      select j.id as job, j.status, h.id as hold, h.settled_at from jobs j full join credit_holds h on h.id = j.hold_id
      where j.id is null or h.id is null or h.job_id <> j.id or h.account_id <> j.account_id
        or (j.status in ('QUEUED', 'RUNNING')) <> (h.settled_at is null)`,
  },
  {
    name: 'quoted is held is the price of the images that were asked for',
    broken: sql`
      select j.id as job, j.credits as quoted, h.amount as held, coalesce(i.credits, 0) as images
      from jobs j join credit_holds h on h.id = j.hold_id
      left join (select job_id, sum(credits) as credits from job_images group by job_id) as i on i.job_id = j.id
      where j.credits <> h.amount or j.credits <> coalesce(i.credits, 0) or j.price_version <> h.price_version`,
  },
  {
    name: 'captured is the price of the delivered images',
    broken: sql`
      select j.id as job, h.captured, coalesce(i.credits, 0) as delivered
      from jobs j join credit_holds h on h.id = j.hold_id
      left join (select job_id, sum(credits) as credits from job_images where status = 'DELIVERED' group by job_id) as i
        on i.job_id = j.id
      where h.settled_at is not null and h.captured <> coalesce(i.credits, 0)`,
  },
  {
    name: 'every image that was captured is delivered, at its price, once',
    broken: sql`
      select e.image_id as image, i.status, i.credits as price, sum(e.amount) as captured
      from ledger_entries e join ledger_transactions t on t.id = e.transaction_id
      left join job_images i on i.id = e.image_id
      where t.kind = 'CAPTURE' and e.bucket = 'captured'
      group by e.image_id, i.status, i.credits
      having i.status is distinct from 'DELIVERED' or sum(e.amount) is distinct from i.credits or count(*) <> 1`,
  },
  {
    name: 'a job that has ended has no image that is open',
    broken: sql`
      select j.id as job, i.id as image, i.status from jobs j join job_images i on i.job_id = j.id
      where j.status not in ('QUEUED', 'RUNNING') and i.status in ('WAITING', 'RUNNING')`,
  },
  {
    name: 'every delivered image has its asset, and every result in the library its delivered image',
    broken: sql`
      select i.id as image, i.status, a.id as asset, a.credits, i.credits as price
      from job_images i full join (select * from assets where kind = 'OUTPUT') as a on a.image_id = i.id
      where (i.status = 'DELIVERED' or a.id is not null)
        and (i.status is distinct from 'DELIVERED' or a.id is distinct from i.asset_id or a.credits is distinct from i.credits)`,
  },
  {
    name: 'a delivered image was delivered by exactly one call, unless we made it ourselves',
    broken: sql`
      select i.id as image, count(a.id) as calls
      from job_images i left join job_attempts a on a.image_id = i.id and a.outcome = 'delivered'
      where i.status = 'DELIVERED' and i.format is null group by i.id having count(a.id) <> 1`,
  },
  {
    name: 'free images used are those of held or delivered images',
    broken: sql`
      select u.account_id as account, u.provider, u.used from credit_allowances u
      where u.used <> coalesce((
        select sum(case when h.settled_at is null then (h.free_images->>u.provider)::int
          else (select count(*) from job_images i where i.job_id = h.job_id and i.allowance = u.provider and i.status = 'DELIVERED') end)
        from credit_holds h where h.account_id = u.account_id and h.free_images ? u.provider and h.period_starts_at = u.period_starts_at), 0)`,
  },
  {
    name: 'an idempotency key stands for a job of its account',
    broken: sql`
      select k.account_id as account, k.job_id as job from idempotency_keys k
      left join jobs j on j.id = k.job_id where j.account_id is distinct from k.account_id`,
  },
];

export const jobLaws: Laws = { check: (tx) => checkLaws(tx, LAWS) };
