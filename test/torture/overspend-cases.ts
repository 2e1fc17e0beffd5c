import { sql } from 'kysely';
import type { NewAccount, Operator } from './operator.ts';

/** One way in which an account may spend too much, with what is just allowed. */
export interface OverspendCase {
  readonly name: string;
  /** So many of the submissions must be accepted, and no other. */
  readonly fits: number;
  readonly account: NewAccount;
  /** What is submitted again and again: a vendor that takes orders at once and draws later, so that no kill leaves a doubt. */
  readonly input: Readonly<Record<string, unknown>>;
  prepare(operator: Operator, accountId: string): Promise<void>;
  /** What the operator does in the middle of it, if anything. */
  readonly meanwhile?: (operator: Operator, accountId: string) => Promise<void>;
}

const ROOMY = { submissionsPerMinute: 1_000_000, runningJobs: 1_000 };
const FREE_CREDITS = 25;
const BASIC_CREDITS = 300;
const OPEN_A_RUNNING_JOB = 20;
const nothing = async () => undefined;

const qwen = (side: number) => ({ prompt: 'a crowd', model: 'wavespeed/qwen-image', width: side, height: side });
const ONE_CREDIT = qwen(256);
const TWO_CREDITS = qwen(1_024);

/** @throws when so few fit that one of the cases cannot be made of whole jobs. */
export function overspendCases(fits: number): OverspendCase[] {
  if (fits % OPEN_A_RUNNING_JOB !== 0) throw new Error(`what fits must be a multiple of ${OPEN_A_RUNNING_JOB}`);
  return [
    {
      name: 'balance',
      fits,
      account: { tier: 'FREE', limits: ROOMY },
      input: TWO_CREDITS,
      prepare: (operator, id) => operator.grant(id, 2 * fits - FREE_CREDITS),
    },
    {
      name: 'free allowance',
      fits,
      account: { tier: 'ENTERPRISE', limits: ROOMY, spendCap: 0 },
      input: { prompt: 'a crowd', provider: 'HUGGINGFACE', width: 256, height: 256 },
      prepare: (operator) =>
        operator.publish(({ tiers }) => ({
          tiers: { ...tiers, ENTERPRISE: { ...tiers.ENTERPRISE, freeImages: { huggingface: fits, gemini: 0 } } },
        })),
    },
    {
      name: 'spend cap',
      fits,
      account: { tier: 'ENTERPRISE', limits: ROOMY, spendCap: fits },
      input: ONE_CREDIT,
      prepare: nothing,
    },
    {
      name: 'open jobs',
      fits,
      account: { tier: 'ENTERPRISE', limits: { ...ROOMY, runningJobs: fits / OPEN_A_RUNNING_JOB } },
      input: ONE_CREDIT,
      prepare: nothing,
    },
    upgradeCase(fits),
  ];
}

/** What FREE has left over from whole jobs counts together with what BASIC adds. */
function upgradeCase(fits: number): OverspendCase {
  const { input, credits } =
    fits >= 100
      ? { input: { ...ONE_CREDIT, count: 3 }, credits: 3 }
      : { input: { ...TWO_CREDITS, count: 4 }, credits: 8 };
  return {
    name: 'upgrade meanwhile',
    fits: Math.floor(BASIC_CREDITS / credits),
    account: { tier: 'FREE', limits: ROOMY },
    input,
    prepare: nothing,
    meanwhile: (operator, id) => operator.setTier(id, 'BASIC'),
  };
}

/** How an account stands: what it has accepted, and what of it has ended, which makes room for more. */
export const standing = (accountId: string) => sql<{ accepted: number; ended: number; keys: number }>`
  select count(*)::int as accepted, count(*) filter (where status not in ('QUEUED', 'RUNNING'))::int as ended,
    (select count(*)::int from idempotency_keys where account_id = ${accountId}) as keys
  from jobs where account_id = ${accountId}`;
