import { Accounts } from './accounts/accounts.service.ts';
import { AccountsStore } from './accounts/accounts.store.ts';
import { ApiKeys } from './accounts/api-keys.service.ts';
import { ApiKeysStore } from './accounts/api-keys.store.ts';
import { AuditLog } from './accounts/audit-log.service.ts';
import { AuditLogStore } from './accounts/audit-log.store.ts';
import type { Route } from './catalog/models.ts';
import type { Config } from './config.ts';
import { Budgets } from './credits/budgets.service.ts';
import { BudgetsStore } from './credits/budgets.store.ts';
import { Credits } from './credits/credits.service.ts';
import { CreditsStore } from './credits/credits.store.ts';
import { HoldsStore } from './credits/holds.store.ts';
import { Estimates } from './estimates/estimates.service.ts';
import { Acceptances } from './jobs/acceptances.ts';
import { AttemptsStore } from './jobs/attempts.store.ts';
import { IdempotencyStore } from './jobs/idempotency.store.ts';
import { JobEndings } from './jobs/job-endings.ts';
import { JobsRunner, RUNNER_TIMES, type RunnerTimes } from './jobs/jobs.runner.ts';
import { Jobs } from './jobs/jobs.service.ts';
import { JobsStore } from './jobs/jobs.store.ts';
import { LeasesStore } from './jobs/leases.store.ts';
import { LedgerCheck } from './jobs/ledger-check.ts';
import { LedgerTotalsStore } from './jobs/ledger-totals.store.ts';
import { readAtScrape } from './jobs/scrape.ts';
import { Submissions } from './jobs/submissions.service.ts';
import { VendorReports } from './jobs/vendor-reports.ts';
import { webhookPath } from './jobs/vendor-webhooks.ts';
import { ALL_LAWS } from './laws.ts';
import { openLibrary } from './library.ts';
import type { Opened } from './open-parts.ts';
import type { Clock } from './platform/clock.ts';
import { type Database, migrate, openPglite, openPostgres, type PostgresOptions } from './platform/database.ts';
import { LocalEventBus } from './platform/events.ts';
import { newId } from './platform/ids.ts';
import type { Log } from './platform/log.ts';
import { Metrics } from './platform/metrics.ts';
import { DatabaseQueue } from './platform/queue.ts';
import { RateLimiter } from './platform/rate-limiter.ts';
import { openRedis } from './platform/redis.ts';
import { Signer } from './platform/signer.ts';
import { loadSigningKeys } from './platform/signing-keys.ts';
import { Tracing } from './platform/tracing.ts';
import { GUIDE_PRICE_BOOK } from './pricing/guide-price-book.ts';
import { PriceBookCache } from './pricing/price-book.cache.ts';
import { PriceBookStore } from './pricing/price-book.store.ts';
import { PriceBooks } from './pricing/price-books.service.ts';
import type { CircuitSettings } from './routing/circuit.ts';
import { Dispatcher } from './routing/dispatcher.ts';
import { RouteHealth } from './routing/health.ts';
import { Tiers } from './tiers/tiers.service.ts';
import { CostExplanations } from './usage/cost-explanations.service.ts';
import { InsightsService } from './usage/insights.service.ts';
import { MarginReports } from './usage/margin-report.service.ts';
import { MarginReportStore } from './usage/margin-report.store.ts';
import { PricePreviews } from './usage/price-preview.service.ts';
import { PricePreviewStore } from './usage/price-preview.store.ts';
import { Usage } from './usage/usage.service.ts';
import { UsageStore } from './usage/usage.store.ts';
import { UsedImagesStore } from './usage/used-images.store.ts';
import { openVendors } from './vendors.ts';

/** What a test may put in place of the real thing. */
export interface Substitutes {
  readonly clock?: Clock;
  readonly database?: Database;
  readonly log?: Log;
  /** See `PollParts.pollPace`. */
  readonly pollPace?: number;
  /** See `VendorCallParts.patience`. */
  readonly patience?: number;
  readonly circuits?: CircuitSettings;
  readonly runnerTimes?: RunnerTimes;
}

/** The database of the configuration, as it is: nothing is migrated. */
export async function openDatabase(
  { databaseUrl, dataDir, databasePoolMax }: Config,
  log: Log,
  more: Pick<PostgresOptions, 'unhurried'> = {},
): Promise<Database> {
  return databaseUrl === null
    ? openPglite(dataDir)
    : openPostgres({ url: databaseUrl, poolMax: databasePoolMax, log, ...more });
}

