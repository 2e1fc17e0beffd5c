import 'reflect-metadata';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Accounts } from './accounts/accounts.service.ts';
import { AccountsStore } from './accounts/accounts.store.ts';
import { assetDelivery } from './assets/delivery.ts';
import { uploadReception } from './assets/upload-reception.ts';
import { PROVIDER_NAMES, type Route } from './catalog/models.ts';
import type { Config } from './config.ts';
import { Credits } from './credits/credits.service.ts';
import { CreditsStore } from './credits/credits.store.ts';
import { HoldsStore } from './credits/holds.store.ts';
import { type DemoKeys, openDemoAccounts } from './demo-accounts.ts';
import { Estimates } from './estimates/estimates.service.ts';
import { AccountResolver } from './graph/account/account.resolver.ts';
import { createApollo } from './graph/apollo.ts';
import { AssetResolver } from './graph/asset/asset.resolver.ts';
import { CatalogResolver, type ProviderModes } from './graph/catalog/catalog.resolver.ts';
import { EstimateResolver } from './graph/estimate/estimate.resolver.ts';
import { JobImageResolver, JobResolver } from './graph/job/job.resolver.ts';
import { LiveServer } from './graph/live-server.ts';
import { NodeResolver } from './graph/node/node.resolver.ts';
import { OperationResolver } from './graph/operation/operation.resolver.ts';
import { OperatorResolver } from './graph/operator/operator.resolver.ts';
import { PriceBookResolver } from './graph/price-book/price-book.resolver.ts';
import { createSchema } from './graph/schema.ts';
import { createServer } from './graph/server.ts';
import { SocialResolver } from './graph/social/social.resolver.ts';
import { UploadResolver } from './graph/upload/upload.resolver.ts';
import { StepEstimateResolver, WorkflowResolver } from './graph/workflow/workflow.resolver.ts';
import { AttemptsStore } from './jobs/attempts.store.ts';
import { IdempotencyStore } from './jobs/idempotency.store.ts';
import { JobEndings } from './jobs/job-endings.ts';
import { JobsRunner, RUNNER_TIMES, type RunnerTimes } from './jobs/jobs.runner.ts';
import { Jobs } from './jobs/jobs.service.ts';
import { JobsStore } from './jobs/jobs.store.ts';
import { LeasesStore } from './jobs/leases.store.ts';
import { readAtScrape } from './jobs/scrape.ts';
import { Submissions } from './jobs/submissions.service.ts';
import { VendorReports } from './jobs/vendor-reports.ts';
import { vendorWebhooks, webhookPath } from './jobs/vendor-webhooks.ts';
import { openLibrary } from './library.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { type Database, migrate, openPglite, openPostgres, pingDatabase } from './platform/database.ts';
import { LocalEventBus } from './platform/events.ts';
import { newId } from './platform/ids.ts';
import { type Log, openLog } from './platform/log.ts';
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
import type { Sandbox } from './sandbox/sandbox.ts';
import { Tiers } from './tiers/tiers.service.ts';
import { type Opened, openVendors } from './vendors.ts';
import { PLAYGROUND_TABS } from './web/examples.ts';
import { createPlayground } from './web/playground.ts';

const DRAIN_MS = 10_000;
const SWEEP_MS = 60 * 60_000;
/** Longer than any job or upload can take, so that no picture is swept between its bytes and its row. */
const ORPHAN_AGE_MS = 24 * 60 * 60_000;

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

export interface Gateway {
  readonly app: FastifyInstance;
  /** Where it listens, such as http://localhost:4000. */
  readonly url: string;
  /** Null in production, where nothing is opened by itself. */
  readonly demoKeys: DemoKeys | null;
  readonly sandbox: Sandbox | null;
  readonly priceBooks: PriceBooks;
  readonly tiers: Tiers;
  readonly accounts: Accounts;
  /** Takes no more requests, lets what is in hand end, and closes everything. */
  stop(): Promise<void>;
}

