import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalEdit, type EditInput } from '../../src/catalog/edit-requests.ts';
import { UPSCALE_MODELS } from '../../src/catalog/upscale-models.ts';
import { canonicalUpscale, upscaledSize } from '../../src/catalog/upscale-requests.ts';
import { canonicalHash } from '../../src/platform/canonical-hash.ts';
import { badInputOf } from './bad-input.ts';

const hashOf = (input: EditInput, image: string | null = 'asset_a') => canonicalHash(canonicalEdit(image, input));

describe('edits that mean the same hash alike', () => {
  test.each<[string, EditInput, EditInput]>([
    ['defaults written out', { erase: { mask: 'm' } }, { erase: { mask: 'm', growMask: 5, outputFormat: 'PNG' } }],
    ['another order of fields', { outpaint: { left: 1, up: 2 } }, { outpaint: { up: 2, left: 1 } }],
    [
      'margins of nothing',
      { outpaint: { left: 1 } },
      { outpaint: { left: 1, right: 0, up: 0, down: 0, creativity: 0.5 } },
    ],
    ['minus nothing', { outpaint: { left: 1, right: 0 } }, { outpaint: { left: 1, right: -0 } }],
    ['spaces around words', { general: { prompt: 'warmer' } }, { general: { prompt: '  warmer \n' } }],
    ['no words', { outpaint: { left: 1 } }, { outpaint: { left: 1, prompt: '' } }],
    [
      'light without its usual strength',
      { relight: { backgroundPrompt: 'a', lightSourceDirection: 'LEFT' } },
      { relight: { backgroundPrompt: 'a', lightSourceDirection: 'LEFT', lightSourceStrength: 0.3 } },
    ],
  ])('%s', (_, one, other) => {
    expect(hashOf(one)).toBe(hashOf(other));
  });
});

describe('whatever changes the picture changes the hash', () => {
  test.each<[string, EditInput, EditInput]>([
    ['the mask', { erase: { mask: 'm' } }, { erase: { mask: 'n' } }],
    ['how far it is grown', { erase: { mask: 'm' } }, { erase: { mask: 'm', growMask: 6 } }],
    [
      'the kind',
      { searchReplace: { searchPrompt: 'a', prompt: 'b' } },
      { searchRecolor: { selectPrompt: 'a', prompt: 'b' } },
    ],
    ['a margin', { outpaint: { left: 1 } }, { outpaint: { right: 1 } }],
    ['the seed', { general: { prompt: 'a' } }, { general: { prompt: 'a', seed: 0 } }],
    ['the file format', { general: { prompt: 'a' } }, { general: { prompt: 'a', outputFormat: 'JPEG' } }],
    ['a reference', { relight: { backgroundReference: 'a' } }, { relight: { backgroundReference: 'b' } }],
    [
      'keeping the background',
      { relight: { backgroundPrompt: 'a' } },
      { relight: { backgroundPrompt: 'a', keepOriginalBackground: true } },
    ],
  ])('%s', (_, one, other) => {
    expect(hashOf(one)).not.toBe(hashOf(other));
  });

  test('the picture that is edited', () => {
    const input = { removeBackground: {} };
    expect(hashOf(input, 'asset_a')).not.toBe(hashOf(input, 'asset_b'));
  });
});

test('a wish without a kind, or with two, is an error', () => {
  expect(badInputOf(() => canonicalEdit(null, {}))).toMatchObject({ code: 'BAD_USER_INPUT', field: 'edit' });
  expect(badInputOf(() => canonicalEdit(null, { removeBackground: {}, general: { prompt: 'a' } }))).toMatchObject({
    field: 'edit',
    limit: 'exactly one kind of edit',
  });
});

test('NUL, half a surrogate and 10,001 characters are errors in every field of words', () => {
  for (const bad of ['a\0b', '\ud800', 'x'.repeat(10_001)]) {
    const inputs: EditInput[] = [
      { inpaint: { prompt: bad } },
      { inpaint: { prompt: 'a', negativePrompt: bad } },
      { outpaint: { left: 1, prompt: bad } },
      { searchReplace: { searchPrompt: bad, prompt: 'a' } },
      { searchReplace: { searchPrompt: 'a', prompt: bad } },
      { searchRecolor: { selectPrompt: bad, prompt: 'a' } },
      { relight: { backgroundPrompt: bad } },
      { relight: { backgroundPrompt: 'a', foregroundPrompt: bad } },
      { general: { prompt: bad } },
    ];
    for (const input of inputs) expect(badInputOf(() => canonicalEdit(null, input)).field).toMatch(/[pP]rompt$/);
    expect(badInputOf(() => canonicalUpscale(null, { mode: 'CREATIVE', prompt: bad })).field).toBe('prompt');
  }
});

test('an upscale never makes less than there was, and a preset exactly its longer side', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...UPSCALE_MODELS),
      fc.integer({ min: 64, max: 3072 }),
      fc.integer({ min: 64, max: 3072 }),
      fc.constantFrom(null, 'WEB', 'PRINT', 'SOCIAL'),
      ({ mode }, width, height, preset) => {
        const made = upscaledSize({ mode, preset }, { width, height });
        if (preset !== null)
          expect(Math.max(made.width, made.height)).toBe({ WEB: 2048, PRINT: 3072, SOCIAL: 1080 }[preset]);
        else expect(made.width * made.height).toBeGreaterThanOrEqual(width * height * 0.999);
        // The shape stays, as far as whole pixels allow.
        const shorter = Math.min(made.width, made.height);
        expect(Math.abs(made.width * height - made.height * width) / (shorter * Math.max(width, height))).toBeLessThan(
          1 / shorter + 0.01,
        );
      },
    ),
  );
});
