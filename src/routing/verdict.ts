import type { CheckOutcome, RejectionReason, SubmitOutcome } from '../providers/provider.ts';

/** How a call to a vendor ended. `cut`: we ended it ourselves, which says nothing about the vendor. */
export type EndedCall = Exclude<SubmitOutcome | CheckOutcome, { kind: 'accepted' | 'pending' }> | { kind: 'cut' };

/** What the end of a call says about the way it went. */
export interface Verdict {
  /** Who is ill: the model at this host, all of the host, nobody, or there is no telling. */
  readonly ill: 'ROUTE' | 'HOST' | 'NOBODY' | 'UNKNOWN';
  /**
   * For people; empty where nobody is ill. Every account can read it, so it is in our words: a vendor's can repeat what
   * another customer asked for, or tell of our keys and machines.
   */
  readonly reason: string;
  /** How long nobody should go there, whatever else is known; 0 leaves that to how often it happens. */
  readonly shutSeconds: number;
  /** Whether it brought a picture: only then the time it took says how long one takes. */
  readonly delivered: boolean;
}

/**
 * What rejections mean for a route, and how long to stay away where the vendor names no time: those that would only be
 * repeated, by its word or until a person has mended something.
 */
const REJECTED: Readonly<Record<RejectionReason, { readonly reason: string; readonly shutSeconds: number }>> = {
  RATE_LIMITED: { reason: 'It asks for a pause.', shutSeconds: 10 },
  NOT_READY: { reason: 'Its model is being loaded.', shutSeconds: 20 },
  AUTHENTICATION: { reason: 'It does not let this gateway in.', shutSeconds: 60 },
  OUT_OF_FUNDS: { reason: 'It does not let this gateway in.', shutSeconds: 60 },
  FORBIDDEN: { reason: 'It does not let this gateway in.', shutSeconds: 60 },
  NOT_FOUND: { reason: 'It does not have this model.', shutSeconds: 300 },
  MODEL_RETIRED: { reason: 'It does not have this model any more.', shutSeconds: 300 },
  UNREACHABLE: { reason: 'It cannot be reached.', shutSeconds: 0 },
  BAD_REQUEST: { reason: '', shutSeconds: 0 },
  TOO_LARGE: { reason: '', shutSeconds: 0 },
};

const NOBODY: Verdict = { ill: 'NOBODY', reason: '', shutSeconds: 0, delivered: false };
/** A call that we ended ourselves, or never made. */
export const NOTHING_SEEN: Verdict = { ...NOBODY, ill: 'UNKNOWN' };

/** A vendor that delivers, withholds, or turns down what was asked is well; one that does neither is not. */
export function verdictOf(ended: { readonly kind: 'delivered' } | Exclude<EndedCall, { kind: 'delivered' }>): Verdict {
  const ill = (reason: string, shutSeconds = 0): Verdict => ({ ill: 'ROUTE', reason, shutSeconds, delivered: false });
  switch (ended.kind) {
    case 'delivered':
      return { ...NOBODY, delivered: true };
    case 'moderated':
      return NOBODY;
    case 'cut':
      return NOTHING_SEEN;
    case 'rejected': {
      if (ended.scope === 'REQUEST') return NOBODY;
      const { reason, shutSeconds } = REJECTED[ended.reason];
      const verdict = ill(reason, ended.retryAfterSeconds ?? shutSeconds);
      return ended.scope === 'HOST' ? { ...verdict, ill: 'HOST' } : verdict;
    }
    case 'broken':
      // Who asks for words gets words: that is no illness.
      return ended.inWords ? NOBODY : ill('What it sends is no usable picture.');
    case 'unknown':
      return ill('Its answers fail, or do not come.', ended.retryAfterSeconds ?? 0);
    default:
      return ill('Its jobs fail.');
  }
}
