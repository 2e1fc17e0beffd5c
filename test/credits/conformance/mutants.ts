import { BudgetsStore } from '../../../src/credits/budgets.store.ts';
import { CreditsStore } from '../../../src/credits/credits.store.ts';
import { HoldsStore } from '../../../src/credits/holds.store.ts';
import type { Db } from '../../../src/platform/database.ts';
import {
  BalanceWithoutEntry,
  ChecksThenClaims,
  ClaimedApart,
  ClaimWithdrawn,
  DeletedReversals,
  EndlessHolds,
  FloatAmounts,
  ForgetfulKeys,
  MergedTopUps,
  NamelessEndings,
  OneSidedFee,
  PositionBeforeLock,
  ReadsThenWrites,
  UnlockedBalance,
} from './mutants.parts.ts';
import { Gap, Subject } from './subject.ts';

/** A ledger with one defect, and how it must be found out. */
export interface Mutant {
  /** The invariant that must report it. */
  readonly breaks: string;
  readonly defect: string;
  /** What the report must say; another violation would be another defect than the one that was made. */
  readonly caught: RegExp;
  /** It goes wrong only when two transactions run at once, which an engine of one connection never lets happen. */
  readonly needsTwoAtOnce: boolean;
  /** Its database has lost the triggers that refuse changes. */
  readonly withoutTriggers: boolean;
  open(db: Db): Subject;
}

const calm = { needsTwoAtOnce: false, withoutTriggers: false };
const racing = { needsTwoAtOnce: true, withoutTriggers: false };
const unguarded = { needsTwoAtOnce: false, withoutTriggers: true };

/** Builds a subject whose broken part has a moment that two can meet in. */
const withGap = (open: (db: Db, gap: Gap) => Subject) => (db: Db) => open(db, new Gap());

export const MUTANTS: readonly Mutant[] = [
  {
    breaks: 'INV-01',
    defect: 'a fee is written with one side only',
    caught: /^a CAPTURE of 5 entries adds up to 1$/,
    ...calm,
    open: (db) => new Subject(db, { store: new OneSidedFee(db) }),
  },
  {
    breaks: 'INV-02',
    defect: 'a second top-up raises the entry of the first',
    caught: /^the GRANT of 10 to topup is not what it was$/,
    ...unguarded,
    open: (db) => new Subject(db, { store: new MergedTopUps(db) }),
  },
  {
    breaks: 'INV-02',
    defect: 'the triggers that refuse changes are gone',
    caught: /^the database let somebody "delete from ledger_entries"$/,
    ...unguarded,
    open: (db) => new Subject(db),
  },
  {
    breaks: 'INV-04',
    defect: 'the key is not looked at',
    caught: /^5000 are held for one submission of 2500$/,
    ...calm,
    open: (db) => new Subject(db, { keys: new ForgetfulKeys(db) }),
  },
  {
    breaks: 'INV-05',
    defect: 'the key is looked up and then written',
    caught: /^([2-9]|\d\d) of 64 at once were applied$/,
    ...racing,
    open: withGap((db, gap) => new Subject(db, { keys: new ChecksThenClaims(db, gap), gap })),
  },
  {
    breaks: 'INV-06',
    defect: 'the balance is read without a lock and overwritten',
    caught: /^of 50000 in 500 top-ups at once [1-9]\d* are lost$/,
    ...racing,
    open: withGap((db, gap) => new Subject(db, { store: new UnlockedBalance(db, gap), gap })),
  },
  {
    breaks: 'INV-07',
    defect: 'a hold can be settled more than once',
    caught: /^\d+ can be spent where \d+ are left by what the settlements answered$/,
    ...calm,
    open: (db) => new Subject(db, { holds: new EndlessHolds(db) }),
  },
  {
    breaks: 'INV-08',
    defect: 'a balance is moved without an entry',
    caught: /^topup: the balance says \d+, the journal says -?\d+$/,
    ...calm,
    open: (db) => new Subject(db, { store: new BalanceWithoutEntry(db) }),
  },
  {
    breaks: 'INV-09',
    defect: 'a hold looks at the balance and then writes it',
    caught: /^(1[1-9]|20) holds of 1000 were given on a balance of 10000$/,
    ...racing,
    open: withGap((db, gap) => new Subject(db, { holds: new ReadsThenWrites(db, gap), gap })),
  },
  {
    breaks: 'INV-10',
    defect: 'amounts pass through a float of credits',
    caught: /^100 times 1001 is 100000 and not 100100: a drift of -100$/,
    ...calm,
    open: (db) => new Subject(db, { store: new FloatAmounts(db) }),
  },
  {
    breaks: 'INV-12',
    defect: 'a hold that is given back is deleted',
    caught: /^the HOLD of 25 to held is gone from the ledger$/,
    ...unguarded,
    open: (db) =>
      new Subject(db, {
        credits: new DeletedReversals(db, new CreditsStore(db), new HoldsStore(db), new BudgetsStore()),
      }),
  },
  {
    breaks: 'INV-13',
    defect: 'the end of a hold does not say which hold ended',
    caught: /^40 holds are open by the log, and 20 by the balance$/,
    ...calm,
    open: (db) => new Subject(db, { store: new NamelessEndings(db) }),
  },
  {
    breaks: 'INV-14',
    defect: 'a grant takes its place in the ledger before its turn on the balance',
    caught: /^a GRANT leaves \d+ in topup, out of its order$/,
    ...racing,
    open: withGap((db, gap) => {
      const store = new CreditsStore(db);
      return new Subject(db, { store, credits: new PositionBeforeLock(db, store, gap), gap });
    }),
  },
  {
    breaks: 'INV-15',
    defect: 'the key is claimed before the outcome is known, and kept',
    caught: /^1 of 2 one after the other were told that it was duplicate, and it was refused$/,
    ...calm,
    open: (db) => new ClaimedApart(db),
  },
  {
    breaks: 'INV-15',
    defect: 'the key is claimed before the outcome is known, and withdrawn after a refusal',
    caught: /^\d+ of 32 at once were told that it was duplicate, and it was refused$/,
    ...racing,
    open: withGap((db, gap) => new ClaimWithdrawn(db, gap)),
  },
];
