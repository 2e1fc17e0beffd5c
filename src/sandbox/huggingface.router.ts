import type { Refuse } from './damage.ts';
import { type Answer, bearerOf, type Call, htmlAnswer, jsonAnswer, Refusal } from './exchange.ts';

const ERRORS: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Invalid username or password.',
  402:
    'You have depleted your monthly included credits. Purchase pre-paid credits to continue using Inference ' +
    'Providers. Alternatively, subscribe to PRO to get 20x more included usage.',
  403:
    'This authentication method does not have sufficient permissions to call Inference Providers ' +
    'on behalf of user sandbox',
  404: 'Not Found',
  410: 'The requested model is deprecated and no longer supported by provider hf-inference.',
  413: 'Payload too large',
  422: 'Unprocessable request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
};

/** How long a model usually takes to be loaded. */
const LOADING_SECONDS = 20;

/** A model that nobody has used for a while is not in memory, and nothing is computed until it is. */
export function loading(seconds: number, headers: Record<string, string> = {}): Answer {
  const error = 'Model black-forest-labs/FLUX.1-schnell is currently loading';
  return jsonAnswer(503, { error, estimated_time: seconds }, headers);
}

/** What the router itself says, whichever provider stands behind it. */
export const refuseAsRouter: Refuse = (status, retryAfter) => {
  const headers: Record<string, string> = retryAfter === null ? {} : { 'retry-after': retryAfter };
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="Authentication required"';
  if (status === 503) return loading(LOADING_SECONDS, headers);
  const error = ERRORS[status];
  return error ? jsonAnswer(status, { error }, headers) : htmlAnswer(status, 'Gateway Error', headers);
};

/** The router checks who calls before it looks at the model: a page for nobody, JSON for a stranger. */
export function callerOf(call: Call): string {
  if (call.headers.authorization === undefined) throw new Refusal(htmlAnswer(401, 'Unauthorized'));
  const token = bearerOf(call) ?? '';
  if (!/^hf_./.test(token) || token.includes('invalid')) throw new Refusal(refuseAsRouter(401, null));
  return token;
}

/** FLUX works on blocks of 16 pixels and rounds what does not fit down. */
export function inFluxBlocks(side: number): number {
  return Math.floor(side / 16) * 16;
}
