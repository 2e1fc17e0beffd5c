import type { Bucket, Capture, LedgerKind, Settlement } from './balance.ts';
import type { HoldRow } from './credits.tables.ts';

/** One side of a booking: how much a bucket gains (negative: loses). */
export interface Posting {
  readonly bucket: Bucket;
  readonly amount: bigint;
  readonly imageId?: string;
}

/** What becomes one ledger transaction; its postings add up to zero. */
export interface Booking {
  readonly kind: LedgerKind;
  readonly reason: string;
  readonly hold?: HoldRow;
  readonly postings: readonly Posting[];
}

export function granted(bucket: 'monthly' | 'topup', amount: bigint, reason: string): Booking {
  if (amount < 0n) throw new Error(`a grant of ${amount} milli-credits would take credits away`);
  return {
    kind: 'GRANT',
    reason,
    postings: [
      { bucket: 'issued', amount: -amount },
      { bucket, amount },
    ],
  };
}

export function expired(amount: bigint, reason: string, hold?: HoldRow): Booking {
  return {
    kind: 'EXPIRE',
    reason,
    ...(hold && { hold }),
    postings: [
      { bucket: 'monthly', amount: -amount },
      { bucket: 'expired', amount },
    ],
  };
}

/**
 * How a hold ends: what was delivered is captured and the rest is released, both out of the monthly part first. Monthly
 * credits that come back after their period has ended expire at once.
 */
export function settlementOf(
  hold: HoldRow,
  captures: readonly Capture[],
  periodOver: boolean,
): Settlement & { readonly bookings: readonly Booking[] } {
  const captured = capturedBy(captures);
  // Whoever captures what was not held has a defect, and nothing may be booked then.
  if (
    captures.some(({ amount }) => amount < 0n) ||
    captured > hold.amount ||
    allowancesLeft(hold, captures).some(({ images }) => images < 0)
  )
    throw new Error(`more was to be captured than hold ${hold.id} has`);
  const back = releasedParts(hold, captured);
  const released = hold.amount - captured;
  return {
    captured,
    released,
    bookings: [
      {
        kind: 'CAPTURE',
        reason: 'Delivered images',
        hold,
        postings: captures.flatMap(({ imageId, amount }): Posting[] => [
          { bucket: 'held', amount: -amount, imageId },
          { bucket: 'captured', amount, imageId },
        ]),
      },
      {
        kind: 'RELEASE',
        reason: 'Images that were not delivered',
        hold,
        postings: [
          { bucket: 'held', amount: -released },
          { bucket: 'monthly', amount: back.monthly },
          { bucket: 'topup', amount: back.topup },
          { bucket: 'owed', amount: back.owed },
        ],
      },
      ...(periodOver ? [expired(back.monthly, 'Released after their period had ended', hold)] : []),
    ],
  };
}

export function capturedBy(captures: readonly Capture[]): bigint {
  return captures.reduce((sum, { amount }) => sum + amount, 0n);
}

/** Free images that were set aside and not delivered, by provider, in the order in which they are locked. */
export function allowancesLeft(hold: HoldRow, captures: readonly Capture[]): { provider: string; images: number }[] {
  const used = Map.groupBy(captures, ({ allowance }) => allowance);
  const providers = new Set([...Object.keys(hold.free_images), ...[...used.keys()].filter((name) => name !== null)]);
  return [...providers].sort().map((provider) => ({
    provider,
    images: (hold.free_images[provider] ?? 0) - (used.get(provider)?.length ?? 0),
  }));
}

function releasedParts(hold: HoldRow, captured: bigint): { monthly: bigint; topup: bigint; owed: bigint } {
  const capturedMonthly = lesser(captured, hold.from_monthly);
  const capturedTopup = lesser(captured - capturedMonthly, hold.from_topup);
  return {
    monthly: hold.from_monthly - capturedMonthly,
    topup: hold.from_topup - capturedTopup,
    owed: hold.from_owed - (captured - capturedMonthly - capturedTopup),
  };
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
