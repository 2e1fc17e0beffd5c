import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { AssetFilter } from './asset-filter.ts';

export type Condition = RawBuilder<SqlBool>;

/** A question whose rows are ids of assets, in the order of an index, so that the first of them cost what they are. */
export type IdList = RawBuilder<{ id: string }>;

export function allOf(conditions: readonly Condition[]): Condition {
  return sql<SqlBool>`${sql.join(conditions, sql` and `)}`;
}

/** What every list asks: whose, and deleted or not. */
export function ownAnd(accountId: string, { status }: AssetFilter): Condition[] {
  return [
    sql<SqlBool>`account_id = ${accountId}`,
    status === 'DELETED'
      ? sql<SqlBool>`deleted_at is not null and purged_at is null`
      : sql<SqlBool>`deleted_at is null`,
  ];
}

export function equalities(filter: AssetFilter): Condition[] {
  const columns = {
    kind: filter.kind,
    operation: filter.operation,
    provider: filter.provider,
    model: filter.model,
    quality: filter.quality,
    favourite: filter.favourite,
    parent_id: filter.parent,
  };
  return Object.entries(columns).flatMap(([name, value]) =>
    value === undefined ? [] : [sql<SqlBool>`${sql.ref(name)} = ${value}`],
  );
}

export function createdWithin({ created }: AssetFilter): Condition[] {
  return [
    ...(created?.from ? [sql<SqlBool>`created_at >= ${created.from}`] : []),
    ...(created?.to ? [sql<SqlBool>`created_at <= ${created.to}`] : []),
  ];
}

/** `credits` may be an expression of it that no index answers, for lists that are walked in another order. */
export function costWithin({ cost }: AssetFilter, credits: Expression<unknown> = sql`credits`): Condition[] {
  return [
    ...(cost?.min === undefined ? [] : [sql<SqlBool>`${credits} >= ${cost.min}`]),
    ...(cost?.max === undefined ? [] : [sql<SqlBool>`${credits} <= ${cost.max}`]),
  ];
}

/**
 * Tags and collections, asked of one asset after the other: without the `offset` all of a tag's assets would be collected
 * first. A collection of another account holds none of this account's assets.
 */
export function belongings(accountId: string, { tags, collection }: AssetFilter): Condition[] {
  const tagged = (which: Expression<SqlBool>) => sql<SqlBool>`exists (
    select from asset_tags where asset_tags.account_id = ${accountId} and asset_tags.asset_id = assets.id and ${which} offset 0)`;
  return [
    ...(tags?.any ? [tagged(sql<SqlBool>`tag = any(${tags.any}::text[])`)] : []),
    ...(tags?.all ?? []).map((tag) => tagged(sql<SqlBool>`tag = ${tag}`)),
    ...(collection === undefined
      ? []
      : [
          sql<SqlBool>`exists (
            select from collection_assets where collection_id = ${collection} and asset_id = assets.id offset 0)`,
        ]),
  ];
}

/** Words that mean nothing by themselves, such as "the", find nothing rather than everything. */
export function searched(accountId: string, text: string): Condition {
  const words = sql`websearch_to_tsquery('english', ${text})`;
  // An id is made of letters, digits and an underscore, and in quotes it is one word that is taken as it is.
  return sql<SqlBool>`numnode(${words}) > 0 and search @@ (${`'${accountId}'`}::tsquery && ${words})`;
}

/** The first `max` assets of every condition that an index answers by itself. */
export function idLists(accountId: string, filter: AssetFilter, max: number): IdList[] {
  const { tags, collection } = filter;
  const own = ownAnd(accountId, filter);
  const ofTag = (tag: Expression<unknown>) => sql<{ id: string }>`
    select asset_id as id from asset_tags where account_id = ${accountId} and tag = ${tag} order by asset_id limit ${max}`;
  const within = costWithin(filter);
  return [
    ...(collection === undefined
      ? []
      : [
          sql<{ id: string }>`
            select asset_id as id from collection_assets where collection_id = ${collection} order by asset_id limit ${max}`,
        ]),
    ...(tags?.all ?? []).map((tag) => ofTag(sql`${tag}`)),
    ...(tags?.any
      ? [
          sql<{ id: string }>`
            select tagged.id from unnest(${tags.any}::text[]) as wanted (tag)
            cross join lateral (${ofTag(sql`wanted.tag`)}) tagged limit ${max}`,
        ]
      : []),
    ...(within.length === 0
      ? []
      : [
          sql<{ id: string }>`
            select id from assets where ${allOf([...own, ...within])} order by credits, id limit ${max}`,
        ]),
    ...equalities(filter).map(
      (equality) => sql<{ id: string }>`
        select id from assets where ${allOf([...own, equality])} order by created_at, id limit ${max}`,
    ),
  ];
}
