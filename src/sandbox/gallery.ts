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
  const { model, prompt, caption, seed, width, height, format } = recipe;
  const all = [model, prompt, caption, seed, width, height, format, flaw, amount];
  return createHash('sha256').update(JSON.stringify(all)).digest('base64url');
}

/** A recipe always gives the same bytes, so all sandboxes of a process may share what one of them has drawn. */
const drawn = new LRUCache<string, Buffer, Commission>({
  maxSize: BYTES_MAX,
  sizeCalculation: (picture) => Math.max(1, picture.length),
  // A drawing under way that is pushed out of the cache is still wanted by whoever waits for it.
  ignoreFetchAbort: true,
  fetchMethod: (_key, _stale, { context: { recipe, flaw, amount } }) =>
    flaw === null ? drawPicture(recipe) : drawFlawed(recipe, flaw, amount),
});

/**
 * The picture of a recipe, drawn once for all who ask for it at the same time or soon after. `flaw` is what is wrong
 * with it and `amount` how much of that, in the flaw's own unit. The bytes are shared: nobody may change them.
 */
export async function pictureOf(recipe: Recipe, flaw: Flaw | null = null, amount = 0): Promise<Buffer> {
  const context: Commission = { recipe, flaw, amount };
  return drawn.forceFetch(keyOf(context), { context });
}
