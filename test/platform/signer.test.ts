import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Signer } from '../../src/platform/signer.ts';

const KEY = 'k'.repeat(32);
const signer = new Signer([KEY]);

describe('a signature', () => {
  test('is HMAC-SHA256 of purpose and message, so that other programs can make and check it', () => {
    const expected = createHmac('sha256', KEY).update('asset\nhello').digest('base64url');
    expect(signer.sign('asset', 'hello')).toBe(expected);
    expect(signer.verify('asset', 'hello', expected)).toBe(true);
  });

  test('is good for its message, purpose and key alone', () => {
    const signature = signer.sign('asset', 'hello');
    expect(signer.verify('asset', 'hello!', signature)).toBe(false);
    expect(signer.verify('quote', 'hello', signature)).toBe(false);
    expect(new Signer(['other']).verify('asset', 'hello', signature)).toBe(false);
  });

  test('has one spelling: no padding, no stray characters, no other last character', () => {
    const signature = signer.sign('asset', 'hello');
    const last = signature.at(-1) ?? '';
    // The last of 43 characters carries two bits that decoding throws away: three others decode to the same bytes.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const sameBytes = [...alphabet].filter(
      (other) =>
        other !== last &&
        Buffer.from(signature.slice(0, -1) + other, 'base64url').equals(Buffer.from(signature, 'base64url')),
    );
    expect(sameBytes).toHaveLength(3);
    for (const other of sameBytes) expect(signer.verify('asset', 'hello', signature.slice(0, -1) + other)).toBe(false);
    for (const other of [
      `${signature}=`,
      `${signature}\n`,
      ` ${signature}`,
      `${signature.slice(0, 9)} ${signature.slice(9)}`,
    ])
      expect(signer.verify('asset', 'hello', other)).toBe(false);
    const standard = Buffer.from(signature, 'base64url').toString('base64');
    if (standard !== signature) expect(signer.verify('asset', 'hello', standard)).toBe(false);
  });

  test.each(['', 'x', '\0', '🗼', 'A'.repeat(43), 'A'.repeat(1_000_000)])('is not %#', (forged) => {
    expect(signer.verify('asset', 'hello', forged)).toBe(false);
  });
});
