import { OutboundError } from '../../platform/outbound-error.ts';
import type { Answer } from '../../platform/outbound-exchange.ts';
import { DOWNLOAD_TIMEOUT_MS, ORDER_CALL_TIMEOUT_MS, PICTURE_ANSWER_BYTES_MAX } from '../call-limits.ts';
import {
  outcomeOfBase64,
  outcomeOfError,
  outcomeOfFailedCheck,
  outcomeOfPicture,
  outcomeOfStatus,
  pendingAfterTrouble,
  rejected,
} from '../outcome.ts';
import type {
  Broken,
  CheckOutcome,
  Delivered,
  Moderated,
  Order,
  Pending,
  Provider,
  SubmitOptions,
  SubmitOutcome,
  Ticket,
} from '../provider.ts';
import { retryAfterOf } from '../retry-after.ts';
import { type ProviderOptions, readJson, VendorApi } from '../vendor-api.ts';
import { endpointOf, formOf } from './stability.forms.ts';
import {
  DRAWN_LATER,
  FINISH_REASON_HEADER,
  jobTaken,
  LOCKOUT_SECONDS,
  pictureInside,
  SEED_HEADER,
  STABILITY_POLL_AFTER_MS,
  stabilityError,
} from './stability.wire.ts';

/** Stability AI, REST v2beta: one POST a picture, answered with its bytes, or with a job that will have them. */
export class StabilityProvider implements Provider {
  readonly name = 'stability';
  readonly hosts = new Set(['stability']);
  readonly webhooks = null;
  readonly #api: VendorApi;

  constructor(options: ProviderOptions) {
    this.#api = new VendorApi(this.name, options, (apiKey) => ({ authorization: `Bearer ${apiKey}` }));
  }

  async submit(order: Order, { signal, timeoutMs }: SubmitOptions): Promise<SubmitOutcome> {
    const { host, vendorModel } = order;
    const isDrawnLater = DRAWN_LATER.has(vendorModel);
    const answer = await this.#api.call({
      method: 'POST',
      path: `/v2beta/stable-image/${endpointOf(order)}`,
      headers: { accept: 'image/*' },
      body: formOf(order),
      timeoutMs: isDrawnLater ? Math.min(timeoutMs, ORDER_CALL_TIMEOUT_MS) : timeoutMs,
      bytesMax: PICTURE_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return outcomeOfError(answer);
    if (answer.status !== 200) return this.#outcomeOfRefusal(answer);
    const job = isDrawnLater ? readJson(jobTaken, answer.body) : null;
    if (!job) return this.#outcomeOfPicture(answer);
    return {
      kind: 'accepted',
      ticket: { host, vendorModel, vendorId: job.id },
      pollAfterMs: STABILITY_POLL_AFTER_MS,
    };
  }

  /** A finished job answers with its picture, so one look is as long as a download. */
  async check({ vendorModel, vendorId }: Ticket, signal: AbortSignal): Promise<CheckOutcome> {
    if (!DRAWN_LATER.has(vendorModel)) throw new Error(`Stability gives no tickets for ${vendorModel}`);
    const answer = await this.#api.call({
      method: 'GET',
      path: `/v2beta/results/${encodeURIComponent(vendorId)}`,
      headers: { accept: '*/*' },
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
      bytesMax: PICTURE_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) {
      if (answer.reason === 'too-large') return { kind: 'broken', message: answer.message };
      return notTooSoon(pendingAfterTrouble(null));
    }
    if (answer.status === 200) return this.#outcomeOfPicture(answer);
    if (answer.status === 202) return { kind: 'pending', pollAfterMs: STABILITY_POLL_AFTER_MS };
    return this.#outcomeOfFailedCheck(answer);
  }

  /** There is no way to stop a drawing; the caller's signal ends our waiting for it. */
  async cancel(): Promise<void> {}

  /** How it went is told in headers beside the bytes, or beside the picture inside JSON. */
  #outcomeOfPicture(answer: Answer): Delivered | Moderated | Broken {
    const inside = isJson(answer) ? readJson(pictureInside, answer.body) : null;
    const finishReason = inside?.finish_reason ?? answer.headers[FINISH_REASON_HEADER] ?? 'SUCCESS';
    // The picture is there but blurred. Whether it is charged is written nowhere, so it is booked as if.
    if (finishReason === 'CONTENT_FILTERED') {
      return { kind: 'moderated', message: 'Stability AI blurred the picture: CONTENT_FILTERED', billed: true };
    }
    if (finishReason !== 'SUCCESS') {
      return { kind: 'broken', message: this.#api.quote(`finish-reason ${finishReason}`) };
    }
    const base64 = inside?.image ?? inside?.result;
    if (!base64) return outcomeOfPicture(answer.body, seedIn(answer), () => this.#api.describe(answer));
    const outcome = outcomeOfBase64(base64, (what) => this.#api.quote(what));
    return outcome.kind === 'delivered' ? { ...outcome, seed: inside?.seed ?? null } : outcome;
  }

  #outcomeOfRefusal(answer: Answer): SubmitOutcome {
    const message = this.#api.describe(answer);
    if (isModeration(answer)) return { kind: 'moderated', message, billed: false };
    const outcome = outcomeOfStatus(answer, message);
    if (outcome.kind !== 'rejected' || outcome.reason !== 'RATE_LIMITED') return outcome;
    return rejected(outcome.reason, message, outcome.retryAfterSeconds ?? LOCKOUT_SECONDS);
  }

  #outcomeOfFailedCheck(answer: Answer): CheckOutcome {
    const message = this.#api.describe(answer);
    if (isModeration(answer)) return { kind: 'moderated', message, billed: false };
    // A bad request that the vendor itself explains is about the job. Any other is about this call, made on the way.
    const isExplained = answer.status === 400 || answer.status === 422;
    if (isExplained && nameOfError(answer) !== null) return { kind: 'failed', message };
    if (answer.status === 429) return notTooSoon(pendingAfterTrouble(retryAfterOf(answer.headers) ?? LOCKOUT_SECONDS));
    const outcome = outcomeOfFailedCheck(answer, message);
    return outcome.kind === 'pending' ? notTooSoon(outcome) : outcome;
  }
}

function notTooSoon({ kind, pollAfterMs }: Pending): Pending {
  return { kind, pollAfterMs: Math.max(pollAfterMs, STABILITY_POLL_AFTER_MS) };
}

function isModeration(answer: Answer): boolean {
  const name = nameOfError(answer);
  return (
    (answer.status === 403 && name === 'content_moderation') || (answer.status === 422 && name === 'public_figure')
  );
}

function nameOfError({ body }: Answer): string | null {
  return readJson(stabilityError, body)?.name ?? null;
}

function isJson({ headers }: Answer): boolean {
  return headers['content-type']?.startsWith('application/json') ?? false;
}

function seedIn(answer: Answer): number | null {
  const text = answer.headers[SEED_HEADER] ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}
