/** Longest wait that a vendor can ask of us; a route that far away is closed by its breaker anyway. */
export const RETRY_AFTER_SECONDS_MAX = 3_600;

/** Whole seconds, rounded up, never above {@link RETRY_AFTER_SECONDS_MAX}; null for what is not a waiting time. */
export function cappedRetryAfter(seconds: number): number | null {
  if (!Number.isFinite(seconds) || seconds < 0) return null;
  return Math.min(Math.ceil(seconds), RETRY_AFTER_SECONDS_MAX);
}

/**
 * Seconds to wait by a Retry-After header (RFC 9110, 10.2.3): a number of seconds, or a date. A date is measured from
 * the Date header of the same answer, so that a vendor's clock is only compared with itself. Null for anything else.
 */
export function retryAfterOf(headers: Readonly<Record<string, string>>): number | null {
  const text = headers['retry-after']?.trim();
  if (text === undefined) return null;
  if (/^\d+$/.test(text)) return cappedRetryAfter(Number(text));
  // Only the one format that senders must write; Date.parse alone takes nearly anything for a date.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return null;
  const { date: sentAt = '' } = headers;
  return cappedRetryAfter(Math.max(0, (Date.parse(text) - Date.parse(sentAt)) / 1_000));
}
