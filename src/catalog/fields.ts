import { badInput, DomainError } from '../errors.ts';
import { isStylePreset, STYLE_PRESETS, type StylePreset } from './style-presets.ts';

/** Fields that several operations have, checked in one way. All of these throw BAD_USER_INPUT. */

export const PROMPT_LENGTH_MAX = 10_000;
export const SEED_MAX = 2_147_483_647;

export function checkedSeed(seed: number | undefined, count = 1): number | null {
  if (seed === undefined) return null;
  const seedMax = SEED_MAX - (count - 1);
  if (!Number.isInteger(seed) || seed < 0 || seed > seedMax) {
    const why = count > 1 ? ' (each image of a batch adds one)' : '';
    throw badInput('seed', seed, `a whole number from 0 to ${seedMax}${why}`);
  }
  return seed;
}

export function checkedStyle(name: string | undefined): StylePreset | undefined {
  if (name === undefined || isStylePreset(name)) return name;
  throw badInput('stylePreset', name, `one of ${Object.keys(STYLE_PRESETS).join(', ')}`);
}

/** Text as people write it, in any script; only what no store and no vendor can carry is turned away. */
export function checkedText(field: string, text: string): string {
  const trimmed = optionalText(field, text);
  if (trimmed === null) throw badInput(field, text, 'some text; it is empty');
  return trimmed;
}

/** The same for text that may be left out; empty text is none. */
export function optionalText(field: string, text: string | undefined): string | null {
  const trimmed = (text ?? '').trim();
  const length = [...trimmed].length;
  if (length > PROMPT_LENGTH_MAX) {
    throw new DomainError(
      'BAD_USER_INPUT',
      `${field} has ${length} characters, but it must have at most ${PROMPT_LENGTH_MAX}. Nothing was run and nothing was charged.`,
      { field, value: length, limit: PROMPT_LENGTH_MAX },
    );
  }
  if (trimmed.includes('\0') || !trimmed.isWellFormed()) {
    throw badInput(
      field,
      '(text with a NUL character or half a surrogate pair)',
      'well-formed Unicode text without NUL characters',
    );
  }
  return trimmed === '' ? null : trimmed;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number within the range, both ends included. */
export function checkedWhole(field: string, value: number, { min, max }: Range): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw badInput(field, value, `a whole number from ${min} to ${max}`);
  }
  // There are two zeros, and they must not make two inputs of one.
  return value === 0 ? 0 : value;
}

/** A number within the range, both ends included. */
export function checkedNumber(field: string, value: number, { min, max }: Range): number {
  if (!(value >= min && value <= max)) throw badInput(field, value, `a number from ${min} to ${max}`);
  return value === 0 ? 0 : value;
}
