import { describe, expect, test } from 'vitest';
import { canonicalGenerate, type GenerateInput } from '../../src/catalog/requests.ts';
import { badInputOf } from './bad-input.ts';

const canonical = (input: Partial<GenerateInput> = {}) => canonicalGenerate({ prompt: 'a lighthouse', ...input });
const refused = (input: Partial<GenerateInput>) => badInputOf(() => canonical(input));

describe('an input that says no more than a prompt', () => {
  test('means one standard picture of 1024 x 1024 by whoever can', () => {
    expect(canonical()).toEqual({
      operation: 'GENERATE',
      prompt: 'a lighthouse',
      negativePrompt: null,
      quality: 'STANDARD',
      provider: null,
      model: null,
      size: { width: 1024, height: 1024 },
      stylePreset: null,
      seed: null,
      count: 1,
    });
  });
});

describe('the prompt', () => {
  test.each(['', '   ', '\n\t\u00a0\u2003'])('%j is empty, and that is bad input', (prompt) => {
    expect(refused({ prompt })).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'prompt',
      value: prompt,
      limit: 'some text; it is empty',
    });
  });

  test('may have 10,000 characters and not one more', () => {
    expect(canonical({ prompt: 'x'.repeat(10_000) }).prompt).toHaveLength(10_000);
    expect(refused({ prompt: 'x'.repeat(10_001) })).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'prompt',
      value: 10_001,
      limit: 10_000,
    });
  });

  test('is counted in characters as people see code points, after it is trimmed', () => {
    expect(canonical({ prompt: '🗼'.repeat(10_000) }).prompt).toHaveLength(20_000);
    expect(refused({ prompt: '🗼'.repeat(10_001) })).toMatchObject({ value: 10_001 });
    expect(canonical({ prompt: `  ${'x'.repeat(10_000)}\n` }).prompt).toHaveLength(10_000);
  });

  test.each([
    ['a NUL', 'a\0b'],
    ['a high surrogate alone', 'a\ud83d'],
    ['a low surrogate alone', '\udc00b'],
    ['surrogates the wrong way round', 'a\udc00\ud83db'],
  ])('with %s is bad input, and is not echoed', (_, prompt) => {
    const { value, ...rest } = refused({ prompt });
    expect(rest).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'prompt',
      limit: 'well-formed Unicode text without NUL characters',
    });
    expect(String(value).isWellFormed()).toBe(true);
    expect(value).not.toContain('\0');
  });

  test('is kept as it was written in any script, with any other sign', () => {
    const prompt = "\u202eرسم 灯台 <script>alert(1)</script> '; drop table jobs; -- {{7*7}} \u0007";
    expect(canonical({ prompt }).prompt).toBe(prompt);
  });
});

describe('the negative prompt', () => {
  test('of nothing but space is none, so that it does not shut out models that know no negative prompts', () => {
    for (const negativePrompt of [undefined, '', ' ', ' \n\t'])
      expect(canonical({ negativePrompt }).negativePrompt).toBeNull();
  });

  test('is trimmed and held to the same limits as the prompt', () => {
    expect(canonical({ negativePrompt: ' fog ' }).negativePrompt).toBe('fog');
    expect(refused({ negativePrompt: 'x'.repeat(10_001) })).toMatchObject({ field: 'negativePrompt', limit: 10_000 });
    expect(refused({ negativePrompt: 'a\0' })).toMatchObject({ field: 'negativePrompt' });
    expect(refused({ negativePrompt: '\ud800' })).toMatchObject({ field: 'negativePrompt' });
  });
});

describe('the count', () => {
  test.each([0, -1, 1.5, 11, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY])('%s is bad input', (count) => {
    expect(refused({ count })).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'count',
      value: count,
      limit: 'a whole number from 1 to 10',
    });
  });

  test('1 to 10 are accepted', () => {
    for (let count = 1; count <= 10; count++) expect(canonical({ count }).count).toBe(count);
  });
});

describe('the seed', () => {
  test.each([-1, 1.5, 2 ** 31, Number.NaN])('%s is bad input', (seed) => {
    expect(refused({ seed })).toMatchObject({
      field: 'seed',
      value: seed,
      limit: expect.stringContaining('2147483647'),
    });
  });

  test('leaves room for every image of the batch, each of which adds one', () => {
    expect(canonical({ seed: 2_147_483_647 }).seed).toBe(2_147_483_647);
    expect(canonical({ seed: 2_147_483_638, count: 10 }).seed).toBe(2_147_483_638);
    expect(refused({ seed: 2_147_483_639, count: 10 })).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'seed',
      value: 2_147_483_639,
      limit: 'a whole number from 0 to 2147483638 (each image of a batch adds one)',
    });
  });

  test('0 is a seed, not the absence of one', () => {
    expect(canonical({ seed: 0 }).seed).toBe(0);
  });
});

describe('names that nobody knows are bad input', () => {
  test.each([
    ['template', { template: 'instagram' }],
    ['template', { template: '' }],
    ['template', { template: 'Instagram_Story' }],
    ['stylePreset', { stylePreset: 'baroque' }],
    ['stylePreset', { stylePreset: '__proto__' }],
    ['stylePreset', { stylePreset: 'toString' }],
    ['model', { model: 'stability/none' }],
    ['model', { model: '' }],
    ['model', { model: 'stability/' }],
    ['model', { model: 'gemini/core' }],
    ['model', { model: '__proto__' }],
    ['model', { model: 'CORE' }],
  ] as const)('%s: %j', (field, input) => {
    expect(refused(input)).toMatchObject({ code: 'BAD_USER_INPUT', field, value: Object.values(input)[0] });
  });
});

describe('a model', () => {
  test('beside a provider that it does not belong to is bad input that names the one it does', () => {
    expect(refused({ model: 'core', provider: 'gemini' })).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'provider',
      value: 'gemini',
      limit: 'stability, because the model stability/core belongs to it, or left out',
    });
  });

  test('decides provider and quality, whatever quality stands beside it', () => {
    for (const quality of ['DRAFT', 'STANDARD', 'PREMIUM'] as const) {
      expect(canonical({ model: 'ultra', quality })).toMatchObject({
        model: 'stability/ultra',
        provider: 'stability',
        quality: 'PREMIUM',
      });
    }
  });
});

describe('a template', () => {
  test('gives its size and style, and never changes the quality it suggests', () => {
    expect(canonical({ template: 'instagram_story' })).toMatchObject({
      size: { width: 1080, height: 1920 },
      stylePreset: 'digital-art',
      quality: 'STANDARD',
    });
    expect(canonical({ template: 'website_hero' })).toMatchObject({ quality: 'STANDARD', model: null, provider: null });
  });

  test('yields to an explicit size, ratio or style', () => {
    const template = 'instagram_story';
    expect(canonical({ template, width: 512, height: 640 }).size).toEqual({ width: 512, height: 640 });
    expect(canonical({ template, aspectRatio: '1:1' }).size).toEqual({ width: 1024, height: 1024 });
    expect(canonical({ template, stylePreset: 'anime' }).stylePreset).toBe('anime');
  });
});
