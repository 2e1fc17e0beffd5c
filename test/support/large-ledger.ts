import type { Db } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { insertRows } from './large-library.ts';

const SINCE = Date.UTC(2028, 0, 1);
const PRICE = 4_000;

/**
 * Writes jobs of one picture that an account has paid, each with a hold and a capture of two entries, so four entries a
 * job. The account's balance stays as it is: these rows are there to be looked through, not to be audited.
 */
export async function fillJobs(db: Db, accountId: string, jobs: number): Promise<void> {
  const made = Array.from({ length: jobs }, (_, number) => ({
    job: newId('job'),
    hold: newId('hold'),
    at: new Date(SINCE + number * 60_000),
  }));
  const holds = made.map(({ job, hold, at }) => ({
    id: hold,
    account_id: accountId,
    job_id: job,
    amount: PRICE,
    from_monthly: PRICE,
    from_topup: 0,
    from_owed: 0,
    free_images: {},
    period_starts_at: new Date(SINCE),
    price_version: 1,
    created_at: at,
    captured: PRICE,
    settled_at: at,
  }));
  await insertRows(db, 'credit_holds', holds);
  await insertRows(
    db,
    'jobs',
    made.map((each) => jobRow(accountId, each)),
  );
  await insertRows(
    db,
    'job_images',
    made.map(({ job, at }) => imageRow(job, at)),
  );
  await fillLedger(db, accountId, made);
}

interface Made {
  readonly job: string;
  readonly hold: string;
  readonly at: Date;
}

function jobRow(accountId: string, { job, hold, at }: Made) {
  return {
    id: job,
    account_id: accountId,
    operation: 'GENERATE',
    status: 'SUCCEEDED',
    request: {
      operation: 'GENERATE',
      prompt: 'a lighthouse',
      quality: 'STANDARD',
      size: { width: 1_024, height: 1_024 },
      count: 1,
    },
    hold_id: hold,
    price_version: 1,
    credits: PRICE,
    priority: 1,
    running_max: 16,
    created_at: at,
    started_at: at,
    finished_at: at,
    woken_at: at,
  };
}

function imageRow(job: string, at: Date) {
  return {
    id: newId('image'),
    job_id: job,
    index: 0,
    step: 0,
    run: 0,
    status: 'DELIVERED',
    credits: PRICE,
    width: 1_024,
    height: 1_024,
    asset_id: newId('asset'),
    finished_at: at,
  };
}

async function fillLedger(db: Db, accountId: string, made: readonly Made[]): Promise<void> {
  const transactions = made.flatMap(({ job, hold, at }) =>
    (['HOLD', 'CAPTURE'] as const).map((kind) => ({
      id: newId('tx'),
      account_id: accountId,
      kind,
      reason: 'A job',
      hold_id: hold,
      job_id: job,
      price_version: 1,
      created_at: at,
    })),
  );
  await insertRows(db, 'ledger_transactions', transactions);
  const entries = transactions.flatMap(({ id, kind }) => {
    const [from, to] = kind === 'HOLD' ? ['monthly', 'held'] : ['held', 'captured'];
    return [
      { transaction_id: id, sequence: 1, account_id: accountId, bucket: from, amount: -PRICE, balance_after: 0 },
      { transaction_id: id, sequence: 2, account_id: accountId, bucket: to, amount: PRICE, balance_after: PRICE },
    ];
  });
  await insertRows(db, 'ledger_entries', entries);
}
