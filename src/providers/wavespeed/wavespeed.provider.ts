import { OutboundError } from '../../platform/outbound-error.ts';
import type { Answer } from '../../platform/outbound-exchange.ts';
import { CHECK_CALL_TIMEOUT_MS, ORDER_CALL_TIMEOUT_MS, STATUS_ANSWER_BYTES_MAX } from '../call-limits.ts';
import { dataUriOf } from '../inline-picture.ts';
import { misdirected } from '../misdirected.ts';
import { outcomeOfError, outcomeOfFailedCheck, outcomeOfStatus, pendingAfterTrouble, rejected } from '../outcome.ts';
import type {
  CheckOutcome,
  EditOrder,
  GenerateOrder,
  Order,
  Provider,
  SubmitOptions,
  SubmitOutcome,
  Ticket,
  Webhooks,
} from '../provider.ts';
import { fetchResult } from '../result-download.ts';
import { jsonBody, type ProviderOptions, readJson, VendorApi } from '../vendor-api.ts';
import { WaveSpeedWebhooks } from './wavespeed.webhooks.ts';
import {
  errorEnvelope,
  FAILED_STATUSES,
  MODERATION_CODE,
  type Prediction,
  predictionEnvelope,
  submitEnvelope,
  WAVESPEED_POLL_AFTER_MS,
} from './wavespeed.wire.ts';

/** WaveSpeed, REST v3: an order is answered with a job id; the finished job has the address of the picture. */
export class WaveSpeedProvider implements Provider {
  readonly name = 'wavespeed';
  readonly hosts = new Set(['wavespeed']);
  readonly webhooks: Webhooks;
  readonly #api: VendorApi;

  constructor(options: ProviderOptions) {
    this.#api = new VendorApi(this.name, options, (apiKey) => ({ authorization: `Bearer ${apiKey}` }));
    this.webhooks = new WaveSpeedWebhooks(this.#api, (prediction, signal) =>
      this.#outcomeOfPrediction(prediction, signal),
    );
  }

  async submit(order: Order, { signal, timeoutMs, reportTo }: SubmitOptions): Promise<SubmitOutcome> {
    const webhook = reportTo === null ? '' : `?${new URLSearchParams({ webhook: reportTo })}`;
    const answer = await this.#api.call({
      method: 'POST',
      path: `/api/v3/${order.vendorModel}${webhook}`,
      ...jsonBody(inputOf(order)),
      timeoutMs: Math.min(timeoutMs, ORDER_CALL_TIMEOUT_MS),
      bytesMax: STATUS_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return outcomeOfError(answer);
    if (answer.status !== 200) return this.#outcomeOfRefusal(answer);
    const job = readJson(submitEnvelope, answer.body)?.data;
    if (!job) return this.#outcomeOfRefusal(answer);
    // Even a job that failed at once has an id, and its first check says why.
    const { host, vendorModel } = order;
    return {
      kind: 'accepted',
      ticket: { host, vendorModel, vendorId: job.id },
      pollAfterMs: WAVESPEED_POLL_AFTER_MS,
    };
  }

  /**
   * Asks at our configured base URL. The answer to an order names an address to ask at too, but that is the vendor's to
   * choose, and our key would go there.
   */
  async check(ticket: Ticket, signal: AbortSignal): Promise<CheckOutcome> {
    const answer = await this.#api.call({
      method: 'GET',
      path: `/api/v3/predictions/${encodeURIComponent(ticket.vendorId)}/result`,
      headers: { accept: 'application/json' },
      timeoutMs: CHECK_CALL_TIMEOUT_MS,
      bytesMax: STATUS_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return pendingAfterTrouble(null);
    if (answer.status !== 200) return outcomeOfFailedCheck(answer, this.#api.describe(answer));
    const prediction = readJson(predictionEnvelope, answer.body)?.data;
    return prediction ? this.#outcomeOfPrediction(prediction, signal) : pendingAfterTrouble(null);
  }

  /** The reference has no way to stop a job; deleting one only forgets it. */
  async cancel(): Promise<void> {}

  async #outcomeOfPrediction(prediction: Prediction, signal: AbortSignal): Promise<CheckOutcome> {
    const { status, outputs, has_nsfw_contents: flags, error, code } = prediction;
    const explained = this.#api.quote(`${status} (code ${code ?? 'none'}): ${error || 'no explanation'}`);
    if (FAILED_STATUSES.has(status)) {
      if (code === MODERATION_CODE) return { kind: 'moderated', message: explained, billed: false };
      return { kind: 'failed', message: explained };
    }
    if (status !== 'completed') return { kind: 'pending', pollAfterMs: WAVESPEED_POLL_AFTER_MS };
    if (flags?.includes(true)) {
      return { kind: 'moderated', message: 'WaveSpeed flagged the picture: has_nsfw_contents', billed: true };
    }
    const output = outputs?.[0];
    if (output === undefined) return { kind: 'broken', message: 'WaveSpeed completed the job without an output' };
    return fetchResult(this.#api, output, null, signal);
  }

  /** An envelope can refuse with HTTP 200; its code then stands in for the status. */
  #outcomeOfRefusal(answer: Answer): SubmitOutcome {
    const message = this.#api.describe(answer);
    const code = readJson(errorEnvelope, answer.body)?.code ?? 200;
    if (code === MODERATION_CODE) return { kind: 'moderated', message, billed: false };
    const status = answer.status === 200 ? code : answer.status;
    // Which of the two means an empty balance is written nowhere; the words tell.
    if ((status === 402 || status === 403) && /balance|credit|insufficient/i.test(message)) {
      return rejected('OUT_OF_FUNDS', message);
    }
    return outcomeOfStatus({ ...answer, status }, message);
  }
}

function inputOf(order: Order): Record<string, unknown> {
  if (order.operation === 'GENERATE') return inputOfGenerate(order);
  if (order.operation === 'EDIT') return inputOfEdit(order);
  throw misdirected(order);
}

/** Models with fixed ratios take the ratio; the others take a size and a format. */
function inputOfGenerate(order: GenerateOrder): Record<string, unknown> {
  const { prompt, render } = order;
  return render.aspectRatio === null ? inputWithSize(order) : { prompt, aspect_ratio: render.aspectRatio };
}

function inputOfEdit(order: EditOrder): Record<string, unknown> {
  const { edit, prompt, source, mask } = order;
  if (edit.kind === 'general') return { ...inputWithSize(order), image: dataUriOf(source) };
  // Without a mask Ideogram would draw over the whole picture, which nobody has asked for.
  if (edit.kind !== 'inpaint' || mask === null) throw misdirected(order);
  return { prompt, image: dataUriOf(source), mask_image: dataUriOf(mask) };
}

/** A size is written with an asterisk. */
function inputWithSize({ prompt, seed, render }: GenerateOrder | EditOrder): Record<string, unknown> {
  return {
    prompt,
    size: `${render.width}*${render.height}`,
    output_format: 'png',
    ...(seed !== null && { seed }),
  };
}
