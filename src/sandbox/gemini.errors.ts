import type { Refuse } from './damage.ts';
import { type Answer, htmlAnswer, type JsonObject, jsonAnswer, Refusal } from './exchange.ts';
import type { Order } from './order.ts';
import type { Counter } from './orders.ts';

/** The canonical names of the errors, by HTTP status. */
const ERRORS: Readonly<Record<number, readonly [status: string, message: string]>> = {
  400: ['INVALID_ARGUMENT', 'Request contains an invalid argument.'],
  401: ['UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  402: ['FAILED_PRECONDITION', 'Billing is not enabled for this project.'],
  403: ['PERMISSION_DENIED', 'The caller does not have permission.'],
  404: ['NOT_FOUND', 'Requested entity was not found.'],
  410: ['NOT_FOUND', 'Requested entity is gone.'],
  413: ['INVALID_ARGUMENT', 'Request payload size exceeds the limit: 20971520 bytes.'],
  422: ['INVALID_ARGUMENT', 'Request cannot be processed.'],
  500: ['INTERNAL', 'An internal error has occurred. Please retry.'],
  503: ['UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  504: ['DEADLINE_EXCEEDED', 'The request timed out. Please try again.'],
};

const QUOTA_EXCEEDED = [
  'RESOURCE_EXHAUSTED',
  'You exceeded your current quota, please check your plan and billing details.',
] as const;

/** An error in the shape that all of this vendor's APIs share. */
export function failure(code: number, status: string, message: string, details?: readonly JsonObject[]): Answer {
  return jsonAnswer(code, { error: { code, message, status, ...(details && { details }) } });
}

/** What the types of the details of errors begin with. */
export const TYPE = 'type.googleapis.com/google.rpc.';

interface Quota {
  readonly id: string;
  readonly value: string;
}

const PER_MINUTE: Quota = { id: 'GenerateRequestsPerMinutePerProjectPerModel', value: '20' };
const PER_DAY: Quota = { id: 'GenerateRequestsPerDayPerProjectPerModel', value: '250' };
/** What a project has that nobody pays for: a quota that no waiting fills. */
const NONE: Quota = { id: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', value: '0' };

/** A quota that ran out comes with what it was and, where waiting helps, how long to wait, all in the body. */
function quotaDetails({ id, value }: Quota, retryAfter: string | null): readonly JsonObject[] {
  const violation = {
    quotaMetric: 'generativelanguage.googleapis.com/generate_content_paid_tier_requests',
    quotaId: id,
    quotaDimensions: { location: 'global', model: 'gemini-nano-banana-2.1' },
    quotaValue: value,
  };
  const links = [{ description: 'Learn more about quotas', url: 'https://ai.google.dev/gemini-api/docs/rate-limits' }];
  return [
    { '@type': `${TYPE}QuotaFailure`, violations: [violation] },
    { '@type': `${TYPE}Help`, links },
    ...(retryAfter === null ? [] : [{ '@type': `${TYPE}RetryInfo`, retryDelay: `${retryAfter}s` }]),
  ];
}

function outOf(quota: Quota, retryAfter: string | null): Answer {
  const [status, message] = QUOTA_EXCEEDED;
  return failure(429, status, message, quotaDetails(quota, retryAfter));
}

/** What the vendor says with an error status. */
export const refuse: Refuse = (status, retryAfter) => {
  if (status === 429) return outOf(PER_MINUTE, retryAfter);
  const error = ERRORS[status];
  return error ? failure(status, ...error) : htmlAnswer(status, 'Server Error');
};

/** This vendor knows no empty account: what is not paid for is a quota of nothing, and looks like any other. */
export const SPECIAL_REFUSALS: NonNullable<Counter<Order>['special']> = {
  'no-funds': () => outOf(NONE, '41'),
  'daily-quota': ({ retryAfter }) => outOf(PER_DAY, retryAfter ?? '41'),
};

/** A request that is not in order. */
export function invalid(message: string): Refusal {
  return new Refusal(failure(400, 'INVALID_ARGUMENT', message));
}
