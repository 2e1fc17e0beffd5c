import { describe, expect, test, vi } from 'vitest';
import { pictureOf } from '../../src/sandbox/gallery.ts';
import { drawFlawed, drawPicture, type Recipe } from '../../src/sandbox/pictures.ts';

vi.mock(import('../../src/sandbox/pictures.ts'), async (original) => {
  const drawn = await original();
  return { ...drawn, drawPicture: vi.fn(drawn.drawPicture), drawFlawed: vi.fn(drawn.drawFlawed) };
});

let seed = 0;

/** A picture that no other test has asked for. */
function newRecipe(): Recipe {
  seed += 1;
  return { model: 'core', prompt: 'a fox', caption: 'a fox', seed, width: 256, height: 256, format: 'png' };
}

const timesDrawn = (recipe: Recipe) =>
  [...vi.mocked(drawPicture).mock.calls, ...vi.mocked(drawFlawed).mock.calls].filter(
    ([each]) => each.seed === recipe.seed,
  ).length;

describe('the gallery', () => {
  test('draws a recipe once, for all who ask at the same time and afterwards', async () => {
    const recipe = newRecipe();
    const pictures = await Promise.all(Array.from({ length: 20 }, () => pictureOf({ ...recipe })));
    pictures.push(await pictureOf(recipe));
    expect(timesDrawn(recipe)).toBe(1);
    expect(new Set(pictures).size).toBe(1);
  });

  test('gives what the recipe alone would give', async () => {
    const recipe = newRecipe();
    await pictureOf(recipe);
    expect(await pictureOf(recipe)).toEqual(await drawPicture(recipe));
  });

  test.each([
    ['width', { width: 264 }],
    ['height', { height: 264 }],
    ['format', { format: 'webp' }],
    ['prompt', { prompt: 'a wolf' }],
    ['caption', { caption: 'a wolf' }],
    ['model', { model: 'ultra' }],
  ] as const)('takes no other %s for the same recipe', async (_, change) => {
    const recipe = newRecipe();
    const [one, other] = [await pictureOf(recipe), await pictureOf({ ...recipe, ...change })];
    expect(other.equals(one)).toBe(false);
  });

  test('takes no flawed picture for a good one, and none for another', async () => {
    const recipe = newRecipe();
    const pictures = [
      await pictureOf(recipe),
      await pictureOf(recipe, 'black'),
      await pictureOf(recipe, 'huge', 1),
      await pictureOf(recipe, 'huge', 2),
    ];
    expect(timesDrawn(recipe)).toBeGreaterThanOrEqual(4);
    expect(new Set(pictures.map((picture) => picture.toString('base64'))).size).toBe(4);
  });

  test('gives pictures that are too large to keep, and does not keep them', async () => {
    const recipe = newRecipe();
    for (let time = 0; time < 2; time += 1) {
      expect((await pictureOf(recipe, 'huge', 70)).length).toBeGreaterThan(70_000_000);
    }
    expect(vi.mocked(drawFlawed).mock.calls.filter(([each]) => each.seed === recipe.seed)).toHaveLength(2);
  });

  /** Draws more than there is room for. */
  async function fill(): Promise<void> {
    for (const recipe of [newRecipe(), newRecipe(), newRecipe()]) await pictureOf(recipe, 'huge', 30);
  }

  test('forgets the oldest when it is full', async () => {
    const first = newRecipe();
    await pictureOf(first);
    await fill();
    await pictureOf(first);
    expect(timesDrawn(first)).toBe(2);
  });

  test('still gives what was being drawn while others took all the room', async () => {
    const drawing = Promise.withResolvers<Buffer>();
    vi.mocked(drawPicture).mockReturnValueOnce(drawing.promise);
    const waiting = pictureOf(newRecipe());
    await fill();
    drawing.resolve(Buffer.from('at last'));
    expect((await waiting).toString()).toBe('at last');
  });
});
