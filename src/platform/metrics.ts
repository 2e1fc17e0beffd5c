import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds. A vendor draws for a tenth of a second to three minutes. */
const CALL_BUCKETS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 180];
const WAIT_BUCKETS = [0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300];
const JOB_BUCKETS = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800];
const REQUEST_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Every metric of the gateway, in one place so that names and labels stay one family. Labels have few values each, which
 * are known beforehand: no account, id, prompt or other free text is one.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #readings: (() => void | Promise<void>)[] = [];

  readonly redisUp = this.#gauge(
    'gateway_redis_up',
    '1 while Redis is reachable, 0 while it is not; absent when none is configured.',
  );
  readonly priceBookReads = this.#counter(
    'gateway_price_book_loads_total',
    'Price book loads into this process, by where they came from. A warm process loads nothing per request.',
    'source',
  );
  readonly priceVersion = this.#gauge(
    'gateway_price_book_version',
    'Version of the price book in force. Processes that differ for more than a moment have missed a publication.',
  );

  readonly requests = this.#histogram(
    'gateway_request_duration_seconds',
    'Time of a GraphQL request, by kind of operation, its field of the schema (several: more than one; none: it never got so far), and outcome: ok, client_error, server_error. A subscription counts until its first state.',
    REQUEST_BUCKETS,
    'kind',
    'field',
    'outcome',
  );
  readonly rateLimited = this.#counter(
    'gateway_rate_limited_total',
    'Requests turned away because an account made too many in a minute, by which limit it was: submissions or reads.',
    'limit',
  );
  readonly webSockets = this.#gauge('gateway_websockets_open', 'WebSockets of clients that are open at this process.');
  readonly subscriptions = this.#gauge(
    'gateway_subscriptions_open',
    'Subscriptions that are open on those WebSockets.',
  );

  readonly submissions = this.#counter(
    'gateway_submissions_total',
    'Submissions by operation and by how they ended: accepted, replayed, reused, or the first refusal.',
    'operation',
    'outcome',
  );
  readonly refusals = this.#counter(
    'gateway_refusals_total',
    'Reasons why an operation may not run, each one counted, by what was asked: a submission, or only an estimate.',
    'asked',
    'operation',
    'type',
  );

  readonly attempts = this.#counter(
    'gateway_vendor_attempts_total',
    'Calls that asked a vendor for a picture, by route and outcome class.',
    'route',
    'outcome',
  );
  readonly rejections = this.#counter(
    'gateway_vendor_rejections_total',
    'Those of them that the vendor turned down, by route and reason. AUTHENTICATION, OUT_OF_FUNDS and FORBIDDEN need a person.',
    'route',
    'reason',
  );
  readonly vendorSeconds = this.#histogram(
    'gateway_vendor_call_duration_seconds',
    'Time from an order to its picture or refusal, polls included, by route and outcome. Calls that a restart divided are left out.',
    CALL_BUCKETS,
    'route',
    'outcome',
  );
  readonly vendorCallsOut = this.#gauge(
    'gateway_vendor_calls_out',
    'Images of this process that a provider is drawing now.',
    'provider',
  );
  readonly imageWaits = this.#histogram(
    'gateway_image_wait_seconds',
    'Time that an image waited for one of the places at a provider before it was sent out.',
    WAIT_BUCKETS,
    'provider',
  );
  readonly imagesWaiting = this.#gauge(
    'gateway_images_waiting',
    'Images of this process that wait for a place at a provider now.',
  );
  readonly circuits = this.#gauge(
    'gateway_circuit_state',
    'Whether calls go through to a route, as this process sees it: 0 closed (they do), 1 half-open (one may try), 2 open (none does).',
    'route',
  );
  readonly vendorReports = this.#counter(
    'gateway_vendor_reports_total',
    'Webhook deliveries, by the vendor they claim to be from and by what they proved to be.',
    'provider',
    'outcome',
  );

  readonly jobSeconds = this.#histogram(
    'gateway_job_duration_seconds',
    'Time from the acceptance of a job to its end, by operation and status at the end. Counted where it ended.',
    JOB_BUCKETS,
    'operation',
    'status',
  );
  readonly jobsQueued = this.#gauge(
    'gateway_jobs_queued',
    'Jobs that wait to be begun, of the whole system: every process tells the same figure, so take one and do not add.',
  );
  readonly jobsRunning = this.#gauge(
    'gateway_jobs_running',
    'Jobs that have begun and not ended, of the whole system: take one process and do not add.',
  );
  readonly oldestQueued = this.#gauge(
    'gateway_jobs_oldest_queued_seconds',
    'Age of the job that has waited longest to be begun, of the whole system; 0 when none waits.',
  );
  readonly holdsOpen = this.#gauge('gateway_holds_open', 'Holds that are neither captured nor released, everywhere.');
  readonly oldestHold = this.#gauge(
    'gateway_holds_oldest_seconds',
    'Age of the oldest of them; 0 without any. One that is older than any job can be means that credits are stuck.',
  );
  readonly heldCredits = this.#gauge('gateway_holds_credits', 'Credits that these holds set aside.');
  readonly backlogStale = this.#gauge(
    'gateway_backlog_stale',
    '1 when the figures of jobs and holds are old, because the database does not answer; else 0.',
  );
  readonly databaseConnections = this.#gauge(
    'gateway_database_connections',
    'Connections of this process to PostgreSQL, the queue aside: busy or idle. Absent with the embedded database.',
    'state',
  );
  readonly databaseWaiting = this.#gauge(
    'gateway_database_waiting',
    'Statements and transactions of this process that wait for a free connection.',
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    // A gauge begins at 0, which here would tell of a Redis that has gone.
    this.redisUp.remove();
  }

  /** Adds a reading of what is only known when it is asked for. It must bound its own time. */
  beforeScrape(read: () => void | Promise<void>): void {
    this.#readings.push(read);
  }

  /** Everything, in the text form that Prometheus reads. A reading that fails leaves its figures as they were. */
  async text(): Promise<string> {
    await Promise.allSettled(this.#readings.map(async (read) => read()));
    return this.registry.metrics();
  }

  #counter<L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge<L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]): Histogram<L> {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.registry] });
  }
}
