import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MODELS, PROVIDER_NAMES } from '../../src/catalog/models.ts';
import { QUALITIES } from '../../src/catalog/operations.ts';
import { canonicalGenerate, type GenerateInput } from '../../src/catalog/requests.ts';
import { STYLE_PRESETS } from '../../src/catalog/style-presets.ts';
import { TEMPLATES } from '../../src/catalog/templates.ts';
import { canonicalHash } from '../../src/platform/canonical-hash.ts';

const hash = (input: GenerateInput) => canonicalHash(canonicalGenerate(input));
const prompt = 'a lighthouse';

describe('inputs that mean the same pictures at the same price hash alike', () => {
  test.each<[string, GenerateInput, GenerateInput]>([
    ['in any order of fields', { prompt, count: 2, seed: 7 }, { seed: 7, prompt, count: 2 }],
    [
      'with every default spelled out',
      { prompt },
      { prompt, quality: 'STANDARD', count: 1, width: 1024, height: 1024, negativePrompt: '' },
    ],
    ['with what is absent given as undefined', { prompt }, { prompt, model: undefined, seed: undefined }],
    ['with space around the prompt', { prompt }, { prompt: `\n ${prompt}  ` }],
    ['with an empty negative prompt', { prompt }, { prompt, negativePrompt: '  ' }],
    ['by a model name alone or its full id', { prompt, model: 'core' }, { prompt, model: 'stability/core' }],
    [
      'by a full id alone or beside its provider',
      { prompt, model: 'stability/core' },
      { prompt, model: 'core', provider: 'stability' },
    ],
    [
      'by a model with any quality beside it, which means nothing',
      { prompt, model: 'core' },
      { prompt, model: 'core', quality: 'PREMIUM' },
    ],
    [
      'by a template or by its size and style',
      { prompt, template: 'facebook_cover' },
      { prompt, width: 820, height: 312, stylePreset: 'photographic' },
    ],
    [
      'by a template that size and style overrule, or without it',
      { prompt, template: 'facebook_cover', width: 512, height: 512, stylePreset: 'anime' },
      { prompt, width: 512, height: 512, stylePreset: 'anime' },
    ],
    ['by a ratio or by the size it comes to', { prompt, aspectRatio: '1:1' }, { prompt, width: 1024, height: 1024 }],
    [
      'by one side and a ratio or by both sides',
      { prompt, width: 1920, aspectRatio: '16:9' },
      { prompt, width: 1920, height: 1080 },
    ],
  ])('%s', (_, one, other) => {
    expect(hash(one)).toBe(hash(other));
  });

  test.each(TEMPLATES.map((template) => [template.id, template] as const))(
    'the template %s and its explicit size and style',
    (id, { width, height, stylePreset }) => {
      expect(hash({ prompt, template: id })).toBe(hash({ prompt, width, height, stylePreset }));
    },
  );
});

describe('inputs that differ in picture or price hash apart', () => {
  test.each<[string, GenerateInput, GenerateInput]>([
    ['prompt', { prompt }, { prompt: 'a light house' }],
    ['case', { prompt }, { prompt: 'A lighthouse' }],
    ['space within the prompt', { prompt }, { prompt: 'a  lighthouse' }],
    ['negative prompt', { prompt }, { prompt, negativePrompt: 'fog' }],
    ['quality', { prompt }, { prompt, quality: 'DRAFT' }],
    ['a provider, because it is priced by its model', { prompt }, { prompt, provider: 'stability' }],
    [
      'a provider or its default model, because only the provider has stand-ins',
      { prompt, provider: 'stability' },
      { prompt, model: 'core' },
    ],
    ['width and height the other way round', { prompt, width: 512, height: 640 }, { prompt, width: 640, height: 512 }],
    ['style', { prompt }, { prompt, stylePreset: 'anime' }],
    ['seed 0 and none', { prompt }, { prompt, seed: 0 }],
    ['count', { prompt }, { prompt, count: 2 }],
  ])('%s', (_, one, other) => {
    expect(hash(one)).not.toBe(hash(other));
  });
});

/** A whole input in which everything is said, so that any one field can be changed. */
const input = fc.record({
  prompt: fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom('a', 'b', 'é', '灯', '🗼') }),
  negativePrompt: fc.option(fc.constantFrom('fog', 'rain'), { nil: undefined }),
  quality: fc.constantFrom(...QUALITIES),
  provider: fc.option(fc.constantFrom(...PROVIDER_NAMES), { nil: undefined }),
  width: fc.integer({ min: 64, max: 4096 }),
  height: fc.integer({ min: 64, max: 4096 }),
  stylePreset: fc.option(fc.constantFrom(...Object.keys(STYLE_PRESETS)), { nil: undefined }),
  seed: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
  count: fc.integer({ min: 1, max: 10 }),
});

const FIELDS = [
  'prompt',
  'negativePrompt',
  'quality',
  'provider',
  'width',
  'height',
  'stylePreset',
  'seed',
  'count',
] as const;

describe('for any input', () => {
  test('any two hash alike exactly when all that they say is the same', () => {
    fc.assert(
      fc.property(input, input, fc.subarray([...FIELDS]), (one, other, taken) => {
        const mixed = { ...one, ...Object.fromEntries(taken.map((field) => [field, other[field]])) };
        const isSame = FIELDS.every((field) => one[field] === mixed[field]);
        expect(hash(mixed) === hash(one)).toBe(isSame);
      }),
    );
  });

  test('its canonical form said again in words is the same input', () => {
    fc.assert(
      fc.property(input, fc.option(fc.constantFrom(...MODELS), { nil: undefined }), (wish, model) => {
        const asked = model ? { ...wish, model: model.name, provider: model.provider } : wish;
        const { size, operation: _operation, ...rest } = canonicalGenerate(asked);
        const again = Object.fromEntries(Object.entries({ ...rest, ...size }).filter(([, value]) => value !== null));
        expect(hash(again as unknown as GenerateInput)).toBe(hash(asked));
      }),
    );
  });
});
