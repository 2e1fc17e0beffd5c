import { beforeEach, describe, expect, test } from 'vitest';
import { canonicalGenerate, type GenerateInput } from '../../src/catalog/requests.ts';
import { Signer } from '../../src/platform/signer.ts';
import { readQuote, signQuote } from '../../src/pricing/quotes.ts';
import { balanceOf } from '../tiers/accounts.ts';
import { House, KEYS, viewerOf } from './house.ts';

let house: House;
beforeEach(() => {
  house = new House();
});
const input: GenerateInput = { prompt: 'a lighthouse', count: 2 };

async function quoteFor(wish: GenerateInput = input, viewer = viewerOf()): Promise<string> {
  const { quote } = (await house.estimates.operation(viewer, canonicalGenerate(wish))).estimate;
  if (quote === null) throw new Error('no quote was given');
  return quote;
}
const submit = async (quote: string, wish = input, viewer = viewerOf()) =>
  (await house.estimates.operation(viewer, canonicalGenerate(wish), { quote })).estimate;

describe('a quote', () => {
  test('promises account, input, credits, version, free images and expiry of its estimate', async () => {
    const viewer = viewerOf();
    const { estimate, inputHash } = await house.estimates.operation(
      viewer,
      canonicalGenerate({ ...input, provider: 'gemini' }),
    );
    expect(readQuote(new Signer(house.keys), estimate.quote ?? '')).toEqual({
      accountId: viewer.id,
      inputHash,
      credits: 0n,
      priceVersion: 1,
      freeImages: { gemini: 2 },
      expiresAt: new Date('2026-03-15T12:10:00Z'),
    });
    expect(estimate.credits).toBe(0n);
  });

  test('keeps its price when prices rise, while an estimate without it tells the new one', async () => {
    const quote = await quoteFor();
    house.publish(40);
    expect(await submit(quote)).toMatchObject({ credits: 8000n, priceVersion: 1, refusals: [] });
    expect((await house.estimates.operation(viewerOf(), canonicalGenerate(input))).estimate).toMatchObject({
      credits: 80_000n,
      priceVersion: 2,
    });
  });

  test('keeps its price when prices fall, because that is what was agreed to', async () => {
    const quote = await quoteFor();
    house.publish(1);
    expect(await submit(quote)).toMatchObject({ credits: 8000n, priceVersion: 1 });
  });

  test('is handed back as it came: a customer cannot live on an old price for ever', async () => {
    const quote = await quoteFor();
    house.publish(40);
    house.balance = balanceOf({ monthly: 0n });
    house.clock.advance(599);
    const again = await submit(quote);
    expect(again).toMatchObject({ quote, quoteExpiresAt: new Date('2026-03-15T12:10:00Z') });
    house.clock.advance(1);
    expect(await submit(again.quote ?? '')).toMatchObject({ credits: 80_000n });
  });

  test('fixes its free images: credits that were quoted without any are paid in full', async () => {
    house.balance = balanceOf({ allowancesUsed: { gemini: 24 } });
    const wish = { ...input, provider: 'gemini' } as const;
    const quote = await quoteFor(wish);
    house.balance = balanceOf({ allowancesUsed: { gemini: 0 } });
    expect(await submit(quote, wish)).toMatchObject({ credits: 4000n, refusals: [] });
  });

  test('holds for every spelling of the same input', async () => {
    const quote = await quoteFor();
    const spelled = { ...input, prompt: ' a lighthouse ', quality: 'STANDARD', width: 1024, height: 1024 } as const;
    expect(await submit(quote, spelled)).toMatchObject({ credits: 8000n, refusals: [] });
  });
});