/** What we run on. */
export async function openPlatform(config: Config, given: Database | undefined, log: Log, opened: Opened) {
  const metrics = new Metrics();
  const tracing = opened(await Tracing.open(config, log), (part) => part.stop());
  const database = given ?? opened(await openDatabase(config, log), (part) => part.close());
  await migrate(database.db);
  const redis =
    config.redisUrl === null ? null : opened(await openRedis(config.redisUrl, log, metrics), (part) => part.close());
  const queue = new DatabaseQueue(database, config.databaseUrl, log);
  await opened(queue, (part) => part.stop()).start();
  const events = redis?.events ?? new LocalEventBus();
  const signer = new Signer(await loadSigningKeys(config));
  return { metrics, tracing, database, redis: redis?.commands ?? null, queue, events, signer };
}

export type Platform = Awaited<ReturnType<typeof openPlatform>>;

/** What the product does, from prices to running jobs. */
export async function openDomain(
  config: Config,
  platform: Platform,
  clock: Clock,
  substitutes: Substitutes,
  log: Log,
  opened: Opened,
) {
  const { database, redis, queue, events, signer, metrics, tracing } = platform;
  const { db } = database;
  const vendors = await openVendors(config, log, opened);
  const priceBookStore = new PriceBookStore(db);
  const priceBooks = new PriceBooks(
    priceBookStore,
    new PriceBookCache(priceBookStore, redis, metrics),
    events,
    clock,
    log,
  );
  await opened(priceBooks, (part) => part.stop()).start(GUIDE_PRICE_BOOK);
  const accounts = opened(new Accounts(new AccountsStore(db), events, clock), (part) => part.stop());
  const budgetsStore = new BudgetsStore();
  const budgets = new Budgets(db, budgetsStore, clock);
  const credits = new Credits(db, new CreditsStore(db), new HoldsStore(db), budgetsStore);
  const apiKeys = new ApiKeys(db, new ApiKeysStore(db), accounts, clock);
  const limiter = new RateLimiter('submissions', redis);
  const tiers = new Tiers(db, accounts, credits, priceBooks, limiter, events, clock);
  const health = opened(new RouteHealth(clock, events, substitutes.circuits, log), (part) => part.stop());
  const serves = ({ model, host }: Route) => vendors.providers[model.provider]?.hosts.has(host.name) ?? false;
  const address = { url: config.publicUrl ?? '' };
  const library = await openLibrary(config, platform, clock, log, () => address.url, opened);
  const { assets } = library;
  const estimates = new Estimates({ priceBooks, tiers, health, serves, library, budgets, signer, clock });
  const jobsStore = new JobsStore(db);
  const attempts = new AttemptsStore(db);
  const ledgerCheck = new LedgerCheck(db, new LedgerTotalsStore(), ALL_LAWS, clock);
  const endings = new JobEndings(attempts, metrics, log);
  const jobs = new Jobs(db, jobsStore, attempts, credits, endings, events, clock);
  const usedImages = new UsedImagesStore(db);
  const keys = new IdempotencyStore(db);
  const submissions = new Submissions({
    acceptances: new Acceptances({ db, store: jobsStore, keys, credits, queue }),
    keys,
    jobs,
    estimates,
    assets,
    tiers,
    events,
    clock,
    metrics,
    log,
  });
  const dispatcher = new Dispatcher(health, config.concurrency);
  readAtScrape({ metrics, database, priceBooks, health, serves, dispatcher, store: jobsStore, credits, clock });
  const runner = new JobsRunner({
    db,
    leases: new LeasesStore(db),
    store: jobsStore,
    attempts,
    assets,
    providers: vendors.providers,
    serves,
    health,
    dispatcher,
    reportTo: (provider, attemptId) => {
      const canReport = config.webhooks || config.providers[provider].mode === 'SANDBOX';
      return canReport && address.url !== '' ? address.url + webhookPath(signer, provider, attemptId) : null;
    },
    clock,
    log,
    metrics,
    credits,
    priceBooks,
    queue,
    events,
    endings,
    tracing,
    pollPace: substitutes.pollPace ?? 1,
    patience: substitutes.patience ?? 1,
    owner: newId('worker'),
    alone: database.engine === 'pglite',
    times: substitutes.runnerTimes ?? RUNNER_TIMES,
  });
  return {
    ...vendors,
    priceBooks,
    accounts,
    apiKeys,
    pricePreviews: new PricePreviews(priceBooks, new PricePreviewStore(db), clock),
    usage: new Usage(new UsageStore(db), clock),
    insights: new InsightsService(usedImages, priceBooks),
    costExplanations: new CostExplanations(jobs, usedImages, priceBooks),
    marginReports: new MarginReports(new MarginReportStore(db), config.creditValueUsd, clock),
    auditLog: new AuditLog(new AuditLogStore(db)),
    credits,
    budgets,
    tiers,
    health,
    serves,
    estimates,
    jobs,
    submissions,
    ledgerCheck,
    library,
    runner,
    reports: new VendorReports(vendors.providers, attempts, events, clock),
    address,
  };
}

export type Domain = Awaited<ReturnType<typeof openDomain>>;
