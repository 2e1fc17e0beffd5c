import { randomBytes } from 'node:crypto';
import { asNumber, type Check, forbidden, number, oneOf, problemsIn, text, whole } from './checks.ts';
import { isFlagged, type Refuse } from './damage.ts';
import {
  type Answer,
  bearerOf,
  bytesAnswer,
  type Call,
  htmlAnswer,
  jsonAnswer,
  Refusal,
  type Route,
} from './exchange.ts';
import { withoutDirectives } from './faults.ts';
import type { JournalEntry } from './journal.ts';
import type { Order } from './order.ts';
import { anySeed, type Counter, type Desk, drawOrder, type Sale, type Slip, takeOrder, takeTime } from './orders.ts';
import { CONTENT_TYPES, type PictureFormat } from './pictures.ts';

const BODY_BYTES_MAX = 10 * 1024 * 1024;
const SEED_MAX = 4_294_967_294;
const ASPECT_RATIOS = ['21:9', '16:9', '3:2', '5:4', '1:1', '4:5', '2:3', '9:16', '9:21'];
// biome-ignore format: one list of names reads better in a few lines than in seventeen.
const STYLE_PRESETS = [
  'enhance', 'anime', 'photographic', 'digital-art', 'comic-book', 'fantasy-art', 'line-art', 'analog-film',
  'neon-punk', 'isometric', 'low-poly', 'origami', 'modeling-compound', 'cinematic', '3d-model', 'pixel-art', 'tile-texture',
];
const FORMATS: readonly PictureFormat[] = ['png', 'jpeg', 'webp'];

interface Tariff {
  readonly credits: number;
  readonly seconds: number;
}

const TARIFFS: Readonly<Record<string, Tariff>> = {
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
  prompt: text(1, 10_000),
  negative_prompt: text(0, 10_000),
  seed: asNumber(whole(0, SEED_MAX)),
  aspect_ratio: oneOf(...ASPECT_RATIOS),
  style_preset: oneOf(...STYLE_PRESETS),
  output_format: oneOf(...FORMATS),
  image: forbidden('is not supported by this sandbox, which draws from text alone'),
  strength: forbidden('is only allowed together with an image'),
};

interface Endpoint {
  readonly pixelsMax: number;
  readonly checks: Readonly<Record<string, Check>>;
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
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

const newId = () => randomBytes(16).toString('hex');

function refusal(
  status: number,
  name: string,
  errors: readonly string[],
  headers: Record<string, string> = {},
): Answer {
  const id = name === 'rate_limit_exceeded' ? name : newId();
  return jsonAnswer(status, { id, name, errors }, headers);
}

const ERRORS: Readonly<Record<number, readonly [name: string, message: string]>> = {
  400: ['bad_request', 'some-field: is required'],
  401: ['unauthorized', 'authorization: missing or invalid API key'],
  402: [
    'payment_required',
    'You lack sufficient credits to make this request. ' +
      'Please purchase more credits at https://platform.stability.ai/account/credits and try again.',
  ],
  403: ['forbidden', 'You are not allowed to use this service.'],
  404: ['not_found', 'The requested resource does not exist.'],
  410: ['gone', 'This service is no longer offered.'],
  413: ['payload_too_large', 'body: payloads cannot be larger than 10MiB in size'],
  422: ['invalid_language', 'English is the only supported language for this service.'],
  429: [
    'rate_limit_exceeded',
    'You have exceeded the rate limit of 150 requests within a 10 second period, ' +
      'and have been timed out for 60 seconds.',
  ],
  500: ['internal_error', 'An unexpected server error has occurred, please try again later.'],
};

const refuse: Refuse = (status, retryAfter) => {
  const headers: Record<string, string> = retryAfter === null ? {} : { 'retry-after': retryAfter };
  const error = ERRORS[status];
  // What is not in the list comes from the proxy in front of the service, which knows only HTML.
  return error ? refusal(status, error[0], [error[1]], headers) : htmlAnswer(status, 'Server Error', headers);
};

const moderated = () =>
  refusal(403, 'content_moderation', [
    'Your request was flagged by our content moderation system, ' +
      'as a result your request was denied and you were not charged.',
  ]);

function hasGoodKey(call: Call): boolean {
  const key = bearerOf(call) ?? '';
  return /^sk-./.test(key) && !key.includes('invalid');
}

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

async function formFields(call: Call, body: Buffer): Promise<Readonly<Record<string, unknown>>> {
  const contentType = call.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\b/i.test(contentType)) {
    throw new Refusal(refusal(400, 'bad_request', ['content-type: must be multipart/form-data']));
  }
  try {
    const form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
    return Object.fromEntries(form);
  } catch {
    throw new Refusal(refusal(400, 'bad_request', ['body: malformed FormData request']));
  }
}

