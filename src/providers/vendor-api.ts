import type { z } from 'zod';
import { PROVIDER_TITLES, type ProviderName } from '../catalog/models.ts';
import type { Outbound, OutboundRequest } from '../platform/outbound.ts';
import { OutboundError } from '../platform/outbound-error.ts';
import type { Answer } from '../platform/outbound-exchange.ts';
import { DOWNLOAD_TIMEOUT_MS, PICTURE_ANSWER_BYTES_MAX } from './call-limits.ts';
import { jsonWithPictures } from './inline-picture.ts';
import { vendorMessage } from './vendor-message.ts';

export interface ProviderOptions {
  readonly outbound: Outbound;
  /** Where the vendor's API begins, with or without a path of its own. */
  readonly baseUrl: string;
  readonly apiKey: string;
}

export type VendorCall = Omit<OutboundRequest, 'url'> & {
  /** Behind the base URL, from its slash on. */
  readonly path: string;
};

/** One vendor's API as every adapter needs it: our key goes to the base URL and nowhere else, and into no message. */
export class VendorApi {
  readonly #outbound: Outbound;
  readonly #baseUrl: string;
  readonly #apiKey: string;
  readonly #title: string;
  readonly #credentials: Readonly<Record<string, string>>;

  constructor(
    name: ProviderName,
    options: ProviderOptions,
    credentials: (apiKey: string) => Readonly<Record<string, string>>,
  ) {
    this.#outbound = options.outbound;
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
    this.#apiKey = options.apiKey;
    this.#title = PROVIDER_TITLES[name];
    this.#credentials = credentials(options.apiKey);
  }

  /** One call with our key. Brings the answer, whatever its status, or why there is none. */
  async call({ path, headers, ...call }: VendorCall): Promise<Answer | OutboundError> {
    return errorAsValue(
      this.#outbound.send({
        ...call,
        url: `${this.#baseUrl}${path}`,
        headers: { ...headers, ...this.#credentials },
      }),
    );
  }

  /** Fetches a result from where the vendor says it is, without our key: that address may be anyone's. */
  async download(url: string, signal: AbortSignal): Promise<Answer | OutboundError> {
    const limits = { timeoutMs: DOWNLOAD_TIMEOUT_MS, bytesMax: PICTURE_ANSWER_BYTES_MAX, signal };
    return errorAsValue(this.#outbound.download(url, limits));
  }

  /**
   * What an answer says, for a log: the vendor, the status and the vendor's explanation without secrets. `secrets` are
   * those of this call beside our key.
   */
  describe(answer: Answer, ...secrets: readonly string[]): string {
    return `${this.#title} answered ${answer.status}: ${vendorMessage(answer.body, [this.#apiKey, ...secrets])}`;
  }

  /** A vendor's own words, shortened and without secrets. */
  quote(words: string): string {
    return `${this.#title}: ${vendorMessage(Buffer.from(words), [this.#apiKey])}`;
  }
}

/** JSON with a body, as three of the four vendors take it; pictures in it may be `InlinePicture`s. */
export function jsonBody(value: unknown): { body: Buffer; headers: Readonly<Record<string, string>> } {
  return { body: jsonWithPictures(value), headers: { 'content-type': 'application/json', accept: 'application/json' } };
}

/** The parts of an answer that `schema` knows, or null if it is not JSON of that shape. */
export function readJson<T>(schema: z.ZodType<T>, body: Buffer): T | null {
  try {
    return schema.safeParse(JSON.parse(body.toString('utf8'))).data ?? null;
  } catch {
    return null;
  }
}

async function errorAsValue(answer: Promise<Answer>): Promise<Answer | OutboundError> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof OutboundError) return error;
    throw error;
  }
}
