import sharp from 'sharp';
import { afterEach, beforeEach } from 'vitest';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';

/** A fresh sandbox for every test of a file; the answer gives the one of the running test. */
export function useSandbox(options: SandboxOptions = {}): () => Sandbox {
  let sandbox: Sandbox | undefined;
  beforeEach(async () => {
    sandbox = await startSandbox(options);
  });
  afterEach(async () => {
    await sandbox?.close();
    sandbox = undefined;
  });
  return () => {
    if (!sandbox) throw new Error('there is no sandbox outside a test');
    return sandbox;
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; throws when it is not. */
  // biome-ignore lint/suspicious/noExplicitAny: what vendors answer is looked at field by field in assertions.
  json(): any;
}

export async function replyOf(url: string, init?: RequestInit): Promise<Reply> {
  const response = await fetch(url, init);
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString('utf8');
  return { status: response.status, headers: response.headers, bytes, text, json: () => JSON.parse(text) };
}

type Wanted = Record<string, string | undefined>;

function given(headers: Wanted): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

export interface Manners {
  readonly key?: string | null;
  readonly headers?: Wanted;
  readonly signal?: AbortSignal;
}

function bearer(key: string | null | undefined, usual: string): Wanted {
  return { authorization: key === null ? undefined : `Bearer ${key ?? usual}` };
}

export function askStability(
  { origin }: Sandbox,
  service: string,
  fields: Record<string, string | number>,
  { key, headers = {}, signal }: Manners = {},
): Promise<Reply> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, String(value));
  return replyOf(`${origin}/v2beta/stable-image/generate/${service}`, {
    method: 'POST',
    headers: given({ ...bearer(key, 'sk-good'), ...headers }),
    body,
    ...(signal && { signal }),
  });
}

/** Sends a form with files to one of Stability's services, such as `edit/erase`. */
export function askService(
  { origin }: Sandbox,
  path: string,
  fields: Record<string, string | number | Buffer>,
  { key, headers = {}, signal }: Manners = {},
): Promise<Reply> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (Buffer.isBuffer(value)) body.set(name, new Blob([new Uint8Array(value)]), `${name}.png`);
    else body.set(name, String(value));
  }
  return replyOf(`${origin}/v2beta/stable-image/${path}`, {
    method: 'POST',
    headers: given({ ...bearer(key, 'sk-good'), ...headers }),
    body,
    ...(signal && { signal }),
  });
}

/** Asks for a result of Stability that comes later. */
export function askResult(
  { origin }: Sandbox,
  id: string,
  { key, headers = {} }: Manners = {},
  path = 'results',
): Promise<Reply> {
  return replyOf(`${origin}/v2beta/${path}/${id}`, { headers: given({ ...bearer(key, 'sk-good'), ...headers }) });
}

