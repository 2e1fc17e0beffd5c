import { badInput } from '../errors.ts';
import type { Role } from './account.ts';
import { API_KEY_SCOPES, type ApiKeyScope, CUSTOMER_SCOPES } from './scopes.ts';

export const LABEL_LENGTH_MAX = 200;
/** Keys of one account that may work at once, and the most that are listed. */
export const KEYS_MAX = 100;
/** How long a key may go on beside the one that replaces it. */
export const OVERLAP_SECONDS_MAX = 7 * 24 * 60 * 60;

export interface ApiKey {
  readonly id: string;
  readonly accountId: string;
  readonly label: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly createdAt: Date;
  /** From when on it does not work; null for never. */
  readonly expiresAt: Date | null;
  /** To a minute or so; null for a key that was never used. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  /** The key that was issued in its place. */
  readonly replacedBy: string | null;
}

export interface NewKey {
  readonly label: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly expiresAt: Date | null;
}

/** Everything that a key of such an account can be used for. */
export function scopesOf(role: Role): readonly ApiKeyScope[] {
  return role === 'OPERATOR' ? API_KEY_SCOPES : CUSTOMER_SCOPES;
}

/** A moment that is reached is over: a key that expires now does not work now. */
export function hasExpired({ expiresAt }: Pick<ApiKey, 'expiresAt'>, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now;
}

export function works(key: Pick<ApiKey, 'expiresAt' | 'revokedAt'>, now: Date): boolean {
  return key.revokedAt === null && !hasExpired(key, now);
}

/** In one order, each once. @throws BAD_USER_INPUT for none, or for what keys of such an account cannot have. */
export function checkedScopes(scopes: readonly ApiKeyScope[], role: Role): readonly ApiKeyScope[] {
  const allowed = scopesOf(role);
  if (scopes.length === 0 || scopes.some((scope) => !allowed.includes(scope))) {
    const why = role === 'OPERATOR' ? '' : '; OPERATOR is for accounts of operators alone';
    throw badInput('scopes', scopes, `at least one of ${allowed.join(', ')}${why}`);
  }
  return allowed.filter((scope) => scopes.includes(scope));
}

/** @throws BAD_USER_INPUT for a moment that is over. */
export function checkExpiry(expiresAt: Date | null, now: Date): void {
  if (hasExpired({ expiresAt }, now))
    throw badInput('expiresAt', expiresAt?.toISOString(), 'later than now, or left out for a key that does not expire');
}

/** @throws BAD_USER_INPUT */
export function checkLabel(label: string): void {
  if (label.length < 1 || label.length > LABEL_LENGTH_MAX)
    throw badInput('label', label, `1 to ${LABEL_LENGTH_MAX} characters`);
}

/** @throws BAD_USER_INPUT */
export function checkOverlap(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > OVERLAP_SECONDS_MAX)
    throw badInput('overlapSeconds', seconds, `a whole number from 0 to ${OVERLAP_SECONDS_MAX} (7 days)`);
}
