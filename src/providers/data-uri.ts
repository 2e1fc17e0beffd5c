import type { SentPicture } from './provider.ts';

/** A picture as text (RFC 2397), for vendors that take pictures inside JSON. */
export function dataUriOf({ bytes, contentType }: SentPicture): string {
  return `data:${contentType};base64,${bytes.toString('base64')}`;
}
