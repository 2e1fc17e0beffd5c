import { randomUUID } from 'node:crypto';
import type { SentPicture } from './provider.ts';

/** A picture inside JSON, encoded once however often it is named. */
export class InlinePicture {
  readonly base64: string;

  constructor(
    bytes: Buffer,
    /** What stands before the base64. */
    readonly prefix: string,
  ) {
    this.base64 = bytes.toString('base64');
  }
}

/** For vendors that have a field of their own for the type. */
export function base64Of({ bytes }: SentPicture): InlinePicture {
  return new InlinePicture(bytes, '');
}

/** RFC 2397. */
export function dataUriOf({ bytes, contentType }: SentPicture): InlinePicture {
  return new InlinePicture(bytes, `data:${contentType};base64,`);
}

/**
 * JSON in which every {@link InlinePicture} is a string. The pictures are put in after the writing, which would look at
 * each of their letters for one to escape, and hold up everybody else meanwhile.
 */
export function jsonWithPictures(value: unknown): Buffer {
  const mark = randomUUID();
  const pictures: string[] = [];
  const json = JSON.stringify(value, (_key, each: unknown) => {
    if (!(each instanceof InlinePicture)) return each;
    pictures.push(each.base64);
    return `${each.prefix}${mark}`;
  });
  const pieces = json.split(mark).flatMap((words, i) => [words, pictures[i] ?? '']);
  const body = Buffer.allocUnsafe(pieces.reduce((length, piece) => length + Buffer.byteLength(piece), 0));
  let end = 0;
  for (const piece of pieces) end += body.write(piece, end);
  return body;
}
