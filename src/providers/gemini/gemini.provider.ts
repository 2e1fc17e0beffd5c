import { OutboundError } from '../../platform/outbound-error.ts';
import { PICTURE_ANSWER_BYTES_MAX } from '../call-limits.ts';
import { base64Of } from '../inline-picture.ts';
import { misdirected } from '../misdirected.ts';
import { outcomeOfBase64, outcomeOfError } from '../outcome.ts';
import type {
  CheckOutcome,
  EditOrder,
  GenerateOrder,
  Order,
  Provider,
  SubmitOptions,
  SubmitOutcome,
} from '../provider.ts';
import { jsonBody, type ProviderOptions, readJson, VendorApi } from '../vendor-api.ts';
import { type GenerateContentResponse, generateContentResponse, type Part, WITHHELD_REASONS } from './gemini.wire.ts';
import { outcomeOfGoogleRefusal } from './google-refusal.ts';
import { ImagenOnVertex, type VertexOptions } from './imagen.ts';

export interface GeminiOptions extends ProviderOptions {
  /** Where Imagen still lives; null for a gateway without it. */
  readonly vertex: VertexOptions | null;
}

/**
 * Google's picture models: the Gemini API, and Vertex for Imagen. The Gemini API takes one POST a picture and answers
 * with JSON that has it in base64 among what else the model said.
 */
export class GeminiProvider implements Provider {
  readonly name = 'gemini';
  readonly hosts: ReadonlySet<string>;
  readonly webhooks = null;
  readonly #api: VendorApi;
  readonly #imagen: ImagenOnVertex | null;

  constructor({ vertex, ...options }: GeminiOptions) {
    // The key could go into the query too, and from there into every log on the way.
    this.#api = new VendorApi(this.name, options, (apiKey) => ({ 'x-goog-api-key': apiKey }));
    this.#imagen = vertex && new ImagenOnVertex(options.outbound, vertex);
    this.hosts = new Set(vertex ? ['gemini', 'vertex'] : ['gemini']);
  }

  async submit(order: Order, options: SubmitOptions): Promise<SubmitOutcome> {
    if (order.host === 'gemini') return this.#submit(order, options);
    if (order.host !== 'vertex' || !this.#imagen) throw new Error(`Gemini is not set up for the host ${order.host}`);
    if (order.operation !== 'GENERATE') throw misdirected(order);
    return this.#imagen.submit(order, options);
  }

  async #submit(order: Order, { signal, timeoutMs }: SubmitOptions): Promise<SubmitOutcome> {
    const answer = await this.#api.call({
      method: 'POST',
      path: `/v1beta/models/${order.vendorModel}:generateContent`,
      ...jsonBody(inputOf(order)),
      timeoutMs,
      bytesMax: PICTURE_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return outcomeOfError(answer);
    if (answer.status !== 200) return outcomeOfGoogleRefusal(answer, this.#api.describe(answer));
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
      const talked = said.some(({ text }) => text);
      return { kind: 'broken', message, ...(talked && { inWords: true }) };
    }
    return outcomeOfBase64(data, (what) => this.#api.quote(what));
  }
}

function inputOf(order: Order): Record<string, unknown> {
  if (order.operation === 'UPSCALE') throw misdirected(order);
  const { seed, render } = order;
  const { aspectRatio, imageSize } = render;
  return {
    contents: [{ role: 'user', parts: partsOf(order) }],
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

/** The words, and behind them the picture that they are about. There are no masks: what to change is said. */
function partsOf(order: GenerateOrder | EditOrder): readonly object[] {
  const words = { text: order.prompt };
  if (order.operation === 'GENERATE') return [words];
  if (order.edit.kind !== 'general') throw misdirected(order);
  const { source } = order;
  return [words, { inlineData: { mimeType: source.contentType, data: base64Of(source) } }];
}

/** Whether the vendor counts output for us. Where it does not say, it is booked as if. */
function wasDrawn({ usageMetadata }: GenerateContentResponse): boolean {
  return !usageMetadata || (usageMetadata.candidatesTokenCount ?? 0) > 0;
}

function textOf(parts: readonly Part[]): string {
  const text = parts.map((part) => part.text ?? '').join(' ');
  return text.trim() === '' ? 'no words either' : text;
}
