/**
 * Errors a caller may see. Everything else that is thrown is a defect: it is masked, logged with its cause and
 * answered with an id.
 */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'IDEMPOTENCY_CONFLICT'
  | 'TOO_MANY_REQUESTS'
  | 'STORAGE_FULL'
  | 'UNAVAILABLE';

/** `message` is written for the caller; `details` become `extensions` of the GraphQL error. */
export class DomainError extends Error {
  override readonly name = 'DomainError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Input that is valid for nobody, at any time: names the field, the value that came and the limit it broke. */
export function badInput(field: string, value: unknown, limit: string): DomainError {
  const shown =
    typeof value === 'string' && value.length > 80 ? `${value.slice(0, 80)}… (${value.length} characters)` : value;
  return new DomainError(
    'BAD_USER_INPUT',
    `${field} is ${JSON.stringify(shown)}, but it must be ${limit}. Nothing was run and nothing was charged.`,
    { field, value: shown, limit },
  );
}

/** The same words whether a thing never existed or belongs to somebody else, so that ids cannot be probed. */
export function notFound(what: string, id: string): DomainError {
  return new DomainError('NOT_FOUND', noSuch(what, id), { field: 'id' });
}

/** The same for what an input names by its id. */
export function unknownReference(what: string, id: string, field: string): DomainError {
  const message = `${field}: ${noSuch(what, id)} Nothing was run and nothing was charged.`;
  return new DomainError('NOT_FOUND', message, { field });
}

function noSuch(what: string, id: string): string {
  return `No ${what} with the id ${JSON.stringify(id.slice(0, 80))} in this account.`;
}

/** More of what takes pictures in than an account may have in a minute. */
export function tooMany(what: string, { limit, resetsAt }: { limit: number; resetsAt: Date }): DomainError {
  return new DomainError(
    'TOO_MANY_REQUESTS',
    `More than ${limit} ${what} in a minute. Nothing was kept and nothing was charged. Try again after ${resetsAt.toISOString()}.`,
    { limit, resetsAt },
  );
}
