import { badInput } from '../errors.ts';
import type { AssetKind } from './asset.ts';

export const ASSET_STATUSES = ['KEPT', 'DELETED'] as const;
/** In the library, or deleted and still to be had back. */
export type AssetStatus = (typeof ASSET_STATUSES)[number];

/** Which assets; what is absent does not matter. Both ends of a range belong to it. */
export interface AssetFilter {
  readonly kind?: AssetKind | undefined;
  readonly operation?: string | undefined;
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  readonly quality?: string | undefined;
  readonly favourite?: boolean | undefined;
  readonly collection?: string | undefined;
  readonly parent?: string | undefined;
  readonly tags?: { readonly any?: readonly string[] | undefined; readonly all?: readonly string[] | undefined };
  readonly created?: { readonly from?: Date | undefined; readonly to?: Date | undefined };
  /** Milli-credits. */
  readonly cost?: { readonly min?: bigint | undefined; readonly max?: bigint | undefined };
  readonly status?: AssetStatus | undefined;
  /** Words of the title or the prompt, as people type them into a search box. */
  readonly search?: string | undefined;
}

export const ASSET_ORDER_FIELDS = ['CREATED', 'COST', 'SIZE', 'TITLE'] as const;
export const ORDER_DIRECTIONS = ['ASC', 'DESC'] as const;

/** Assets that are equal in `field` follow each other by id. */
export interface AssetOrder {
  readonly field: (typeof ASSET_ORDER_FIELDS)[number];
  readonly direction: (typeof ORDER_DIRECTIONS)[number];
}

export const NEWEST_FIRST: AssetOrder = { field: 'CREATED', direction: 'DESC' };

export const TAG_LENGTH_MAX = 50;
export const TAGS_MAX = 20;
export const SEARCH_LENGTH_MAX = 200;

/** Tags differ by their words alone: not by capitals, or by how a letter is composed. @throws BAD_USER_INPUT */
export function asTag(field: string, text: string): string {
  const tag = text.normalize('NFC').trim().toLowerCase();
  if (tag.length < 1 || tag.length > TAG_LENGTH_MAX || /\p{Cc}|\p{Cs}/u.test(tag))
    throw badInput(field, text, `1 to ${TAG_LENGTH_MAX} characters without control characters`);
  return tag;
}

/** Each tag once. @throws BAD_USER_INPUT */
export function asTags(field: string, texts: readonly string[]): string[] {
  if (texts.length > TAGS_MAX) throw badInput(field, texts.length, `a list of at most ${TAGS_MAX} tags`);
  return [...new Set(texts.map((text, index) => asTag(`${field}[${index}]`, text)))];
}

/** The filter in canonical form. @throws BAD_USER_INPUT */
export function checkedFilter(filter: AssetFilter): AssetFilter {
  const { tags, created, cost, search } = filter;
  if (created?.from && created.to && created.from > created.to)
    throw badInput('filter.created.from', created.from.toISOString(), 'no later than filter.created.to');
  if (cost?.min !== undefined && cost.max !== undefined && cost.min > cost.max)
    throw badInput('filter.cost.min', Number(cost.min) / 1000, 'at most filter.cost.max');
  if (search !== undefined && (search.trim() === '' || search.length > SEARCH_LENGTH_MAX || search.includes('\0')))
    throw badInput('filter.search', search, `1 to ${SEARCH_LENGTH_MAX} characters`);
  if (!tags) return filter;
  const { any, all } = tags;
  return {
    ...filter,
    tags: { ...(any && { any: asTags('filter.tags.any', any) }), ...(all && { all: asTags('filter.tags.all', all) }) },
  };
}