describe('a quote that does not hold becomes a refusal on a fresh estimate', () => {
  const invalid = (reason: string) => [{ type: 'QuoteInvalid', reason, message: expect.stringContaining('charged') }];

  test('for any other input', async () => {
    const quote = await quoteFor();
    for (const other of [
      { ...input, count: 3 },
      { ...input, prompt: 'a light house' },
      { ...input, quality: 'DRAFT' },
      { ...input, seed: 0 },
      { ...input, model: 'core' },
      { ...input, width: 1024, height: 1032 },
    ] satisfies GenerateInput[]) {
      const fresh = await submit(quote, other);
      expect(fresh.refusals).toEqual(invalid('INPUT_CHANGED'));
      expect(fresh.quote).not.toBe(quote);
    }
  });

  test('for another account, in the same words as for a forged one', async () => {
    const quote = await quoteFor();
    const stranger = viewerOf({ id: 'account_01jd0000000000000000000001' });
    const [foreign] = (await submit(quote, input, stranger)).refusals;
    const [forged] = (await submit(`${quote.slice(0, -1)}${quote.endsWith('A') ? 'B' : 'A'}`)).refusals;
    expect(foreign).toMatchObject({ type: 'QuoteInvalid', reason: 'INPUT_CHANGED' });
    expect(forged).toEqual(foreign);
    expect((await submit('')).refusals).toEqual([foreign]);
  });

  test('at the second it expires, and not a millisecond before', async () => {
    const quote = await quoteFor();
    house.clock.set('2026-03-15T12:09:59.999Z');
    expect((await submit(quote)).refusals).toEqual([]);
    house.clock.set('2026-03-15T12:10:00.000Z');
    const fresh = await submit(quote);
    expect(fresh.refusals).toEqual(invalid('EXPIRED'));
    expect(fresh.quoteExpiresAt).toEqual(new Date('2026-03-15T12:20:00Z'));
    expect((await submit(fresh.quote ?? '')).refusals).toEqual([]);
  });

  test('when the free images it counted on are gone, with the price without them', async () => {
    const wish = { ...input, provider: 'gemini' } as const;
    const quote = await quoteFor(wish);
    house.balance = balanceOf({ allowancesUsed: { gemini: 23 } });
    expect((await submit(quote, wish)).refusals).toEqual([]);
    house.balance = balanceOf({ allowancesUsed: { gemini: 24 } });
    expect(await submit(quote, wish)).toMatchObject({ credits: 4000n, refusals: invalid('ALLOWANCE_USED') });
  });

  test('when its key was withdrawn, while a rotated one still verifies', async () => {
    const quote = await quoteFor();
    house.keys = [KEYS[1], KEYS[0]];
    expect((await submit(quote)).refusals).toEqual([]);
    house.keys = [KEYS[1]];
    expect((await submit(quote)).refusals).toEqual(invalid('INPUT_CHANGED'));
  });

  test('when its price version is unknown here: nothing is charged at a price that was not quoted', async () => {
    const quote = await quoteFor();
    house.publish(40);
    house.books.delete(1);
    expect(await submit(quote)).toMatchObject({ credits: 80_000n, refusals: invalid('INPUT_CHANGED') });
  });

  test('when the same prices come to other credits than it says, be it a thousandth', async () => {
    const signer = new Signer(house.keys);
    const quote = readQuote(signer, await quoteFor());
    if (!quote) throw new Error('it cannot be read');
    for (const credits of [7999n, 8001n]) {
      const other = await submit(signQuote(signer, { ...quote, credits }));
      expect(other).toMatchObject({ credits: 8000n, refusals: invalid('EXPIRED') });
    }
  });
});

describe('a quote does not lift anything else', () => {
  test('what is refused today is refused with it too, and the price stays', async () => {
    const quote = await quoteFor({ ...input, quality: 'PREMIUM' });
    const wish = { ...input, quality: 'PREMIUM' } as const;
    house.balance = balanceOf({ monthly: 1n, openHolds: 999 });
    house.submissionsUsed = 999;
    const answer = await submit(quote, wish, viewerOf({ tier: 'BASIC' }));
    expect(answer).toMatchObject({ credits: 12_000n, quote });
    expect(answer.refusals.map(({ type }) => type)).toEqual([
      'TierTooLow',
      'InsufficientCredits',
      'TooManyJobs',
      'RateLimited',
    ]);
  });

  test('when the provider it was for is off now, that is what is said', async () => {
    const wish = { ...input, provider: 'stability' } as const;
    const quote = await quoteFor(wish);
    house.off = ['stability'];
    expect(await submit(quote, wish)).toMatchObject({
      credits: null,
      quote: null,
      refusals: [{ type: 'ProviderUnavailable', provider: 'stability' }],
    });
  });
});
