import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request, as the vendors' modules see it. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client goes away or the sandbox closes. */
  readonly gone: AbortSignal;
  /** The whole body, or null when it is longer than `bytesMax`; then it is read to its end and thrown away. */
  body(bytesMax: number): Promise<Buffer | null>;
}

/** How an answer travels, where that is not simply at once and whole. */
export type Delivery =
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'dripped'; readonly ms: number }
  | { readonly kind: 'cut-halfway' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'endless' }
  | { readonly kind: 'never' };

/**
 * What goes back for a call. Its length is always declared, so that a body can only break off on purpose; only an
 * endless one has none.
 */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly delivery?: Delivery;
  /** Called when the client did not get the whole answer. */
  readonly lost?: () => void;
}

/** Thrown anywhere in a vendor's module to answer at once and do nothing else. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

/** One address and what answers there. */
export interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** `parts` are the groups that `path` captured. */
  handle(call: Call, parts: readonly string[]): Promise<Answer> | Answer;
}

type ExtraHeaders = Readonly<Record<string, string>>;

/** An answer with any status and a body of JSON. */
export function jsonAnswer(status: number, value: unknown, headers: ExtraHeaders = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** A success with a body of any type. */
export function bytesAnswer(contentType: string, body: Buffer, headers: ExtraHeaders = {}): Answer {
  return { status: 200, headers: { 'content-type': contentType, ...headers }, body };
}

/** The kind of page that a proxy in front of a vendor answers with. */
export function htmlAnswer(status: number, title: string, headers: ExtraHeaders = {}): Answer {
  const page =
    `<!DOCTYPE html>\n<html>\n<head><title>${status} ${title}</title></head>\n` +
    `<body>\n<center><h1>${status} ${title}</h1></center>\n<hr><center>sandbox</center>\n</body>\n</html>\n`;
  return { status, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body: Buffer.from(page) };
}

/** The token of `Authorization: Bearer …`, or null. */
export function bearerOf(call: Call): string | null {
  return /^Bearer +(\S+) *$/i.exec(call.headers.authorization ?? '')?.[1] ?? null;
}

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object, and neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The body as a JSON object, or null when it is anything else. */
export function jsonObject(body: Buffer): JsonObject | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Bytes of an oversized body that are read and thrown away before the connection is given up. */
const DISCARDED_BYTES_MAX = 256 * 1024 * 1024;

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > DISCARDED_BYTES_MAX) break;
  }
  return bytes > bytesMax ? null : Buffer.concat(chunks);
}

/** Reads what a request says; throws URIError for a path that cannot be decoded. */
export function callOf(request: IncomingMessage, response: ServerResponse, closing: AbortSignal): Call {
  const url = new URL(request.url ?? '/', 'http://sandbox');
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort();
  });
  return {
    method: request.method ?? 'GET',
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: request.headers,
    gone: AbortSignal.any([left.signal, closing]),
    body: (bytesMax) => readBody(request, bytesMax),
  };
}

const DRIPS = 20;

async function drip(response: ServerResponse, body: Buffer, ms: number, gone: AbortSignal): Promise<void> {
  const step = Math.max(1, Math.ceil(body.length / DRIPS));
  for (let from = 0; from < body.length; from += step) {
    response.write(body.subarray(from, from + step));
    await sleep(ms / DRIPS, undefined, { signal: gone });
  }
  response.end();
}

/** Time between two drops of a body that never ends: short enough that no client takes the connection for dead. */
const TRICKLE_MS = 50;

/** The body over and over, a drop at a time, for as long as somebody listens. */
async function trickle(response: ServerResponse, body: Buffer, gone: AbortSignal): Promise<void> {
  const step = Math.max(1, Math.ceil(body.length / DRIPS));
  for (let from = 0; ; from = from + step < body.length ? from + step : 0) {
    const taken = response.write(body.length > 0 ? body.subarray(from, from + step) : ' ');
    // What a client does not read must not pile up here for ever.
    if (!taken) await once(response, 'drain', { signal: gone });
    await sleep(TRICKLE_MS, undefined, { signal: gone });
  }
}

/** Sends an answer the way its delivery says. Rejects with an AbortError when the client goes away during a wait. */
export async function send(response: ServerResponse, answer: Answer, gone: AbortSignal): Promise<void> {
  const { status, headers, body, delivery, lost } = answer;
  if (lost) {
    if (response.destroyed) lost();
    else response.once('close', () => response.writableFinished || lost());
  }
  if (delivery?.kind === 'never') return;
  if (delivery?.kind === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (delivery?.kind === 'late') await sleep(delivery.ms, undefined, { signal: gone });
  if (delivery?.kind === 'endless') {
    response.writeHead(status, headers);
    await trickle(response, body, gone);
    return;
  }
  response.writeHead(status, { ...headers, 'content-length': String(body.length) });
  if (delivery?.kind === 'dripped') {
    response.flushHeaders();
    await drip(response, body, delivery.ms, gone);
  } else if (delivery?.kind === 'cut-halfway') {
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.destroy());
  } else {
    response.end(body);
  }
}
