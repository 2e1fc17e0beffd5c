import type { Outbound } from '../../platform/outbound.ts';
import { OutboundError } from '../../platform/outbound-error.ts';
import { PICTURE_ANSWER_BYTES_MAX } from '../call-limits.ts';
import { outcomeOfBase64, outcomeOfError, rejected } from '../outcome.ts';
import type { GenerateOrder, SubmitOptions, SubmitOutcome } from '../provider.ts';
import { jsonBody, readJson, VendorApi } from '../vendor-api.ts';
import { outcomeOfGoogleRefusal } from './google-refusal.ts';
import { predictResponse, REFUSED_PROMPT, vertexBaseUrl } from './imagen.wire.ts';

export interface VertexOptions {
  readonly project: string;
  /** Such as `us-central1`, or `global`. */
  readonly location: string;
  /** Null: Google's own address for the location. */
  readonly baseUrl: string | null;
  /** A token that is good now. Rejects where there are no credentials. */
  accessToken(): Promise<string>;
}

/** Imagen on Vertex AI: one POST a picture, answered with JSON that has it in base64. */
export class ImagenOnVertex {
  readonly #api: VendorApi;
  readonly #models: string;
  readonly #accessToken: () => Promise<string>;

  constructor(outbound: Outbound, { project, location, baseUrl, accessToken }: VertexOptions) {
    // Tokens last an hour, so there is one with each call instead of a key for all of them.
    this.#api = new VendorApi(
      'gemini',
      { outbound, baseUrl: baseUrl ?? vertexBaseUrl(location), apiKey: '' },
      () => ({}),
    );
    this.#models = `/v1/projects/${project}/locations/${location}/publishers/google/models`;
    this.#accessToken = accessToken;
  }

  async submit(request: GenerateOrder, { signal, timeoutMs }: SubmitOptions): Promise<SubmitOutcome> {
    const began = performance.now();
    let token: string;
    try {
      token = await this.#accessToken();
    } catch {
      // Why is for the log: it tells of files and machines.
      return rejected('AUTHENTICATION', this.#api.quote('no access token for Vertex'));
    }
    const { body, headers } = jsonBody(inputOf(request));
    const answer = await this.#api.call({
      method: 'POST',
      path: `${this.#models}/${request.vendorModel}:predict`,
      headers: { ...headers, authorization: `Bearer ${token}` },
      body,
      timeoutMs: Math.max(1, Math.ceil(timeoutMs - (performance.now() - began))),
      bytesMax: PICTURE_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return outcomeOfError(answer);
    const message = this.#api.describe(answer, token);
    if (answer.status === 400 && REFUSED_PROMPT.test(message)) return { kind: 'moderated', message, billed: false };
    if (answer.status !== 200) return outcomeOfGoogleRefusal(answer, message);
    const response = readJson(predictResponse, answer.body);
    if (!response) return { kind: 'broken', message };
    const { bytesBase64Encoded: picture, raiFilteredReason: reason } = response.predictions[0] ?? {};
    if (reason || response.predictions.length === 0) {
      const why = this.#api.quote(`withheld: ${reason || 'without a reason'}`);
      // Imagen charges for pictures that it hands over.
      return { kind: 'moderated', message: why, billed: Boolean(picture) };
    }
    if (!picture) return { kind: 'broken', message };
    return outcomeOfBase64(picture, (what) => this.#api.quote(what));
  }
}

function inputOf({ prompt, render }: GenerateOrder): Record<string, unknown> {
  const { aspectRatio, imageSize } = render;
  return {
    instances: [{ prompt }],
    parameters: {
      sampleCount: 1,
      ...(aspectRatio !== null && { aspectRatio }),
      ...(imageSize !== null && { sampleImageSize: imageSize }),
      // Without it what is withheld is left out without a word.
      includeRaiReason: true,
      outputOptions: { mimeType: 'image/png' },
    },
  };
}
