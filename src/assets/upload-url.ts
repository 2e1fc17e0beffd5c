import type { Signer } from '../platform/signer.ts';
import { type Signature, secondsLeft, signedPath } from './signed-path.ts';

const PURPOSE = 'upload-url';

/** Path and query of the address that one picture may be sent to. The same upload always has the same one. */
export function signedUploadPath(signer: Signer, id: string, expiresAt: Date): string {
  return signedPath(signer, PURPOSE, uploadPath(id), Math.floor(expiresAt.getTime() / 1000));
}

/** Seconds that the address is still good for, 0 or less when it has expired; null when we never signed it. */
export function uploadSecondsLeft(signer: Signer, id: string, signature: Signature, now: Date): number | null {
  return secondsLeft(signer, PURPOSE, uploadPath(id), signature, now);
}

function uploadPath(id: string): string {
  return `/uploads/${id}`;
}
