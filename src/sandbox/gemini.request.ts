import { type Check, flag, number, oneOf, problemsIn, text, whole } from './checks.ts';
import type { Edit } from './edit.ts';
import { type Call, isObject, type JsonObject, jsonObject, Refusal } from './exchange.ts';
import { partsOf, picturesOf, promptOf } from './gemini.contents.ts';
import { failure, invalid, TYPE } from './gemini.errors.ts';
import type { Order } from './order.ts';
import { anySeed, type Slip } from './orders.ts';
import type { SentPicture, Size } from './sent.ts';

/** The vendor's limit for a request with everything that is inside it. */
export const BODY_BYTES_MAX = 20 * 1024 * 1024;
const INT32_MIN = -2_147_483_648;
const INT32_MAX = 2_147_483_647;

/** Width and height, in pixels. */
export type Sides = readonly [width: number, height: number];

/** What `1K` means by ratio; `2K` and `4K` are twice and four times as wide and as high. */
const SIZES_1K: Readonly<Record<string, Sides>> = {
  '1:1': [1024, 1024],
  '2:3': [848, 1264],
  '3:2': [1264, 848],
  '3:4': [896, 1200],
  '4:3': [1200, 896],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
  '9:16': [768, 1376],
  '16:9': [1376, 768],
  '21:9': [1584, 672],
};

/** The long strips that only one model draws. */
const STRIPS_1K: Readonly<Record<string, Sides>> = {
  '1:4': [512, 2048],
  '4:1': [2048, 512],
  '1:8': [384, 3072],
  '8:1': [3072, 384],
};

const SCALES: Readonly<Record<string, number>> = { '1K': 1, '2K': 2, '4K': 4 };

/** What one model draws, and what it uses up for it. */
export interface Model {
  readonly seconds: number;
  readonly sizes: Readonly<Record<string, Sides>>;
  /** Output tokens of a picture by image size; a model with one size refuses to be told which. */
  readonly tokens: Readonly<Record<string, number>>;
  readonly takesImageSize: boolean;
  /** Whether it sends a draft among its thoughts before the picture. */
  readonly drafts: boolean;
}

/** The models that are alive; every other name is answered as not found, as retired ones are. */
export const MODELS: ReadonlyMap<string, Model> = new Map<string, Model>([
  [
    'gemini-nano-banana-2.1',
    {
      seconds: 10,
      sizes: { ...SIZES_1K, ...STRIPS_1K },
      tokens: { '1K': 1120, '2K': 1680, '4K': 3780 },
      takesImageSize: true,
      drafts: false,
    },
  ],
  [
    'gemini-3.1-flash-lite-image',
    { seconds: 5, sizes: SIZES_1K, tokens: { '1K': 1120 }, takesImageSize: false, drafts: false },
  ],
  [
    'gemini-3-pro-image',
    {
      seconds: 20,
      sizes: SIZES_1K,
      tokens: { '1K': 1120, '2K': 1120, '4K': 2000 },
      takesImageSize: true,
      drafts: true,
    },
  ],
]);

/** @throws Refusal */
export function checkKey(call: Call): void {
  const header = call.headers['x-goog-api-key'];
  const key = (typeof header === 'string' ? header : null) ?? call.query.get('key') ?? '';
  if (key === '') {
    const message = "Method doesn't allow unregistered callers (callers without established identity).";
    throw new Refusal(failure(403, 'PERMISSION_DENIED', message));
  }
  if (key.includes('invalid')) {
    // A bad key is a bad argument here, and only the reason in the details tells it from one.
    const info = { '@type': `${TYPE}ErrorInfo`, reason: 'API_KEY_INVALID', domain: 'googleapis.com' };
    const message = 'API key not valid. Please pass a valid API key.';
    throw new Refusal(failure(400, 'INVALID_ARGUMENT', message, [info]));
  }
}

const anything: Check = () => null;

/** The fields that each part of a request may have; a field that is not known is an error for this vendor. */
const REQUEST_FIELDS: Readonly<Record<string, Check>> = {
  contents: anything,
  systemInstruction: anything,
  generationConfig: anything,
  safetySettings: anything,
  tools: anything,
  toolConfig: anything,
  cachedContent: anything,
};

