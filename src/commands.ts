import { mkdir } from 'node:fs/promises';
import type { Config } from './config.ts';
import { openDatabase, openDomain, openPlatform } from './domain.ts';
import { LedgerCheck, type LedgerReport } from './jobs/ledger-check.ts';
import { LedgerTotalsStore } from './jobs/ledger-totals.store.ts';
import { ALL_LAWS } from './laws.ts';
import { OpenParts } from './open-parts.ts';
import { systemClock } from './platform/clock.ts';
import { openLog } from './platform/log.ts';
import { formatCredits } from './pricing/prices.ts';

/** Opens the first operator's account of a system and answers its key, without serving anything. */
export async function createOperator(config: Config, name: string): Promise<string> {
  const parts = new OpenParts();
  try {
    await mkdir(config.dataDir, { recursive: true });
    const log = openLog(config);
    const platform = await openPlatform(config, undefined, log, parts.opened);
    const { tiers } = await openDomain(config, platform, systemClock, {}, log, parts.opened);
    const { issued } = await tiers.open(
      { name, role: 'OPERATOR', tier: 'ENTERPRISE', limits: {}, spendCap: null },
      'first operator',
    );
    return issued.secret;
  } finally {
    await parts.close();
  }
}

/** Checks the ledger of a database as it is, and writes nothing: not even its schema is brought up to date. */
export async function checkLedger(config: Config): Promise<LedgerReport> {
  const parts = new OpenParts();
  try {
    const database = await openDatabase(config, openLog(config), { unhurried: true });
    const { db } = parts.opened(database, (part) => part.close());
    return await new LedgerCheck(db, new LedgerTotalsStore(), ALL_LAWS, systemClock).run();
  } finally {
    await parts.close();
  }
}

/** A report for a person: how much was looked at, then every law. */
export function ledgerReportText({ checkedAt, ok, totals, laws }: LedgerReport): string {
  const { accounts, transactions, entries, jobs, openJobs } = totals;
  const broken = laws.filter(({ violations }) => violations > 0).length;
  return [
    `The ledger as it was at ${checkedAt.toISOString()}: ${accounts} accounts, ${transactions} transactions of ${entries} entries, ${jobs} jobs, ${openJobs} of them open.`,
    `Credits: ${(['issued', 'owed', 'available', 'held', 'captured', 'expired'] as const)
      .map((bucket) => `${formatCredits(totals[bucket])} ${bucket}`)
      .join(', ')}. Our loss at vendors: $${(Number(totals.lossMicros) / 1_000_000).toFixed(2)}.`,
    '',
    ...laws.flatMap(({ law, violations, examples }) =>
      violations === 0
        ? [`  holds   ${law}`]
        : [
            `  BROKEN  ${law}: ${violations} times, such as`,
            ...examples.map((each) => `            ${JSON.stringify(each)}`),
          ],
    ),
    '',
    ok ? `All ${laws.length} laws hold.` : `${broken} of ${laws.length} laws are broken. Nothing was changed.`,
    '',
  ].join('\n');
}
