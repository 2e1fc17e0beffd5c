import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * HMAC-SHA256 with rotating keys: the first key signs, all verify. `purpose` keeps a signature made for one use from
 * being accepted for another.
 */
export class Signer {
  readonly #keys: readonly string[];

  constructor(keys: readonly [string, ...string[]]) {
    this.#keys = keys;
  }

  sign(purpose: string, message: string): string {
    return mac(this.#keys[0] as string, purpose, message);
  }

  verify(purpose: string, message: string, signature: string): boolean {
    // Compared as text: decoding forgives stray characters, and a signature has one spelling only.
    const given = Buffer.from(signature);
    return this.#keys.some((key) => {
      const expected = Buffer.from(mac(key, purpose, message));
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
  }
}

function mac(key: string, purpose: string, message: string): string {
  return createHmac('sha256', key).update(`${purpose}\n${message}`).digest('base64url');
}
