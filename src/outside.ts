import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Accounts } from './accounts/accounts.service.ts';
import { assetDelivery } from './assets/delivery.ts';
import { uploadReception } from './assets/upload-reception.ts';
import { PROVIDER_NAMES } from './catalog/models.ts';
import type { Config } from './config.ts';
import { type DemoKeys, openDemoAccounts } from './demo-accounts.ts';
import type { Domain, Platform } from './domain.ts';
import { AccountResolver } from './graph/account/account.resolver.ts';
import { createApollo } from './graph/apollo.ts';
import { AssetResolver } from './graph/asset/asset.resolver.ts';
import { CurationResolver } from './graph/asset/curation.resolver.ts';
import { AuditResolver } from './graph/audit/audit.resolver.ts';
import { BudgetResolver } from './graph/budget/budget.resolver.ts';
import { CatalogResolver, type ProviderModes } from './graph/catalog/catalog.resolver.ts';
import { CollectionResolver } from './graph/collection/collection.resolver.ts';
import { EstimateResolver } from './graph/estimate/estimate.resolver.ts';
import { JobImageResolver, JobResolver } from './graph/job/job.resolver.ts';
import { LedgerResolver } from './graph/ledger/ledger.resolver.ts';
import { LiveServer } from './graph/live-server.ts';
import { NodeResolver } from './graph/node/node.resolver.ts';
import { OperationResolver } from './graph/operation/operation.resolver.ts';
import { AccountListResolver } from './graph/operator/account-list.resolver.ts';
import { ApiKeyResolver } from './graph/operator/api-key.resolver.ts';
import { OperatorResolver } from './graph/operator/operator.resolver.ts';
import { PriceBookResolver } from './graph/price-book/price-book.resolver.ts';
import { ReportResolver } from './graph/report/report.resolver.ts';
import { createSchema } from './graph/schema.ts';
import { createServer } from './graph/server.ts';
import { SocialResolver } from './graph/social/social.resolver.ts';
import { UploadResolver } from './graph/upload/upload.resolver.ts';
import { EvidenceResolver, UsageResolver } from './graph/usage/usage.resolver.ts';
import { StepEstimateResolver, WorkflowResolver } from './graph/workflow/workflow.resolver.ts';
import { vendorWebhooks } from './jobs/vendor-webhooks.ts';
import type { OpenParts } from './open-parts.ts';
import { pingDatabase } from './platform/database.ts';
import type { Log } from './platform/log.ts';
import type { Metrics } from './platform/metrics.ts';
import { RateLimiter } from './platform/rate-limiter.ts';
import type { PriceBooks } from './pricing/price-books.service.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { Tiers } from './tiers/tiers.service.ts';
import { PLAYGROUND_TABS } from './web/examples.ts';
import { createPlayground } from './web/playground.ts';

const DRAIN_MS = 10_000;
const SWEEP_MS = 60 * 60_000;
/** Longer than any job or upload can take, so that no picture is swept between its bytes and its row. */
const ORPHAN_AGE_MS = 24 * 60 * 60_000;

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

function resolversOf(domain: Domain, modes: ProviderModes, metrics: Metrics) {
  const {
    accounts,
    apiKeys,
    auditLog,
    pricePreviews,
    marginReports,
    tiers,
    priceBooks,
    jobs,
    submissions,
    credits,
    budgets,
    ledgerCheck,
    library,
    estimates,
    health,
    serves,
  } = domain;
  return [
    new AccountResolver(tiers, library.storageUses, apiKeys),
    new AccountListResolver(accounts),
    new ApiKeyResolver(apiKeys),
    new AssetResolver(library),
    new AuditResolver(auditLog),
    new BudgetResolver(budgets, tiers),
    new CatalogResolver(priceBooks, health, modes, serves),
    new CollectionResolver(library.collections),
    new CurationResolver(library.curation),
    new EstimateResolver(estimates, metrics),
    new JobResolver(jobs),
    new JobImageResolver(),
    new LedgerResolver(credits, ledgerCheck),
    new NodeResolver(),
    new OperationResolver(submissions),
    new OperatorResolver(tiers),
    new PriceBookResolver(priceBooks),
    new ReportResolver(priceBooks, pricePreviews, marginReports),
    new SocialResolver(),
    new StepEstimateResolver(),
    new UsageResolver(domain),
    new EvidenceResolver(),
    new UploadResolver(library.uploads, library.imports, tiers),
    new WorkflowResolver(estimates, submissions, metrics),
  ];
}

/** What the world sees. */
export async function openOutside(
  config: Config,
  platform: Platform,
  domain: Domain,
  log: Log,
  parts: OpenParts,
): Promise<Gateway> {
  const { opened } = parts;
  const { accounts, tiers, priceBooks, jobs, submissions, credits, library, runner, reports, address, sandbox } =
    domain;
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
  const loaderServices = { jobs, credits, budgets: domain.budgets, library };
  const sources = { accounts, jobs, tiers, events };
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
        assetDelivery(library.assets, library.renditions, log),
        uploadReception(library.uploads, log),
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
      Promise.all([
        library.assets.sweepOrphans(new Date(Date.now() - ORPHAN_AGE_MS)),
        library.uploads.sweep(),
        library.retention.purgeDue(),
        submissions.forgetOldKeys(),
        tiers.enterOverduePeriods(),
      ]).catch((error: unknown) => log.warn({ err: error }, 'what is over could not be swept'));
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
      await parts.close();
    },
  };
}
