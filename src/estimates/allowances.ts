import type { ProviderName } from '../catalog/models.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import type { Balance } from '../credits/balance.ts';
import type { Allowed } from '../tiers/tier.ts';

export interface Allowance {
  readonly provider: ProviderName;
  /** Free images a month. */
  readonly limit: number;
  readonly left: number;
}

/** The free allowances of an account in the period of its balance. */
export function allowancesOf(allowed: Allowed, balance: Balance): Allowance[] {
  return (['huggingface', 'gemini'] as const).map((provider) => {
    const limit = allowed.freeImages[provider];
    return { provider, limit, left: Math.max(0, limit - (balance.allowancesUsed[provider] ?? 0)) };
  });
}

/** The allowance that a request uses up first: that of the provider it names. A quality alone names none. */
export function allowanceFor(request: GenerateRequest, allowances: readonly Allowance[]): Allowance | null {
  return allowances.find(({ provider }) => provider === request.provider) ?? null;
}
