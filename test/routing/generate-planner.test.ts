import { describe, expect, test } from 'vitest';
import { findModel, MODELS } from '../../src/catalog/models.ts';
import type { GenerateInput } from '../../src/catalog/requests.ts';
import { namedModel, planGenerate } from '../../src/routing/generate-planner.ts';
import { shutRefusal } from '../../src/routing/planned-route.ts';
import { factsOf, RETRY_AT, requestOf, WELL, type World } from './requests.ts';

const routesFor = (input: Partial<GenerateInput>, world?: World) =>
  planGenerate(requestOf(input), factsOf(world)).routes.map(({ route }) => route.id);
const refusalFor = (input: Partial<GenerateInput>, world?: World) =>
  planGenerate(requestOf(input), factsOf(world)).refusal;

describe('a quality', () => {
  test('is served by every living model of its class, what costs us least first', () => {
    expect(routesFor({ quality: 'STANDARD' })).toEqual([
      'huggingface/flux-dev', // $0.025
      'huggingface/flux-krea-dev', // $0.025, listed after it
      'stability/core', // $0.03, and quicker than the next
      'wavespeed/ideogram-v3-turbo', // $0.03
      'gemini/nano-banana', // $0.0336
      'stability/sd3.5-medium', // $0.035
      'stability/sd3.5-large-turbo', // $0.04
    ]);
    expect(routesFor({ quality: 'PREMIUM' })).toEqual([
      'wavespeed/ideogram-v3-balanced',
      'stability/sd3.5-large',
      'stability/ultra',
      'gemini/pro',
    ]);
    expect(routesFor({ quality: 'DRAFT' })).toEqual([
      'huggingface/flux-schnell@hf-inference',
      'huggingface/flux-schnell@fal-ai',
      'wavespeed/qwen-image',
      'stability/sd3.5-flash',
      'gemini/flash-lite',
    ]);
  });

  test('puts the ill behind all others, each group by cost', () => {
    expect(
      routesFor({ quality: 'PREMIUM' }, { ill: ['wavespeed/ideogram-v3-balanced', 'stability/sd3.5-large'] }),
    ).toEqual(['stability/ultra', 'gemini/pro', 'wavespeed/ideogram-v3-balanced', 'stability/sd3.5-large']);
  });

  test('still has routes when everybody is ill: perhaps one has recovered', () => {
    const all = routesFor({ quality: 'PREMIUM' });
    expect(routesFor({ quality: 'PREMIUM' }, { ill: all })).toEqual(all);
  });

  test('among equal costs puts the quicker first, by what it has been taking lately', () => {
    const input = { quality: 'STANDARD' } as const;
    const order = (world: World) => {
      const routes = routesFor(input, world);
      return routes.indexOf('stability/core') < routes.indexOf('wavespeed/ideogram-v3-turbo');
    };
    expect(order({})).toBe(true);
    expect(order({ seconds: { 'stability/core': 60 } })).toBe(false);
  });

  test('puts a route of unknown cost behind those of known cost', () => {
    const facts = factsOf();
    const plan = planGenerate(requestOf({ quality: 'PREMIUM' }), {
      ...facts,
      vendorCostMicros: (route, render) =>
        route.model.provider === 'wavespeed' ? null : facts.vendorCostMicros(route, render),
    });
    expect(plan.routes.map(({ route }) => route.id).at(-1)).toBe('wavespeed/ideogram-v3-balanced');
    expect(plan.routes.at(-1)?.vendorCostMicros).toBeNull();
  });

  test('leaves out who is switched off', () => {
    expect(routesFor({ quality: 'DRAFT' }, { off: ['huggingface', 'gemini'] })).toEqual([
      'wavespeed/qwen-image',
      'stability/sd3.5-flash',
    ]);
  });

  test('leaves out who cannot make the size, and is refused when nobody can', () => {
    expect(routesFor({ quality: 'STANDARD', width: 4096, height: 1024 })).toEqual(['gemini/nano-banana']);
    expect(refusalFor({ quality: 'DRAFT', width: 4096, height: 1024 })).toEqual({
      type: 'UnsupportedSize',
      requested: { width: 4096, height: 1024 },
      limit: 'at most 2 times what a model draws, per side',
      message: expect.stringContaining('4096x1024'),
    });
  });
});

