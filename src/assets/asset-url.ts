import type { Signer } from '../platform/signer.ts';
import { type Signature, secondsLeft, signedPath } from './signed-path.ts';

const PURPOSE = 'asset-url';
const RENDITION_PURPOSE = 'rendition-url';

export const URL_LIFETIME_MAX_SECONDS = 15 * 60;
/**
 * Expiries are set on the borders of five-minute windows. Everyone who asks within one window gets the very same
 * address, so browsers and pages that poll use their cached copy; an address lives for 10 to 15 minutes.
 */
const WINDOW_SECONDS = 5 * 60;

function assetPath(id: string): string {
  return `/assets/${id}`;
}

function renditionPath(id: string, spec: string): string {
  return `${assetPath(id)}/${spec}`;
}

function expiryAt(now: Date): number {
  return Math.floor(now.getTime() / 1000 / WINDOW_SECONDS) * WINDOW_SECONDS + URL_LIFETIME_MAX_SECONDS;
}

/** Path and query of a picture's address. Whoever holds it may see that one picture until it expires. */
export function signedAssetPath(signer: Signer, id: string, now: Date): string {
  return signedPath(signer, PURPOSE, assetPath(id), expiryAt(now));
}

/** The same for a picture derived from it. What was asked for is part of the path, so that nobody can ask for another. */
export function signedRenditionPath(signer: Signer, id: string, spec: string, now: Date): string {
  return signedPath(signer, RENDITION_PURPOSE, renditionPath(id, spec), expiryAt(now));
}

/** Seconds that the address is still good for, or null when it never was, was changed, or has expired. */
export function assetSecondsLeft(signer: Signer, id: string, signature: Signature, now: Date): number | null {
  return unexpired(secondsLeft(signer, PURPOSE, assetPath(id), signature, now));
}

/** The same for the address of a derived picture. */
export function renditionSecondsLeft(
  signer: Signer,
  id: string,
  spec: string,
  signature: Signature,
  now: Date,
): number | null {
  return unexpired(secondsLeft(signer, RENDITION_PURPOSE, renditionPath(id, spec), signature, now));
}

function unexpired(left: number | null): number | null {
  return left !== null && left > 0 ? left : null;
}
