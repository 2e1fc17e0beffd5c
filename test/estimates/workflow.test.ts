import { describe, expect, test } from 'vitest';
import type { EditKind } from '../../src/catalog/operations.ts';
import type { OperationInput, StepInput } from '../../src/estimates/workflow-request.ts';
import { badInputOf } from '../catalog/bad-input.ts';
import { bookOf } from '../pricing/books.ts';
import { breakdownOf, edit, generate, optimize, step, upscale, workflow } from './workflows.ts';

const refused = (steps: readonly StepInput[]) => badInputOf(() => workflow(steps));
const LARGE = { width: 2048, height: 2048 };

describe('the size that a step is priced by', () => {
  test('is that of the picture it works on: run i takes output i, counting round', () => {
    const estimate = workflow([
      step('small', generate({ width: 512, height: 512, count: 2 })),
      step('edit', edit('removeBackground'), { from: 'small', times: 5 }),
    ]);
    expect(breakdownOf(estimate)[1]).toEqual(['edit', 'Edit, removeBackground, size S: 5 x 2000', 10_000n]);
  });

  test('follows the pictures through the steps: four times a side makes them large', () => {
    const estimate = workflow([
      step('small', generate({ width: 512, height: 512 })),
      step('big', upscale('FAST'), { from: 'small' }),
      step('edit', edit('general'), { from: 'big' }),
    ]);
    expect(breakdownOf(estimate)[2]).toEqual(['edit', 'Edit, general, size L: 1 x 5000', 5000n]);
  });

  test.each([
    ['CONSERVATIVE', null, 'L'],
    ['CREATIVE', null, 'L'],
    ['FAST', 'SOCIAL', 'M'],
    ['FAST', 'WEB', 'L'],
    ['CONSERVATIVE', 'PRINT', 'L'],
  ] as const)('after %s with the preset %s is %s', (mode, preset, sizeClass) => {
    const estimate = workflow([
      step('draw', generate()),
      step('up', upscale(mode, preset), { from: 'draw' }),
      step('edit', edit('inpaint'), { from: 'up' }),
    ]);
    expect(estimate.steps[2]?.lines[0]?.label).toBe(`Edit, inpaint, size ${sizeClass}`);
  });

  test('of outpaint is that of its output, which its margins make larger', () => {
    const outpaint = (margins: object) =>
      workflow([
        step('draw', generate({ width: 1024, height: 1024 })),
        step('out', edit('outpaint', margins), { from: 'draw' }),
      ]);
    expect(breakdownOf(outpaint({ left: 512 }))[1]).toEqual(['out', 'Edit, outpaint, size M: 1 x 4000', 4000n]);
    expect(breakdownOf(outpaint({ left: 256, right: 257 }))[1]).toEqual([
      'out',
      'Edit, outpaint, size L: 1 x 5000',
      5000n,
    ]);
    expect(breakdownOf(outpaint({ up: 2000, down: 2000 }))[1]?.[1]).toContain('size L');
  });

  test('of anything but outpaint does not change by an edit', () => {
    for (const kind of ['removeBackground', 'erase', 'relight', 'general'] satisfies EditKind[]) {
      const estimate = workflow([
        step('draw', generate({ width: 1024, height: 512 })),
        step('first', edit(kind), { from: 'draw' }),
        step('second', edit('searchReplace'), { from: 'first' }),
      ]);
      expect(estimate.steps[2]?.lines[0]?.label).toBe('Edit, searchReplace, size S');
    }
  });

  test('is M, and said to be assumed, where no picture is given yet', () => {
    const estimate = workflow([step('edit', edit('general')), step('up', upscale('FAST'), { from: 'edit' })]);
    expect(estimate.credits).toBe(6000n);
    for (const { notes } of estimate.steps) expect(notes).toEqual(['The picture is not known yet: size M is assumed.']);
  });
});

