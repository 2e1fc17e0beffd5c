import { describe, expect, test } from 'vitest';
import { breakdownOf, edit, generate, optimize, step, upscale, workflow } from './workflows.ts';

describe("the guide's four examples come out as the guide says", () => {
  test('social media campaign: 29 credits', () => {
    const estimate = workflow([
      step('create', generate({ template: 'instagram_feed_square', count: 5 })),
      step('edit', edit('removeBackground'), { from: 'create', times: 3 }),
      step('optimize', optimize(3), { from: 'create' }),
    ]);
    expect(estimate.credits).toBe(29_000n);
    expect(estimate.refusals).toEqual([]);
    expect(breakdownOf(estimate)).toEqual([
      ['create', 'Generate, STANDARD quality, size M: 5 x 4000', 20_000n],
      ['edit', 'Edit, removeBackground, size M: 3 x 3000', 9000n],
      ['optimize', 'Optimize for social: 15 x 0', 0n],
    ]);
    expect(estimate.steps.map(({ images }) => images)).toEqual([5, 3, 15]);
  });

  test('blog featured image: 12 credits', () => {
    const estimate = workflow([
      step('create', generate({ quality: 'PREMIUM' })),
      step('upscale', upscale('CONSERVATIVE'), { from: 'create' }),
      step('optimize', optimize(7), { from: 'upscale' }),
    ]);
    expect(estimate.credits).toBe(12_000n);
    expect(estimate.refusals).toEqual([]);
    expect(breakdownOf(estimate)).toEqual([
      ['create', 'Generate, PREMIUM quality, size M: 1 x 6000', 6000n],
      ['upscale', 'Upscale, CONSERVATIVE, size M: 1 x 6000', 6000n],
      ['optimize', 'Optimize for social: 7 x 0', 0n],
    ]);
  });

  test('product photography: 21 credits', () => {
    const estimate = workflow([
      step('create', generate({ quality: 'PREMIUM' })),
      step('cut', edit('removeBackground'), { from: 'create' }),
      step('colours', edit('searchRecolor'), { from: 'cut', times: 3 }),
    ]);
    expect(estimate.credits).toBe(21_000n);
    expect(estimate.refusals).toEqual([]);
    expect(breakdownOf(estimate)).toEqual([
      ['create', 'Generate, PREMIUM quality, size M: 1 x 6000', 6000n],
      ['cut', 'Edit, removeBackground, size M: 1 x 3000', 3000n],
      ['colours', 'Edit, searchRecolor, size M: 3 x 4000', 12_000n],
    ]);
  });

  test('content library: 90 credits', () => {
    const estimate = workflow([
      step('create', generate({ quality: 'DRAFT', count: 10 }), { times: 2 }),
      step('edit', edit('general'), { from: 'create', times: 10 }),
      step('upscale', upscale('FAST'), { from: 'edit', times: 5 }),
    ]);
    expect(estimate.credits).toBe(90_000n);
    expect(estimate.refusals).toEqual([]);
    expect(breakdownOf(estimate)).toEqual([
      ['create', 'Generate, DRAFT quality, size M: 20 x 2000', 40_000n],
      ['edit', 'Edit, general, size M: 10 x 4000', 40_000n],
      ['upscale', 'Upscale, FAST, size M: 5 x 2000', 10_000n],
    ]);
  });
});