describe('a named provider', () => {
  test('is served by its default first, however dear, then by its own models of the same class', () => {
    expect(routesFor({ provider: 'stability', quality: 'PREMIUM' })).toEqual([
      'stability/ultra',
      'stability/sd3.5-large',
    ]);
    expect(routesFor({ provider: 'stability' })).toEqual([
      'stability/core',
      'stability/sd3.5-medium',
      'stability/sd3.5-large-turbo',
    ]);
    expect(routesFor({ provider: 'huggingface', quality: 'DRAFT' })).toEqual([
      'huggingface/flux-schnell@hf-inference',
      'huggingface/flux-schnell@fal-ai',
    ]);
  });

  test('has its stand-ins first while its default is ill', () => {
    expect(routesFor({ provider: 'stability' }, { ill: ['stability/core'] })[0]).toBe('stability/sd3.5-medium');
  });

  test('never has a retired model among its stand-ins', () => {
    expect(routesFor({ provider: 'gemini' })).toEqual(['gemini/nano-banana']);
  });

  test.each([
    ['stability', 'DRAFT', 'stability/sd3.5-flash'],
    ['stability', 'STANDARD', 'stability/core'],
    ['stability', 'PREMIUM', 'stability/ultra'],
    ['wavespeed', 'DRAFT', 'wavespeed/qwen-image'],
    ['wavespeed', 'STANDARD', 'wavespeed/ideogram-v3-turbo'],
    ['wavespeed', 'PREMIUM', 'wavespeed/ideogram-v3-balanced'],
    ['huggingface', 'DRAFT', 'huggingface/flux-schnell'],
    ['huggingface', 'STANDARD', 'huggingface/flux-dev'],
    ['gemini', 'DRAFT', 'gemini/flash-lite'],
    ['gemini', 'STANDARD', 'gemini/nano-banana'],
    ['gemini', 'PREMIUM', 'gemini/pro'],
  ] as const)('%s in %s quality is priced and served as %s', (provider, quality, id) => {
    expect(namedModel(requestOf({ provider, quality }))).toEqual({ model: findModel(id), refusal: null });
    expect(planGenerate(requestOf({ provider, quality }), factsOf()).routes[0]?.route.model.id).toBe(id);
  });

  test('huggingface in PREMIUM quality is refused, naming the qualities that it has', () => {
    const refusal = {
      type: 'UnsupportedOption',
      option: 'quality',
      value: 'PREMIUM',
      supported: ['DRAFT', 'STANDARD'],
      message: expect.stringContaining('it has DRAFT and STANDARD'),
    };
    expect(refusalFor({ provider: 'huggingface', quality: 'PREMIUM' })).toEqual(refusal);
    expect(namedModel(requestOf({ provider: 'huggingface', quality: 'PREMIUM' }))).toEqual({ model: null, refusal });
  });

  test('that is switched off is refused by name, and nobody else stands in', () => {
    expect(planGenerate(requestOf({ provider: 'gemini' }), factsOf({ off: ['gemini'] }))).toEqual({
      routes: [],
      refusal: {
        type: 'ProviderUnavailable',
        provider: 'gemini',
        retryAt: null,
        message: expect.stringContaining('gemini is not switched on'),
      },
    });
  });
});

