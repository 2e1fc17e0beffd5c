import { sql } from 'kysely';
import { checkLaws, type Law, type Laws } from '../platform/laws.ts';

/** What the library promises of itself. */
const LAWS: readonly Law[] = [
  {
    name: 'what an account is said to keep is what it keeps',
    broken: sql`
      select coalesce(u.account_id, a.account_id) as account, u.assets, u.bytes, a.assets as kept, a.bytes as kept_bytes
      from storage_use u full join (
        select account_id, count(*) as assets, sum(bytes) as bytes from assets where purged_at is null group by account_id
      ) as a on a.account_id = u.account_id
      where coalesce(u.assets, 0) <> coalesce(a.assets, 0) or coalesce(u.bytes, 0) <> coalesce(a.bytes, 0)`,
  },
  {
    name: 'tags and collections hold assets of their own account that are not purged',
    broken: sql`
      select t.asset_id as asset, t.tag as kept_in from asset_tags t join assets a on a.id = t.asset_id
      where a.account_id <> t.account_id or a.purged_at is not null
      union all
      select m.asset_id, m.collection_id from collection_assets m
      join collections c on c.id = m.collection_id join assets a on a.id = m.asset_id
      where a.account_id <> c.account_id`,
  },
];

export const libraryLaws: Laws = { check: (tx) => checkLaws(tx, LAWS) };
