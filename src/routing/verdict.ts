import type { CheckOutcome, RejectionReason, SubmitOutcome } from '../providers/provider.ts';

/** How a call to a vendor ended. `cut`: we ended it ourselves, which says nothing about the vendor. */
export type EndedCall = Exclude<SubmitOutcome | CheckOutcome, { kind: 'accepted' | 'pending' }> | { kind: 'cut' };

/** What the end of a call says about the way it went. */
export interface Verdict {
  /** Who is ill: the model at this host, all of the host, nobody, or there is no telling. */
  readonly ill: 'ROUTE' | 'HOST' | 'NOBODY' | 'UNKNOWN';
  /** For people; empty where nobody is ill. */
  readonly reason: string;
  /** How long nobody should go there, whatever else is known; 0 leaves that to how often it happens. */
  readonly shutSeconds: number;
}

/**
 * Rejections that would only be repeated: by the vendor's word, or until a person has mended something. Seconds to stay
 * away where the vendor names none.
 */
const SHUTTING: Readonly<Partial<Record<RejectionReason, number>>> = {
  RATE_LIMITED: 10,
  NOT_READY: 20,
  AUTHENTICATION: 60,
  OUT_OF_FUNDS: 60,
  FORBIDDEN: 60,
  NOT_FOUND: 300,
  MODEL_RETIRED: 300,
};

/** A vendor that delivers, withholds, or turns down what was asked is well; one that does neither is not. */
export function verdictOf(ended: { readonly kind: 'delivered' } | Exclude<EndedCall, { kind: 'delivered' }>): Verdict {
  switch (ended.kind) {
    case 'delivered':
    case 'moderated':
      return { ill: 'NOBODY', reason: '', shutSeconds: 0 };
    case 'cut':
      return { ill: 'UNKNOWN', reason: '', shutSeconds: 0 };
    case 'rejected': {
      if (ended.scope === 'REQUEST') return { ill: 'NOBODY', reason: '', shutSeconds: 0 };
      return {
        ill: ended.scope === 'HOST' ? 'HOST' : 'ROUTE',
        reason: ended.message,
        shutSeconds: ended.retryAfterSeconds ?? SHUTTING[ended.reason] ?? 0,
      };
    }
    default:
      return { ill: 'ROUTE', reason: ended.message, shutSeconds: 0 };
  }
}
