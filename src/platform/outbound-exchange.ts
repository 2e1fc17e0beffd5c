import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { OutboundError, type OutboundErrorReason } from './outbound-error.ts';
import { GuardRefusal } from './outbound-guard.ts';

export interface Answer {
  readonly status: number;
  /** Names in lower case; repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Limits {
  readonly timeoutMs: number;
  readonly bytesMax: number;
  readonly signal?: AbortSignal;
}

/** One request on its way and its answer coming in. It is told what the connection does, and settles once. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>;
  #resolve: (answer: Answer) => void = () => undefined;
  #reject: (error: OutboundError) => void = () => undefined;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | null = null;
  #settled = false;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #bytes = 0;
  readonly #chunks: Buffer[] = [];

  constructor(
    private readonly host: string,
    private readonly limits: Limits,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#fail('timeout', `no full answer in ${limits.timeoutMs} ms`), limits.timeoutMs);
    limits.signal?.addEventListener('abort', this.#onAbort);
    if (limits.signal?.aborted) this.#onAbort();
  }

  /** Whether the call is over, with an answer or without. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Lets go of the clock and the signal. */
  end(): void {
    clearTimeout(this.#timer);
    this.limits.signal?.removeEventListener('abort', this.#onAbort);
  }

  /** Called with an open connection, right before the first byte is written; aborting here writes none. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) controller.abort(new Error('ended before it was sent'));
    else this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (Number(headers['content-length']) > this.limits.bytesMax) this.#failTooLarge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.limits.bytesMax) this.#failTooLarge();
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#resolve({
      status: this.#status,
      headers: Object.fromEntries(
        Object.entries(this.#headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(', ') : `${value}`,
        ]),
      ),
      body: Buffer.concat(this.#chunks),
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const reason = this.#controller === null ? reasonBeforeSending(error) : this.#reasonAfterSending(error);
    const code = codeOf(error);
    this.#fail(reason, error instanceof GuardRefusal ? error.message : `${reason}${code && ` (${code})`}`, error);
  }

  readonly #onAbort = (): void => this.#fail('aborted', 'the caller ended the call');

  #failTooLarge(): void {
    this.#fail('too-large', `the answer is longer than ${this.limits.bytesMax} bytes`);
  }

  #fail(reason: OutboundErrorReason, what: string, cause?: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks.length = 0;
    const kind = cause instanceof GuardRefusal ? 'refused' : this.#controller === null ? 'not-sent' : 'maybe-sent';
    const error = new OutboundError(kind, reason, `${this.host}: ${what}`, { cause });
    this.#reject(error);
    this.#controller?.abort(error);
  }

  #reasonAfterSending(error: Error): OutboundErrorReason {
    const code = codeOf(error);
    if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return 'closed';
    if (error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW') return 'malformed';
    return this.#status === 0 ? 'reset' : 'truncated';
  }
}

function reasonBeforeSending(error: Error): OutboundErrorReason {
  if (error instanceof GuardRefusal) return error.reason;
  const code = codeOf(error);
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return 'closed';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'dns';
  return /TLS|SSL|CERT|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code) ? 'tls' : 'connect';
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
