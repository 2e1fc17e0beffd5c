import type { Answer } from '../../platform/outbound-exchange.ts';
import { outcomeOfStatus, rejected } from '../outcome.ts';
import type { SubmitOutcome } from '../provider.ts';
import { cappedRetryAfter, RETRY_AFTER_SECONDS_MAX, retryAfterOf } from '../retry-after.ts';
import { readJson } from '../vendor-api.ts';
import { type GoogleErrorDetail, googleError } from './google-refusal.wire.ts';

/** What an answer of a Google API other than 200 means. `message` is what it says, for a log. */
export function outcomeOfGoogleRefusal(answer: Answer, message: string): SubmitOutcome {
  const details = readJson(googleError, answer.body)?.error.details ?? [];
  // A wrong key is called a bad request here.
  if (answer.status === 400 && details.some(({ reason }) => reason === 'API_KEY_INVALID')) {
    return rejected('AUTHENTICATION', message);
  }
  // Our paths are fixed, so what is not found can only be the model: it has been shut down.
  if (answer.status === 404) return rejected('MODEL_RETIRED', message);
  if (answer.status === 429) return outcomeOfQuota(details, message, retryAfterOf(answer.headers));
  return outcomeOfStatus(answer, message);
}

/**
 * Quotas are counted by project and model. A daily one does not come back when the answer says, and one of zero never
 * does: that project is not billed.
 */
function outcomeOfQuota(
  details: readonly GoogleErrorDetail[],
  message: string,
  retryAfterSeconds: number | null,
): SubmitOutcome {
  const violations = details.flatMap((detail) => detail.violations ?? []);
  if (violations.some(({ quotaValue }) => quotaValue === '0')) return rejected('OUT_OF_FUNDS', message, null, 'MODEL');
  if (violations.some(({ quotaId }) => quotaId?.includes('PerDay'))) {
    return rejected('RATE_LIMITED', message, RETRY_AFTER_SECONDS_MAX, 'MODEL');
  }
  const delay = /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(details.find(({ retryDelay }) => retryDelay)?.retryDelay ?? '')?.[1];
  const seconds = delay === undefined ? retryAfterSeconds : cappedRetryAfter(Number(delay));
  return rejected('RATE_LIMITED', message, seconds, 'MODEL');
}
