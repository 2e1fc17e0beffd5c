import { badInput } from '../errors.ts';
import { idKind } from '../platform/ids.ts';

const LIST = 'assets:';

/** Where an asset stands in the library. The list's own name is part of it, so a cursor of another list is refused. */
export function assetCursor(asset: { readonly id: string }): string {
  return Buffer.from(LIST + asset.id).toString('base64url');
}

/**
 * The id that a cursor stands for.
 * @throws BAD_USER_INPUT for anything that {@link assetCursor} does not write.
 */
export function readAssetCursor(after: string): string {
  const text = Buffer.from(after, 'base64url').toString();
  const id = text.slice(LIST.length);
  // Decoding forgives stray characters; only the one spelling that we write is accepted.
  if (!text.startsWith(LIST) || idKind(id) !== 'asset' || assetCursor({ id }) !== after) {
    throw badInput('after', after, 'a cursor that this list has given out, such as its pageInfo.endCursor');
  }
  return id;
}
