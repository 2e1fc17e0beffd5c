import type { GuardReason } from './outbound-guard.ts';

/**
 * How far a failed call came.
 * - `refused`: the guard does not call such an address.
 * - `not-sent`: not one byte of the request was written, so the other side cannot have acted on it.
 * - `maybe-sent`: it was being sent, or had been; the other side may have acted on it.
 */
export type OutboundErrorKind = 'refused' | 'not-sent' | 'maybe-sent';

export type OutboundErrorReason =
  | GuardReason
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'aborted'
  | 'closed'
  | 'reset'
  | 'truncated'
  | 'malformed'
  | 'too-large';

/** A call without an answer. The message names the host and what happened: no path, no query, no header. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';

  constructor(
    readonly kind: OutboundErrorKind,
    readonly reason: OutboundErrorReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
