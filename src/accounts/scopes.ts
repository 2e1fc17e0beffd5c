import { DomainError } from '../errors.ts';

/** What a key may be used for. */
export const API_KEY_SCOPES = ['ESTIMATE', 'RUN', 'LIBRARY', 'OPERATOR'] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

/** Everything that a customer's key can be used for. */
export const CUSTOMER_SCOPES: readonly ApiKeyScope[] = ['ESTIMATE', 'RUN', 'LIBRARY'];

/** The key that was sent has none of these scopes. The first of them is the one to ask for. */
export function scopeMissing(accepted: readonly ApiKeyScope[]): DomainError {
  const [requiredScope] = accepted;
  return new DomainError(
    'FORBIDDEN',
    `This API key does not have the scope ${accepted.join(' or ')}, which this needs. Send a key that has it, or ask an operator for one. Nothing was run, nothing was changed and nothing was charged.`,
    { requiredScope, acceptedScopes: accepted },
  );
}
