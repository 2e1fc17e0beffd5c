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
}

export interface ApiKey {
  readonly id: string;
  readonly accountId: string;
  readonly label: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}
