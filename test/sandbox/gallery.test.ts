import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { drawEdit } from '../../src/sandbox/edits.ts';
import { pictureOf } from '../../src/sandbox/gallery.ts';
import { drawFlawed, drawPicture, type Recipe } from '../../src/sandbox/pictures.ts';
import { type SentPicture, sentPicture } from '../../src/sandbox/sent.ts';
import { flat } from './samples.ts';

vi.mock(import('../../src/sandbox/pictures.ts'), async (original) => {
  const drawn = await original();
  return { ...drawn, drawPicture: vi.fn(drawn.drawPicture), drawFlawed: vi.fn(drawn.drawFlawed) };
});

vi.mock(import('../../src/sandbox/edits.ts'), async (original) => {
  const edits = await original();
  return { ...edits, drawEdit: vi.fn(edits.drawEdit) };
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

describe('edits in the gallery', () => {
  async function sent(background: string): Promise<SentPicture> {
    const picture = await sentPicture(await flat(64, 64, background));
    if (!picture) throw new Error('there is no picture');
    return picture;
  }
  const general = (image: SentPicture, others: readonly string[] = []) => ({ kind: 'general', image, others }) as const;

  test('are drawn once for the same pictures, and anew for others', async () => {
    const recipe = newRecipe();
    const [red, again, blue] = [await sent('#f00'), await sent('#f00'), await sent('#00f')];
    const pictures = [
      await pictureOf({ ...recipe, edit: general(red) }),
      await pictureOf({ ...recipe, edit: general(again) }),
      await pictureOf({ ...recipe, edit: general(blue) }),
      await pictureOf({ ...recipe, edit: general(red, ['beside']) }),
      await pictureOf({ ...recipe, edit: { kind: 'upscale', image: red, detail: 0 } }),
      await pictureOf({ ...recipe, edit: { kind: 'upscale', image: red, detail: 1 } }),
      await pictureOf(recipe),
    ];
    expect(timesDrawn(recipe)).toBe(6);
    expect(pictures[0]).toBe(pictures[1]);
    expect(pictures[2]?.equals(pictures[0] ?? Buffer.alloc(0))).toBe(false);
  });

  test('are drawn two at a time, the others in their order, and one that fails holds up none', async () => {
    const image = await sent('#0f0');
    const recipes = Array.from({ length: 4 }, () => ({ ...newRecipe(), edit: general(image) }));
    const seeds = recipes.map((recipe) => recipe.seed);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    vi.mocked(drawEdit).mockImplementation(async (_, { seed: which }) => {
      started.push(which);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (which === seeds[0]) throw new Error('the first is spoilt');
      return image.image();
    });
    onTestFinished(() => void vi.mocked(drawEdit).mockReset());
    const drawn = Promise.allSettled(recipes.map((recipe) => pictureOf(recipe)));
    await vi.waitFor(() => expect(started).toEqual(seeds.slice(0, 2)));
    ends[0]?.();
    await vi.waitFor(() => expect(started).toEqual(seeds.slice(0, 3)));
    ends[1]?.();
    ends[2]?.();
    await vi.waitFor(() => expect(started).toEqual(seeds));
    ends[3]?.();
    expect((await drawn).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });
});
