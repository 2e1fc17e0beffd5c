import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import type { Edit } from '../../src/catalog/edits.ts';
import { Outbound } from '../../src/platform/outbound.ts';
import type { GeminiOptions } from '../../src/providers/gemini/gemini.provider.ts';
import type {
  EditOrder,
  GenerateOrder,
  Provider,
  SentPicture,
  SubmitOptions,
  Ticket,
  UpscaleOrder,
} from '../../src/providers/provider.ts';

export interface RecordedRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What to answer a request with: a status, headers and a body, or whatever is done to the response. */
export type Reply =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string | Buffer | object }
  | ((response: ServerResponse) => unknown);

export const API_KEY = 'sk-the-key-of-the-house-1234567890';
/** What Vertex takes in place of a key. */
export const ACCESS_TOKEN = 'ya29.the-token-of-the-hour';
export const PICTURE = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#336699' } })
  .png()
  .toBuffer();

/** A vendor that gives the replies of its script in turn and records every request; past its script it says 599. */
export class ScriptedVendor implements AsyncDisposable {
  readonly requests: RecordedRequest[] = [];
  readonly #server = createServer();
  #outbound: Outbound | null = null;
  origin = '';

  private constructor(private readonly replies: Reply[]) {}

  static async start(...replies: Reply[]): Promise<ScriptedVendor> {
    const vendor = new ScriptedVendor(replies);
    vendor.#server.on('request', async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      const { method = '', url: path = '', headers } = request;
      vendor.requests.push({ method, path, headers, body });
      give(vendor.replies.shift() ?? { status: 599, body: 'past the script' }, response);
    });
    vendor.#server.listen(0, '127.0.0.1');
    await once(vendor.#server, 'listening');
    vendor.origin = `http://127.0.0.1:${(vendor.#server.address() as AddressInfo).port}`;
    return vendor;
  }

  reply(...replies: Reply[]): void {
    this.replies.push(...replies);
  }

  /** The adapter under test, set up to call this vendor. */
  provider<T extends Provider>(
    Adapter: new (options: GeminiOptions) => T,
    accessToken: () => Promise<string> = async () => ACCESS_TOKEN,
  ): T {
    this.#outbound ??= new Outbound({ allow: [new URL(this.origin).host] });
    const { origin: baseUrl } = this;
    const vertex = { project: 'our-project', location: 'europe-west4', baseUrl, accessToken };
    return new Adapter({ outbound: this.#outbound, baseUrl, apiKey: API_KEY, vertex });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#outbound?.close();
    await this.stop();
  }
}

function give(reply: Reply, response: ServerResponse): void {
  if (typeof reply === 'function') {
    reply(response);
    return;
  }
  const { status = 200, headers = {}, body = '' } = reply;
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  response.writeHead(status, { ...(isJson && { 'content-type': 'application/json' }), ...headers });
  response.end(isJson ? JSON.stringify(body) : body);
}

export function jsonOf(request: RecordedRequest | undefined): unknown {
  return JSON.parse(String(request?.body));
}

/** What a form says, field by field; files as {@link fileOf} has them. */
export async function formOf(request: RecordedRequest | undefined): Promise<Record<string, unknown>> {
  const headers = { 'content-type': String(request?.headers['content-type']) };
  const form = await new Response(new Uint8Array(request?.body ?? []), { headers }).formData();
  const fields = [...form.entries()].map(async ([name, value]) => [
    name,
    typeof value === 'string' ? value : fileOf(value.name, value.type, Buffer.from(await value.arrayBuffer())),
  ]);
  return Object.fromEntries(await Promise.all(fields));
}

/** A file of a form; the bytes as a digest of themselves, which a failure can show. */
export function fileOf(filename: string, contentType: string, bytes: Buffer): string {
  return `${filename} ${contentType} ${createHash('sha256').update(bytes).digest('hex')}`;
}

export const never = new AbortController().signal;

export function submitOptions(changes: Partial<SubmitOptions> = {}): SubmitOptions {
  return { signal: never, timeoutMs: 20_000, reportTo: null, ...changes };
}

export function renderRequest(
  host: string,
  vendorModel: string,
  changes: Partial<Omit<GenerateOrder, 'operation' | 'render'>> & { render?: Partial<GenerateOrder['render']> } = {},
): GenerateOrder {
  return {
    operation: 'GENERATE',
    host,
    vendorModel,
    prompt: 'a red fox\nin “snow”',
    negativePrompt: null,
    stylePreset: null,
    seed: null,
    ...changes,
    render: { width: 1024, height: 768, aspectRatio: null, imageSize: null, ...changes.render },
  };
}

/** A picture that goes out with an order; no adapter looks at it, so any bytes will do. */
export function sent(words: string, contentType: SentPicture['contentType'] = 'image/png'): SentPicture {
  return { bytes: Buffer.from(words), contentType, width: 640, height: 480 };
}

export const SOURCE = sent('the source', 'image/jpeg');
export const MASK = sent('the mask');

export function editOrder(
  host: string,
  vendorModel: string,
  edit: Edit,
  changes: Partial<Omit<EditOrder, 'operation' | 'edit'>> = {},
): EditOrder {
  return {
    operation: 'EDIT',
    host,
    vendorModel,
    edit,
    prompt: 'prompt' in edit ? edit.prompt : null,
    stylePreset: null,
    seed: null,
    source: SOURCE,
    mask: null,
    backgroundReference: null,
    lightReference: null,
    render: { width: 640, height: 480, aspectRatio: null, imageSize: null },
    ...changes,
  };
}

export function upscaleOrder(
  vendorModel: string,
  mode: UpscaleOrder['mode'],
  words: UpscaleOrder['words'] = null,
): UpscaleOrder {
  return { operation: 'UPSCALE', host: 'stability', vendorModel, mode, words, source: SOURCE };
}

export function ticket(host: string, vendorModel: string, vendorId: string): Ticket {
  return { host, vendorModel, vendorId };
}
