import type { Viewer } from '../accounts/account.ts';
import { API_KEY_SCOPES, type ApiKeyScope, scopeMissing } from '../accounts/scopes.ts';
import { DomainError } from '../errors.ts';
import type { Author } from '../platform/audit-trail.ts';
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

/** What a key must have: one scope, or at least one of several. */
export type Need = ApiKeyScope | readonly [ApiKeyScope, ...ApiKeyScope[]];

/** Whatever may be read with any key that works: the own account, the catalog, the price book. */
export const ANY_SCOPE: Need = API_KEY_SCOPES;
/** How credits moved is read by whoever spends them and by whoever keeps the library that they were spent on. */
export const SPENDING: Need = ['RUN', 'LIBRARY'];
/** Pictures are of the library, and part of the jobs that made them. */
export const PICTURES: Need = ['LIBRARY', 'RUN'];

/** Who is asking, with a key that has the scope. @throws UNAUTHENTICATED, FORBIDDEN */
export function viewerOf(context: GraphContext, need: Need): Viewer {
  const { viewer } = context;
  if (viewer === null) {
    throw toGraphQLError(
      new DomainError('UNAUTHENTICATED', 'This needs an API key. Send one as "Authorization: Bearer <key>".'),
    );
  }
  const accepted = typeof need === 'string' ? [need] : need;
  if (!accepted.some((scope) => viewer.scopes.includes(scope))) throw scopeMissing(accepted);
  return viewer;
}

/** @throws UNAUTHENTICATED, or FORBIDDEN for anyone but an operator with a key for it. */
export function operatorOf(context: GraphContext): Viewer {
  const viewer = viewerOf(context, ANY_SCOPE);
  if (viewer.role !== 'OPERATOR') {
    throw new DomainError('FORBIDDEN', 'This is for operators only. Nothing was changed.', {
      requiredScope: 'OPERATOR',
      acceptedScopes: ['OPERATOR'],
    });
  }
  return viewerOf(context, 'OPERATOR');
}

export function isOperator({ role, scopes }: Viewer): boolean {
  return role === 'OPERATOR' && scopes.includes('OPERATOR');
}

/** Who makes a change, for the audit log. */
export function authorOf({ requestId }: GraphContext, { id, keyId }: Pick<Viewer, 'id' | 'keyId'>): Author {
  return { accountId: id, keyId, requestId };
}