describe('a named model', () => {
  test.each(MODELS.filter((model) => !model.retired).map(({ id }) => id))(
    '%s is served by its own hosts alone',
    (id) => {
      const routes = routesFor({ model: id });
      expect(routes.every((route) => route === id || route.startsWith(`${id}@`))).toBe(true);
      expect(routes.length).toBe(findModel(id)?.hosts.length);
    },
  );

  test('of two hosts is served by the cheaper first, and by the other while that is ill', () => {
    expect(routesFor({ model: 'flux-schnell' })).toEqual([
      'huggingface/flux-schnell@hf-inference',
      'huggingface/flux-schnell@fal-ai',
    ]);
    expect(routesFor({ model: 'flux-schnell' }, { ill: ['huggingface/flux-schnell@hf-inference'] })).toEqual([
      'huggingface/flux-schnell@fal-ai',
      'huggingface/flux-schnell@hf-inference',
    ]);
  });

  test('that is retired is refused, naming since when and what to use instead, whoever is on or off', () => {
    const refusal = {
      type: 'ModelRetired',
      model: 'gemini/imagen-4',
      since: '2026-08-17',
      replacedBy: 'gemini/nano-banana',
      message: expect.stringContaining('Use gemini/nano-banana instead'),
    };
    expect(refusalFor({ model: 'imagen-4' })).toEqual(refusal);
    expect(refusalFor({ model: 'imagen-4' }, { off: ['gemini'] })).toEqual(refusal);
    expect(refusalFor({ model: 'imagen-4' }, { off: ['gemini'], vertex: true })).toEqual(refusal);
  });

  test('that is retired lives where its host is set up, and is one of its class there', () => {
    expect(routesFor({ model: 'imagen-4' }, { vertex: true })).toEqual(['gemini/imagen-4']);
    expect(routesFor({ quality: 'STANDARD' }, { vertex: true })).toContain('gemini/imagen-4');
  });

  test('whose provider is switched off is refused by that name', () => {
    expect(refusalFor({ model: 'core' }, { off: ['stability'] })).toMatchObject({
      type: 'ProviderUnavailable',
      provider: 'stability',
    });
  });

  test('that cannot make the size is refused for the size', () => {
    expect(refusalFor({ model: 'core', width: 4096, height: 1024 })).toMatchObject({ type: 'UnsupportedSize' });
  });
});

describe('routes that are all shut', () => {
  const shut = (ill: readonly string[]) =>
    shutRefusal('stability', planGenerate(requestOf({ provider: 'stability' }), factsOf({ ill })).routes);
  const all = ['stability/core', 'stability/sd3.5-medium', 'stability/sd3.5-large-turbo'];

  test('are refused with the time when one is tried again', () => {
    expect(shut(all)).toEqual({
      type: 'ProviderUnavailable',
      provider: 'stability',
      retryAt: RETRY_AT,
      message: expect.stringContaining('(Stability AI). Nothing was run and nothing was charged. Try again after 2026'),
    });
  });

  test('are not all shut while one is open', () => {
    expect(shut(all.slice(1))).toBeNull();
    expect(shut([])).toBeNull();
    expect(shutRefusal(null, [])).toBeNull();
  });
});

describe('nobody at all', () => {
  test('switched on is refused without a provider to blame', () => {
    const off = ['stability', 'wavespeed', 'huggingface', 'gemini'] as const;
    expect(refusalFor({}, { off })).toEqual({
      type: 'ProviderUnavailable',
      provider: null,
      retryAt: null,
      message: expect.stringContaining('No provider that could do this'),
    });
  });
});

describe('a planned route', () => {
  test('says what is drawn there, what it costs us and how long it takes, lately or usually', () => {
    const input = { model: 'nano-banana', width: 1080, height: 1350 };
    expect(planGenerate(requestOf(input), factsOf()).routes).toEqual([
      {
        route: expect.objectContaining({ id: 'gemini/nano-banana' }),
        render: { width: 1856, height: 2304, aspectRatio: '4:5', imageSize: '2K' },
        enlargement: 1,
        health: WELL,
        expectedSeconds: 10,
        vendorCostMicros: 50_400,
        preparation: null,
      },
    ]);
    const slow = factsOf({ seconds: { 'gemini/nano-banana': 42 }, ill: ['gemini/nano-banana'] });
    expect(planGenerate(requestOf(input), slow).routes[0]).toMatchObject({
      expectedSeconds: 42,
      health: { healthy: false },
    });
  });
});