function askJson(url: string, method: string, body: unknown, headers: Wanted, signal?: AbortSignal): Promise<Reply> {
  return replyOf(url, {
    method,
    headers: given(body === undefined ? headers : { 'content-type': 'application/json', ...headers }),
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

export const QWEN = 'wavespeed-ai/qwen-image/text-to-image';
export const QWEN_EDIT = 'wavespeed-ai/qwen-image/edit';

export function askWavespeed(
  { origin }: Sandbox,
  path: string,
  body?: unknown,
  { key, headers = {}, signal }: Manners = {},
): Promise<Reply> {
  const method = body === undefined ? 'GET' : 'POST';
  return askJson(`${origin}/api/v3/${path}`, method, body, { ...bearer(key, 'ws-good'), ...headers }, signal);
}

export const SCHNELL = 'black-forest-labs/FLUX.1-schnell';

export function askInference(
  { origin }: Sandbox,
  body: unknown,
  { key, headers = {}, signal }: Manners = {},
  model: string = SCHNELL,
): Promise<Reply> {
  const url = `${origin}/hf-inference/models/${model}`;
  return askJson(url, 'POST', body, { ...bearer(key, 'hf_good'), ...headers }, signal);
}

export function askFal(
  { origin }: Sandbox,
  path: string,
  body?: unknown,
  { key, headers = {} }: Manners = {},
  method: string = body === undefined ? 'GET' : 'POST',
  app = 'flux',
): Promise<Reply> {
  const url = `${origin}/fal-ai/fal-ai/${app}/${path}?_subdomain=queue`;
  return askJson(url, method, body, { ...bearer(key, 'hf_good'), ...headers });
}

export const KONTEXT = 'black-forest-labs/FLUX.1-Kontext-dev';

export const BANANA = 'gemini-nano-banana-2.1';

export function askGemini(
  { origin }: Sandbox,
  model: string,
  body: unknown,
  { key, headers = {}, signal }: Manners = {},
): Promise<Reply> {
  const url = `${origin}/v1beta/models/${model}${model.includes(':') ? '' : ':generateContent'}`;
  const auth = { 'x-goog-api-key': key === null ? undefined : (key ?? 'g-good') };
  return askJson(url, 'POST', body, { ...auth, ...headers }, signal);
}

export function geminiBody(prompt: string, generationConfig?: Record<string, unknown>): unknown {
  return { contents: [{ role: 'user', parts: [{ text: prompt }] }], ...(generationConfig && { generationConfig }) };
}

export const IMAGEN = 'imagen-4.0-generate-001';

export function askImagen(
  { origin }: Sandbox,
  body: unknown,
  { key, headers = {}, signal }: Manners = {},
  model: string = IMAGEN,
): Promise<Reply> {
  const url = `${origin}/v1/projects/our-project/locations/us-central1/publishers/google/models/${model}:predict`;
  return askJson(url, 'POST', body, { ...bearer(key, 'ya29.good'), ...headers }, signal);
}

export function imagenBody(prompt: string, parameters: Record<string, unknown> = { sampleCount: 1 }): unknown {
  return { instances: [{ prompt }], parameters };
}

/** Submits to WaveSpeed and looks until the prediction has ended. */
export async function wavespeedResult(sandbox: Sandbox, input: unknown, model: string = QWEN): Promise<Reply> {
  const { id } = (await askWavespeed(sandbox, model, input)).json().data;
  for (let look = 0; look < 5; look += 1) {
    const reply = await askWavespeed(sandbox, `predictions/${id}/result`);
    if (reply.json().data.status !== 'processing') return reply;
  }
  throw new Error('the prediction did not end');
}

/** Submits to fal's queue, looks until the request is completed, and fetches the result. */
export async function falResult(sandbox: Sandbox, input: unknown, model = 'schnell', app = 'flux'): Promise<Reply> {
  const id: string = (await askFal(sandbox, model, input, {}, 'POST', app)).json().request_id;
  const look = (path: string) => askFal(sandbox, path, undefined, {}, 'GET', app);
  for (let time = 0; time < 5; time += 1) {
    const reply = await look(`requests/${id}/status`);
    if (reply.json().status === 'COMPLETED') return look(`requests/${id}`);
  }
  throw new Error('the request was not completed');
}

/** What is found inside bytes that should be a picture. */
export async function measured(picture: Buffer): Promise<{ format: string; width: number; height: number }> {
  const { format, width, height } = await sharp(picture).metadata();
  return { format, width, height };
}

/** Looks at a result of Stability until it is no longer in progress. */
export async function stabilityResult(sandbox: Sandbox, accepted: Reply, manners: Manners = {}): Promise<Reply> {
  const { id } = accepted.json();
  for (let look = 0; look < 5; look += 1) {
    const reply = await askResult(sandbox, id, manners);
    if (reply.status !== 202) return reply;
  }
  throw new Error('the result did not come');
}

/** The only entry of the journal. */
export function onlyEntry(sandbox: Sandbox): JournalEntry {
  const [entry, ...others] = sandbox.journal();
  if (!entry || others.length > 0) throw new Error(`expected one entry, found ${sandbox.journal().length}`);
  return entry;
}
