import type { Generated } from 'kysely';
import type { Bucket, LedgerKind } from './balance.ts';

export type BalanceRow = {
  account_id: string;
  monthly: bigint;
  topup: bigint;
  owed: bigint;
  held: bigint;
  captured: bigint;
  expired: bigint;
  issued: bigint;
  postpaid: boolean;
  anchor_at: Date;
  period_starts_at: Date;
  period_ends_at: Date;
  spent: bigint;
  spend_cap: bigint | null;
  open_holds: number;
  held_from_monthly: bigint;
};

export type HoldRow = {
  id: string;
  account_id: string;
  job_id: string;
  amount: bigint;
  from_monthly: bigint;
  from_topup: bigint;
  from_owed: bigint;
  /** Images by provider. */
  free_images: Readonly<Record<string, number>>;
  budget_id: string | null;
  period_starts_at: Date;
  price_version: number;
  created_at: Date;
  captured: bigint | null;
  settled_at: Date | null;
};

export type CreditTables = {
  credit_balances: BalanceRow;
  credit_allowances: { account_id: string; provider: string; period_starts_at: Date; used: number };
  credit_holds: HoldRow;
  ledger_transactions: {
    id: string;
    position: Generated<bigint>;
    account_id: string;
    kind: LedgerKind;
    reason: string;
    hold_id: string | null;
    job_id: string | null;
    price_version: number | null;
    created_at: Date;
  };
  ledger_entries: {
    transaction_id: string;
    sequence: number;
    account_id: string;
    bucket: Bucket;
    amount: bigint;
    balance_after: bigint;
    image_id: string | null;
  };
};
