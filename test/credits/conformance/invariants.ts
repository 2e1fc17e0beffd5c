import type { Db } from '../../../src/platform/database.ts';
import { columnsLike, KEPT } from './invariants.books.ts';
import { AT_ONCE } from './invariants.crowds.ts';
import { REPEATED } from './invariants.repeats.ts';
import type { Subject } from './subject.ts';

/** Something that must be true of whatever moves money. */
export interface Invariant {
  readonly id: string;
  readonly name: string;
  /** What it costs somebody when it does not hold. */
  readonly why: string;
  /** Looks at what happens when many come at once, which nothing does on an engine of one connection. */
  readonly atOnce: boolean;
  /** Every way in which the subject breaks it, in words and figures. It works on new accounts, and looks at no other. */
  check(subject: Subject): Promise<string[]>;
}

export interface NotApplicable {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  /** What would make the reason untrue; there must be none. */
  contradictions(db: Db): Promise<string[]>;
}

export const INVARIANTS: readonly Invariant[] = [...KEPT, ...REPEATED, ...AT_ONCE].sort((a, b) =>
  a.id < b.id ? -1 : 1,
);

export const NOT_APPLICABLE: readonly NotApplicable[] = [
  {
    id: 'INV-03',
    name: 'hash chain',
    reason: 'no chain is kept; triggers refuse every change (INV-02), which whoever owns the database could remove',
    contradictions: (db) => columnsLike(db, '(hash|chain|digest)'),
  },
  {
    id: 'INV-11',
    name: 'no mixed currencies',
    reason: 'there is one currency, the credit, and no column that could name another',
    contradictions: (db) => columnsLike(db, '(currency|asset|unit)'),
  },
];
