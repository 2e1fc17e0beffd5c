import { DomainError } from '../../src/errors.ts';

/** What a caller is told about a wish that nobody may have: the field, the value and the limit. */
export function badInputOf(run: () => unknown): { code: string; field: unknown; value: unknown; limit: unknown } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { field, value, limit } = error.details;
    return { code: error.code, field, value, limit };
  }
  throw new Error('it was accepted');
}
