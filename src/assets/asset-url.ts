import type { Signer } from '../platform/signer.ts';

const PURPOSE = 'asset-url';

export const URL_LIFETIME_MAX_SECONDS = 15 * 60;
/**
 * Expiries are set on the borders of five-minute windows. Everyone who asks within one window gets the very same
 * address, so browsers and pages that poll use their cached copy; an address lives for 10 to 15 minutes.
 */
const WINDOW_SECONDS = 5 * 60;

export function assetPath(id: string): string {
  return `/assets/${id}`;
}

/** Path and query of a picture's address. Whoever holds it may see that one picture until it expires. */
export function signedAssetPath(signer: Signer, id: string, now: Date): string {
  const window = Math.floor(now.getTime() / 1000 / WINDOW_SECONDS);
  const expires = String(window * WINDOW_SECONDS + URL_LIFETIME_MAX_SECONDS);
  return `${assetPath(id)}?expires=${expires}&signature=${signer.sign(PURPOSE, signedWords(id, expires))}`;
}

/** Seconds that the address is still good for, or null when it never was, was changed, or has expired. */
export function secondsLeft(
  signer: Signer,
  { id, expires, signature }: { readonly id: string; readonly expires: string; readonly signature: string },
  now: Date,
): number | null {
  if (!/^\d{1,12}$/.test(expires)) return null;
  if (!signer.verify(PURPOSE, signedWords(id, expires), signature)) return null;
  const left = Number(expires) - Math.floor(now.getTime() / 1000);
  return left > 0 ? left : null;
}

function signedWords(id: string, expires: string): string {
  return `${assetPath(id)}\n${expires}`;
}