const CONFIG_FIELDS: Readonly<Record<string, Check>> = {
  responseModalities: anything,
  candidateCount: oneOf(1),
  seed: whole(INT32_MIN, INT32_MAX),
  temperature: number(0, 2),
  topP: number(0, 1),
  topK: whole(1, 1000),
  maxOutputTokens: whole(1, 65_536),
  stopSequences: anything,
  imageConfig: anything,
  thinkingConfig: anything,
};

const THINKING_FIELDS: Readonly<Record<string, Check>> = {
  thinkingLevel: (value) =>
    text(1, 20)(value) ?? oneOf('MINIMAL', 'LOW', 'MEDIUM', 'HIGH')(String(value).toUpperCase()),
  includeThoughts: flag,
};

/** A part of the request as an object whose fields are all known and in order. */
function checked(value: unknown, at: string, checks: Readonly<Record<string, Check>>): JsonObject {
  if (value === undefined) return {};
  if (!isObject(value)) throw invalid(`Invalid value at '${at}'.`);
  const unknown = Object.keys(value).find((field) => !Object.hasOwn(checks, field));
  if (unknown !== undefined) {
    throw invalid(`Invalid JSON payload received. Unknown name "${unknown}" at '${at}': Cannot find field.`);
  }
  const [first] = problemsIn(value, checks);
  if (first) throw invalid(`Invalid value at '${at}.${first.field}': ${first.problem}.`);
  return value;
}

/** The ratio, of those that a model draws, that comes nearest to that of a picture. */
function nearestRatio(sizes: Model['sizes'], picture: Size): string {
  const apart = ([, [width, height]]: readonly [string, Sides]) =>
    Math.abs(Math.log((width / height) * (picture.height / picture.width)));
  return Object.entries(sizes).reduce((best, each) => (apart(each) < apart(best) ? each : best))[0];
}

/** The edit of the first picture; the others only help to describe what is wanted. */
function editOf([image, ...others]: readonly SentPicture[]): Edit | null {
  return image ? { kind: 'general', image, others: others.map((picture) => picture.toJSON()) } : null;
}

/** An order with what only this vendor's answers need. */
export interface GeminiOrder extends Order {
  readonly seed: number;
  readonly tokens: number;
  readonly withWords: boolean;
  readonly drafts: boolean;
  /** How many pictures came with the prompt. */
  readonly sent: number;
}

/**
 * Reads a request for a picture.
 * @throws Refusal
 */
export async function readRequest(name: string, model: Model, body: Buffer, slip: Slip): Promise<GeminiOrder> {
  const request = jsonObject(body);
  if (!request) throw invalid('Invalid JSON payload received. Unexpected token.');
  const parts = partsOf(request.contents);
  const prompt = promptOf(parts);
  slip.prompt = prompt;
  const { generationConfig } = checked(request, 'request', REQUEST_FIELDS);
  const config = checked(generationConfig, 'generation_config', CONFIG_FIELDS);
  checked(config.thinkingConfig, 'generation_config.thinking_config', THINKING_FIELDS);
  const image = checked(config.imageConfig, 'generation_config.image_config', {
    aspectRatio: oneOf(...Object.keys(model.sizes)),
    imageSize: model.takesImageSize ? oneOf(...Object.keys(model.tokens)) : () => 'is not supported by this model',
  });
  const modalities = Array.isArray(config.responseModalities) ? config.responseModalities : ['TEXT', 'IMAGE'];
  if (!modalities.includes('IMAGE') || modalities.some((each) => each !== 'IMAGE' && each !== 'TEXT')) {
    throw invalid('The requested combination of response modalities is not supported by the model.');
  }
  const pictures = await picturesOf(parts);
  const edit = editOf(pictures);
  const imageSize = String(image.imageSize ?? '1K');
  const ratio = image.aspectRatio ?? nearestRatio(model.sizes, edit?.image ?? { width: 1, height: 1 });
  const [width, height] = model.sizes[String(ratio)] ?? [1024, 1024];
  const scale = SCALES[imageSize] ?? 1;
  return {
    model: name,
    prompt,
    width: width * scale,
    height: height * scale,
    seed: typeof config.seed === 'number' ? config.seed : anySeed(INT32_MAX),
    format: 'png',
    seconds: model.seconds,
    tokens: model.tokens[imageSize] ?? 0,
    withWords: modalities.includes('TEXT'),
    drafts: model.drafts,
    sent: pictures.length,
    ...(edit && { edit }),
  };
}
