import type { Viewer } from '../accounts/account.ts';
import { DomainError } from '../errors.ts';
import type { RateLimitState } from '../platform/rate-limiter.ts';
import { toGraphQLError } from './error-format.ts';
import type { Loaders } from './loaders.ts';

/** What every resolver of one request shares. */
export interface GraphContext {
  readonly requestId: string;
  /** Null when no key was sent. */
  readonly viewer: Viewer | null;
  readonly loaders: Loaders;
  /** Set by a submission, to be answered as `extensions.billing`. */
  rate: RateLimitState | null;
}

/** Who is asking. @throws UNAUTHENTICATED */
export function viewerOf(context: GraphContext): Viewer {
  if (context.viewer === null) {
    throw toGraphQLError(
      new DomainError('UNAUTHENTICATED', 'This needs an API key. Send one as "Authorization: Bearer <key>".'),
    );
  }
  return context.viewer;
}

/** @throws UNAUTHENTICATED, or FORBIDDEN for anyone but an operator. */
export function operatorOf(context: GraphContext): Viewer {
  const viewer = viewerOf(context);
  if (viewer.role !== 'OPERATOR')
    throw new DomainError('FORBIDDEN', 'This is for operators only. Nothing was changed.');
  return viewer;
}
