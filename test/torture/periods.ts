import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../src/platform/database.ts';
import { type Api, Unanswered } from './api.ts';
import type { Account } from './customers.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';
import type { Tally } from './tally.ts';

/**
 * Makes an account one whose period is just over, as if it had been opened a month ago: the anchor, the period and all that
 * was taken in it move together. Only for an account that nobody changes at this moment.
 */
export async function endPeriod(db: Db, accountId: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // Holds before the balance, in the order in which a settlement locks them.
    await sql`select id from credit_holds where account_id = ${accountId} order by id for update`.execute(tx);
    const { rows } = await sql<{ begin: Date; old: Date }>`
      select date_trunc('milliseconds', now() - interval '1 month') as begin, period_starts_at as old
      from credit_balances where account_id = ${accountId} for update`.execute(tx);
    const [row] = rows;
    if (!row) throw new Error(`account ${accountId} has no balance`);
    await sql`
      update credit_balances set anchor_at = ${row.begin}::timestamptz, period_starts_at = ${row.begin}::timestamptz,
        period_ends_at = ${row.begin}::timestamptz + interval '1 month' where account_id = ${accountId}`.execute(tx);
    for (const table of ['credit_holds', 'credit_allowances'])
      await sql`
        update ${sql.table(table)} set period_starts_at = ${row.begin}::timestamptz
        where account_id = ${accountId} and period_starts_at = ${row.old}::timestamptz`.execute(tx);
  });
}

const ASKS = 'query { viewer { balance } }';
const WISH = `mutation ($idempotencyKey: String!) { generate(idempotencyKey: $idempotencyKey,
  input: { prompt: "a new month", model: "wavespeed/qwen-image", width: 256, height: 256 }) { __typename } }`;
const PAUSE_MS = 400;

export interface MonthParts {
  readonly stage: Stage;
  readonly api: Api;
  readonly account: Account;
  readonly random: Random;
  readonly counts: Tally;
}

/** A customer whose every month is over in a second; both gateways are asked at once who notices. PostgreSQL only. */
export async function liveThroughMonths(parts: MonthParts, over: AbortSignal): Promise<void> {
  const { stage, api, account, random, counts } = parts;
  for (let month = 1; !over.aborted; month++) {
    try {
      await stage.look((db) => endPeriod(db, account.id));
      const wish = { idempotencyKey: `month-${month}` };
      await Promise.all([
        api.insist(account.key, random.branch(`${month}a`), over, month % 3 === 0 ? WISH : ASKS, wish),
        api.insist(account.key, random.branch(`${month}b`), over, ASKS),
      ]);
      counts.add('months');
    } catch (error) {
      // The database is away, and the month ends another time; or it is over, and nobody is there to be asked.
      if (error instanceof Unanswered) return;
    }
    await wait(PAUSE_MS, undefined, { signal: over }).catch(() => undefined);
  }
}

/** The same where months end only between two processes. */
export async function askForTheMonth({ api, account, random, counts }: MonthParts, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await api.insist(account.key, random, over, ASKS).catch(() => undefined);
    counts.add('months asked for');
    await wait(PAUSE_MS, undefined, { signal: over }).catch(() => undefined);
  }
}
