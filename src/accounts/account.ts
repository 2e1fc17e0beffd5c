import type { ApiKeyScope } from './scopes.ts';

export type Role = 'CUSTOMER' | 'OPERATOR';

/** Limits that an operator set for one account; what is absent comes from its tier. */
export interface LimitOverrides {
  readonly submissionsPerMinute?: number;
  readonly runningJobs?: number;
  readonly imagesPerOperation?: number;
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** The tier's name; what it allows stands in the price book. */
  readonly tier: string;
  /** A lower tier that begins with the next period, or null. */
  readonly nextTier: string | null;
  readonly limits: LimitOverrides;
  readonly createdAt: Date;
}

/** Who is asking: an account, by one of its keys. */
export interface Viewer extends Account {
  readonly keyId: string;
  readonly scopes: readonly ApiKeyScope[];
  /** When the key stops working; null for never. Whoever keeps a viewer compares it with the clock. */
  readonly keyExpiresAt: Date | null;
}
