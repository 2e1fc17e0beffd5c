import type { QuoteInvalid, Refusal } from '../catalog/refusals.ts';
import { formatCredits } from '../pricing/prices.ts';

export function quoteInvalid(reason: QuoteInvalid['reason'], what: string): QuoteInvalid {
  const message = `${what} Nothing was run and nothing was charged; the estimate beside this is a fresh one.`;
  return { type: 'QuoteInvalid', reason, message };
}

/** More than the caller's own `maxCredits`. */
export function overMax(credits: bigint, limit: bigint): Refusal {
  return {
    type: 'CapExceeded',
    cap: 'MAX_CREDITS',
    required: credits,
    spent: 0n,
    limit,
    resetsAt: null,
    message: `The workflow costs ${formatCredits(credits)} credits, more than the ${formatCredits(limit)} allowed by maxCredits. Drop a step, run it fewer times, or raise maxCredits.`,
  };
}

/** For an estimate that was good, and whose free images another job took before its own hold. */
export function allowanceUsed(): Refusal {
  return {
    type: 'QuoteInvalid',
    reason: 'ALLOWANCE_USED',
    message:
      'The free images that this price counted on have just been used by another job. Nothing was run and nothing was charged; the estimate beside this has the new price.',
  };
}
