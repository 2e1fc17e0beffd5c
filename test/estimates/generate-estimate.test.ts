import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GenerateInput } from '../../src/catalog/requests.ts';
import { priceGenerate } from '../../src/estimates/generate-estimate.ts';
import { bookOf } from '../pricing/books.ts';
import { requestOf } from '../routing/requests.ts';
import { type Situation, situationOf } from './facts.ts';

const priced = (input: Partial<GenerateInput>, situation?: Situation) =>
  priceGenerate(requestOf(input), situationOf(situation).facts);

describe('a price', () => {
  test('by quality is flat: one line, whoever draws it', () => {
    const { credits, unitCredits, lines, refusals } = priced({ count: 3 });
    expect({ credits, unitCredits, refusals }).toEqual({ credits: 12_000n, unitCredits: 4000n, refusals: [] });
    expect(lines).toEqual([
      {
        kind: 'PRICE',
        label: 'Generate, STANDARD quality, size M',
        quantity: 3,
        unitCredits: 4000n,
        credits: 12_000n,
      },
    ]);
    for (const off of [['stability'], ['huggingface', 'wavespeed'], ['gemini']] as const)
      expect(priced({ count: 3 }, { off }).credits).toBe(12_000n);
  });

  test('by model is that of the model, fractions included', () => {
    expect(priced({ model: 'sd3.5-large', count: 3 })).toMatchObject({ credits: 19_500n, unitCredits: 6500n });
  });

  test('by provider is that of its default for the quality, also when a stand-in would draw it', () => {
    const { credits, routes } = priced({ provider: 'stability' }, { ill: ['stability/core'] });
    expect(credits).toBe(3000n);
    expect(routes[0]?.route.id).toBe('stability/sd3.5-medium');
  });

  test('says what we do to the picture ourselves, at no charge', () => {
    const { lines, credits } = priced({ model: 'ideogram-v3-turbo', width: 2560, height: 1080, count: 2 });
    expect(lines).toEqual([
      expect.objectContaining({ kind: 'PRICE', credits: 12_000n }),
      {
        kind: 'PREPARATION',
        label:
          'Drawn at 1312x736 by wavespeed/ideogram-v3-turbo, enlarged by 95.1 % a side and cut to exactly 2560x1080 by us',
        quantity: 2,
        unitCredits: 0n,
        credits: 0n,
      },
    ]);
    expect(credits).toBe(12_000n);
    const covered = priced({ model: 'nano-banana', width: 1080, height: 1350 }).lines.at(-1)?.label;
    expect(covered).toBe('Drawn at 1856x2304 by gemini/nano-banana, cut to exactly 1080x1350 by us');
  });

  test('of any count is count times one, in every situation', () => {
    const input = fc.record({
      quality: fc.constantFrom('DRAFT', 'STANDARD', 'PREMIUM'),
      model: fc.option(fc.constantFrom('core', 'sd3.5-large', 'sd3.5-medium', 'sd3.5-flash', 'pro'), {
        nil: undefined,
      }),
      width: fc.integer({ min: 64, max: 2048 }),
      height: fc.integer({ min: 64, max: 2048 }),
    });
    const used = { balance: { allowancesUsed: { huggingface: 50, gemini: 25 } } };
    fc.assert(
      fc.property(input, fc.integer({ min: 1, max: 10 }), (wish, count) => {
        const one = priced(wish, used).credits;
        const many = priced({ ...wish, count }, used).credits;
        expect(many).toBe(one === null ? null : one * BigInt(count));
      }),
    );
  });
});

