import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Signer } from '../../src/platform/signer.ts';
import { type Quote, readQuote, signQuote } from '../../src/pricing/quotes.ts';

const signer = new Signer(['a'.repeat(32)]);
const quote: Quote = {
  accountId: 'account_01jd0000000000000000000000',
  inputHash: 'f'.repeat(64),
  credits: 6500n,
  priceVersion: 3,
  freeImages: { gemini: 2 },
  expiresAt: new Date('2026-03-15T12:10:00Z'),
};

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('a quote', () => {
  test('comes back from its token as it went in', () => {
    expect(readQuote(signer, signQuote(signer, quote))).toEqual(quote);
  });

  test('of any figures comes back as it went in', () => {
    const quotes = fc.record({
      accountId: fc.string(),
      inputHash: fc.string({ maxLength: 64 }),
      credits: fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }),
      priceVersion: fc.nat(),
      freeImages: fc.dictionary(fc.constantFrom('gemini', 'huggingface'), fc.integer({ min: 1, max: 10 })),
      expiresAt: fc.nat().map((seconds) => new Date(seconds * 1000)),
    });
    fc.assert(
      fc.property(quotes, (promise) => {
        expect(readQuote(signer, signQuote(signer, promise))).toEqual(promise);
      }),
    );
  });

  test('never lasts longer than was meant: fractions of a second are dropped', () => {
    const late = { ...quote, expiresAt: new Date('2026-03-15T12:10:00.999Z') };
    expect(readQuote(signer, signQuote(signer, late))?.expiresAt).toEqual(new Date('2026-03-15T12:10:00Z'));
  });

  test('fits in a header: it is short and needs no escaping', () => {
    const token = signQuote(signer, quote);
    expect(token).toMatch(/^[\w.-]+$/);
    expect(token.length).toBeLessThan(300);
  });
});

describe('what we did not sign is no quote', () => {
  const token = signQuote(signer, quote);

  test('a token in which any one character was changed to any other', () => {
    for (let at = 0; at < token.length; at++) {
      for (const character of `${BASE64URL}.=+/ `) {
        if (character === token[at]) continue;
        const tampered = token.slice(0, at) + character + token.slice(at + 1);
        if (readQuote(signer, tampered) !== null) expect.fail(`accepted with ${character} at ${at}`);
      }
    }
  });

  test('a token with any character more or less, at any place', () => {
    for (let at = 0; at <= token.length; at++) {
      expect(readQuote(signer, token.slice(0, at) + token.slice(at + 1)) === null || at === token.length).toBe(true);
      for (const character of ['A', '=', '.', ' ', '\n', '\0', '!'])
        expect(readQuote(signer, token.slice(0, at) + character + token.slice(at))).toBeNull();
    }
  });

  test.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['no signature', token.split('.')[0] ?? ''],
    ['an empty signature', `${token.split('.')[0]}.`],
    ['an empty body', `.${token.split('.')[1]}`],
    ['three parts', `${token}.${token.split('.')[1]}`],
    [
      'the signature of another quote',
      `${token.split('.')[0]}.${signQuote(signer, { ...quote, credits: 1n }).split('.')[1]}`,
    ],
    ['megabytes', `${'A'.repeat(1_000_000)}.${'A'.repeat(1_000_000)}`],
    ['text that is not ours', 'eyJhbGciOiJub25lIn0.eyJhIjoxfQ.'],
    ['what an object inherits', '__proto__'],
    ['half a surrogate pair', '\ud83d.\ud83d'],
  ])('%s', (_, forged) => {
    expect(readQuote(signer, forged)).toBeNull();
  });

  test('a token of another key', () => {
    expect(readQuote(new Signer(['b'.repeat(32)]), token)).toBeNull();
  });

  test('a body that we signed for another purpose', () => {
    const body = token.split('.')[0] ?? '';
    expect(readQuote(signer, `${body}.${signer.sign('asset', body)}`)).toBeNull();
  });

  test('a body of another form that we signed for this purpose, as an older program might have', () => {
    for (const form of [{}, { a: 1 }, [], null, { a: 'x', h: 'y', c: '-1', v: 1, f: 0, x: 1 }]) {
      const body = Buffer.from(JSON.stringify(form)).toString('base64url');
      expect(readQuote(signer, `${body}.${signer.sign('quote', body)}`)).toBeNull();
    }
  });
});

describe('when keys rotate', () => {
  const [old, fresh] = ['o'.repeat(32), 'n'.repeat(32)];
  const token = signQuote(new Signer([old]), quote);

  test('a quote of the old key holds as long as that key is still listed', () => {
    expect(readQuote(new Signer([fresh, old]), token)).toEqual(quote);
    expect(readQuote(new Signer([fresh]), token)).toBeNull();
  });

  test('the first key signs', () => {
    const signed = signQuote(new Signer([fresh, old]), quote);
    expect(readQuote(new Signer([fresh]), signed)).toEqual(quote);
    expect(readQuote(new Signer([old]), signed)).toBeNull();
  });
});
