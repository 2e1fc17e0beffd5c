import { OutboundError } from '../../platform/outbound-error.ts';
import { PICTURE_ANSWER_BYTES_MAX } from '../call-limits.ts';
import { outcomeOfError, outcomeOfPicture, outcomeOfStatus, rejected } from '../outcome.ts';
import type { GenerateOrder, SubmitOptions, SubmitOutcome } from '../provider.ts';
import { cappedRetryAfter } from '../retry-after.ts';
import { jsonBody, readJson, type VendorApi } from '../vendor-api.ts';
import { modelLoading } from './huggingface.wire.ts';

/** HuggingFace's own machines: one POST a picture, answered with its bytes. */
export class HfInference {
  constructor(private readonly api: VendorApi) {}

  async submit(request: GenerateOrder, { signal, timeoutMs }: SubmitOptions): Promise<SubmitOutcome> {
    const { body, headers } = jsonBody(inputOf(request));
    const answer = await this.api.call({
      method: 'POST',
      path: `/hf-inference/models/${request.vendorModel}`,
      headers: { ...headers, accept: 'image/png' },
      body,
      timeoutMs,
      bytesMax: PICTURE_ANSWER_BYTES_MAX,
      signal,
    });
    if (answer instanceof OutboundError) return outcomeOfError(answer);
    if (answer.status === 200) return outcomeOfPicture(answer.body, null, () => this.api.describe(answer));
    const message = this.api.describe(answer);
    // The one 5xx that proves that nothing was bought: what is charged is the time a model computes, and this answer
    // states that the model is not in memory yet. Without that statement a 503 is as doubtful as any other.
    const loading = answer.status === 503 ? readJson(modelLoading, answer.body) : null;
    if (loading) return rejected('NOT_READY', message, cappedRetryAfter(loading.estimated_time));
    return outcomeOfStatus(answer, message);
  }
}

function inputOf({ prompt, negativePrompt, seed, render }: GenerateOrder): Record<string, unknown> {
  const { width, height } = render;
  const parameters = {
    width,
    height,
    ...(seed !== null && { seed }),
    ...(negativePrompt !== null && { negative_prompt: negativePrompt }),
  };
  return { inputs: prompt, parameters };
}
