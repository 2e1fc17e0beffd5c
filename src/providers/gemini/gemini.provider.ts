import { OutboundError } from '../../platform/outbound-error.ts';
import type { Answer } from '../../platform/outbound-exchange.ts';
import { DRAWING_CALL_TIMEOUT_MS, PICTURE_ANSWER_BYTES_MAX } from '../call-limits.ts';
import { outcomeOfError, outcomeOfPicture, outcomeOfStatus, rejected } from '../outcome.ts';
import type { CheckOutcome, Provider, RenderRequest, SubmitOutcome } from '../provider.ts';
import { cappedRetryAfter, RETRY_AFTER_SECONDS_MAX } from '../retry-after.ts';
import { jsonBody, type ProviderOptions, readJson, VendorApi } from '../vendor-api.ts';
import {
  type GeminiErrorDetail,
  type GenerateContentResponse,
  geminiError,
  generateContentResponse,
  type Part,
  WITHHELD_REASONS,
} from './gemini.wire.ts';

/** Google's Gemini API: one POST a picture, answered with JSON that has it in base64 among what else the model said. */
export class GeminiProvider implements Provider {
  readonly name = 'gemini';
  readonly #api: VendorApi;

  constructor(options: ProviderOptions) {
    // The key could go into the query too, and from there into every log on the way.
    this.#api = new VendorApi(this.name, options, (apiKey) => ({ 'x-goog-api-key': apiKey }));
  }

  async submit(request: RenderRequest, signal: AbortSignal): Promise<SubmitOutcome> {
    const answer = await this.#api.call({
      method: 'POST',
      path: `/v1beta/models/${request.vendorModel}:generateContent`,
      ...jsonBody(inputOf(request)),
      timeoutMs: DRAWING_CALL_TIMEOUT_MS,
      bytesMax: PICTURE_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return outcomeOfError(answer);
    if (answer.status !== 200) return this.#outcomeOfRefusal(answer);
    const response = readJson(generateContentResponse, answer.body);
    return response ? this.#outcomeOfResponse(response) : { kind: 'broken', message: this.#api.describe(answer) };
  }

  async check(): Promise<CheckOutcome> {
    throw new Error('Gemini gives no tickets');
  }

  /** There is no way to stop a drawing; the caller's signal ends our waiting for it. */
  async cancel(): Promise<void> {}

  /** Blocked and refused requests come with HTTP 200 too, and differ only in what is missing. */
  #outcomeOfResponse(response: GenerateContentResponse): SubmitOutcome {
    const blockReason = response.promptFeedback?.blockReason;
    if (blockReason) {
      return { kind: 'moderated', message: this.#api.quote(`prompt blocked: ${blockReason}`), billed: false };
    }
    const [candidate] = response.candidates ?? [];
    const { finishReason, finishMessage } = candidate ?? {};
    if (finishReason && WITHHELD_REASONS.has(finishReason)) {
      const message = this.#api.quote(`${finishReason}: ${finishMessage ?? 'no explanation'}`);
      return { kind: 'moderated', message, billed: wasDrawn(response) };
    }
    const said = (candidate?.content?.parts ?? []).filter(({ thought }) => thought !== true);
    const data = said.findLast(({ inlineData }) => inlineData)?.inlineData?.data;
    // MAX_TOKENS: the answer was cut off, and with it, perhaps, the picture.
    if (data === undefined || finishReason === 'MAX_TOKENS') {
      const message = this.#api.quote(`no picture (${finishReason ?? 'no candidate'}): ${textOf(said)}`);
      return { kind: 'broken', message };
    }
    const picture = Buffer.from(data, 'base64');
    if (picture.length !== decodedLength(data)) {
      return { kind: 'broken', message: 'Google Gemini: the picture is not valid base64' };
    }
    return outcomeOfPicture(picture, null, () => this.#api.quote('the bytes sent are not a picture'));
  }

  #outcomeOfRefusal(answer: Answer): SubmitOutcome {
    const message = this.#api.describe(answer);
    const details = readJson(geminiError, answer.body)?.error.details ?? [];
    // A wrong key is called a bad request here.
    if (answer.status === 400 && details.some(({ reason }) => reason === 'API_KEY_INVALID')) {
      return rejected('AUTHENTICATION', message);
    }
    // Our paths are fixed, so what is not found can only be the model: it has been shut down.
    if (answer.status === 404) return rejected('MODEL_RETIRED', message);
    if (answer.status === 429) return outcomeOfQuota(details, message, outcomeOfStatus(answer, message));
    return outcomeOfStatus(answer, message);
  }
}

function inputOf({ prompt, seed, render }: RenderRequest): Record<string, unknown> {
  const { aspectRatio, imageSize } = render;
  return {
    contents: [{ role: 'user', parts: [{ text: prompt }] }],
    generationConfig: {
      responseModalities: ['IMAGE'],
      imageConfig: {
        ...(aspectRatio !== null && { aspectRatio }),
        ...(imageSize !== null && { imageSize }),
      },
      ...(seed !== null && { seed }),
    },
  };
}

/** Whether the vendor counts output for us. Where it does not say, it is booked as if. */
function wasDrawn({ usageMetadata }: GenerateContentResponse): boolean {
  return !usageMetadata || (usageMetadata.candidatesTokenCount ?? 0) > 0;
}

function textOf(parts: readonly Part[]): string {
  const text = parts.map((part) => part.text ?? '').join(' ');
  return text.trim() === '' ? 'no words either' : text;
}

/** Node skips what does not belong into base64; then fewer bytes come out than the letters stand for. */
function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor(((base64.length - padding) * 3) / 4);
}

/** A daily quota does not come back when the answer says, and a quota of zero never does: that project is not billed. */
function outcomeOfQuota(
  details: readonly GeminiErrorDetail[],
  message: string,
  otherwise: SubmitOutcome,
): SubmitOutcome {
  const violations = details.flatMap((detail) => detail.violations ?? []);
  if (violations.some(({ quotaValue }) => quotaValue === '0')) return rejected('OUT_OF_FUNDS', message);
  if (violations.some(({ quotaId }) => quotaId?.includes('PerDay'))) {
    return rejected('RATE_LIMITED', message, RETRY_AFTER_SECONDS_MAX);
  }
  const delay = /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(details.find(({ retryDelay }) => retryDelay)?.retryDelay ?? '')?.[1];
  return delay === undefined ? otherwise : rejected('RATE_LIMITED', message, cappedRetryAfter(Number(delay)));
}
