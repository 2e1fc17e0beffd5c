import { badInput } from '../errors.ts';
import { type IdKind, idKind } from './ids.ts';

/** Where a thing stands in a list. The list's own name is part of it, so a cursor of another list is refused. */
export function writeCursor(list: string, id: string): string {
  return Buffer.from(`${list}:${id}`).toString('base64url');
}

/**
 * The id that a cursor stands for.
 * @throws BAD_USER_INPUT for anything that {@link writeCursor} did not write for this list.
 */
export function readCursor(list: string, kind: IdKind, after: string): string {
  const text = after.length > 200 ? '' : Buffer.from(after, 'base64url').toString();
  const id = text.slice(list.length + 1);
  // Decoding forgives stray characters; only the one spelling that we write is accepted.
  if (idKind(id) !== kind || writeCursor(list, id) !== after) {
    throw badInput('after', after, 'a cursor that this list has given out, such as its pageInfo.endCursor');
  }
  return id;
}
