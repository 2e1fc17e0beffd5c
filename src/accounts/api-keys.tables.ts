import type { ApiKeyScope } from './scopes.ts';

export type ApiKeyRow = {
  id: string;
  account_id: string;
  hash: string;
  label: string;
  scopes: readonly ApiKeyScope[];
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  replaced_by: string | null;
};

export type ApiKeyTables = { api_keys: ApiKeyRow };
