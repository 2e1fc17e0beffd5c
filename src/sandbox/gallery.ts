import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { drawFlawed, drawPicture, type Flaw, type Recipe } from './pictures.ts';

const BYTES_MAX = 64 * 1024 * 1024;

interface Commission {
  readonly recipe: Recipe;
  readonly flaw: Flaw | null;
  readonly amount: number;
}

/** Hashed, because the words of a prompt can take more room than the picture that they are the key of. */
function keyOf({ recipe, flaw, amount }: Commission): string {
  const { model, prompt, caption, seed, width, height, format, edit = null } = recipe;
  const all = [model, prompt, caption, seed, width, height, format, edit, flaw, amount];
  return createHash('sha256').update(JSON.stringify(all)).digest('base64url');
}

/** Edits work on all pixels of their pictures at once, so no more than these are drawn at the same time. */
const EDITS_AT_ONCE = 2;

let editing = 0;
const waiting: (() => void)[] = [];

/** Draws an edit when it is its turn. */
async function inTurn(draw: () => Promise<Buffer>): Promise<Buffer> {
  if (editing < EDITS_AT_ONCE) editing += 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await draw();
  } finally {
    const next = waiting.shift();
    // Whoever waits longest takes the place over, so that nobody who comes later slips in between.
    if (next) next();
    else editing -= 1;
  }
}

function draw({ recipe, flaw, amount }: Commission): Promise<Buffer> {
  return flaw === null ? drawPicture(recipe) : drawFlawed(recipe, flaw, amount);
}

/** A recipe always gives the same bytes, so all sandboxes of a process may share what one of them has drawn. */
const drawn = new LRUCache<string, Buffer, Commission>({
  maxSize: BYTES_MAX,
  sizeCalculation: (picture) => Math.max(1, picture.length),
  // A drawing under way that is pushed out of the cache is still wanted by whoever waits for it.
  ignoreFetchAbort: true,
  fetchMethod: (_key, _stale, { context }) => (context.recipe.edit ? inTurn(() => draw(context)) : draw(context)),
});

/**
 * The picture of a recipe, drawn once for all who ask for it at the same time or soon after. `flaw` is what is wrong
 * with it and `amount` how much of that, in the flaw's own unit. The bytes are shared: nobody may change them.
 */
export async function pictureOf(recipe: Recipe, flaw: Flaw | null = null, amount = 0): Promise<Buffer> {
  const context: Commission = { recipe, flaw, amount };
  return drawn.forceFetch(keyOf(context), { context });
}
