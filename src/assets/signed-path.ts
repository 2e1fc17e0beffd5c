import type { Signer } from '../platform/signer.ts';

/** What the query of a signed address holds. */
export interface Signature {
  /** Unix time in whole seconds, as text. */
  readonly expires: string;
  readonly signature: string;
}

/** Path and query of an address that whoever holds it may use, for one purpose, until `expires` (Unix seconds). */
export function signedPath(signer: Signer, purpose: string, path: string, expires: number): string {
  return `${path}?expires=${expires}&signature=${signer.sign(purpose, signedWords(path, String(expires)))}`;
}

/** Seconds that an address is still good for, 0 or less when it has expired; null when we never signed it. */
export function secondsLeft(
  signer: Signer,
  purpose: string,
  path: string,
  { expires, signature }: Signature,
  now: Date,
): number | null {
  if (!/^\d{1,12}$/.test(expires)) return null;
  if (!signer.verify(purpose, signedWords(path, expires), signature)) return null;
  return Number(expires) - Math.floor(now.getTime() / 1000);
}

function signedWords(path: string, expires: string): string {
  return `${path}\n${expires}`;
}

/** Both words of the query, or null where one is missing or given twice. */
export function signatureIn(query: unknown): Signature | null {
  const { expires, signature } = query as Record<string, unknown>;
  return typeof expires === 'string' && typeof signature === 'string' ? { expires, signature } : null;
}
