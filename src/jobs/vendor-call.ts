import type { FinishedPicture } from '../assets/asset.ts';
import { type FinishedType, finishPicture, PictureError } from '../assets/pictures.ts';
import type { ProviderName, Route } from '../catalog/models.ts';
import type { Size } from '../catalog/sizes.ts';
import { crashPoint } from '../platform/crash-points.ts';
import { whileDatabaseReturns } from '../platform/database-errors.ts';
import type { Order, Provider, Ticket } from '../providers/provider.ts';
import type { Providers } from '../providers/registry.ts';
import type { Judged } from '../routing/circuit.ts';
import { type EndedCall, verdictOf } from '../routing/verdict.ts';
import { callPatienceMs } from './patience.ts';
import { type PollParts, pollVendor } from './vendor-poll.ts';
import { withoutPrompt } from './without-prompt.ts';

/** How a call ended for the image: a picture that came has been looked at, and cut to what was asked. */
export type CallEnd =
  | Exclude<EndedCall, { kind: 'delivered' }>
  | { readonly kind: 'delivered'; readonly picture: FinishedPicture; readonly seed: number | null };

export interface VendorCallParts extends PollParts {
  readonly providers: Providers;
  /** Whether the gateway is set up to reach a route. */
  readonly serves: (route: Route) => boolean;
  /** Calls have so much of their usual time: 1, or less in tests with vendors that never answer. */
  readonly patience: number;
  /** Where a vendor can report to us; null where it cannot reach us. */
  readonly reportTo: (provider: ProviderName, attemptId: string) => string | null;
}

export interface VendorCall {
  readonly attemptId: string;
  readonly route: Route;
  /** The size that the vendor should answer with, where that is known, and the exact size that is cut from it. */
  readonly ordered: Size | null;
  readonly size: Size;
  readonly contentType: FinishedType;
  /** The size of all that the answer shows, of which `size` is the middle; null where it is cut to that shape. */
  readonly frame: Size | null;
  /** Whether black all over can be what was asked for. */
  readonly mayBeBlack: boolean;
  /** The customer's own words, which are not to be repeated. */
  readonly words: readonly string[];
  readonly signal: AbortSignal;
}

/** However long nobody could ask for a picture, it may be there by now: so long it is asked for in any case. */
const RESUMED_MS_MIN = 30_000;

/** Orders a picture and waits for it, `msMax` at most and never longer than the route's own patience. */
export async function orderPicture(
  parts: VendorCallParts,
  call: VendorCall & { readonly order: Order; readonly msMax: number },
): Promise<Judged<CallEnd>> {
  const { attemptId, route, order, signal } = call;
  const provider = providerOf(parts, route);
  const timeoutMs = Math.ceil(Math.min(call.msMax, callPatienceMs(route) * parts.patience));
  const until = new Date(parts.clock.now().getTime() + timeoutMs);
  const reportTo = provider.webhooks && parts.reportTo(route.model.provider, attemptId);
  const outcome = await provider.submit(order, { signal, timeoutMs, reportTo });
  crashPoint('order-answered');
  if (outcome.kind !== 'accepted') return judged(call, afterAbort(outcome, signal));
  const { ticket, pollAfterMs: firstAfterMs } = outcome;
  // Without the id nobody could ever ask for what has just been bought.
  await whileDatabaseReturns(() => parts.attempts.accept(attemptId, ticket.vendorId));
  crashPoint('order-accepted');
  const poll = { attemptId, provider, ticket, firstAfterMs, until, signal, reports: reportTo !== null };
  return judged(call, await pollVendor(parts, poll));
}

/** Goes on waiting for a picture that an earlier process ordered. */
export async function awaitPicture(
  parts: VendorCallParts,
  call: VendorCall & { readonly vendorId: string; readonly startedAt: Date },
): Promise<Judged<CallEnd>> {
  const { attemptId, route, vendorId, startedAt, signal } = call;
  const provider = providerOf(parts, route);
  const ticket: Ticket = { host: route.host.name, vendorModel: route.host.vendorModel, vendorId };
  const until = Math.max(
    startedAt.getTime() + callPatienceMs(route) * parts.patience,
    parts.clock.now().getTime() + RESUMED_MS_MIN * parts.patience,
  );
  const reports = provider.webhooks !== null && parts.reportTo(route.model.provider, attemptId) !== null;
  const poll = { attemptId, provider, ticket, firstAfterMs: 0, until: new Date(until), signal, reports };
  return judged(call, await pollVendor(parts, poll));
}

function providerOf({ providers }: VendorCallParts, route: Route): Provider {
  const provider = providers[route.model.provider];
  if (!provider) throw new Error(`${route.id} was chosen although its provider is off`);
  return provider;
}

/** A call that we cut off ourselves says nothing about the vendor; one that was refused before that does. */
function afterAbort(outcome: EndedCall, signal: AbortSignal): EndedCall {
  return signal.aborted && outcome.kind === 'unknown' ? { kind: 'cut' } : outcome;
}

async function judged(call: VendorCall, ended: EndedCall): Promise<Judged<CallEnd>> {
  const result =
    ended.kind === 'delivered'
      ? await examined(call, ended.picture, ended.seed)
      : 'message' in ended
        ? { ...ended, message: call.words.reduce(withoutPrompt, ended.message) }
        : ended;
  return { result, verdict: verdictOf(result) };
}

async function examined(call: VendorCall, bytes: Buffer, seed: number | null): Promise<CallEnd> {
  const { size, ...finish } = call;
  try {
    return { kind: 'delivered', picture: await finishPicture(bytes, size, finish), seed };
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    // A vendor's moderation that leaves no other mark than a picture that is black all over.
    return error.reason === 'BLACK'
      ? { kind: 'moderated', message: 'It came black all over.', billed: true }
      : { kind: 'broken', message: error.message };
  }
}
