import type { OutboundError } from '../platform/outbound-error.ts';
import type { Answer } from '../platform/outbound-exchange.ts';
import { POLL_AFTER_TROUBLE_MS } from './call-limits.ts';
import { pictureFormat } from './picture-format.ts';
import type { Broken, Delivered, Pending, Rejected, RejectionReason, RejectionScope, Unknown } from './provider.ts';
import { retryAfterOf } from './retry-after.ts';

/** Keys, funds, quotas and networks are those of a whole host, unless the vendor says otherwise. */
const SCOPES: Readonly<Record<RejectionReason, RejectionScope>> = {
  BAD_REQUEST: 'REQUEST',
  TOO_LARGE: 'REQUEST',
  NOT_FOUND: 'MODEL',
  MODEL_RETIRED: 'MODEL',
  FORBIDDEN: 'MODEL',
  NOT_READY: 'MODEL',
  AUTHENTICATION: 'HOST',
  OUT_OF_FUNDS: 'HOST',
  RATE_LIMITED: 'HOST',
  UNREACHABLE: 'HOST',
};

export function rejected(
  reason: RejectionReason,
  message: string,
  retryAfterSeconds: number | null = null,
  scope: RejectionScope = SCOPES[reason],
): Rejected {
  return { kind: 'rejected', reason, scope, message, retryAfterSeconds };
}

/** A call that brought no answer: rejected where it provably never left, else unknown. */
export function outcomeOfError(error: OutboundError): Rejected | Unknown {
  if (error.kind === 'maybe-sent') return { kind: 'unknown', message: error.message };
  return rejected('UNREACHABLE', error.message);
}

const REASONS: Readonly<Record<number, RejectionReason>> = {
  401: 'AUTHENTICATION',
  402: 'OUT_OF_FUNDS',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  410: 'MODEL_RETIRED',
  413: 'TOO_LARGE',
  414: 'TOO_LARGE',
  // Too Early: asked again later, the same request may pass.
  425: 'RATE_LIMITED',
  429: 'RATE_LIMITED',
  431: 'TOO_LARGE',
  451: 'FORBIDDEN',
};

/**
 * Statuses of the 400s that do not prove that nothing was bought. 408 means that our request came too slowly, but
 * proxies also say it when the vendor behind them did; 499 means that the work was stopped half-way.
 */
const DOUBTFUL_STATUSES: ReadonlySet<number> = new Set([408, 499]);

/**
 * What an answer other than 200 to an order means. A 4xx refused it: nothing was bought. A 2xx took it but brought no
 * picture. A 5xx, a redirect, or anything unheard of leaves it open.
 */
export function outcomeOfStatus(answer: Answer, message: string): Rejected | Broken | Unknown {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'broken', message };
  if (status < 400 || status >= 500 || DOUBTFUL_STATUSES.has(status)) {
    return { kind: 'unknown', message, retryAfterSeconds: retryAfterOf(answer.headers) };
  }
  return rejected(REASONS[status] ?? 'BAD_REQUEST', message, retryAfterOf(answer.headers));
}

/** A check that told us nothing: asked again later, unless the vendor no longer knows the job. */
export function outcomeOfFailedCheck(answer: Answer, message: string): Pending | Unknown {
  if (answer.status === 404 || answer.status === 410) return { kind: 'unknown', message };
  return pendingAfterTrouble(retryAfterOf(answer.headers));
}

const POLL_AFTER_MS_MAX = 60_000;

export function pendingAfterTrouble(retryAfterSeconds: number | null): Pending {
  const asked = (retryAfterSeconds ?? 0) * 1_000;
  return { kind: 'pending', pollAfterMs: Math.min(Math.max(asked, POLL_AFTER_TROUBLE_MS), POLL_AFTER_MS_MAX) };
}

/** Bytes that came as a picture: delivered if they begin like one, else broken with `message` saying what they are. */
export function outcomeOfPicture(picture: Buffer, seed: number | null, message: () => string): Delivered | Broken {
  if (pictureFormat(picture) === null) return { kind: 'broken', message: message() };
  return { kind: 'delivered', picture, seed };
}

/** The same for a picture inside JSON. `explain` turns what is wrong with it into a message. */
export function outcomeOfBase64(text: string, explain: (what: string) => string): Delivered | Broken {
  const picture = Buffer.from(text, 'base64');
  if (picture.length !== decodedLength(text)) {
    return { kind: 'broken', message: explain('the picture is not valid base64') };
  }
  return outcomeOfPicture(picture, null, () => explain('the bytes sent are not a picture'));
}

/** Node skips what does not belong into base64; then fewer bytes come out than the letters stand for. */
function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor(((base64.length - padding) * 3) / 4);
}
