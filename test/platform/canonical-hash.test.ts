import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalHash } from '../../src/platform/canonical-hash.ts';

/** The same value with the fields of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reordered(inner)]),
  );
}

const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('__proto__'));

describe('the canonical hash', () => {
  test('is the SHA-256 of canonical JSON, the same on every machine and in every release', () => {
    expect(canonicalHash({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
    expect(canonicalHash({ b: 1, a: 'é' })).toBe(canonicalHash({ a: '\u00e9', b: 1.0 }));
  });

  test('of any value does not depend on the order of fields', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (value) => {
        expect(canonicalHash(reordered(value) as object)).toBe(canonicalHash(value));
      }),
    );
  });

  test('differs as soon as any value does', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const isSame = JSON.stringify(reordered(reordered(one))) === JSON.stringify(reordered(reordered(other)));
        fc.pre(!isSame);
        expect(canonicalHash({ one })).not.toBe(canonicalHash({ one: other, two: 1 }));
        expect(canonicalHash([one])).not.toBe(canonicalHash([one, other]));
      }),
    );
  });

  test.each([
    [{ a: null }, {}],
    [{ a: 1 }, { a: '1' }],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
    [{ a: 'b' }, { ab: '' }],
  ])('tells %j from %j', (one, other) => {
    expect(canonicalHash(one)).not.toBe(canonicalHash(other));
  });
});