describe('refusals of a step', () => {
  test('leave it and the whole without a price, and name what is in the way', () => {
    const estimate = workflow([
      step('draw', generate(LARGE)),
      step('up', upscale('FAST'), { from: 'draw' }),
      step('edit', edit('general'), { from: 'draw' }),
    ]);
    expect(estimate.credits).toBeNull();
    expect(estimate.steps.map(({ credits }) => credits)).toEqual([5000n, null, 5000n]);
    expect(estimate.refusals).toEqual([
      expect.objectContaining({ type: 'UnsupportedSource', source: { width: 2048, height: 2048 } }),
    ]);
  });

  test('cover the tier: its modules, its quality, and its images in one run, not in all runs', () => {
    const steps = [
      step('draw', generate({ quality: 'DRAFT', count: 4 }), { times: 3 }),
      step('up', upscale('FAST'), { from: 'draw' }),
      step('erase', edit('erase'), { from: 'draw' }),
      step('cut', edit('removeBackground'), { from: 'draw' }),
      step('social', optimize(1), { from: 'draw' }),
    ];
    expect(
      workflow(steps, { tier: 'FREE' }).refusals.map((refusal) => [refusal.type, Reflect.get(refusal, 'feature')]),
    ).toEqual([
      ['TierTooLow', 'upscale'],
      ['TierTooLow', 'erase'],
    ]);
    expect(workflow([step('draw', generate({ count: 5 }))], { tier: 'FREE' }).refusals).toMatchObject([
      { type: 'TooManyImages', requested: 5, limit: 4 },
    ]);
  });

  test('of every kind of generate are told: a retired model, a size too large, a missing row', () => {
    for (const [input, type] of [
      [{ model: 'imagen-4' }, 'ModelRetired'],
      [{ width: 4096, height: 4096 }, 'UnsupportedSize'],
    ] as const)
      expect(workflow([step('draw', generate(input))])).toMatchObject({ credits: null, refusals: [{ type }] });
    const book = bookOf({ upscale: {}, optimize: undefined });
    expect(
      workflow([step('up', upscale('FAST')), step('social', optimize(1))], { book }).refusals.map(({ type }) => type),
    ).toEqual(['Unpriced', 'Unpriced']);
  });

  test('of the balance are about the whole: each step alone would do', () => {
    const steps = [step('one', generate({ count: 5 })), step('two', generate({ count: 5 }))];
    expect(workflow(steps, { balance: { monthly: 39_999n } }).refusals).toMatchObject([
      { type: 'InsufficientCredits', required: 40_000n, available: 39_999n, short: 1n },
    ]);
    expect(workflow(steps, { balance: { spendCap: 30_000n } }).refusals).toMatchObject([{ type: 'CapExceeded' }]);
    expect(workflow(steps, { balance: { monthly: 40_000n } }).refusals).toEqual([]);
  });
});

describe('free allowances', () => {
  test('are used up from the first step on, never twice, each provider its own', () => {
    const estimate = workflow(
      [
        step('a', generate({ provider: 'huggingface', count: 2 }), { times: 2 }),
        step('b', generate({ provider: 'gemini' })),
        step('c', generate({ model: 'flux-schnell', count: 3 })),
        step('d', generate({ provider: 'huggingface' })),
        step('e', generate({ count: 2 })),
      ],
      { tier: 'FREE' },
    );
    expect(
      estimate.steps.map(({ id, lines, credits }) => [
        id,
        lines.find(({ kind }) => kind === 'FREE_ALLOWANCE')?.quantity ?? 0,
        credits,
      ]),
    ).toEqual([
      ['a', 4, 0n],
      ['b', 1, 0n],
      ['c', 1, 2000n],
      ['d', 0, 3000n],
      ['e', 0, 8000n],
    ]);
  });

  test('are not used up by a step that cannot run', () => {
    const estimate = workflow(
      [step('retired', generate({ model: 'imagen-4' })), step('fine', generate({ provider: 'gemini', count: 3 }))],
      { tier: 'FREE' },
    );
    expect(estimate.steps[1]?.credits).toBe(0n);
  });
});

