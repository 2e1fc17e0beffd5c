import { badInput, type DomainError } from '../errors.ts';
import { type IdKind, idKind } from './ids.ts';

export const PAGE_SIZE_MAX = 100;

/** @throws BAD_USER_INPUT for a page of no items, of part of one, or of more than a page may have. */
export function checkPageSize(first: number): void {
  if (!Number.isInteger(first) || first < 1 || first > PAGE_SIZE_MAX)
    throw badInput('first', first, `a whole number from 1 to ${PAGE_SIZE_MAX}`);
}

/** Where a thing without an id of its own stands: its number within what has one. */
export interface Place {
  readonly id: string;
  readonly number: number;
}

export function writePlaceCursor(list: string, id: string, number: number): string {
  return writeCursor(list, `${id}.${number}`);
}

/** @throws BAD_USER_INPUT for anything that {@link writePlaceCursor} did not write for this list. */
export function readPlaceCursor(list: string, kind: IdKind, after: string): Place {
  const [id = '', digits = ''] = textOf(list, after).split('.');
  if (!/^\d{1,9}$/.test(digits) || idKind(id) !== kind || writePlaceCursor(list, id, Number(digits)) !== after)
    throw notACursor(after);
  return { id, number: Number(digits) };
}

/** Where a thing stands in a list that is sorted by something else than its id: `key` is what it is sorted by. */
export interface SortedPlace {
  readonly id: string;
  readonly key: string;
}

export function writeSortedCursor(list: string, { id, key }: SortedPlace): string {
  return writeCursor(list, `${id}.${key}`);
}

/** @throws BAD_USER_INPUT for anything that {@link writeSortedCursor} did not write for this list, or whose key is none. */
export function readSortedCursor(
  list: string,
  kind: IdKind,
  after: string,
  isKey: (key: string) => boolean,
): SortedPlace {
  const text = textOf(list, after, SORTED_CURSOR_LENGTH_MAX);
  const dot = text.indexOf('.');
  const place = { id: text.slice(0, Math.max(0, dot)), key: text.slice(dot + 1) };
  if (idKind(place.id) !== kind || !isKey(place.key) || writeSortedCursor(list, place) !== after)
    throw notACursor(after);
  return place;
}

/** Where a thing stands in a list. The list's own name is part of it, so a cursor of another list is refused. */
export function writeCursor(list: string, id: string): string {
  return Buffer.from(`${list}:${id}`).toString('base64url');
}

/**
 * The id that a cursor stands for.
 * @throws BAD_USER_INPUT for anything that {@link writeCursor} did not write for this list.
 */
export function readCursor(list: string, kind: IdKind, after: string): string {
  const id = textOf(list, after);
  // Decoding forgives stray characters; only the one spelling that we write is accepted.
  if (idKind(id) !== kind || writeCursor(list, id) !== after) throw notACursor(after);
  return id;
}

const CURSOR_LENGTH_MAX = 200;
/** Titles are sorted by, too: 200 characters of up to four bytes. */
const SORTED_CURSOR_LENGTH_MAX = 1_500;

function textOf(list: string, after: string, lengthMax = CURSOR_LENGTH_MAX): string {
  return after.length > lengthMax
    ? ''
    : Buffer.from(after, 'base64url')
        .toString()
        .slice(list.length + 1);
}

function notACursor(after: string): DomainError {
  return badInput('after', after, 'a cursor that this list has given out, such as its pageInfo.endCursor');
}