describe('lines', () => {
  test('always add up to the credits, which are never negative', () => {
    const input = fc.record({
      provider: fc.option(fc.constantFrom('stability', 'wavespeed', 'huggingface', 'gemini'), { nil: undefined }),
      quality: fc.constantFrom('DRAFT', 'STANDARD'),
      width: fc.integer({ min: 64, max: 2048 }),
      height: fc.integer({ min: 64, max: 2048 }),
      count: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(input, fc.nat({ max: 60 }), fc.nat({ max: 60 }), (wish, huggingface, gemini) => {
        const { credits, lines } = priced(wish, {
          balance: { allowancesUsed: { huggingface, gemini } },
        });
        if (credits === null) expect(lines).toEqual([]);
        else expect(lines.reduce((sum, line) => sum + line.credits, 0n)).toBe(credits);
        for (const line of lines) expect(line.unitCredits * BigInt(line.quantity)).toBe(line.credits);
        expect(credits === null || credits >= 0n).toBe(true);
      }),
    );
  });
});

describe('the free allowance', () => {
  test('of a provider that is named is used up first, as a line of its own', () => {
    const { credits, freeImages, allowance, lines } = priced({ provider: 'huggingface', count: 3 }, { tier: 'FREE' });
    expect({ credits, freeImages }).toEqual({ credits: 0n, freeImages: 3 });
    expect(allowance).toEqual({ provider: 'huggingface', limit: 5, left: 5 });
    expect(lines.slice(0, 2)).toEqual([
      {
        kind: 'PRICE',
        label: 'Generate, huggingface/flux-dev, size M',
        quantity: 3,
        unitCredits: 3000n,
        credits: 9000n,
      },
      {
        kind: 'FREE_ALLOWANCE',
        label: 'Free allowance of huggingface, 5 images a month',
        quantity: 3,
        unitCredits: -3000n,
        credits: -9000n,
      },
    ]);
  });

  test('pays for as many images as it has left, and the rest is paid in credits', () => {
    const situation = { tier: 'FREE', balance: { allowancesUsed: { gemini: 1 } } } as const;
    expect(priced({ model: 'nano-banana', count: 4 }, situation)).toMatchObject({ freeImages: 2, credits: 8000n });
  });

  test('that is used up, or overdrawn after a move to a lower tier, pays for nothing and adds no line', () => {
    for (const gemini of [3, 25]) {
      const { freeImages, credits, lines } = priced(
        { provider: 'gemini' },
        { tier: 'FREE', balance: { allowancesUsed: { gemini } } },
      );
      expect({ freeImages, credits }).toEqual({ freeImages: 0, credits: 4000n });
      expect(lines.map(({ kind }) => kind)).toEqual(['PRICE']);
    }
  });

  test('belongs to huggingface and gemini, and to nobody who was not named', () => {
    for (const input of [{}, { provider: 'stability' }, { model: 'ideogram-v3-turbo' }] as const)
      expect(priced(input)).toMatchObject({ allowance: null, freeImages: 0 });
    for (const input of [{ provider: 'gemini' }, { model: 'flux-krea-dev' }] as const)
      expect(priced(input)).toMatchObject({ freeImages: 1, credits: 0n });
  });

  test('of one provider leaves that of the other alone', () => {
    expect(priced({ provider: 'gemini' }, { balance: { allowancesUsed: { huggingface: 50 } } }).freeImages).toBe(1);
  });
});

describe('what cannot be had has no price', () => {
  test.each<[string, Partial<GenerateInput>, Situation, string]>([
    ['a model that is retired', { model: 'imagen-4' }, {}, 'ModelRetired'],
    ['a size beyond what can be generated', { width: 4096, height: 4096 }, {}, 'UnsupportedSize'],
    ['a cell without a price', { model: 'flash-lite', width: 1536, height: 1536 }, {}, 'UnsupportedSize'],
    ['a size that no route can make', { quality: 'DRAFT', width: 4096, height: 1024 }, {}, 'UnsupportedSize'],
    ['a class that the provider lacks', { provider: 'huggingface', quality: 'PREMIUM' }, {}, 'UnsupportedOption'],
    ['an option that the model lacks', { model: 'ideogram-v3-turbo', seed: 1 }, {}, 'UnsupportedOption'],
    ['a provider that is off', { provider: 'gemini' }, { off: ['gemini'] }, 'ProviderUnavailable'],
    ['a row that is missing', {}, { book: bookOf({ generateByQuality: {} }) }, 'Unpriced'],
  ])('%s', (_, input, situation, type) => {
    const { credits, unitCredits, lines, routes, refusals, freeImages } = priced(input, situation);
    expect(refusals.map((refusal) => refusal.type)).toEqual([type]);
    expect({ credits, unitCredits, lines, routes, freeImages }).toEqual({
      credits: null,
      unitCredits: null,
      lines: [],
      routes: [],
      freeImages: 0,
    });
  });

  test('what only the tier is too low for has one, so that people see what it would cost', () => {
    expect(priced({ quality: 'PREMIUM' }, { tier: 'FREE' })).toMatchObject({
      credits: 6000n,
      refusals: [{ type: 'TierTooLow', requiredTier: 'PRO' }],
    });
  });

  test('and every reason of the tier is told beside it', () => {
    expect(
      priced({ model: 'ultra', seed: 1, count: 5, width: 4096, height: 4096 }, { tier: 'FREE' }).refusals.map(
        ({ type }) => type,
      ),
    ).toEqual(['UnsupportedSize', 'TierTooLow', 'TooManyImages']);
  });
});

describe('notes', () => {
  const notes = (input: Partial<GenerateInput>) => {
    const request = requestOf(input);
    return priceGenerate(request, situationOf().facts).notes;
  };

  test('say where the words of a style are put behind the prompt', () => {
    expect(notes({ stylePreset: 'anime' })).toEqual([
      'At huggingface/flux-dev, huggingface/flux-krea-dev, wavespeed/ideogram-v3-turbo, gemini/nano-banana the words of the style preset "anime" are put behind the prompt, because the vendor has no field for it.',
    ]);
    expect(notes({ stylePreset: 'anime', provider: 'gemini' })).toEqual([
      'No route here has a field for style presets: the words of "anime" are put behind the prompt.',
    ]);
  });

  test('say nothing where the vendor has a field for it, or no style was asked', () => {
    expect(notes({ stylePreset: 'anime', provider: 'stability' })).toEqual([]);
    expect(notes({})).toEqual([]);
  });
});