/** The service speaks English alone: a prompt whose letters are mostly of another script is turned away. */
function isForeign(prompt: string): boolean {
  const words = withoutDirectives(prompt);
  const letters = words.match(/\p{L}/gu)?.length ?? 0;
  const latin = words.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return letters > 0 && latin * 2 < letters;
}

const fieldText = (fields: Readonly<Record<string, unknown>>, name: string, fallback: string): string => {
  const value = fields[name];
  return typeof value === 'string' ? value : fallback;
};

interface StabilityOrder extends Order {
  readonly asJson: boolean;
}

function acceptsJson(call: Call): boolean {
  const accept = call.headers.accept ?? 'image/*';
  if (accept === 'application/json') return true;
  if (accept === 'image/*' || accept === '*/*') return false;
  throw new Refusal(refusal(400, 'bad_request', ["accept: must be one of 'image/*', 'application/json'"]));
}

async function read(endpoint: Endpoint, call: Call, body: Buffer, slip: Slip): Promise<StabilityOrder> {
  const fields = await formFields(call, body);
  const service = slip.model ?? '';
  const asked = service === 'sd3' ? fieldText(fields, 'model', 'sd3.5-large') : service;
  const model = SUCCESSORS.get(asked) ?? asked;
  const prompt = fieldText(fields, 'prompt', '');
  slip.model = model;
  slip.prompt = prompt;
  const checks = model === 'sd3.5-large-turbo' ? { ...endpoint.checks, ...TURBO_CHECKS } : endpoint.checks;
  const problems = problemsIn(fields, checks, ['prompt']);
  if (problems.length > 0) {
    const errors = problems.map(({ field, problem }) => `${field}: ${problem}`);
    throw new Refusal(refusal(400, 'bad_request', errors));
  }
  const asJson = acceptsJson(call);
  if (isForeign(prompt)) throw new Refusal(refuse(422, null));
  const format = FORMATS.find((each) => each === fields.output_format) ?? 'png';
  return {
    model,
    prompt,
    ...stabilitySize(fieldText(fields, 'aspect_ratio', '1:1'), endpoint.pixelsMax),
    seed: Number(fieldText(fields, 'seed', '0')) || anySeed(SEED_MAX),
    format,
    seconds: TARIFFS[model]?.seconds ?? 0,
    asJson,
  };
}

async function serve(desk: Desk, { order, call, line, faults }: Sale<StabilityOrder>): Promise<Answer> {
  await takeTime(desk, order.seconds, call.gone);
  const picture = await drawOrder(order, faults, 'blurred');
  const finishReason = isFlagged(faults) ? 'CONTENT_FILTERED' : 'SUCCESS';
  const requestId = newId();
  line.amend({ vendorId: requestId });
  const contentType = CONTENT_TYPES[order.format];
  if (order.asJson) {
    const image = picture.toString('base64');
    return jsonAnswer(
      200,
      { image, finish_reason: finishReason, seed: order.seed },
      { 'content-type': `application/json; type=${contentType}`, 'x-request-id': requestId },
    );
  }
  return bytesAnswer(contentType, picture, {
    'x-request-id': requestId,
    'finish-reason': finishReason,
    seed: String(order.seed),
  });
}

function counterOf(desk: Desk, service: string, endpoint: Endpoint): Counter<StabilityOrder> {
  return {
    vendor: 'stability',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse,
    moderated,
    servesAtOnce: true,
    admit: (call, slip) => {
      slip.model = service;
      if (!hasGoodKey(call)) throw new Refusal(refuse(401, null));
    },
    read: (call, body, slip) => read(endpoint, call, body, slip),
    serve: (sale) => serve(desk, sale),
  };
}

/** What the account holds at the start. The sandbox never lets it run out: that is what `status=402` is for. */
const CREDITS_AT_START = 1_000_000;

function spent(entries: readonly JournalEntry[]): number {
  return entries
    .filter(({ vendor, bought }) => vendor === 'stability' && bought === 'yes')
    .reduce((sum, { model }) => sum + (TARIFFS[model ?? '']?.credits ?? 0), 0);
}

function balance(desk: Desk, call: Call): Answer {
  if (!hasGoodKey(call)) {
    // The first version of the API says what is wrong in `message`, not in `errors`.
    return jsonAnswer(401, { id: newId(), name: 'unauthorized', message: 'Incorrect API key provided' });
  }
  return jsonAnswer(200, { credits: CREDITS_AT_START - spent(desk.journal.entries()) });
}

/** Stability AI: synchronous, forms in, bytes or base64 out. */
export function stabilityRoutes(desk: Desk): readonly Route[] {
  return [
    ...Object.entries(ENDPOINTS).map(([service, endpoint]) => {
      const counter = counterOf(desk, service, endpoint);
      return {
        method: 'POST',
        path: new RegExp(`^/v2beta/stable-image/generate/${service}$`),
        handle: (call: Call) => takeOrder(desk, counter, call),
      };
    }),
    { method: 'GET', path: /^\/v1\/user\/balance$/, handle: (call) => balance(desk, call) },
  ];
}
