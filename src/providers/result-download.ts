import { OutboundError } from '../platform/outbound-error.ts';
import { outcomeOfPicture, pendingAfterTrouble } from './outcome.ts';
import type { Broken, Delivered, Pending } from './provider.ts';
import { retryAfterOf } from './retry-after.ts';
import type { VendorApi } from './vendor-api.ts';

/**
 * Brings the picture of a finished job from the address the vendor gave. It is drawn and paid for, so trouble on the
 * way only means to ask again; an address that we do not call, or that has no picture, will not get better.
 */
export async function fetchResult(
  api: VendorApi,
  url: string,
  seed: number | null,
  signal: AbortSignal,
): Promise<Delivered | Broken | Pending> {
  const answer = await api.download(url, signal);
  if (answer instanceof OutboundError) {
    const hopeless = answer.kind === 'refused' || answer.reason === 'too-large';
    return hopeless ? { kind: 'broken', message: `the result: ${answer.message}` } : pendingAfterTrouble(null);
  }
  const { status } = answer;
  if (status === 200) return outcomeOfPicture(answer.body, seed, () => `the result: ${api.describe(answer)}`);
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return pendingAfterTrouble(retryAfterOf(answer.headers));
  }
  return { kind: 'broken', message: `the result: ${api.describe(answer)}` };
}
