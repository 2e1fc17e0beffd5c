import type { PricePartsFragment, RefusalPartsFragment, ResultPartsFragment } from './generated/graphql.ts';

export function buttonOf({ credits, preflight }: PricePartsFragment): string {
  if (credits === null || credits === undefined) return 'No price';
  return preflight.ok ? `Generate for ${credits} credits` : `${credits} credits: ${preflight.refusals.map(figuresOf)}`;
}

const until = (time: string | null | undefined) => (time ? ` until ${time.slice(0, 10)}` : '');
const area = (size: { width: number; height: number } | null | undefined) =>
  size ? `${size.width}x${size.height}` : 'unknown';

/** Every figure of a refusal. A kind of refusal that is not named here does not compile. */
export function figuresOf(refusal: RefusalPartsFragment): string {
  switch (refusal.__typename) {
    case 'CapExceeded':
      return `${refusal.cap}: ${refusal.required} more than ${refusal.spent} of ${refusal.creditsLimit}${until(refusal.resetsAt)}`;
    case 'InsufficientCredits':
      return `needs ${refusal.required}, has ${refusal.available}, ${refusal.short} short${until(refusal.resetsAt)}`;
    case 'ModelRetired':
      return `${refusal.model} since ${refusal.since}, use ${refusal.replacedBy}`;
    case 'ProviderUnavailable':
      return `${refusal.provider ?? 'every provider'} is away${until(refusal.retryAt)}`;
    case 'QuoteInvalid':
      return `quote: ${refusal.reason}`;
    case 'RateLimited':
      return `${refusal.limit} a minute${until(refusal.resetsAt)}`;
    case 'StorageFull':
      return `${refusal.usedBytes} of ${refusal.bytesLimit} bytes, ${refusal.requiredTier ?? 'no tier'} has more`;
    case 'TierTooLow':
      return `${refusal.feature} needs ${refusal.requiredTier ?? 'no tier'}, not ${refusal.tier}`;
    case 'TooManyImages':
      return `${refusal.requested} of ${refusal.limit} images, ${refusal.requiredTier ?? 'no tier'} has more`;
    case 'TooManyJobs':
      return `${refusal.open} of ${refusal.limit} jobs`;
    case 'Unpriced':
      return `${refusal.operation} in price book ${refusal.priceVersion}`;
    case 'UnsupportedOption':
      return `${refusal.option} ${refusal.value}, instead ${refusal.supported.join(' or ')}`;
    case 'UnsupportedSize':
      return `${area(refusal.requestedSize)}, instead ${refusal.allowed}`;
    case 'UnsupportedSource':
      return `${area(refusal.source)}, instead ${refusal.allowed}, such as ${area(refusal.fits)}`;
  }
}

/** What a page says to a submission. A kind of result that is not named here does not compile. */
export function outcomeOf(result: ResultPartsFragment): string {
  switch (result.__typename) {
    case 'Submission':
      return result.replayed ? 'already on its way' : 'on its way';
    case 'Reused':
      return `${result.assets.length} from the library`;
    case 'Refused':
      return `refused: ${result.refusals.map(figuresOf).join('; ')}`;
  }
}
