import { describe, expect, test } from 'vitest';
import { idKind, newId } from '../../src/platform/ids.ts';

describe('an id', () => {
  test('says its kind, and is told from ids of every other kind', () => {
    for (const kind of ['account', 'key', 'job', 'image', 'attempt', 'asset', 'hold', 'tx', 'worker'] as const) {
      expect(newId(kind)).toMatch(new RegExp(`^${kind}_[0-9a-hjkmnp-tv-z]{26}$`));
      expect(idKind(newId(kind))).toBe(kind);
    }
  });

  test('is new every time', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newId('job'))).size).toBe(10_000);
  });

  test('holds a UUIDv7: it begins with the time it was made, so that ids sort by age', () => {
    const before = Date.now();
    const id = newId('job');
    const after = Date.now();
    const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
    const bits = [...id.slice('job_'.length)].reduce((sum, digit) => sum * 32n + BigInt(alphabet.indexOf(digit)), 0n);
    const madeAt = Number(bits >> 80n);
    expect(madeAt).toBeGreaterThanOrEqual(before);
    expect(madeAt).toBeLessThanOrEqual(after);
    expect((bits >> 76n) & 0xfn).toBe(7n);
  });

  test.each([
    '',
    '_',
    'job',
    'job_',
    'job_123',
    '01jd0000000000000000000000',
    '_01jd0000000000000000000000',
    'job_01jd000000000000000000000', // a digit short
    'job_01jd00000000000000000000000', // a digit too many
    'job_81jd0000000000000000000000', // more than 128 bits
    'job_01jd000000000000000000000u', // not a digit of base 32
    'Job_01jd0000000000000000000000',
    'job-01jd0000000000000000000000',
    'job_01jd0000000000000000000000\n',
    ' job_01jd0000000000000000000000',
    "job_01jd000000000000000000000'",
    '../../job_01jd0000000000000000',
    '\0',
    'job_'.repeat(1_000_000),
    `${'a'.repeat(63)}_01jd0000000000000000000000`,
  ])('is not %#', (text) => {
    expect(idKind(text)).toBeNull();
  });
});
