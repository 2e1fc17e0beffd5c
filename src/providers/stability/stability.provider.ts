import { OutboundError } from '../../platform/outbound-error.ts';
import type { Answer } from '../../platform/outbound-exchange.ts';
import { PICTURE_ANSWER_BYTES_MAX } from '../call-limits.ts';
import { outcomeOfError, outcomeOfPicture, outcomeOfStatus, rejected } from '../outcome.ts';
import type { CheckOutcome, GenerateOrder, Provider, SubmitOptions, SubmitOutcome } from '../provider.ts';
import { type ProviderOptions, readJson, VendorApi } from '../vendor-api.ts';
import { FINISH_REASON_HEADER, LOCKOUT_SECONDS, SEED_HEADER, stabilityError } from './stability.wire.ts';

/** Stability AI, REST v2beta: one POST a picture, answered with its bytes. */
export class StabilityProvider implements Provider {
  readonly name = 'stability';
  readonly hosts = new Set(['stability']);
  readonly webhooks = null;
  readonly #api: VendorApi;

  constructor(options: ProviderOptions) {
    this.#api = new VendorApi(this.name, options, (apiKey) => ({ authorization: `Bearer ${apiKey}` }));
  }

  async submit(request: GenerateOrder, { signal, timeoutMs }: SubmitOptions): Promise<SubmitOutcome> {
    const answer = await this.#api.call({
      method: 'POST',
      path: `/v2beta/stable-image/generate/${endpointOf(request.vendorModel)}`,
      headers: { accept: 'image/*' },
      body: formOf(request),
      timeoutMs,
      bytesMax: PICTURE_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return outcomeOfError(answer);
    return answer.status === 200 ? this.#outcomeOfPicture(answer) : this.#outcomeOfRefusal(answer);
  }

  async check(): Promise<CheckOutcome> {
    throw new Error('Stability gives no tickets for pictures made from text');
  }

  /** There is no way to stop a drawing; the caller's signal ends our waiting for it. */
  async cancel(): Promise<void> {}

  #outcomeOfPicture(answer: Answer): SubmitOutcome {
    const finishReason = answer.headers[FINISH_REASON_HEADER] ?? 'SUCCESS';
    // The picture is there but blurred. Whether it is charged is written nowhere, so it is booked as if.
    if (finishReason === 'CONTENT_FILTERED') {
      return { kind: 'moderated', message: 'Stability AI blurred the picture: CONTENT_FILTERED', billed: true };
    }
    if (finishReason !== 'SUCCESS') {
      return { kind: 'broken', message: this.#api.quote(`finish-reason ${finishReason}`) };
    }
    return outcomeOfPicture(answer.body, seedIn(answer), () => this.#api.describe(answer));
  }

  #outcomeOfRefusal(answer: Answer): SubmitOutcome {
    const message = this.#api.describe(answer);
    const name = readJson(stabilityError, answer.body)?.name;
    const flagged =
      (answer.status === 403 && name === 'content_moderation') || (answer.status === 422 && name === 'public_figure');
    if (flagged) return { kind: 'moderated', message, billed: false };
    const outcome = outcomeOfStatus(answer, message);
    if (outcome.kind !== 'rejected' || outcome.reason !== 'RATE_LIMITED') return outcome;
    return rejected(outcome.reason, message, outcome.retryAfterSeconds ?? LOCKOUT_SECONDS);
  }
}

/** Ultra and Core have an endpoint each; every Stable Diffusion model shares one. */
function endpointOf(vendorModel: string): string {
  return vendorModel === 'ultra' || vendorModel === 'core' ? vendorModel : 'sd3';
}

/** The distilled models are guided differently: a negative prompt or a guidance scale is refused or ignored there. */
const DISTILLED = /-(?:turbo|flash)$/;

function formOf(request: GenerateOrder): FormData {
  const { vendorModel, negativePrompt, stylePreset, seed, render } = request;
  const form = new FormData();
  form.set('prompt', request.prompt);
  if (endpointOf(vendorModel) === 'sd3') form.set('model', vendorModel);
  if (negativePrompt !== null && !DISTILLED.test(vendorModel)) form.set('negative_prompt', negativePrompt);
  if (render.aspectRatio !== null) form.set('aspect_ratio', render.aspectRatio);
  if (stylePreset !== null) form.set('style_preset', stylePreset);
  // 0 asks for a random one here, just like leaving it out.
  if (seed !== null) form.set('seed', String(seed));
  form.set('output_format', 'png');
  return form;
}

function seedIn(answer: Answer): number | null {
  const text = answer.headers[SEED_HEADER] ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}
