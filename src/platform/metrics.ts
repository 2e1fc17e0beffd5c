import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Every metric of the gateway, in one place so that names and labels stay one family. */
export class Metrics {
  readonly registry = new Registry();

  readonly redisUp = new Gauge({
    name: 'gateway_redis_up',
    help: '1 while Redis is reachable, 0 while it is not; absent when none is configured.',
    registers: [this.registry],
  });

  readonly priceBookReads = new Counter({
    name: 'gateway_price_book_loads_total',
    help: 'Price book loads into this process, by where they came from. A warm process loads nothing per request.',
    labelNames: ['source'] as const,
    registers: [this.registry],
  });

  readonly submissions = new Counter({
    name: 'gateway_submissions_total',
    help: 'Submissions by operation and by how they ended: accepted, replayed, or the first refusal.',
    labelNames: ['operation', 'outcome'] as const,
    registers: [this.registry],
  });

  readonly attempts = new Counter({
    name: 'gateway_vendor_attempts_total',
    help: 'Calls that asked a vendor for a picture, by route and outcome class.',
    labelNames: ['route', 'outcome'] as const,
    registers: [this.registry],
  });

  readonly vendorReports = new Counter({
    name: 'gateway_vendor_reports_total',
    help: 'Webhook deliveries, by the vendor they claim to be from and by what they proved to be.',
    labelNames: ['provider', 'outcome'] as const,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
