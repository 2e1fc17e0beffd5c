import type { Signer } from '../platform/signer.ts';
import { type Signature, secondsLeft, signedPath } from './signed-path.ts';

const PURPOSE = 'asset-url';

export const URL_LIFETIME_MAX_SECONDS = 15 * 60;
/**
 * Expiries are set on the borders of five-minute windows. Everyone who asks within one window gets the very same
 * address, so browsers and pages that poll use their cached copy; an address lives for 10 to 15 minutes.
 */
const WINDOW_SECONDS = 5 * 60;

function assetPath(id: string): string {
  return `/assets/${id}`;
}

/** Path and query of a picture's address. Whoever holds it may see that one picture until it expires. */
export function signedAssetPath(signer: Signer, id: string, now: Date): string {
  const window = Math.floor(now.getTime() / 1000 / WINDOW_SECONDS);
  return signedPath(signer, PURPOSE, assetPath(id), window * WINDOW_SECONDS + URL_LIFETIME_MAX_SECONDS);
}

/** Seconds that the address is still good for, or null when it never was, was changed, or has expired. */
export function assetSecondsLeft(signer: Signer, id: string, signature: Signature, now: Date): number | null {
  const left = secondsLeft(signer, PURPOSE, assetPath(id), signature, now);
  return left !== null && left > 0 ? left : null;
}
