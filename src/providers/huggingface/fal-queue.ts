import { OutboundError } from '../../platform/outbound-error.ts';
import type { Answer } from '../../platform/outbound-exchange.ts';
import {
  CANCEL_CALL_TIMEOUT_MS,
  CHECK_CALL_TIMEOUT_MS,
  ORDER_CALL_TIMEOUT_MS,
  STATUS_ANSWER_BYTES_MAX,
} from '../call-limits.ts';
import { dataUriOf } from '../inline-picture.ts';
import { misdirected } from '../misdirected.ts';
import { outcomeOfError, outcomeOfFailedCheck, outcomeOfStatus, pendingAfterTrouble } from '../outcome.ts';
import type {
  CheckOutcome,
  EditOrder,
  GenerateOrder,
  Order,
  SubmitOptions,
  SubmitOutcome,
  Ticket,
} from '../provider.ts';
import { fetchResult } from '../result-download.ts';
import { jsonBody, readJson, type VendorApi } from '../vendor-api.ts';
import {
  FAL_JOB_PATH,
  FAL_MODERATION_TYPE,
  FAL_POLL_AFTER_MS,
  falError,
  falResult,
  falStatus,
  falSubmit,
} from './huggingface.wire.ts';

/**
 * fal's queue through HuggingFace's router: order, ask, fetch the result's address, fetch the result. fal answers with
 * addresses at its own host; we take their paths and go through the router, where our token is valid.
 */
export class FalQueue {
  constructor(private readonly api: VendorApi) {}

  async submit(order: Order, { signal, timeoutMs }: SubmitOptions): Promise<SubmitOutcome> {
    const { host, vendorModel } = order;
    const answer = await this.api.call({
      method: 'POST',
      // fal's model names begin with `fal-ai/` themselves, which comes behind the router's name for the host.
      path: routed(`/${vendorModel}`),
      ...jsonBody(inputOf(order)),
      timeoutMs: Math.min(timeoutMs, ORDER_CALL_TIMEOUT_MS),
      bytesMax: STATUS_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return outcomeOfError(answer);
    if (answer.status !== 200) {
      const message = this.api.describe(answer);
      return isModeration(answer) ? { kind: 'moderated', message, billed: false } : outcomeOfStatus(answer, message);
    }
    const vendorId = jobPathIn(answer);
    if (vendorId === null) return { kind: 'broken', message: this.api.describe(answer) };
    return { kind: 'accepted', ticket: { host, vendorModel, vendorId }, pollAfterMs: FAL_POLL_AFTER_MS };
  }

  async check(ticket: Ticket, signal: AbortSignal): Promise<CheckOutcome> {
    const answer = await this.#get(`${ticket.vendorId}/status`, signal);
    if (answer instanceof OutboundError) return pendingAfterTrouble(null);
    // fal says 202 while it works and 200 when it has finished; the router may pass on either.
    if (answer.status !== 200 && answer.status !== 202) {
      return outcomeOfFailedCheck(answer, this.api.describe(answer));
    }
    const status = readJson(falStatus, answer.body)?.status;
    if (status === undefined) return pendingAfterTrouble(null);
    if (status !== 'COMPLETED') return { kind: 'pending', pollAfterMs: FAL_POLL_AFTER_MS };
    return this.#result(ticket, signal);
  }

  async cancel(ticket: Ticket, signal: AbortSignal): Promise<void> {
    await this.api.call({
      method: 'PUT',
      path: routed(`${ticket.vendorId}/cancel`),
      timeoutMs: CANCEL_CALL_TIMEOUT_MS,
      bytesMax: STATUS_ANSWER_BYTES_MAX,
      signal,
    });
  }

  async #result(ticket: Ticket, signal: AbortSignal): Promise<CheckOutcome> {
    const answer = await this.#get(ticket.vendorId, signal);
    if (answer instanceof OutboundError) return pendingAfterTrouble(null);
    const message = this.api.describe(answer);
    // A job that went wrong is `COMPLETED` too; its result is then the complaint that an order is refused with.
    if (answer.status === 400 || answer.status === 422) {
      return isModeration(answer) ? { kind: 'moderated', message, billed: false } : { kind: 'failed', message };
    }
    if (answer.status !== 200) return outcomeOfFailedCheck(answer, message);
    const result = readJson(falResult, answer.body);
    const url = result?.images?.[0]?.url;
    // fal paints a flagged picture black and calls it a success.
    if (result?.has_nsfw_concepts?.[0] === true) {
      return { kind: 'moderated', message: 'fal blackened the picture: has_nsfw_concepts', billed: true };
    }
    if (url === undefined) return { kind: 'broken', message };
    return fetchResult(this.api, url, result?.seed ?? null, signal);
  }

  #get(jobPath: string, signal: AbortSignal): Promise<Answer | OutboundError> {
    return this.api.call({
      method: 'GET',
      path: routed(jobPath),
      headers: { accept: 'application/json' },
      timeoutMs: CHECK_CALL_TIMEOUT_MS,
      bytesMax: STATUS_ANSWER_BYTES_MAX,
      signal,
    });
  }
}

function routed(path: string): string {
  return `/fal-ai${path}?_subdomain=queue`;
}

function inputOf(order: Order): Record<string, unknown> {
  if (order.operation === 'UPSCALE') throw misdirected(order);
  return {
    ...subjectOf(order),
    num_images: 1,
    output_format: 'png',
    enable_safety_checker: true,
    ...(order.seed !== null && { seed: order.seed }),
  };
}

/** What to draw, and how large; a picture that is changed keeps its own ratio. */
function subjectOf(order: GenerateOrder | EditOrder): Record<string, unknown> {
  const { prompt, render } = order;
  if (order.operation === 'GENERATE') return { prompt, image_size: { width: render.width, height: render.height } };
  if (order.edit.kind !== 'general') throw misdirected(order);
  // Some of fal's models read one field and some the other, so HuggingFace's own client sends both.
  const picture = dataUriOf(order.source);
  return { prompt, image_url: picture, image_urls: [picture] };
}

function jobPathIn(answer: Answer): string | null {
  const url = readJson(falSubmit, answer.body)?.response_url;
  const path = url === undefined ? '' : new URL(url).pathname;
  return FAL_JOB_PATH.test(path) ? path : null;
}

function isModeration(answer: Answer): boolean {
  const complaints = answer.status === 422 ? readJson(falError, answer.body)?.detail : undefined;
  return complaints?.some(({ type }) => type === FAL_MODERATION_TYPE) ?? false;
}
