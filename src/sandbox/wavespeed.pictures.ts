import type { JsonObject } from './exchange.ts';
import type { Desk } from './orders.ts';
import { ownOutput } from './outputs.ts';
import { fromBase64, type SentPicture, sentPicture } from './sent.ts';
import { isAddress, type Model, PICTURE_BYTES_MAX, type Pictures } from './wavespeed.models.ts';
import type { Trouble } from './wavespeed.prediction.ts';

const NOT_FETCHED: Trouble = { code: 1402, error: 'Failed to access the media: the address could not be fetched.' };
const NOT_A_PICTURE: Trouble = { code: 1401, error: 'Invalid parameter: the media is not a readable picture.' };

/** Nothing is fetched from anywhere: the only addresses behind which there is a picture are those given out here. */
async function fetched(desk: Desk, address: string): Promise<Buffer | null> {
  const bytes = await ownOutput(desk, address);
  return bytes && bytes.length <= PICTURE_BYTES_MAX ? bytes : null;
}

async function pictureIn(desk: Desk, value: string): Promise<SentPicture | Trouble> {
  const bytes = isAddress(value) ? await fetched(desk, value) : fromBase64(value);
  return bytes ? ((await sentPicture(bytes)) ?? NOT_A_PICTURE) : NOT_FETCHED;
}

/** The pictures of an order, or what keeps the task from working on them. */
export async function picturesOf(
  desk: Desk,
  model: Model,
  input: JsonObject,
): Promise<{ readonly pictures: Pictures; readonly trouble: Trouble | null }> {
  const pictures: Record<string, SentPicture> = {};
  for (const field of model.pictures) {
    if (input[field] === undefined) continue;
    const found = await pictureIn(desk, String(input[field]));
    if ('code' in found) return { pictures: {}, trouble: found };
    pictures[field] = found;
  }
  return { pictures, trouble: null };
}
