import type { Viewer } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.service.ts';
import { DomainError } from '../errors.ts';

/** Who sent this Authorization header. @throws UNAUTHENTICATED for one that is not a working key. */
export async function authenticate(accounts: Accounts, header: string): Promise<Viewer> {
  const [scheme, secret, ...rest] = header.split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || !secret || rest.length > 0)
    throw new DomainError('UNAUTHENTICATED', 'The Authorization header must be "Bearer <key>".');
  return accounts.authenticate(secret);
}
