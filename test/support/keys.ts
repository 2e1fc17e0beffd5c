import type { RootOperationNode } from 'kysely';
import { expect } from 'vitest';
import type { TestGateway } from './gateway.ts';

/** Whether a statement only notes when keys were last used: that is written beside the requests, at no moment that a test could know. */
export function notesUses(node: RootOperationNode): boolean {
  return node.kind === 'RawNode' && node.sqlFragments.some((text) => text.includes('update api_keys set last_used_at'));
}

export interface TestKey {
  readonly id: string;
  readonly secret: string;
}

/** Issues a key for an account through the operator's mutation. */
export async function keyFor(
  gateway: TestGateway,
  account: string,
  scopes: readonly string[],
  expiresAt: Date | null = null,
): Promise<TestKey> {
  const { data, errors } = await gateway.ask<{ createApiKey: { secret: string; key: { id: string } } }>(
    'OPERATOR',
    `mutation ($account: ID!, $scopes: [ApiKeyScope!]!, $expiresAt: DateTime) {
      createApiKey(account: $account, label: "a key", scopes: $scopes, expiresAt: $expiresAt) { secret key { id } } }`,
    { account, scopes, expiresAt },
  );
  expect(errors).toBeUndefined();
  if (!data) throw new Error('no key was issued');
  return { id: data.createApiKey.key.id, secret: data.createApiKey.secret };
}
