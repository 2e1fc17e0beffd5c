import { badInput, DomainError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { isDatabaseAway } from '../platform/database-errors.ts';
import type { MarginReportStore } from './margin-report.store.ts';
import { type MarginReport, marginReport } from './margin-report.ts';

const DAY_MS = 24 * 60 * 60_000;
const DEFAULT_DAYS = 30;
export const REPORT_DAYS_MAX = 366;

/** What vendors cost us, against what customers paid. */
export class MarginReports {
  constructor(
    private readonly store: MarginReportStore,
    private readonly creditValueUsd: number,
    private readonly clock: Clock,
  ) {}

  /**
   * The last thirty days unless said otherwise.
   * @throws BAD_USER_INPUT for a time that ends before it begins or is too long; UNAVAILABLE when it takes too long
   */
  async report(from: Date | null, to: Date | null): Promise<MarginReport> {
    const end = to ?? this.clock.now();
    const begin = from ?? new Date(end.getTime() - DEFAULT_DAYS * DAY_MS);
    if (begin >= end || end.getTime() - begin.getTime() > REPORT_DAYS_MAX * DAY_MS)
      throw badInput('from', begin.toISOString(), `before ${end.toISOString()}, by ${REPORT_DAYS_MAX} days at most`);
    try {
      return marginReport(await this.store.totals(begin, end), begin, end, this.creditValueUsd);
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      throw new DomainError(
        'UNAVAILABLE',
        'So many calls could not be added up within the time of a request. Nothing was changed. Ask for a shorter time.',
        {},
        { cause: error },
      );
    }
  }
}
