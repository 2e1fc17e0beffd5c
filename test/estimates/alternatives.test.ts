import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { qualityRank } from '../../src/catalog/operations.ts';
import type { GenerateInput } from '../../src/catalog/requests.ts';
import { cheaperGenerate, priceGenerate } from '../../src/estimates/generate-estimate.ts';
import { requestOf } from '../routing/requests.ts';
import { type Situation, situationOf } from './facts.ts';

/** A paid-up account without free images, so that every alternative has its plain price. */
const USED = { balance: { allowancesUsed: { huggingface: 100, gemini: 100 } } };

function alternativesTo(input: Partial<GenerateInput>, situation: Situation = USED) {
  const { facts } = situationOf(situation);
  const request = requestOf(input);
  const { credits } = priceGenerate(request, facts);
  if (credits === null) throw new Error('it has no price');
  return { credits, request, facts, alternatives: cheaperGenerate(request, credits, facts) };
}
const inShort = (input: Partial<GenerateInput>, situation?: Situation) =>
  alternativesTo(input, situation).alternatives.map(({ model, quality, saves }) => [model ?? quality, saves]);

describe('cheaper alternatives', () => {
  test('are of the same class first and then of lower ones, each by what it saves', () => {
    expect(inShort({ model: 'pro' })).toEqual([
      ['PREMIUM', 8000n],
      ['wavespeed/ideogram-v3-balanced', 8000n],
      ['stability/sd3.5-large', 7500n],
      ['stability/ultra', 6000n],
      ['stability/core', 11_000n],
    ]);
    expect(inShort({ quality: 'STANDARD' })).toEqual([
      ['stability/core', 1000n],
      ['huggingface/flux-dev', 1000n],
      ['huggingface/flux-krea-dev', 1000n],
      ['stability/sd3.5-medium', 500n],
      ['huggingface/flux-schnell', 3000n],
    ]);
  });

  test('say in words what they cost and save, and how long they take', () => {
    expect(alternativesTo({ quality: 'STANDARD', count: 2 }).alternatives[0]).toEqual({
      description: 'stability/core: 6 credits, saves 2',
      quality: 'STANDARD',
      model: 'stability/core',
      credits: 6000n,
      saves: 2000n,
      edit: null,
      mode: null,
      expectedSeconds: 8,
    });
  });

  test('count the free images that naming a provider would bring', () => {
    const [first] = alternativesTo({ quality: 'STANDARD', count: 2 }, { tier: 'FREE' }).alternatives;
    expect(first).toMatchObject({ credits: 0n, saves: 8000n });
    expect(first?.description).toMatch(/^(huggingface|gemini)\/.*: 0 credits, 2 of them free this month, saves 8$/);
  });

  test('never raise the class', () => {
    for (const { quality } of alternativesTo({ model: 'flash-lite' }).alternatives) expect(quality).toBe('DRAFT');
  });

  test('are only what can honour the options and the size', () => {
    expect(inShort({ model: 'ultra', negativePrompt: 'fog', seed: 1 })).toEqual([
      ['PREMIUM', 2000n],
      ['stability/sd3.5-large', 1500n],
      ['stability/core', 5000n],
      ['stability/sd3.5-medium', 4500n],
      ['STANDARD', 4000n],
    ]);
    expect(inShort({ model: 'pro', width: 4096, height: 1024 })).toEqual([
      ['PREMIUM', 6000n],
      ['STANDARD', 9000n],
      ['gemini/nano-banana', 9000n],
    ]);
  });

  test('are only of providers that are switched on, and never a retired model', () => {
    const { alternatives } = alternativesTo({ model: 'pro' }, { ...USED, off: ['stability', 'wavespeed'] });
    expect(alternatives.map(({ model }) => model)).not.toContain('gemini/imagen-4');
    for (const { model } of alternatives) expect(model ?? '').not.toMatch(/^(stability|wavespeed)/);
  });

  test('are only what the tier allows', () => {
    for (const { quality } of alternativesTo({ model: 'pro' }, { ...USED, tier: 'BASIC' }).alternatives)
      expect(quality).not.toBe('PREMIUM');
    expect(alternativesTo({ quality: 'STANDARD', count: 5 }, { tier: 'FREE' }).alternatives).toEqual([]);
  });

  test('of the cheapest there are none', () => {
    expect(inShort({ model: 'flux-schnell' })).toEqual([]);
    expect(inShort({ provider: 'huggingface' }, {})).toEqual([]);
  });
});

describe('for any request, every alternative', () => {
  test('costs less, saves what it says, comes out at that price when asked for, and there are at most five', () => {
    const input = fc.record({
      quality: fc.constantFrom('DRAFT', 'STANDARD', 'PREMIUM'),
      model: fc.option(fc.constantFrom('core', 'ultra', 'pro', 'nano-banana', 'sd3.5-large', 'ideogram-v3-turbo'), {
        nil: undefined,
      }),
      width: fc.integer({ min: 64, max: 1536 }),
      height: fc.integer({ min: 64, max: 1536 }),
      count: fc.integer({ min: 1, max: 10 }),
    });
    const used = fc.record({ huggingface: fc.nat({ max: 50 }), gemini: fc.nat({ max: 25 }) });
    fc.assert(
      fc.property(input, used, (wish, allowancesUsed) => {
        const { alternatives, credits, request, facts } = alternativesTo(wish, { balance: { allowancesUsed } });
        expect(alternatives.length).toBeLessThanOrEqual(5);
        const ranks = alternatives.map(({ quality }) => qualityRank(quality));
        expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
        for (const { quality, model, credits: less, saves } of alternatives) {
          const asked = requestOf({ ...wish, quality, model: model ?? undefined });
          expect(priceGenerate(asked, facts)).toMatchObject({ credits: less, refusals: [] });
          expect(less).toBeLessThan(credits);
          expect(saves).toBe(credits - less);
          expect(qualityRank(quality)).toBeLessThanOrEqual(qualityRank(request.quality));
        }
      }),
    );
  });
});
