import { badInput } from '../errors.ts';
import { checkedSeed, checkedStyle, checkedText, optionalText } from './fields.ts';
import { DEFAULT_MODELS, findModel, type GenerateModel, type ProviderName } from './models.ts';
import type { Quality } from './operations.ts';
import { resolveSize, type Size, type SizeWish } from './sizes.ts';
import type { StylePreset } from './style-presets.ts';
import { findTemplate } from './templates.ts';

/** The most images any tier may ask for in one operation; a tier may allow fewer. */
export const COUNT_MAX = 10;
const DEFAULT_SIZE: Size = { width: 1024, height: 1024 };

/** What a client sends to have pictures generated; everything but the prompt may be left out. */
export interface GenerateInput extends SizeWish {
  readonly prompt: string;
  readonly negativePrompt?: string | undefined;
  readonly quality?: Quality | undefined;
  readonly provider?: ProviderName | undefined;
  readonly model?: string | undefined;
  readonly template?: string | undefined;
  readonly stylePreset?: string | undefined;
  readonly seed?: number | undefined;
  readonly count?: number | undefined;
}

/**
 * The same wish in canonical form: defaults filled in, sizes worked out, equal spellings made one. Two inputs that mean
 * the same picture at the same price are equal here, so their hashes are equal.
 */
export interface GenerateRequest {
  readonly operation: 'GENERATE';
  readonly prompt: string;
  readonly negativePrompt: string | null;
  readonly quality: Quality;
  readonly provider: ProviderName | null;
  /** The model's full id, or null when only a quality or a provider was named. */
  readonly model: string | null;
  readonly size: Size;
  readonly stylePreset: StylePreset | null;
  /** The first image's seed; image i uses `seed + i`. */
  readonly seed: number | null;
  readonly count: number;
}

/**
 * @throws BAD_USER_INPUT, naming field, value and limit, for what is valid for nobody; NOT for what another tier,
 * size or provider could do, which is a refusal.
 */
export function canonicalGenerate(input: GenerateInput): GenerateRequest {
  const template = input.template === undefined ? undefined : findTemplate(input.template);
  if (input.template !== undefined && template === undefined) {
    throw badInput('template', input.template, 'the id of a template; the templates query lists them');
  }
  const model = checkedModel(input.model, input.provider);
  const count = checkedCount(input.count);
  return {
    operation: 'GENERATE',
    prompt: checkedText('prompt', input.prompt),
    negativePrompt: optionalText('negativePrompt', input.negativePrompt),
    // A named model has its own class; a quality beside it would mean nothing, so it must not make two inputs differ.
    quality: model?.quality ?? input.quality ?? 'STANDARD',
    provider: model?.provider ?? input.provider ?? null,
    model: model?.id ?? null,
    size: resolveSize(input, template ?? DEFAULT_SIZE),
    stylePreset: checkedStyle(input.stylePreset) ?? template?.stylePreset ?? null,
    seed: checkedSeed(input.seed, count),
    count,
  };
}

/** The model that prices the pictures: the named one, or what its provider means by that quality; null where the quality prices them. */
export function modelAsked({
  quality,
  provider,
  model,
}: Pick<GenerateRequest, 'quality' | 'provider' | 'model'>): string | null {
  return model ?? (provider === null ? null : DEFAULT_MODELS[provider][quality]);
}

function checkedModel(name: string | undefined, provider: ProviderName | undefined): GenerateModel | undefined {
  if (name === undefined) return undefined;
  const model = findModel(name);
  if (model === undefined)
    throw badInput('model', name, 'the id of a model, such as "stability/core"; the models query lists them');
  if (provider !== undefined && provider !== model.provider) {
    throw badInput('provider', provider, `${model.provider}, because the model ${model.id} belongs to it, or left out`);
  }
  return model;
}

function checkedCount(count: number | undefined): number {
  if (count === undefined) return 1;
  if (!Number.isInteger(count) || count < 1 || count > COUNT_MAX) {
    throw badInput('count', count, `a whole number from 1 to ${COUNT_MAX}`);
  }
  return count;
}
