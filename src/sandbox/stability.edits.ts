import { type Check, type Problem, problemsIn } from './checks.ts';
import { naturalSize } from './edit.ts';
import type { Call } from './exchange.ts';
import { anySeed, type Slip } from './orders.ts';
import { type SentPicture, sentPicture } from './sent.ts';
import {
  acceptsJson,
  badRequest,
  expectEnglish,
  type Fields,
  fieldNumber,
  fieldText,
  formatIn,
  formFields,
  SEED_MAX,
  type StabilityOrder,
} from './stability.forms.ts';
import type { Limits, Pictures, Service } from './stability.services.ts';

const file: Check = (value) => (value instanceof Blob ? null : 'must be a file');

/** What is wrong with the size of a picture, or null. */
function misfit({ width, height }: SentPicture, limits: Limits): string | null {
  const { sideMin = 1, sideMax = Number.MAX_SAFE_INTEGER, pixelsMin = 1 } = limits;
  const { pixelsMax = Number.MAX_SAFE_INTEGER, ratioMax = Number.MAX_SAFE_INTEGER } = limits;
  const [shorter, longer, pixels] = [Math.min(width, height), Math.max(width, height), width * height];
  if (shorter < sideMin) return `every side must be at least ${sideMin} pixels, not ${width}x${height}`;
  if (longer > sideMax) return `every side must be at most ${sideMax} pixels, not ${width}x${height}`;
  if (pixels < pixelsMin) return `must have at least ${pixelsMin} pixels, not ${pixels}`;
  if (pixels > pixelsMax) return `must have at most ${pixelsMax} pixels, not ${pixels}`;
  return longer > ratioMax * shorter ? `the aspect ratio must be between 1:${ratioMax} and ${ratioMax}:1` : null;
}

/** Measures the pictures of a form. @throws Refusal when one of them is none, or does not fit. */
async function picturesIn(fields: Fields, { pictures }: Service): Promise<Pictures> {
  const found: Record<string, SentPicture> = {};
  const problems: Problem[] = [];
  for (const [field, limits] of Object.entries(pictures)) {
    const value = fields[field];
    if (!(value instanceof Blob)) continue;
    const picture = await sentPicture(Buffer.from(await value.arrayBuffer()));
    const problem = picture ? misfit(picture, limits) : 'must be a whole picture in one of the formats jpeg, png, webp';
    if (problem !== null) problems.push({ field, problem });
    else if (picture) found[field] = picture;
  }
  if (problems.length > 0) throw badRequest(problems);
  return found;
}

/** Reads an order for the edit of a picture. @throws Refusal */
export async function readEdit(
  model: string,
  service: Service,
  call: Call,
  body: Buffer,
  slip: Slip,
): Promise<StabilityOrder> {
  const fields = await formFields(call, body);
  const { checks, required, prompts, isAsync = false } = service;
  const [first = 'image', ...others] = Object.keys(service.pictures);
  const prompt = prompts
    .map((field) => fieldText(fields, field, ''))
    .filter((words) => words !== '')
    .join('\n');
  slip.prompt = prompt || null;
  const files = Object.fromEntries([first, ...others].map((field) => [field, file]));
  const problems = problemsIn(fields, { ...files, ...checks }, [first, ...required]);
  if (problems.length > 0) throw badRequest(problems);
  const pictures = await picturesIn(fields, service);
  const odd = service.together?.(fields, pictures) ?? [];
  const image = pictures[first];
  if (odd.length > 0 || !image) throw badRequest(odd);
  // The answer to an asynchronous order is always JSON; in what form the picture comes is said when it is fetched.
  const asJson = !isAsync && acceptsJson(call, 'image/*');
  const searched = fieldText(fields, 'search_prompt', '') + fieldText(fields, 'select_prompt', '');
  expectEnglish(`${prompt} ${searched}`);
  const edit = service.edit(image, fields, pictures);
  return {
    model,
    prompt,
    ...(service.size?.(image) ?? naturalSize(edit)),
    seed: checks.seed?.('0') === null ? fieldNumber(fields, 'seed', 0) || anySeed(SEED_MAX) : null,
    format: formatIn(fields),
    seconds: service.seconds,
    edit,
    asJson,
  };
}
