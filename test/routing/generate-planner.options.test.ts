import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findModel, MODELS, PROVIDER_NAMES } from '../../src/catalog/models.ts';
import { QUALITIES } from '../../src/catalog/operations.ts';
import type { GenerateInput } from '../../src/catalog/requests.ts';
import { planGenerate } from '../../src/routing/generate-planner.ts';
import { factsOf, requestOf, type World } from './requests.ts';

const planFor = (input: Partial<GenerateInput>, world?: World) => planGenerate(requestOf(input), factsOf(world));
const modelsFor = (input: Partial<GenerateInput>, world?: World) => [
  ...new Set(planFor(input, world).routes.map(({ route }) => route.model.id)),
];

describe('a seed', () => {
  test('leaves out every model that takes none', () => {
    expect(modelsFor({ quality: 'STANDARD' })).toContain('wavespeed/ideogram-v3-turbo');
    expect(modelsFor({ quality: 'STANDARD', seed: 7 })).not.toContain('wavespeed/ideogram-v3-turbo');
    expect(modelsFor({ quality: 'STANDARD', seed: 0 })).not.toContain('wavespeed/ideogram-v3-turbo');
  });

  test('on a named model that takes none is refused, naming the models that do', () => {
    const { refusal } = planFor({ model: 'ideogram-v3-turbo', seed: 7 });
    expect(refusal).toMatchObject({
      type: 'UnsupportedOption',
      option: 'seed',
      value: '7',
      message: expect.stringMatching(/^wavespeed\/ideogram-v3-turbo takes no seed.*Leave it out, or choose one of: /),
    });
    expect(refusal).toMatchObject({
      supported: MODELS.filter((model) => model.seedMax !== null && !model.retired).map(({ id }) => id),
    });
  });

  test('is taken up to the highest by every model that takes seeds', () => {
    for (const { seedMax } of MODELS) expect(seedMax ?? 2_147_483_647).toBeGreaterThanOrEqual(2_147_483_647);
  });
});

describe('a negative prompt', () => {
  test('leaves only the models that know one', () => {
    expect(modelsFor({ quality: 'STANDARD', negativePrompt: 'fog' })).toEqual([
      'stability/core',
      'stability/sd3.5-medium',
    ]);
    expect(modelsFor({ quality: 'PREMIUM', negativePrompt: 'fog' })).toEqual([
      'stability/sd3.5-large',
      'stability/ultra',
    ]);
  });

  test('in DRAFT quality is refused, because no model of that class knows one', () => {
    expect(planFor({ quality: 'DRAFT', negativePrompt: 'fog' })).toEqual({
      routes: [],
      refusal: {
        type: 'UnsupportedOption',
        option: 'negativePrompt',
        value: 'fog',
        supported: ['stability/ultra', 'stability/core', 'stability/sd3.5-large', 'stability/sd3.5-medium'],
        message: expect.stringMatching(/^No DRAFT model takes a negativePrompt/),
      },
    });
  });

  test('of a named provider without such a model is refused in its name', () => {
    expect(planFor({ provider: 'gemini', negativePrompt: 'fog' }).refusal).toMatchObject({
      option: 'negativePrompt',
      message: expect.stringMatching(/^No model of gemini in STANDARD quality takes a negativePrompt/),
    });
  });

  test('that the default does not know is served by a stand-in of the same provider', () => {
    expect(modelsFor({ provider: 'stability', quality: 'STANDARD', negativePrompt: 'fog' })[0]).toBe('stability/core');
    expect(modelsFor({ provider: 'stability', quality: 'PREMIUM', negativePrompt: 'fog' })).toEqual([
      'stability/ultra',
      'stability/sd3.5-large',
    ]);
  });

  test('names as remedy only models whose provider is switched on, and no list where there is none', () => {
    const { refusal } = planFor({ model: 'qwen-image', negativePrompt: 'fog' }, { off: ['stability'] });
    expect(refusal).toMatchObject({ supported: [], message: expect.stringMatching(/Leave it out\.$/) });
  });
});

const input = fc.record({
  quality: fc.constantFrom(...QUALITIES),
  provider: fc.option(fc.constantFrom(...PROVIDER_NAMES), { nil: undefined }),
  negativePrompt: fc.option(fc.constant('fog'), { nil: undefined }),
  seed: fc.option(fc.nat(), { nil: undefined }),
  width: fc.integer({ min: 64, max: 2048 }),
  height: fc.integer({ min: 64, max: 2048 }),
});
const world = fc.record({
  off: fc.subarray([...PROVIDER_NAMES]),
  ill: fc.subarray(MODELS.map(({ id }) => id)),
});

describe('for any wish in any state of the world', () => {
  test('there are routes or one refusal, never both and never neither', () => {
    fc.assert(
      fc.property(input, world, (wish, state) => {
        const { routes, refusal } = planFor(wish, state);
        expect(routes.length > 0).toBe(refusal === null);
      }),
    );
  });

  test('every route honours everything that was asked: provider, class, options, switched on, size', () => {
    fc.assert(
      fc.property(input, world, (wish, state) => {
        for (const { route, render, enlargement } of planFor(wish, state).routes) {
          const model = findModel(route.model.id);
          if (!model) throw new Error(`${route.model.id} draws nothing from words`);
          expect(model.retired).toBeUndefined();
          expect(model.quality).toBe(wish.quality);
          if (wish.provider) expect(model.provider).toBe(wish.provider);
          expect(state.off).not.toContain(model.provider);
          if (wish.negativePrompt) expect(model.negativePrompt).toBe(true);
          if (wish.seed !== undefined) expect(model.seedMax).toBeGreaterThanOrEqual(wish.seed);
          expect(render.width * enlargement).toBeGreaterThan(wish.width - 0.001);
          expect(render.height * enlargement).toBeGreaterThan(wish.height - 0.001);
        }
      }),
    );
  });

  test('a healthy route never stands behind an ill one, and no route is listed twice', () => {
    fc.assert(
      fc.property(input, world, (wish, state) => {
        const routes = planFor(wish, state).routes;
        const firstIll = routes.findIndex(({ health }) => !health.healthy);
        if (firstIll >= 0) expect(routes.slice(firstIll).some(({ health }) => health.healthy)).toBe(false);
        expect(new Set(routes.map(({ route }) => route.id)).size).toBe(routes.length);
      }),
    );
  });
});
