import type { RejectionReason } from '../providers/provider.ts';
import type { Attempt, FailureCode } from './job.ts';
import { failureOf, ruleOf } from './settlement-policy.ts';

/** Rejections that say nothing of the image: the same route may take it later. */
const ASK_LATER: ReadonlySet<RejectionReason> = new Set(['RATE_LIMITED', 'NOT_READY']);
/** How often one route is asked for one image, as long as it says to come later. */
const ASKED_MAX = 3;

/** What attempts of an image so far forbid: tried routes, and vendors that may have bought it already. */
export function forbidden(attempts: readonly Pick<Attempt, 'routeId' | 'outcome' | 'reason'>[]): {
  routes: Set<string>;
  vendors: Set<string>;
} {
  const vendorOf = (routeId: string) => routeId.split('/')[0] ?? routeId;
  const byRoute = Map.groupBy(attempts, ({ routeId }) => routeId);
  const isLater = ({ reason }: Pick<Attempt, 'reason'>) => reason !== null && ASK_LATER.has(reason);
  return {
    routes: new Set(
      [...byRoute].flatMap(([routeId, asked]) => (asked.length < ASKED_MAX && asked.every(isLater) ? [] : [routeId])),
    ),
    vendors: new Set(
      attempts
        .filter(({ outcome }) => outcome !== null && !ruleOf(outcome).sameVendorAgain)
        .map(({ routeId }) => vendorOf(routeId)),
    ),
  };
}

/** Rejections about our key or our money at the vendor: for operators to mend, and nobody else's business. */
export const ABOUT_US: ReadonlySet<RejectionReason> = new Set(['AUTHENTICATION', 'OUT_OF_FUNDS', 'FORBIDDEN']);

/**
 * What a customer is told instead of the vendor's words about us, which may show our account there or an address in our
 * network.
 */
const BETWEEN_US: Partial<Record<RejectionReason, string>> = {
  AUTHENTICATION: 'it does not let this gateway in',
  OUT_OF_FUNDS: 'it does not let this gateway in',
  FORBIDDEN: 'it does not let this gateway in',
  RATE_LIMITED: 'it takes no more just now',
  NOT_READY: 'it is not ready yet',
  UNREACHABLE: 'it could not be reached',
};

/** Why an image failed when no route is left to try, from how its attempts ended. */
export function failureAfter(attempts: readonly Pick<Attempt, 'outcome' | 'reason' | 'message'>[]): {
  code: FailureCode;
  message: string;
} {
  const seen = new Set(attempts.map(({ outcome }) => outcome));
  const free = 'It was not charged.';
  if (attempts.length === 0)
    return {
      code: failureOf('NO_ROUTE_OPEN'),
      message: `No vendor that could draw this is answering as it should. ${free} Try again later, or another model.`,
    };
  const { reason = null, message = null } = attempts.at(-1) ?? {};
  const last = (reason && BETWEEN_US[reason]) ?? message ?? 'no explanation';
  if (seen.has('unknown'))
    return {
      code: failureOf('UNKNOWN'),
      message: `A vendor did not say whether it drew this image. ${free} You can run it again.`,
    };
  if (seen.has('broken'))
    return {
      code: failureOf('BROKEN'),
      message: `What the vendor sent was not a usable picture (${last}). ${free} You can run it again.`,
    };
  return {
    code: failureOf('REJECTED'),
    message: `No vendor that could draw this did (${last}). ${free} Try again later, or another model.`,
  };
}
