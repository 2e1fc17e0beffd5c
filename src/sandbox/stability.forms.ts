import { randomBytes } from 'node:crypto';
import { asNumber, type Check, oneOf, type Problem, text, whole } from './checks.ts';
import type { Refuse } from './damage.ts';
import { type Answer, bearerOf, type Call, htmlAnswer, jsonAnswer, Refusal } from './exchange.ts';
import { withoutDirectives } from './faults.ts';
import type { Order } from './order.ts';
import type { PictureFormat } from './pictures.ts';

/** The vendor's limit for a request with everything that is inside it. */
export const BODY_BYTES_MAX = 10 * 1024 * 1024;
/** The highest seed. */
export const SEED_MAX = 4_294_967_294;
const FORMATS: readonly PictureFormat[] = ['png', 'jpeg', 'webp'];
// biome-ignore format: one list of names reads better in a few lines than in seventeen.
const STYLE_PRESETS = [
  'enhance', 'anime', 'photographic', 'digital-art', 'comic-book', 'fantasy-art', 'line-art', 'analog-film',
  'neon-punk', 'isometric', 'low-poly', 'origami', 'modeling-compound', 'cinematic', '3d-model', 'pixel-art', 'tile-texture',
];

/** The checks of fields that mean the same in every service that has them. */
export const SHARED = {
  prompt: text(1, 10_000),
  negative_prompt: text(0, 10_000),
  seed: asNumber(whole(0, SEED_MAX)),
  style_preset: oneOf(...STYLE_PRESETS),
  output_format: oneOf(...FORMATS),
} as const satisfies Record<string, Check>;

/** What one service costs, in credits of a cent each, and usually takes. */
export interface Tariff {
  readonly credits: number;
  readonly seconds: number;
}

/** An order with the way in which its answer is wanted. */
export interface StabilityOrder extends Order {
  readonly asJson: boolean;
}

/** The ids that this vendor gives to requests and errors. */
export const newId = () => randomBytes(16).toString('hex');

/** An error in the shape that all services share. */
export function refusal(
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

/** What the vendor says with an error status. */
export const refuse: Refuse = (status, retryAfter) => {
  const headers: Record<string, string> = retryAfter === null ? {} : { 'retry-after': retryAfter };
  const error = ERRORS[status];
  // What is not in the list comes from the proxy in front of the service, which knows only HTML.
  return error ? refusal(status, error[0], [error[1]], headers) : htmlAnswer(status, 'Server Error', headers);
};

/** The words of the vendor's moderation. */
export const moderated = () =>
  refusal(403, 'content_moderation', [
    'Your request was flagged by our content moderation system, ' +
      'as a result your request was denied and you were not charged.',
  ]);

/** A request that is not in order. */
export function badRequest(problems: readonly Problem[]): Refusal {
  const errors = problems.map(({ field, problem }) => `${field}: ${problem}`);
  return new Refusal(refusal(400, 'bad_request', errors));
}

/** The key that a call comes with, or null without a good one. */
export function keyOf(call: Call): string | null {
  const key = bearerOf(call) ?? '';
  return /^sk-./.test(key) && !key.includes('invalid') ? key : null;
}

/** The key that a call comes with. @throws Refusal without a good one. */
export function ownerOf(call: Call): string {
  const key = keyOf(call);
  if (key === null) throw new Refusal(refuse(401, null));
  return key;
}

/** Whether a call wants JSON instead of bytes, which it asks for with `bytes`. @throws Refusal when it wants neither. */
export function acceptsJson(call: Call, bytes: string): boolean {
  const accept = call.headers.accept ?? bytes;
  if (accept === 'application/json') return true;
  if (accept === bytes || accept === '*/*') return false;
  throw badRequest([{ field: 'accept', problem: `must be one of '${bytes}', 'application/json'` }]);
}

/** The fields of a form: text, or a file. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reads the form that every request is. @throws Refusal */
export async function formFields(call: Call, body: Buffer): Promise<Fields> {
  const contentType = call.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\b/i.test(contentType)) {
    throw badRequest([{ field: 'content-type', problem: 'must be multipart/form-data' }]);
  }
  try {
    const form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
    return Object.fromEntries(form);
  } catch {
    throw badRequest([{ field: 'body', problem: 'malformed FormData request' }]);
  }
}

/** A field of text, or what holds where it was not sent. */
export function fieldText(fields: Fields, name: string, fallback: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : fallback;
}

/** A field with a number that was found to be in order, or what holds where it was not sent. */
export function fieldNumber(fields: Fields, name: string, fallback: number): number {
  return Number(fieldText(fields, name, String(fallback)));
}

/** The format that was asked for, or PNG. */
export function formatIn(fields: Fields): PictureFormat {
  return FORMATS.find((each) => each === fields.output_format) ?? 'png';
}

/** The service speaks English alone: words whose letters are mostly of another script are turned away. @throws Refusal */
export function expectEnglish(prompt: string): void {
  const words = withoutDirectives(prompt);
  const letters = words.match(/\p{L}/gu)?.length ?? 0;
  const latin = words.match(/\p{Script=Latin}/gu)?.length ?? 0;
  if (letters > 0 && latin * 2 < letters) throw new Refusal(refuse(422, null));
}