/** Builds the whole gateway from its configuration, starts it and listens. */
export async function startGateway(config: Config, substitutes: Substitutes = {}): Promise<Gateway> {
  const clock = substitutes.clock ?? systemClock;
  const log = substitutes.log ?? openLog(config);
  const closers: (() => unknown)[] = [];
  const opened = <T>(part: T, close: (part: T) => unknown): T => {
    closers.unshift(() => close(part));
    return part;
  };
  const stop = async () => {
    for (const close of closers.splice(0)) await close();
  };
  try {
    await mkdir(config.dataDir, { recursive: true });
    const platform = await openPlatform(config, substitutes.database, log, opened);
    const domain = await openDomain(config, platform, clock, substitutes, log, opened);
    return await openOutside(config, platform, domain, log, opened, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Opens the first operator's account of a system and answers its key, without serving anything. */
export async function createOperator(config: Config, name: string): Promise<string> {
  const closers: (() => unknown)[] = [];
  const opened: Opened = (part, close) => {
    closers.unshift(() => close(part));
    return part;
  };
  try {
    await mkdir(config.dataDir, { recursive: true });
    const log = openLog(config);
    const platform = await openPlatform(config, undefined, log, opened);
    const { tiers } = await openDomain(config, platform, systemClock, {}, log, opened);
    const { issued } = await tiers.open(
      { name, role: 'OPERATOR', tier: 'ENTERPRISE', limits: {}, spendCap: null },
      'first operator',
    );
    return issued.secret;
  } finally {
    for (const close of closers) await close();
  }
}

/** What we run on. */
async function openPlatform(config: Config, given: Database | undefined, log: Log, opened: Opened) {
  const metrics = new Metrics();
  const tracing = opened(await Tracing.open(config, log), (part) => part.stop());
  const database =
    given ??
    opened(
      config.databaseUrl === null
        ? await openPglite(config.dataDir)
        : openPostgres({ url: config.databaseUrl, poolMax: config.databasePoolMax, log }),
      (part) => part.close(),
    );
  await migrate(database.db);
  const redis =
    config.redisUrl === null ? null : opened(await openRedis(config.redisUrl, log, metrics), (part) => part.close());
  const queue = new DatabaseQueue(database, config.databaseUrl, log);
  await opened(queue, (part) => part.stop()).start();
  const events = redis?.events ?? new LocalEventBus();
  const signer = new Signer(await loadSigningKeys(config));
  return { metrics, tracing, database, redis: redis?.commands ?? null, queue, events, signer };
}

type Platform = Awaited<ReturnType<typeof openPlatform>>;

/** What the product does, from prices to running jobs. */
async function openDomain(
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
  const credits = new Credits(db, new CreditsStore(db), new HoldsStore(db));
  const limiter = new RateLimiter('submissions', redis);
  const tiers = new Tiers(db, accounts, credits, priceBooks, limiter, events, clock);
  const health = opened(new RouteHealth(clock, events, substitutes.circuits, log), (part) => part.stop());
  const serves = ({ model, host }: Route) => vendors.providers[model.provider]?.hosts.has(host.name) ?? false;
  const address = { url: config.publicUrl ?? '' };
  const { assets, uploads, imports } = await openLibrary(config, platform, clock, log, () => address.url, opened);
  const estimates = new Estimates(priceBooks, tiers, health, serves, assets, signer, clock);
  const jobsStore = new JobsStore(db);
  const attempts = new AttemptsStore(db);
  const endings = new JobEndings(attempts, metrics, log);
  const jobs = new Jobs(db, jobsStore, attempts, credits, endings, events, clock);
  const keys = new IdempotencyStore(db);
  const submissions = new Submissions({
    db,
    store: jobsStore,
    keys,
    jobs,
    estimates,
    tiers,
    credits,
    queue,
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
    credits,
    tiers,
    health,
    serves,
    estimates,
    jobs,
    submissions,
    assets,
    uploads,
    imports,
    runner,
    reports: new VendorReports(vendors.providers, attempts, events, clock),
    address,
  };
}

type Domain = Awaited<ReturnType<typeof openDomain>>;

function resolversOf(domain: Domain, modes: ProviderModes, metrics: Metrics) {
  const { accounts, tiers, priceBooks, jobs, submissions, assets, uploads, imports, estimates, health, serves } =
    domain;
  return [
    new AccountResolver(tiers),
    new AssetResolver(assets),
    new CatalogResolver(priceBooks, health, modes, serves),
    new EstimateResolver(estimates, metrics),
    new JobResolver(jobs),
    new JobImageResolver(),
    new NodeResolver(),
    new OperationResolver(submissions),
    new OperatorResolver(accounts, tiers),
    new PriceBookResolver(priceBooks),
    new SocialResolver(),
    new StepEstimateResolver(),
    new UploadResolver(uploads, imports),
    new WorkflowResolver(estimates, submissions, metrics),
  ];
}

/** What the world sees. */
async function openOutside(
  config: Config,
  platform: Platform,
  domain: Domain,
  log: Log,
  opened: Opened,
  stop: () => Promise<void>,
): Promise<Gateway> {
  const { accounts, tiers, priceBooks, jobs, credits, assets, uploads, runner, reports, address, sandbox } = domain;
  const { database, metrics, tracing, events } = platform;
  const demoKeys =
    config.environment === 'production'
      ? null
      : await openDemoAccounts(accounts, tiers, join(config.dataDir, 'demo-keys.json'));
  const modes = Object.fromEntries(PROVIDER_NAMES.map((name) => [name, config.providers[name].mode])) as ProviderModes;
  const schema = createSchema(resolversOf(domain, modes, metrics));
  const reads =
    config.readsPerMinute === 0
      ? null
      : { limiter: new RateLimiter('reads', null, metrics), perMinute: config.readsPerMinute };
  const apollo = opened(
    createApollo({ schema, introspection: config.introspection, tiers, log, metrics, reads }),
    (part) => part.stop(),
  );
  await apollo.start();
  const loaderServices = { jobs, credits, assets };
  const sources = { jobs, tiers, events };
  const live = new LiveServer({
    schema,
    introspection: config.introspection,
    accounts,
    loaderServices,
    sources,
    reads,
    log,
    metrics,
  });
  metrics.beforeScrape(() => {
    metrics.webSockets.set(live.open.connections);
    metrics.subscriptions.set(live.open.subscriptions);
  });
  const playground = config.playground
    ? createPlayground({ endpoint: '/graphql', demoKey: demoKeys?.PRO ?? null, tabs: PLAYGROUND_TABS })
    : null;
  let stopping = false;
  const app = opened(
    await createServer({
      apollo,
      accounts,
      live,
      loaderServices,
      metrics,
      tracing,
      log,
      plugins: [
        assetDelivery(assets, log),
        uploadReception(uploads, log),
        vendorWebhooks(reports, platform.signer, metrics),
        ...(playground ? [playground.files] : []),
      ],
      playground,
      checkReady: async () => {
        if (stopping) throw new Error('this process is stopping');
        await pingDatabase(database.db);
        priceBooks.current();
      },
    }),
    (part) => part.close(),
  );
  // After the runner has drained and before the server waits for its last answers.
  opened(jobs, (part) => part.stopWaiting());
  opened(live, (part) => part.stop());
  if (config.role !== 'gateway') {
    await opened(runner, (part) => part.stop(DRAIN_MS)).start();
    const sweep = () =>
      Promise.all([assets.sweepOrphans(new Date(Date.now() - ORPHAN_AGE_MS)), uploads.sweep()]).catch(
        (error: unknown) => log.warn({ err: error }, 'what nobody needs any more could not be swept'),
      );
    opened(setInterval(sweep, SWEEP_MS).unref(), clearInterval);
  }
  await app.listen({ host: config.host, port: config.port });
  const bound = app.server.address();
  const url = `http://localhost:${typeof bound === 'object' && bound ? bound.port : config.port}`;
  if (config.publicUrl === null) address.url = url;
  return {
    app,
    url,
    demoKeys,
    sandbox,
    priceBooks,
    tiers,
    accounts,
    async stop() {
      stopping = true;
      await stop();
    },
  };
}