describe('a workflow that nobody may run is bad input', () => {
  const fine = step('a', generate());

  test.each<[string, StepInput[], object]>([
    ['no steps', [], { field: 'steps', value: 0, limit: 'a list of 1 to 50 steps' }],
    ['51 steps', Array.from({ length: 51 }, (_, i) => step(`s${i}`, generate())), { field: 'steps', value: 51 }],
    ['an id twice', [fine, step('a', generate())], { field: 'steps[1].id', value: 'a' }],
    ['an empty id', [step('', generate())], { field: 'steps[0].id' }],
    ['an id of 65 characters', [step('x'.repeat(65), generate())], { field: 'steps[0].id' }],
    ['an id with a space', [step('a b', generate())], { field: 'steps[0].id' }],
    ['an id with a line break', [step('a\n', generate())], { field: 'steps[0].id' }],
    ['a step from itself', [step('a', edit('general'), { from: 'a' })], { field: 'steps[0].from', value: 'a' }],
    [
      'a step from a later one',
      [step('a', edit('general'), { from: 'b' }), step('b', generate())],
      { field: 'steps[0].from' },
    ],
    ['a step from nowhere', [fine, step('b', edit('general'), { from: '__proto__' })], { field: 'steps[1].from' }],
    ['generate from a picture', [fine, step('b', generate(), { from: 'a' })], { field: 'steps[1].from', value: 'a' }],
    ...[0, -1, 1.5, 101, 2 ** 31, Number.NaN].map((times): [string, StepInput[], object] => [
      `a step ${times} times`,
      [step('a', generate(), { times })],
      { field: 'steps[0].times', value: times, limit: 'a whole number from 1 to 100' },
    ]),
  ])('%s', (_, steps, expected) => {
    expect(refused(steps)).toMatchObject({ code: 'BAD_USER_INPUT', ...expected });
  });

  test.each<[string, OperationInput, object]>([
    ['an empty prompt', generate({ prompt: ' ' }), { field: 'steps[1].operation.generate.prompt' }],
    ['a count of 11', generate({ count: 11 }), { field: 'steps[1].operation.generate.count', value: 11 }],
    ['an unknown model', generate({ model: 'x' }), { field: 'steps[1].operation.generate.model' }],
    ['a side too long', generate({ width: 5000, height: 64 }), { field: 'steps[1].operation.generate.width' }],
  ])('%s inside a step, and the step is named', (_, operation, expected) => {
    expect(refused([fine, step('b', operation)])).toMatchObject({ code: 'BAD_USER_INPUT', ...expected });
  });

  test('more than 500 images in all', () => {
    const ten = (id: string) => step(id, generate({ quality: 'DRAFT', count: 10 }), { times: 25 });
    expect(workflow([ten('a'), ten('b')]).steps.map(({ images }) => images)).toEqual([250, 250]);
    expect(refused([ten('a'), ten('b'), step('c', edit('general'))])).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'steps',
      value: 501,
      limit: 'steps that make at most 500 images in all',
    });
  });

  test('images that multiply from step to step, before they fill the memory', () => {
    const steps = Array.from({ length: 20 }, (_, index) =>
      step(`s${index}`, optimize(7), { times: 100, from: index === 0 ? null : `s${index - 1}` }),
    );
    expect(refused(steps)).toMatchObject({ field: 'steps', value: 700 });
    const gently = Array.from({ length: 30 }, (_, index) =>
      step(`s${index}`, optimize(4), { from: index === 0 ? null : `s${index - 1}` }),
    );
    expect(refused(gently)).toMatchObject({ field: 'steps', value: 4 + 16 + 64 + 256 + 1024 });
  });
});

describe('notes of a step', () => {
  test('say where a style becomes words of the prompt, as a single estimate does', () => {
    const [drawn] = workflow([step('draw', generate({ template: 'facebook_feed', provider: 'gemini' }))]).steps;
    expect(drawn?.notes).toEqual([
      'No route here has a field for style presets: the words of "photographic" are put behind the prompt.',
    ]);
  });
});
