import { asNumber, type Check, forbidden, number, oneOf, problemsIn } from './checks.ts';
import type { Call } from './exchange.ts';
import { anySeed, type Slip } from './orders.ts';
import {
  acceptsJson,
  badRequest,
  expectEnglish,
  fieldNumber,
  fieldText,
  formatIn,
  formFields,
  SEED_MAX,
  SHARED,
  type StabilityOrder,
  type Tariff,
} from './stability.forms.ts';

const ASPECT_RATIOS = ['21:9', '16:9', '3:2', '5:4', '1:1', '4:5', '2:3', '9:16', '9:21'];

/** The models that draw from text. */
export const TARIFFS: Readonly<Record<string, Tariff>> = {
  ultra: { credits: 8, seconds: 20 },
  core: { credits: 3, seconds: 8 },
  'sd3.5-large': { credits: 6.5, seconds: 12 },
  'sd3.5-large-turbo': { credits: 4, seconds: 5 },
  'sd3.5-medium': { credits: 3.5, seconds: 8 },
  'sd3.5-flash': { credits: 2.5, seconds: 3 },
};

/** Names from before version 3.5 still work and mean its successors. */
const SUCCESSORS: ReadonlyMap<string, string> = new Map([
  ['sd3-large', 'sd3.5-large'],
  ['sd3-large-turbo', 'sd3.5-large-turbo'],
  ['sd3-medium', 'sd3.5-medium'],
]);

const TEXT_TO_IMAGE: Readonly<Record<string, Check>> = {
  ...SHARED,
  aspect_ratio: oneOf(...ASPECT_RATIOS),
  image: forbidden('is not supported by this service of the sandbox, which draws from text alone'),
  strength: forbidden('is only allowed together with an image'),
};

/** One way to generate: how many pixels it draws at most, and what it takes. */
export interface Endpoint {
  readonly pixelsMax: number;
  readonly checks: Readonly<Record<string, Check>>;
}

/** The services below `generate`. */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  ultra: { pixelsMax: 1_048_576, checks: TEXT_TO_IMAGE },
  core: { pixelsMax: 1_572_864, checks: TEXT_TO_IMAGE },
  sd3: {
    pixelsMax: 1_048_576,
    checks: {
      ...TEXT_TO_IMAGE,
      output_format: oneOf('png', 'jpeg'),
      mode: oneOf('text-to-image'),
      model: oneOf(...Object.keys(TARIFFS).filter((name) => name.startsWith('sd3')), ...SUCCESSORS.keys()),
      cfg_scale: asNumber(number(1, 10)),
    },
  },
};

/** The turbo model is distilled and takes no guidance; it has been seen to refuse the scale. */
const TURBO_CHECKS: Readonly<Record<string, Check>> = {
  cfg_scale: forbidden('is not supported by sd3.5-large-turbo'),
  negative_prompt: forbidden('is not supported by sd3.5-large-turbo'),
};

/** The ratio within the pixels of the model, sides rounded down to what its blocks allow. */
function stabilitySize(aspectRatio: string, pixelsMax: number): { width: number; height: number } {
  const [across = 1, down = 1] = aspectRatio.split(':').map(Number);
  const block = Math.max(across, down) === 21 ? 16 : 64;
  const inBlocks = (side: number) => Math.floor(side / block) * block;
  return {
    width: inBlocks(Math.sqrt((pixelsMax * across) / down)),
    height: inBlocks(Math.sqrt((pixelsMax * down) / across)),
  };
}

/** Reads an order for a picture from text. @throws Refusal */
export async function readGenerate(
  service: string,
  endpoint: Endpoint,
  call: Call,
  body: Buffer,
  slip: Slip,
): Promise<StabilityOrder> {
  const fields = await formFields(call, body);
  const asked = service === 'sd3' ? fieldText(fields, 'model', 'sd3.5-large') : service;
  const model = SUCCESSORS.get(asked) ?? asked;
  const prompt = fieldText(fields, 'prompt', '');
  slip.model = model;
  slip.prompt = prompt;
  const checks = model === 'sd3.5-large-turbo' ? { ...endpoint.checks, ...TURBO_CHECKS } : endpoint.checks;
  const problems = problemsIn(fields, checks, ['prompt']);
  if (problems.length > 0) throw badRequest(problems);
  const asJson = acceptsJson(call, 'image/*');
  expectEnglish(prompt);
  return {
    model,
    prompt,
    ...stabilitySize(fieldText(fields, 'aspect_ratio', '1:1'), endpoint.pixelsMax),
    seed: fieldNumber(fields, 'seed', 0) || anySeed(SEED_MAX),
    format: formatIn(fields),
    seconds: TARIFFS[model]?.seconds ?? 0,
    asJson,
  };
}
