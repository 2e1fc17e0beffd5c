import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256, hex, of a value written as canonical JSON (RFC 8785): the order of fields never matters. */
export function canonicalHash(value: object): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');
}
