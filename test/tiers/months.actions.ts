import fc from 'fast-check';
import { TIERS, type Tier } from '../../src/pricing/price-book.ts';

/** Something that one of the two processes is asked to do. */
export type Deed =
  | { readonly do: 'look' }
  | { readonly do: 'topUp'; readonly amount: bigint }
  /** An undefined cap stays what it is. */
  | { readonly do: 'setTier'; readonly tier: Tier; readonly cap: bigint | null | undefined }
  | { readonly do: 'hold'; readonly amount: bigint }
  /** `which` of the holds made so far, ended ones included; two images share `share` percent of it. */
  | { readonly do: 'settle'; readonly which: number; readonly share: number };

export type Action =
  | { readonly do: 'pass'; readonly hours: number }
  /** Nobody does anything for so long. */
  | { readonly do: 'sleep'; readonly days: number }
  /** On to the end of the period, or to a millisecond beside it. */
  | { readonly do: 'toTheEnd'; readonly beyondMs: number }
  | (Deed & { readonly process: 0 | 1 })
  /** The period ends, and both processes notice while one of them does something. */
  | { readonly do: 'race'; readonly deed: Deed; readonly process: 0 | 1 };

const process = fc.constantFrom(0 as const, 1 as const);
const cap = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  fc.constant(null),
  fc.bigInt({ min: 0n, max: 500_000n }),
);
const deeds = {
  look: { do: fc.constant('look' as const) },
  topUp: { do: fc.constant('topUp' as const), amount: fc.bigInt({ min: 1n, max: 150_000n }) },
  setTier: { do: fc.constant('setTier' as const), tier: fc.constantFrom(...TIERS), cap },
  hold: { do: fc.constant('hold' as const), amount: fc.bigInt({ min: 0n, max: 120_000n }) },
  settle: { do: fc.constant('settle' as const), which: fc.nat(5), share: fc.nat(100) },
};
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record(deeds.look),
  fc.record(deeds.topUp),
  fc.record(deeds.setTier),
  fc.record(deeds.hold),
  fc.record(deeds.settle),
);

export const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), hours: fc.integer({ min: 1, max: 72 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sleep' as const), days: fc.integer({ min: 1, max: 200 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('toTheEnd' as const), beyondMs: fc.constantFrom(-1, 0, 1) }) },
  { weight: 2, arbitrary: fc.record({ ...deeds.look, process }) },
  { weight: 2, arbitrary: fc.record({ ...deeds.topUp, process }) },
  { weight: 4, arbitrary: fc.record({ ...deeds.setTier, process }) },
  { weight: 5, arbitrary: fc.record({ ...deeds.hold, process }) },
  { weight: 6, arbitrary: fc.record({ ...deeds.settle, process }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('race' as const), deed, process }) },
);

/** Any moment, and often one that has no like in other months. */
export const opened: fc.Arbitrary<Date> = fc.oneof(
  fc
    .constantFrom('2026-01-31T23:59:59.999Z', '2028-01-31T12:34:56.789Z', '2027-12-31T00:00:00.000Z')
    .map((written) => new Date(written)),
  fc.constantFrom('2028-02-29T00:00:00.000Z', '2024-02-29T23:59:59.999Z').map((written) => new Date(written)),
  fc.date({ min: new Date('2024-01-01'), max: new Date('2031-01-01'), noInvalidDate: true }),
);
