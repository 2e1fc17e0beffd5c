import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { OutboundError } from './outbound-error.ts';
import { type Answer, Exchange } from './outbound-exchange.ts';
import { type AllowList, checkUrl, GuardRefusal, guardLookup, hostAndPort, parseAllowList } from './outbound-guard.ts';
import { annotate } from './tracing.ts';

/** Longest wait for a connection; a call whose own time is shorter ends earlier. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Idle connections are dropped before the usual server does, so that a call is rarely sent into one just closed. */
const KEEP_ALIVE_MS = 4_000;
/** Calls to one origin beyond this wait for a connection; their own time runs meanwhile. */
const CONNECTIONS_PER_ORIGIN_MAX = 256;
const REDIRECTS_MAX = 3;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | FormData;
  /** From the start to the last byte, however slowly they come. */
  readonly timeoutMs: number;
  /** Longest body taken; a longer one ends the call. */
  readonly bytesMax: number;
  readonly signal?: AbortSignal;
}

/**
 * The one HTTP client for everything that leaves the house. It calls public https addresses and the pairs of its
 * allow-list, and nothing else. It never repeats a call, never follows a redirect by itself and never unpacks a body, so
 * that one call is at most one request and `bytesMax` is what came over the wire.
 */
export class Outbound {
  readonly #allow: AllowList;
  readonly #agent: Agent;

  /** `allow`: `host:port` pairs called although private or plain http. `lookup`: how names are resolved. */
  constructor(options: { readonly allow: readonly string[]; readonly lookup?: LookupFunction }) {
    this.#allow = parseAllowList(options.allow);
    this.#agent = new Agent({
      connect: guardedConnector(this.#allow, options.lookup ?? systemLookup),
      connections: CONNECTIONS_PER_ORIGIN_MAX,
      pipelining: 1,
      // HTTP/2 would put many calls on one connection, where one reset makes all of them doubtful.
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Both are idle time-outs, which a slow trickle keeps alive for ever; each call has its own total instead.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * Sends one request and reads its whole answer, whatever its status.
   * @throws OutboundError, whose `kind` says whether the request can have reached the other side.
   */
  async send(request: OutboundRequest): Promise<Answer> {
    const url = this.#checked(request.url);
    const { body, contentType } = await encoded(request.body);
    const exchange = new Exchange(hostAndPort(url), request);
    try {
      // A caller that has already given up must not even open a connection.
      if (exchange.settled) return await exchange.answer;
      this.#agent.dispatch(
        {
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers: {
            'user-agent': 'image-studio-gateway',
            'accept-encoding': 'identity',
            ...contentType,
            ...request.headers,
          },
          body,
        },
        exchange,
      );
      const answer = await exchange.answer;
      annotate({ 'http.response.status_code': answer.status });
      return answer;
    } finally {
      exchange.end();
    }
  }

  /**
   * Fetches what a URL points at, following at most three redirects. Every hop is checked like the first, and none
   * carries a credential, because there is no way to give one.
   * @throws OutboundError
   */
  async download(
    url: string,
    limits: { readonly timeoutMs: number; readonly bytesMax: number; readonly signal?: AbortSignal },
  ): Promise<Answer> {
    const endsAt = performance.now() + limits.timeoutMs;
    let target = url;
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
      const timeoutMs = Math.max(1, endsAt - performance.now());
      const answer = await this.send({ ...limits, method: 'GET', url: target, timeoutMs });
      if (!REDIRECT_STATUSES.has(answer.status)) return answer;
      const { location } = answer.headers;
      const next = location === undefined ? null : URL.parse(location, target);
      if (!next) throw new OutboundError('refused', 'redirect', `${new URL(target).host} redirects to nowhere`);
      target = next.href;
    }
    throw new OutboundError('refused', 'redirect', `more than ${REDIRECTS_MAX} redirects`);
  }

  /** Ends every call under way and closes every connection. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #checked(url: string): URL {
    try {
      return checkUrl(url, this.#allow);
    } catch (error) {
      if (error instanceof GuardRefusal) throw new OutboundError('refused', error.reason, error.message);
      throw error;
    }
  }
}

/** Opens sockets: straight to listed pairs, and through the guarded lookup to everything else. */
function guardedConnector(allow: AllowList, lookup: LookupFunction): buildConnector.connector {
  const options = { timeout: CONNECT_TIMEOUT_MS, allowH2: false };
  const toListed = buildConnector({ ...options, lookup });
  const toPublic = buildConnector({ ...options, lookup: guardLookup(lookup) });
  return (target, callback) => {
    const url = new URL(`${target.protocol}//${target.host ?? target.hostname}`);
    const connect = allow.has(hostAndPort(url)) ? toListed : toPublic;
    return connect(target, callback);
  };
}

/** A form is written out at once: its length is then known, and no vendor's front has to take a chunked upload. */
async function encoded(
  body: OutboundRequest['body'],
): Promise<{ body: string | Buffer | null; contentType: Readonly<Record<string, string>> }> {
  if (!(body instanceof FormData)) return { body: body ?? null, contentType: {} };
  const form = new Response(body);
  const bytes = Buffer.from(await form.arrayBuffer());
  return { body: bytes, contentType: { 'content-type': form.headers.get('content-type') ?? 'multipart/form-data' } };
}
