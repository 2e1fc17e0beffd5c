import { TypeID, typeidUnboxed } from 'typeid-js';

/** Kinds of id. The prefix is part of the id, so one kind can never be taken for another. */
export type IdKind =
  | 'account'
  | 'key'
  | 'audit'
  | 'job'
  | 'image'
  | 'attempt'
  | 'asset'
  | 'rendition'
  | 'collection'
  | 'budget'
  | 'hold'
  | 'tx'
  | 'worker';

/** A new id: `kind_` and a UUIDv7 in base 32, so that ids sort by the time they were made. */
export function newId(kind: IdKind): string {
  return typeidUnboxed(kind);
}

/** The kind of a well-formed id, or null. Malformed ids are answered exactly like unknown ones. */
export function idKind(id: string): string | null {
  if (id.length > 60) return null;
  try {
    return TypeID.fromString(id).getType() || null;
  } catch {
    return null;
  }
}
