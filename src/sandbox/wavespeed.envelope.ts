import type { Refuse } from './damage.ts';
import { type Answer, bearerOf, type Call, jsonAnswer, Refusal } from './exchange.ts';

/** Room for two pictures of twenty megabytes each, a third larger in base64, and for the words around them. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** A success, in the envelope that every answer of this vendor has. */
export function envelope(data: unknown): Answer {
  return jsonAnswer(200, { code: 200, message: 'success', data });
}

const MESSAGES: Readonly<Record<number, string>> = {
  400: 'invalid request',
  401: 'invalid authentication',
  402: 'insufficient credits, please top up your account',
  403: 'forbidden',
  404: 'not found',
  410: 'model is no longer available',
  413: 'request body is too large',
  422: 'invalid parameters',
  429: 'Too Many Requests',
  500: 'internal server error',
  502: 'bad gateway',
  503: 'service unavailable',
  504: 'gateway timeout',
};

/** An error: the envelope without data. */
export function failure(status: number, message: string, headers: Record<string, string> = {}): Answer {
  return jsonAnswer(status, { code: status, message }, headers);
}

/** What the vendor says with an error status. */
export const refuse: Refuse = (status, retryAfter) =>
  failure(status, MESSAGES[status] ?? 'error', retryAfter === null ? {} : { 'retry-after': retryAfter });

/** The key that a call comes with. @throws Refusal without a good one. */
export function ownerOf(call: Call): string {
  const key = bearerOf(call);
  if (key === null || key.includes('invalid')) throw new Refusal(refuse(401, null));
  return key;
}
