import { context, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Log } from './log.ts';

const EXPORT_TIMEOUT_MS = 3_000;
const STOP_TIMEOUT_MS = 2_000;
/** Spans that are kept for a collector that is slow or away; more are dropped. */
const SPANS_WAITING_MAX = 4_096;
const ATTRIBUTE_LENGTH_MAX = 1_024;

/**
 * Gathers finished spans and sends them in batches to `endpoint`, as OTLP over HTTP in JSON. Every trace is kept: a
 * caller's wish to be left out is not the operator's, and a collector can choose better once it has seen the whole.
 */
export function openExport(
  endpoint: string,
  role: string,
  log: Log,
): { readonly tracer: Tracer; stop(): Promise<void> } {
  // Holds no spans itself, so that all who trace in this process can share it.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'image-studio-gateway', 'gateway.role': role }),
    sampler: new AlwaysOnSampler(),
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_LENGTH_MAX },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new WatchedExporter(exporter, new URL(endpoint).host, log),
        maxQueueSize: SPANS_WAITING_MAX,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS + 500,
      }),
    ],
  });
  return {
    tracer: provider.getTracer('image-studio-gateway'),
    async stop() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, STOP_TIMEOUT_MS);
      // What cannot be sent has been told already.
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise]);
      clearTimeout(timer);
    },
  };
}

/** Says once that the collector is away, and once that it is back, however many batches that concerns. */
class WatchedExporter implements SpanExporter {
  #isAway = false;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly collector: string,
    private readonly log: Log,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      this.#note(result);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  #note({ code, error }: ExportResult): void {
    const isAway = code !== ExportResultCode.SUCCESS;
    const { collector } = this;
    if (isAway && !this.#isAway)
      this.log.warn(
        { collector, err: error },
        'traces cannot be delivered and are dropped; nothing else depends on it',
      );
    if (!isAway && this.#isAway) this.log.info({ collector }, 'traces are delivered again');
    this.#isAway = isAway;
  }
}
