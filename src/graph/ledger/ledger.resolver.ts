import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import type { LedgerEntry } from '../../credits/balance.ts';
import { type Credits, LEDGER_LIST } from '../../credits/credits.service.ts';
import type { Job as JobRecord } from '../../jobs/job.ts';
import type { LedgerCheck } from '../../jobs/ledger-check.ts';
import { writePlaceCursor } from '../../platform/cursor.ts';
import { toConnection } from '../connection.ts';
import { ANY_SCOPE, type GraphContext, operatorOf, SPENDING, viewerOf } from '../context.ts';
import { Job } from '../job/job.type.ts';
import { LedgerEntryConnection, LedgerEntryInfo, LedgerReport } from './ledger.type.ts';
import { SETTLEMENT_RULES, SettlementRule } from './settlement-rule.type.ts';

const MICROS = 1_000_000;

@Resolver(() => LedgerEntryInfo)
export class LedgerResolver {
  constructor(
    private readonly credits: Credits,
    private readonly ledgerCheck: LedgerCheck,
  ) {}

  @Query(() => LedgerEntryConnection, {
    description:
      'Every movement of credits of this account, newest first. Each transaction has two sides or more, which add up to zero. Needs the scope RUN or LIBRARY.',
  })
  async ledger(
    @Ctx() context: GraphContext,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Only those after this cursor.' }) after: string | null,
  ) {
    const page = await this.credits.ledger(viewerOf(context, SPENDING).id, { first, after: after ?? null });
    return toConnection(page, after, ({ transactionId, sequence }) =>
      writePlaceCursor(LEDGER_LIST, transactionId, sequence),
    );
  }

  @Query(() => [SettlementRule], {
    description: 'What is taken, what is given back and who bears the cost, whatever happens to an image.',
  })
  settlementPolicy(@Ctx() context: GraphContext): readonly SettlementRule[] {
    viewerOf(context, ANY_SCOPE);
    return SETTLEMENT_RULES;
  }

  @Query(() => LedgerReport, {
    description:
      'Checks every law of the ledger, of the jobs and of the library on all that is written, of all accounts, as it is at one moment. For operators.',
  })
  async verifyLedger(@Ctx() context: GraphContext): Promise<LedgerReport> {
    operatorOf(context);
    const { totals, ...report } = await this.ledgerCheck.runInRequest();
    return { ...report, totals: { ...totals, lossUsd: Number(totals.lossMicros) / MICROS } };
  }

  @FieldResolver(() => Job, { nullable: true, description: 'The job it was for. Needs the scope RUN.' })
  job(@Root() entry: LedgerEntry, @Ctx() context: GraphContext): Promise<JobRecord | null> | null {
    viewerOf(context, 'RUN');
    return entry.jobId === null ? null : context.loaders.jobById.load(entry.jobId);
  }
}
