import { isObject } from './exchange.ts';
import { invalid } from './gemini.errors.ts';
import { fromBase64, type SentPicture, sentPicture } from './sent.ts';

/** The parts of the last turn. @throws Refusal */
export function partsOf(contents: unknown): readonly unknown[] {
  if (!Array.isArray(contents) || contents.length === 0)
    throw invalid('* GenerateContentRequest.contents: contents is not specified');
  const last: unknown = contents.at(-1);
  return isObject(last) && Array.isArray(last.parts) ? last.parts : [];
}

/** The words among some parts. @throws Refusal when there are none */
export function promptOf(parts: readonly unknown[]): string {
  const texts = parts.flatMap((part) => (isObject(part) && typeof part.text === 'string' ? [part.text] : []));
  const prompt = texts.join('\n');
  if (prompt.trim() === '')
    throw invalid('* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.');
  return prompt;
}

const PICTURES_MAX = 14;
const PICTURE_TYPES = ['image/png', 'image/jpeg', 'image/webp'];

function inlineDataOf(part: unknown, index: number): readonly string[] {
  if (!isObject(part)) throw invalid(`Invalid value at 'contents.parts[${index}]'.`);
  if (typeof part.text === 'string') return [];
  const { inlineData } = part;
  if (!isObject(inlineData)) {
    throw invalid('sandbox: only parts of text and of inlineData are understood here');
  }
  if (!PICTURE_TYPES.includes(String(inlineData.mimeType))) {
    throw invalid(`Unsupported MIME type: ${inlineData.mimeType}. It must be one of ${PICTURE_TYPES.join(', ')}.`);
  }
  return [String(inlineData.data)];
}

/** The pictures among some parts, in their order. @throws Refusal when there are too many, or one cannot be read. */
export async function picturesOf(parts: readonly unknown[]): Promise<readonly SentPicture[]> {
  const sent = parts.flatMap(inlineDataOf);
  if (sent.length > PICTURES_MAX) {
    throw invalid(`At most ${PICTURES_MAX} images are supported in one request, not ${sent.length}.`);
  }
  const pictures: SentPicture[] = [];
  for (const data of sent) {
    const picture = await sentPicture(fromBase64(data));
    if (!picture) throw invalid('Unable to process input image. Please retry with another one.');
    pictures.push(picture);
  }
  return pictures;
}
